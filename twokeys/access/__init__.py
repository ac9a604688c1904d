"""The access graph: doors, keys and findings."""
