"""Who can enter an account, through what, granted where, since when; and who really did.

What CloudTrail saw goes from `record` (one record as a use) to `trail` (all of them, each call once) and `sorting`
(what counts, with the doors that `entries` finds to explain it). `known` and `coverage` tell where a use would be
among the records, `unusual` what is unusual. Of `changes`, calls that change who can enter, `bearing` tells which
matter, `whom` and `strengths` for whom and how strong, `history` until when, `held` what roles had then, `shown`
whether the states have it; `against_states` puts these together as `stood`, and `differs` is what no call explains.
`comparison` is all of it, with what `to_look_at` orders and `first_sheet` says in short; `data` and `events` have it as
JSON and in words; `report` prints it, `table` and `page` make a table and a page of it.
`reading` makes a trail of files, each of which `logs` reads; `lookup` makes one of CloudTrail's event history.
"""

LEARNING = 14
"""Days from the beginning of the period in which entries only teach what is usual."""
