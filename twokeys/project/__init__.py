"""A Pulumi project on disk, read in one way: `Pulumi.yaml`, the files of stacks and shards, and their states."""
