"""Who can enter an account, through what, granted where, since when; and who really did."""
