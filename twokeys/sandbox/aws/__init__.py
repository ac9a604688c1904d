"""Pulumi's AWS provider, as far as this program needs it, for the sandbox: real API calls, to loopback only."""
