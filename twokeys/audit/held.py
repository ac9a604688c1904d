"""What roles and permission sets had when, as calls and the states of the period's beginning and end tell. Pure."""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import cache
from operator import itemgetter

from twokeys.access.model.documents import Document
from twokeys.answers.model import BOUNDARY, Answers, Party
from twokeys.audit.changes import PROVISIONS
from twokeys.audit.differs import entered, is_same
from twokeys.audit.history import FIRST, LAST, History, Whom
from twokeys.audit.stood import POLICIES
from twokeys.audit.trail import Change
from twokeys.iam import UNKNOWN, Arn
from twokeys.iam.sts import permission_set_of

_MOMENT = timedelta.resolution
Policies = Mapping[str, Sequence[Document | None]]
"""By name, each as it was; what is no document is None."""
_Span = tuple[datetime, datetime, Document | None]
_start, _end = itemgetter(0), itemgetter(1)
_EVERYWHERE = "targetType ALL_PROVISIONED_ACCOUNTS"
"""How a call asks to provision all accounts that have a permission set."""
_NO_LIMIT = (Document(UNKNOWN, "AdministratorAccess", arn="arn:aws:iam::aws:policy/AdministratorAccess"),)
"""What limits a role as much as no boundary does."""


class Held:
    """The policies and the boundary of each role and permission set at each moment.

    What a call wrote that is there now was there before it as it is then, where no state of before tells. What no call
    tells the end of may have gone at any time, and what none tells the beginning of may have come so.
    """

    def __init__(self, history: History) -> None:
        self.history, self.answers = history, (answers := history.answers)
        self._provisions: dict[str, list[Change]] = defaultdict(list)
        for one in history.done:
            if one.use.event in PROVISIONS:
                self._provisions[one.of[1]].append(one)
        held = (key[:3] for each in (answers.before, answers) if each for key in each.holds)
        sets = {one: None for one in (*held, *history.of) if one[1:2] == ("set",)}
        self._sets: dict[str, Whom] = {answers.names.get(one[2], one[2]): (one[0], one[1], one[2]) for one in sets}
        self._spans, self.provisioned = cache(self._read), cache(self._provisioned)

    def _provisioned(self, permission_set: str, account: str) -> list[datetime]:
        """When calls brought an account what the set was given: by that name, or with an assignment.

        https://docs.aws.amazon.com/singlesignon/latest/APIReference/API_ProvisionPermissionSet.html and
        https://docs.aws.amazon.com/singlesignon/latest/APIReference/API_CreateAccountAssignment.html
        """
        calls = self._provisions.get(permission_set, ())
        return sorted({one.use.time for one in calls if account == one.use.account or _EVERYWHERE in one.parameters})

    def of_role(self, role: Party, time: datetime) -> Policies:
        """What a role had at a moment: one of a permission set what that had when its account was last provisioned, and
        in the second of that what it had before as well.
        """
        whom = self.holder(role)
        if whom[1] != "set":
            return self.between(whom, time, time)
        times = self.provisioned(whom[2], role.who.account)
        times = times[: bisect_right(times, time)][-2:]
        found: dict[str, list[Document | None]] = defaultdict(list)
        for moment in [FIRST, *(each + _MOMENT for each in times)][-2 if times[-1:] == [time] else -1 :]:
            for name, said in self.between(whom, moment, moment).items():
                found[name] += said
        return found

    def holder(self, role: Party) -> Whom:
        """Whose policies a role has: its own, or those of the permission set that AWS made it of."""
        name = role.who.name if role.who.kind == "set" else permission_set_of(role.arn or role.who.name)
        return self._sets.get(name, ("", "set", name)) if name else (role.who.account, "role", role.who.name)

    def between(self, whom: Whom, first: datetime, last: datetime) -> Policies:
        """What it had at a moment, or at any between two. Of calls in the second of the one moment either is first."""
        found: dict[str, list[Document | None]] = {}
        for name, spans in self._spans(whom)[0].items():
            start = min(bisect_right(spans, first, key=_end), bisect_left(spans, last, key=_end))
            stop = max(bisect_left(spans, last, key=_start), bisect_right(spans, first, key=_start))
            if said := [one for _, _, one in spans[start:stop]]:
                found[name] = said
        return found

    def since(self, whom: Whom) -> Mapping[str, datetime]:
        """Since when it has those of now that a call of the period gave it and that were not there before."""
        return self._spans(whom)[1]

    def _read(self, whom: Whom) -> tuple[Mapping[str, Sequence[_Span]], Mapping[str, datetime]]:
        """From when until when it had each policy and, where any is known to limit it, each boundary or none; and since
        when it has those of now that a call of the period gave it and that were not there before.
        """
        answers, before = self.answers, self.answers.before
        calls, came = defaultdict[str, list[Change]](list), dict[str, datetime]()
        for one in self.history.of.get(whom, ()):
            if one.gives in POLICIES or one.of[2] == BOUNDARY:
                calls[one.of[2]].append(one)
            elif one.boundary:  # that it was made with
                calls[BOUNDARY].append(one)
        now, then = _shown(whom, answers), _shown(whom, before) if before else {}
        found: dict[str, list[_Span]] = defaultdict(list)
        for name in {**now, **then, **calls}:
            of, no_limit = calls[name], _NO_LIMIT if name == BOUNDARY else ()
            here: Sequence[Document | None] = [now[name]] if name in now else no_limit
            if not of:  # what differs may have changed at any time
                was = [then[name]] if name in then else no_limit if before and whom in before.written else ()
                was = () if here and was and is_same(was[0], here[0]) else was
                found[name] += [(FIRST, LAST - _MOMENT, said) for said in was]
                found[name] += [(FIRST, LAST, said) for said in here]
                continue
            knows = self.history.shows(of[0])
            begins = [then[name]] if knows and name in then else []
            if not begins and (
                of[0].undone or (of[0].call.writes and not of[0].boundary and not knows and name in now)
            ):
                begins = [document_of(of[0], answers)]
            last = max((number for number, one in enumerate(of, 1) if one.undone), default=0)
            if name in now and not begins and of[last:]:
                came[name] = of[last].use.time
            times = [FIRST, *(one.use.time for one in of), LAST]
            versions: list[list[Document | None]] = [begins]
            versions += ([] if one.undone else [document_of(one, answers)] for one in of)
            versions[-1] += [now[name]] if name in now else []
            for start, end, each in zip(times, times[1:], versions, strict=False):
                found[name] += [(start, end, said) for said in each or no_limit]
        return found, came


def _shown(whom: Whom, answers: Answers) -> dict[str, Document | None]:
    """The policies and the boundary that answers show, by name."""
    if whom[1] != "set":
        return {name: said for name, said in answers.held_by(whom).items() if name}
    found = dict[str, Document | None]()
    for way in answers.ways_into([entered(whom, answers)]):
        found |= {said.arn or "": said for said in way.permissions.documents}
        found |= {BOUNDARY: way.permissions.limit} if way.permissions.limit else {}
    return found


def document_of(one: Change, answers: Answers) -> Document:
    """The policy that a call gives or takes away, as far as it is known."""
    what = one.boundary or one.of[2]
    own = answers.holds.get((one.recorded, "policy", what, ""))
    policy = (one.policy if not one.boundary else None) or (own.policy if own else UNKNOWN)
    return Document(policy, what.rpartition("/")[2], arn=what if Arn.parse(what) else None)
