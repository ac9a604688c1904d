"""What the pulumi CLI starts where the vendor's own is not installed: a language host and the package aws."""
