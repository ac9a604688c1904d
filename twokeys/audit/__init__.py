"""Who can enter an account, through what, granted where, since when; and who really did."""

LEARNING = 14
"""Days from the beginning of the period in which entries only teach what is usual."""
