"""What of the events somebody has to look at: each use once, those that are alike together."""

from collections import Counter, defaultdict
from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from operator import itemgetter

from twokeys.answers.model import Answers
from twokeys.answers.permissions import Level
from twokeys.answers.selection import PEOPLE
from twokeys.audit.comparison import Comparison
from twokeys.audit.record import SESSIONS, SIGN_INS, Use
from twokeys.audit.trail import LOGGING
from twokeys.audit.unusual import Word
from twokeys.audit.words import FEW, NO_DOOR, by_door, said_of, used
from twokeys.shown import in_utc

UNUSUAL, _CHANGED = "unusual", "changed"


@dataclass
class Alike:
    """Uses that are alike, in order of time, with what they are, how often, and why."""

    uses: list[Use] = field(default_factory=list)
    labels: Counter[str] = field(default_factory=Counter)
    why: dict[str, None] = field(default_factory=dict)
    while_what: tuple[str, ...] = ()
    """While what they were that the answers have not."""
    surprises: dict[str, None] = field(default_factory=dict)
    """Of these reasons those that are unusual; of new addresses, which may be many, one."""

    def __len__(self) -> int:
        return len(self.uses)

    def order(
        self, unmet: Container[str], whence: Container[str | None], strengths: Mapping[str, Level]
    ) -> tuple[object, ...]:
        """Who had no door any more first, then who had none, what came from an address of theirs, and first what
        succeeded, who came while there was more, who did not meet what a door asks for, root users, logging that was
        stopped, and what is unusual. Of each what succeeded, then what is into the strongest role, what is single, a
        first entry, that for several reasons, and that of people is first.

        Sessions that no record shows anybody to begin are last: where a trail logs writes only, all of them are such.
        """
        first = self.uses[0]
        who, met = first.caller.who.kind, all(use.id not in unmet for use in self.uses)
        theirs, failed = any(use.source in whence for use in self.uses), first.failed is not None
        return (
            *(first.event in SESSIONS, is_nobody_s(first)),
            not any(why.startswith(Word.AFTER) for why in self.surprises),
            *(NO_DOOR not in self.labels, not theirs, theirs and failed, not self.while_what, met, who != "root-user"),
            *(first.event not in LOGGING, failed, -max(strengths.get(use.id, Level.NONE) for use in self.uses)),
            *(len(self) > 1, Word.FIRST_ENTRY not in self.surprises, -len(self.surprises), who not in PEOPLE),
            *(first.time, first.id),
        )

    def row(self, answers: Answers) -> tuple[str, str]:
        """What they are; the last of them, of how many in how many regions, and why, not all of many."""
        labels = ", ".join(
            f"{label} ({count})" if count > 1 else label for label, count in sorted(self.labels.items(), reverse=True)
        )
        last, regions = used(self.uses[-1], answers), len({use.region for use in self.uses})
        last += f", the last of {len(self)} since {in_utc(self.uses[0].time)}" if len(self) > 1 else ""
        last += f" in {regions} regions" if regions > 1 else ""
        sessions = [*dict.fromkeys(use.caller_session for use in self.uses if use.caller_session)]
        new = {one for one in self.why if one.startswith(Word.NEW_ADDRESS)} if len(self.uses) > 1 else set()
        addresses = len({use.source for use in self.uses})
        last += f" from {addresses} addresses" if addresses > 1 and not new else ""
        last += f", in sessions {said_of(sessions)}" if len(sessions) > 1 else ""
        why = [one for one in self.why if one not in new]
        why += [f"{len(new)} {Word.NEW_ADDRESS}es for this principal"] if len(new) > 1 else new
        more = [f"{len(why) - FEW} more such reasons"] if len(why) > FEW + 1 else []
        return labels, ": ".join(filter(None, (last, "; ".join(why[: FEW if more else None] + more))))


Rows = list[tuple[str, str]]


def to_look_at(answers: Answers, comparison: Comparison) -> tuple[Rows, Rows]:
    """Each use once, with what it is: entries without a sure door and what is unusual, and other changes of keys, but
    for those that gave, took or ended what was taken back.

    Those that are alike are one; of the changes the rarest is first.
    """
    first, changes = in_order(answers, comparison)
    return [one.row(answers) for one in first], [one.row(answers) for one in changes]


def in_order(answers: Answers, comparison: Comparison) -> tuple[list[Alike], list[Alike]]:
    """The same, as they are."""
    entered, meanwhile = defaultdict[str, str](str), comparison.meanwhile(answers)
    for one in comparison.not_in_states:
        entered[one.change.use.id] += one.came(answers)
    groups = _alike((*_entries_and_unusual(comparison), *_changed(comparison, entered)), meanwhile)
    unmet = {one.use.id for one in comparison.population if one.unmet}
    about = unmet, {use.source for use in comparison.undeclared}, comparison.strengths
    first = sorted((one for one in groups if [*one.labels] != [_CHANGED]), key=lambda one: one.order(*about))
    return first, sorted((one for one in groups if [*one.labels] == [_CHANGED]), key=len)


def in_time(rows: Rows) -> Rows:
    """The rows in order of time, with which their second part begins."""
    return sorted(rows, key=itemgetter(1))


_Said = tuple[Use, str, tuple[str, ...], str]
"""A use, what it is, why, and whom it trusts."""


def _entries_and_unusual(comparison: Comparison) -> Iterator[_Said]:
    for one in comparison.population:
        if one.perhaps:
            yield one.use, f"perhaps by {' or '.join(map(by_door, one.doors))}", tuple(one.perhaps.split("; ")), ""
        elif not one.doors:
            yield one.use, NO_DOOR, (), ""
    yield from ((one.use, UNUSUAL, one.why, "") for one in comparison.unusual)


def _changed(comparison: Comparison, entered: Mapping[str, str]) -> Iterator[_Said]:
    for one in comparison.changes:
        if not any(each.is_of(one) for each in comparison.taken_back):
            said = f"{one}{entered.get(one.use.id, '')}".removeprefix("; ")
            yield one.use, _CHANGED, (said,) if said else (), one.trusts


def _alike(said: Iterable[_Said], meanwhile: Mapping[str, list[str]]) -> list[Alike]:
    """Each use once: those together where the same principal calls the same of an account, with the same outcome.

    An entry tells for whom and from where it was: those of another are apart, but for those of which a new address is
    all that is unusual, and failed sign-ins. So is, where no door explains it, each session of a role. Those of one
    subject of an identity provider are one, and sessions that no record shows anybody to begin one for each role, but
    for those of IAM Identity Center, each of which is a person.
    """
    of_use: dict[tuple[str, str], list[_Said]] = defaultdict(list)
    for one in said:
        of_use[one[0].id, one[0].event].append(one)
    groups: dict[tuple[object, ...], Alike] = defaultdict(Alike)
    for same in sorted(of_use.values(), key=lambda same: (same[0][0].time, same[0][0].id)):
        use, kinds = same[0][0], frozenset((what, trusts) for _, what, _, trusts in same if what != UNUSUAL)
        what_it_is = {what for what, _ in kinds}
        any_session = is_nobody_s(use) or use.caller.who.kind == "web-identity"
        session = use.caller_session if not any_session and (NO_DOOR in what_it_is or use.event in SESSIONS) else None
        unusual = [why for _, what, whys, _ in same if what == UNUSUAL for why in whys]
        surprises = dict.fromkeys(Word.NEW_ADDRESS if why.startswith(Word.NEW_ADDRESS) else why for why in unusual)
        any_source = any_session or (use.event in SIGN_INS and use.failed is not None)
        source = None if any_source else Word.NEW_ADDRESS if [*surprises] == [Word.NEW_ADDRESS] else use.source
        first = use.begun_by and (use.begun_by.caller.who, use.begun_by.unique_id)
        whence = (first,) if what_it_is == {_CHANGED} else (source, use.source_identity, session)
        who = use.caller.who, not use.names_caller and use.unique_id
        while_what = tuple(dict.fromkeys(said.partition(" (")[0] for said in meanwhile.get(use.id, ())))
        group = groups[who, use.target, use.event, use.failed, kinds, whence, while_what]
        group.uses.append(use)
        group.labels.update(what for _, what, _, _ in same)
        group.while_what = while_what
        group.why.update(dict.fromkeys(while_what))
        group.why.update(dict.fromkeys(why for _, _, whys, _ in same for why in whys))
        group.surprises.update(surprises)
    return list(groups.values())


def is_nobody_s(use: Use) -> bool:
    """Whether it is a session that no record shows anybody to begin, of a role that is not IAM Identity Center's."""
    return use.event in SESSIONS and not use.permission_set
