"""Who can enter an account, through what, granted where, since when; and who really did.

What CloudTrail saw goes from `record` (one record as a use) to `trail` (all of them, each call once), `entries` (which
doors explain it), `known`, `unusual`, `changes` and `coverage`, `comparison` (all of these), `data` and `events` (it as
JSON and in words); `report` prints it or makes a table of it, `page` a page. `reading` makes a trail of files, each of
which `logs` reads; `lookup` makes one of CloudTrail's event history.
"""

LEARNING = 14
"""Days from the beginning of the period in which entries only teach what is usual."""
