"""Temporary doors: the change of a stack's config that opens one, for review."""
