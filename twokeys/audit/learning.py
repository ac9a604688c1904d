"""How long entries only teach what is usual; by itself, so that `--help` need not load the comparison."""

LEARNING = 14
"""Days from the beginning of the period."""
