"""What differs between the states of a period's beginning and end, though no recorded call explains it. Pure."""

from collections import defaultdict
from collections.abc import Container, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import cast

from twokeys.access.model.documents import Document
from twokeys.answers.model import Answers
from twokeys.answers.permissions import Level
from twokeys.audit.history import LAST, MAKES, History, Whom
from twokeys.audit.who_called import called
from twokeys.doors import Who
from twokeys.doors.who import Kind
from twokeys.shown import listed

NO_CALL = "differs between the states, and no recorded call explains it"


@dataclass(frozen=True, slots=True)
class Differs:
    """Whom two states show otherwise, what of it, and between when; how strong it was and is, and who may enter it or
    might, where it is a role or a permission set that somebody enters.
    """

    whom: Whom
    what: tuple[str, ...]
    first: datetime
    last: datetime
    levels: tuple[Level, ...]
    who: tuple[str, ...]

    @property
    def strength(self) -> str:
        """How strong it was and is, in words; empty of what nobody enters."""
        return " -> ".join(dict.fromkeys(level.word for level in self.levels))

    def words(self, answers: Answers) -> str:
        """Of whom what, and how strong: "role ci of prod (trust policy): read"."""
        account, kind, name = self.whom
        texts = {"role": "trust policy", "set": "inline policy"}
        names = [" ".join(called(id, answers) for id in one.rpartition("/")[2].split()) for one in self.what]
        said = listed([each for each in (one or texts.get(kind, "") for one in names) if each])
        ours = f" of {answers.account_name(account)}" if kind in {"role", "user", "group"} else ""
        label = "" if name in answers.principals else "permission set " if kind == "set" else f"{kind} "
        strong = f": {self.strength}" if self.strength else ""
        return f"{label}{called(name, answers)}{ours}{f' ({said})' if said else ''}{strong}"


def entered(whom: Whom, answers: Answers) -> Who:
    """What somebody enters of it: of a permission set its roles in any account."""
    account, kind, name = whom
    return Who("set", "", answers.names.get(name, name)) if kind == "set" else Who(cast(Kind, kind), account, name)


def unexplained(history: History, accounts: Container[str], recorded: Container[str]) -> Iterator[Differs]:
    """What differs, of accounts that are asked for and recorded, though no call since the older states is about it."""
    found, now, then = defaultdict[Whom, list[str]](list), history.answers, history.answers.before
    if then is None:
        return
    first, last = (
        pick((one.moment for one in of.evidence if one.moment), default=LAST) for pick, of in ((min, then), (max, now))
    )
    for key in {**then.holds, **now.holds}:
        account, kind, name, what = key
        same = key in now.holds and key in then.holds and is_same(now.holds[key], then.holds[key])
        read = all((account, "", "") in side.written for side in (now, then))
        asked = account in accounts or kind in {"set", "identity-center-group"}
        others = any(id in now.names and id not in accounts for id in what.split())
        if read and asked and account in recorded and not (same or others):
            since = [one for one in history.of.get(key[:3], ()) if first < one.use.time <= last]
            if not any(one.held == key or one.call.deletes or one.use.event in MAKES for one in since):
                found[account, kind, name].append(what)
    for whom, each in found.items():
        ways = [of for of in (side.ways_into([entered(whom, side)]) for side in (then, now)) if of]
        levels = (max(way.permissions.level for way in of) for of in ways)
        who = dict.fromkeys(way.source.short for of in ways[::-1] for way in of)
        yield Differs(whom, tuple(each), first, last, tuple(levels), tuple(who))


def is_same(one: Document | None, other: Document | None) -> bool:
    """Whether two states have the same document, or none."""
    return (one and (one.policy, one.arn)) == (other and (other.policy, other.arn))
