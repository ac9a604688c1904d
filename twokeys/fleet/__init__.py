"""An environment with many accounts, run as many stacks: its shards, their runs by the pulumi CLI, their recovery."""
