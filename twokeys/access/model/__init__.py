"""Accounts, principals and the documents that bear on them, read from a snapshot."""
