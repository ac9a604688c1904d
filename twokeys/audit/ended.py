"""Memberships and assignments that ended in the period: who came by one before its end, and who came after it. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Mapping

from twokeys.answers.model import Answers, Party
from twokeys.audit.changes import LETS_IN
from twokeys.audit.record import Use
from twokeys.audit.stood import Stood
from twokeys.audit.whom import is_by, principal_of, set_of, whom_entered
from twokeys.doors import Who

Whom = Mapping[Who, Stood]


class Ended:
    """Those of `stood` that ended, of groups and people whom the sources know by their ids."""

    def __init__(self, stood: Iterable[Stood], answers: Answers) -> None:
        self._answers = answers
        self._of: dict[Who | None, list[tuple[Who, Stood]]] = defaultdict(list)
        for one in stood:
            principal = principal_of(one.change, answers) if one.until and one.change.gives in LETS_IN else None
            for where in whom_entered(one.change, answers.accounts, answers):
                self._of[where] += [(principal, one)] if principal else []

    def about(self, use: Use) -> tuple[Whom, Whom]:
        """What an entry's caller had when it came, and had had before the records; what had ended before it came.

        What a call of the period gave as well is neither, while it stood: nobody may have known of it.
        """
        where = set_of(Party(use.target, use.arn))
        mine = {who: one for who, one in self._of.get(where, ()) if is_by(one.change, use, self._answers)}
        had = {who: one for who, one in mine.items() if one.until and (one.since or use.time) <= use.time <= one.until}
        over = {who: one for who, one in mine.items() if not had and one.until and one.until < use.time}
        return {who: one for who, one in had.items() if one.since is None}, over
