"""A local AWS on this machine, and the program made in it: by the SDK's mocks, or by the pulumi CLI."""
