"""What of the events somebody has to look at: each use once, those that are alike together."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from operator import itemgetter
from typing import TYPE_CHECKING, TypeVar

from twokeys.answers.model import Answers
from twokeys.answers.permissions import Level
from twokeys.answers.selection import PEOPLE
from twokeys.audit.record import ENTERING, SESSIONS, SIGN_INS, Use
from twokeys.audit.stood import BRIEFLY
from twokeys.audit.trail import LOGGING
from twokeys.audit.unusual import Word
from twokeys.audit.who_called import called, given, who_began
from twokeys.audit.words import FEW, NO_DOOR, by_door, said_of, used
from twokeys.shown import in_utc

if TYPE_CHECKING:
    from twokeys.audit.comparison import Comparison

UNUSUAL, CHANGED = "unusual", "changed"
_NO_DOOR, ROOT_USER, _BRIEFLY, _IN_ROOT, _BREAK_GLASS, _LOGGING, CONTROL, CHANGE, _SIGN_IN, _PERHAPS = range(10)
_UNUSUAL, _FAILED, _NOBODY, OF_ALL, PLANNED = range(10, 15)
"""The kinds of what is to be looked at, the most important first; last what changed as the states show it, which is
none of it, and before that what concerns somebody as it does all.
"""
Rank = tuple[bool, bool, int]
"""How one is sorted among its kind: what was for a while or nobody began, and of unknown strength, is last."""
_T = TypeVar("_T")


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

    def order(
        self, unmet: Container[str], whence: Container[str | None], strengths: Mapping[str, Level]
    ) -> tuple[object, ...]:
        """Of what one principal did, or is as strong: who had no door any more first, what came from an address of
        those who had none, who did not meet what a door asks for. Of each what succeeded, then what is into the
        strongest role, what is single, a first entry, that for several reasons, and that of people is first.
        """
        first = self.uses[0]
        return (
            not any(why.startswith(Word.AFTER) for why in self.surprises),
            *(not any(use.source in whence for use in self.uses), not any(use.id in unmet for use in self.uses)),
            *(first.failed is not None, -max(strengths.get(use.id, Level.NONE) for use in self.uses)),
            *(len(self.uses) > 1, Word.FIRST_ENTRY not in self.surprises, -len(self.surprises)),
            *(first.caller.who.kind not in PEOPLE, first.time, first.id),
        )

    @property
    def kind(self) -> int:
        """Of what kind they are."""
        use = self.uses[0]
        failed, root = use.failed is not None, use.caller.who.kind == "root-user"
        by_root = root or use.in_root or (use.event in ENTERING and not use.role and use.event not in SIGN_INS)
        kinds = (
            (_NOBODY, use.event in SESSIONS),
            (_NO_DOOR, NO_DOOR in self.labels),
            (_BRIEFLY, any(why.endswith(BRIEFLY) or why.startswith(Word.BY_KEY) for why in self.surprises)),
            (_SIGN_IN, use.event in SIGN_INS and not root),
            (_FAILED, failed),
            (ROOT_USER if root else _IN_ROOT, by_root),
            (_BREAK_GLASS, Word.BREAK_GLASS in self.surprises),
            (_LOGGING, use.event in LOGGING),
            (_PERHAPS, any(label.startswith("perhaps") for label in self.labels)),
        )
        return next((kind for kind, is_it in kinds if is_it), _UNUSUAL)

    def row(self, answers: Answers) -> tuple[str, str]:
        """What they are; the last of them, of how many in how many regions, and why, not all of many."""
        labels = ", ".join(
            f"{label} ({count})" if count > 1 else label for label, count in sorted(self.labels.items(), reverse=True)
        )
        last, regions = used(self.uses[-1], answers), len({use.region for use in self.uses})
        last += f", the last of {len(self.uses)} since {in_utc(self.uses[0].time)}" if len(self.uses) > 1 else ""
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


@dataclass(frozen=True, slots=True)
class Did:
    """What one principal did of a kind, and how strong the roles are, as far as that is shown."""

    kind: int
    who: str
    same: Sequence[Alike]
    levels: frozenset[Level]

    @property
    def rank(self) -> Rank:
        """How it is sorted among its kind."""
        strongest = Level.ADMINISTRATOR if self.kind in (ROOT_USER, _IN_ROOT) else max(self.levels, default=Level.NONE)
        last = all(one.while_what or is_nobody_s(one.uses[0]) for one in self.same)
        return last, self.levels == {Level.UNKNOWN}, -strongest


def in_order(found: Iterable[tuple[int, Rank, _T]]) -> list[_T]:
    """First one of each kind, and all without a door or by the root user; of a kind the strongest first."""
    kinds: dict[int, list[_T]] = defaultdict(list)
    for kind, _, one in sorted(found, key=itemgetter(0, 1)):
        kinds[kind].append(one)
    first = {kind: len(of) if kind <= ROOT_USER else kind < _FAILED for kind, of in kinds.items()}
    return [
        *(one for kind, of in kinds.items() for one in of[: first[kind]]),
        *(one for kind, of in kinds.items() for one in of[first[kind] :]),
    ]


Rows = list[tuple[str, str]]


def to_look_at(answers: Answers, comparison: Comparison) -> tuple[Rows, Rows]:
    """Each use once, with what it is: entries without a sure door and what is unusual, and other changes of keys, but
    for those that gave, took or ended what was taken back.

    Those that are alike are one. The first of what each principal did of a kind is first, as on the first sheet; of the
    changes the rarest is.
    """
    sheet = comparison.sheet
    ordered = in_order((one.kind, one.rank, one.same) for one in sheet.did)
    first = chain((one for one, *_ in ordered), (one for _, *more in ordered for one in more))
    return [one.row(answers) for one in first], [one.row(answers) for one in sheet.changes]


def did_and_changed(answers: Answers, comparison: Comparison) -> tuple[list[Did], list[Alike]]:
    """The same, as they are: what each principal did, and other changes of keys."""
    entered, meanwhile = defaultdict[str, str](str), comparison.meanwhile(answers)
    for each in comparison.not_in_states:
        entered[each.change.use.id] += each.came(answers)
    groups = _alike((*_entries_and_unusual(comparison), *_changed(comparison, entered, answers)), meanwhile)
    unmet = {one.use.id for one in comparison.population if one.unmet}
    about = unmet, {use.source for use in comparison.undeclared}, comparison.strengths
    own: dict[tuple[int, str, str], list[Alike]] = defaultdict(list)
    for one in sorted((one for one in groups if [*one.labels] != [CHANGED]), key=lambda one: one.order(*about)):
        use, kind = one.uses[0], _UNUSUAL if one.kind == _LOGGING and _goes_on(one.uses[0], comparison) else one.kind
        own[kind, who_began(use, answers), use.target.name if kind == _UNUSUAL else ""].append(one)
    did = []
    for (kind, who, _), same in own.items():
        every = kind == _SIGN_IN and all(one.uses[0].failed is not None for one in same)
        strengths = (comparison.strengths.get(use.id) for one in same for use in one.uses)
        did.append(Did(_FAILED if every else kind, who, same, frozenset(of for of in strengths if of is not None)))
    return did, sorted((one for one in groups if [*one.labels] == [CHANGED]), key=lambda one: len(one.uses))


def _goes_on(use: Use, comparison: Comparison) -> bool:
    """Whether the organization's trail has all of a member account that stopped its own."""
    management = {way.steps[-1].source.who.account for way in comparison.answers.ways if way.by_access_role}
    there = [one.recorded for one in comparison.was_read.accounts if one.account == use.account]
    return bool(management - {use.account} and there) and all(one.files and not one.own_files for one in there)


_Said = tuple[Use, str, tuple[str, ...], str]
"""A use, what it is, why, and whom it trusts."""


def _entries_and_unusual(comparison: Comparison) -> Iterator[_Said]:
    for one in comparison.population:
        if one.perhaps:
            yield one.use, f"perhaps by {' or '.join(map(by_door, one.doors))}", tuple(one.perhaps.split("; ")), ""
        elif not one.doors:
            yield one.use, NO_DOOR, (), ""
    yield from ((one.use, UNUSUAL, one.why, "") for one in comparison.unusual)


def _changed(comparison: Comparison, entered: Mapping[str, str], answers: Answers) -> Iterator[_Said]:
    told = {id for each in comparison.taken_back for id in each.calls}
    for one in comparison.changes:
        if one.use.failed or one.use.id not in told:
            what = re.sub(r"[^\s,;]*[^\d\s,;][^\s,;]*", lambda word: called(word[0], answers), str(one))
            if one.of[1] in answers.principals and (whom := called(one.of[1], answers)) not in what:
                what = ", ".join(filter(None, (whom + given(one, answers), what)))
            said = f"{what}{entered.get(one.use.id, '')}".removeprefix("; ")
            yield one.use, CHANGED, (said,) if said else (), one.trusts or one.of[0]


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
        whence = (first,) if what_it_is == {CHANGED} else (source, use.source_identity, session)
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
