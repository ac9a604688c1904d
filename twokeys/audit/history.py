"""From when until when a role or permission set had each of its policies. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime

from twokeys.access.model.documents import Document
from twokeys.answers.model import BOUNDARY, Answers
from twokeys.audit.shown import was_shown
from twokeys.audit.stood import POLICIES
from twokeys.audit.trail import Change
from twokeys.iam import UNKNOWN, Arn
from twokeys.iam.sts import permission_set_of

FIRST, LAST = (one.replace(tzinfo=UTC) for one in (datetime.min, datetime.max))
"""Before all that is known, and after it."""
Policies = Mapping[str, Sequence[Document | None]]
"""By name, each as it was; what is no document is None."""


class History:
    """The policies of a role or permission set, as older states have them, as calls changed them, and as the answers
    have them.

    What a call took away was there before it. So was what a call wrote, which no state of before tells: as it is then.
    What no call tells the end of may have gone at any time, and what none tells the beginning of may have come so.
    """

    def __init__(self, whom: tuple[str, str, str], done: Iterable[Change], answers: Answers) -> None:
        calls: dict[str, list[Change]] = defaultdict(list)
        for one in done:
            if one.whom == whom and one.gives in POLICIES:
                calls[one.of[2]].append(one)
        now, then = _shown(whom, answers), _shown(whom, answers.before) if answers.before else {}
        self.whom = whom
        self.since: dict[str, datetime] = {}
        """Since when it has those of now that a call of the period gave it and that were not there before."""
        self._had: list[tuple[datetime, datetime, str, Document | None]] = []
        for name in {**now, **then, **calls}:
            times = [FIRST, *(one.use.time for one in calls[name]), LAST]
            versions: list[list[Document | None]] = [
                [] if one.undone else [document_of(one, answers)] for one in calls[name]
            ]
            first = next(iter(calls[name]), None)
            knows = first is None or was_shown(first, answers)
            begins = [then[name]] if knows and name in then else []
            if first and not begins and (first.undone or (first.call.writes and not knows)):
                begins = [document_of(first, answers)]
            ends = max((number for number, one in enumerate(calls[name], 1) if one.undone), default=0)
            if name in now and not begins and calls[name][ends:]:
                self.since[name] = calls[name][ends].use.time
            versions.insert(0, begins)
            versions[-1] = versions[-1] + ([now[name]] if name in now else [])
            for start, end, each in zip(times, times[1:], versions, strict=False):
                self._had += [(start, end, name, said) for said in each]

    def between(self, first: datetime, last: datetime) -> Policies:
        """What it had at a moment, or at any between two. Of calls in the second of the one moment either is first."""
        found: dict[str, list[Document | None]] = defaultdict(list)
        for start, end, name, said in self._had:
            if (start < last or start <= first) and (end > first or end >= last):
                found[name].append(said)
        return found


def _shown(whom: tuple[str, str, str], answers: Answers) -> dict[str, Document | None]:
    """The policies that answers show, by name."""
    if whom[1] == "set":
        name = answers.names.get(whom[2], whom[2])
        ways = (way for way in answers.all_ways if permission_set_of(way.target.arn or way.target.who.name) == name)
        return {said.arn or "": said for way in ways for said in way.permissions.documents}
    return {name: said for name, said in answers.held_by(whom).items() if name not in ("", BOUNDARY)}


def document_of(one: Change, answers: Answers) -> Document:
    """The policy that a call gives or takes away, as far as it is known."""
    what = one.of[2]
    own = answers.holds.get((one.recorded, "policy", what, ""))
    policy = one.policy or (own.policy if own else UNKNOWN)
    return Document(policy, what.rpartition("/")[2], arn=what if Arn.parse(what) else None)
