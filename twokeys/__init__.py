"""What needs no engine: IAM evaluation, the access graph, the sandbox and the `twokeys` command."""
