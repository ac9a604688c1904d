"""Which doors explain an entry, surely or perhaps and why only so; and how each door was used."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import Enum
from itertools import chain

from twokeys.access.model.names import EVERY_SERVICE
from twokeys.access.model.requirements import EXTERNAL_ID, MFA, in_words, is_mfa, met, requires_mfa, window
from twokeys.answers.model import Answers, Step
from twokeys.audit.known import BY_PROVIDER, Records
from twokeys.audit.record import EARLIER, ROOT, SESSION, SESSIONS, Use
from twokeys.doors import Who
from twokeys.iam import Requirement
from twokeys.iam.external_id import is_external_id
from twokeys.iam.globs import Glob
from twokeys.iam.truth import Truth
from twokeys.shown import in_utc

_OTHERWISE = "the trust was another then, or the door was not used"
"""How AWS, which refuses a call that does not meet a condition of the door, came to let it in."""
_ANOTHER_ID = "caller or role has another unique id than in what was read"
_ANOTHER_PATH = "role has another path than in what was read"
_NO_BEGINNING = "a session of this role is in the records, its AssumeRole is not"
_BEFORE = "the session began before the period, and nothing shows who began it"
_NOT_NAMED = "the record does not name the caller"
_NOT_SHOWN = "nothing shows whether the caller is whom the door is for"
_UNKNOWN_MANAGEMENT = Who("root", "")
"""Whom AWS's own access role lets in where nothing tells which account that is."""
_HIDDEN = ((MFA, lambda one: requires_mfa([one])), (EXTERNAL_ID, is_external_id))
"""What a record may not tell of, and which requirements are of it."""
_ANY_PROVIDER = "any identity provider "
"""How a door's source begins that is of no provider in particular."""


class Usage(Enum):
    """Whether a door was used in the period; of one without a record of use, whether it was there at all."""

    USED = "used"
    PERHAPS = "perhaps used"
    NEVER = "no record of use"
    LATER = "made after the period"
    NOT_KNOWN = "not known"


@dataclass(frozen=True, slots=True)
class DoorUse:
    """How one door was used: `count` entries that are surely its own, `perhaps` that may be.

    `last`, `early`, `sessions` and `identities` are of the sure ones, else of those that may be its own: how many came
    before its keys were made, as far as it is known when; the sessions of the callers; their source identities.

    `proved` is False for a door that the picture cannot prove open or shut: what used it shows that it was open.
    """

    door: Step
    proved: bool
    count: int
    perhaps: int
    last: datetime | None
    early: int = 0
    sessions: tuple[str, ...] = ()
    identities: tuple[str, ...] = ()
    not_known: str = ""
    """Why there may be entries that are not among the records, in words; empty where they would be."""
    covered: tuple[datetime, datetime] | None = None
    """From when to when the records would have them; None where they might not."""
    without_digests: bool = False
    """Whether log files alone cover it, so that a gap within a day would not show."""
    by_others: int = 0
    """Of one person's use of a door, how many more uses there are: by others, or by somebody whom no record names."""

    @property
    def usage(self) -> Usage:
        """Used, perhaps used or without a record of use; not known where an entry may be missing."""
        made = self.door.since.first
        later = self.covered is not None and made is not None and made > self.covered[1]
        unused = Usage.NOT_KNOWN if self.not_known else Usage.LATER if later else Usage.NEVER
        return Usage.USED if self.count else Usage.PERHAPS if self.perhaps else unused


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry, or one use of a step on the way, and the doors that explain it: surely, or perhaps and why only so."""

    use: Use
    doors: tuple[Step, ...]
    perhaps: str = ""
    on_the_way: bool = False
    unmet: tuple[str, ...] = ()
    """What each door asks for and the call, as its record shows, did not meet, in words."""
    not_shown: tuple[str, ...] = ()
    """What each door asks for and the record does not tell of: MFA, an external ID."""


class Tallies:
    """The doors, each with what used it."""

    def __init__(self, doors: Iterable[Step], answers: Answers) -> None:
        self._answers = answers
        self._third_parties = {way.source.who.account for way in answers.ways if way.third_party} - {""}
        self._all = [Tally(door) for door in doors]
        self._into: dict[tuple[str, str], list[Tally]] = defaultdict(list)
        for one in self._all:
            self._into[one.door.target.who.kind, one.door.target.who.account].append(one)

    def used(self, records: Records) -> dict[tuple[Who, Who], tuple[Tally, DoorUse]]:
        """Each door's tally and what comes of it, by who comes and what is entered."""
        return {(one.door.source.who, one.door.target.who): (one, one.use(records)) for one in self._all}

    def take(self, use: Use, ids: Mapping[Who, set[str]], *, on_the_way: bool = False) -> Entry:
        """Give a use to the doors that explain it.

        A door of the principal itself comes before a door of its account as a whole, which is surely that of an unnamed
        principal, too, if no other door may be. So is any only door of a third party's account, whose records nobody
        has: AWS lets in nobody else of it. Of whom the sources know the unique id, another id is not theirs; one
        with their name, of before or after they were made anew, perhaps used the door, as did a call that meets
        the conditions of no such door, which AWS refuses.
        https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html#principal-accounts
        """
        into = [
            one
            for one in self._into[use.target.kind, use.account]
            if _is_at(one.door.target.who, use.target) and _comes_by(one.door.source.who, use.event)
        ]
        asked = {id(one): _asked(one.door, use) for one in into}
        unmet = {number: tuple(_unmet(use, each)) for number, each in asked.items()}
        found, sure = self._explain(use, ids, [one for one in into if not unmet[id(one)]])
        if not found:
            found, sure = self._explain(use, ids, into)
        other = _is_another(use, ids)
        lacks = tuple(dict.fromkeys(chain.from_iterable(unmet[id(one)] for one in found)))
        lacks = (_NO_BEGINNING,) if use.event == SESSION else lacks
        if not found:
            groups = [one.door.source.who.label for one in into if self._is_member(use, one) is False]
            lacks += tuple(f"in no membership of {group} that is shown" for group in dict.fromkeys(groups))
            return Entry(use, (), "", on_the_way, lacks)
        why = _BEFORE if use.event == EARLIER else _ANOTHER_ID if other else ""
        why = why or ("" if sure else _NOT_SHOWN if use.names_caller else _NOT_NAMED)
        if all(_has_another_path(one.door, use) for one in found):
            why = "; ".join(filter(None, (why, _ANOTHER_PATH)))
        why = "; ".join(filter(None, (why, *lacks)))
        for one in found:
            (one.perhaps if why else one.sure).append(use)
        untold = [[each for each, is_met in asked[id(one)] if is_met is Truth.FREE] for one in found]
        not_shown = tuple(what for what, is_it in _HIDDEN if all(any(map(is_it, each)) for each in untold))
        return Entry(use, tuple(one.door for one in found), why, on_the_way, lacks, not_shown)

    def _explain(self, use: Use, ids: Mapping[Who, set[str]], into: list[Tally]) -> tuple[list[Tally], bool]:
        """Whose of these doors a use is, by who came, and whether surely."""
        own = [one for one in into if _is(one.door.source.who, use.caller.who) or self._is_member(use, one) is True]
        wide = [one for one in into if _lets_in_all(one.door.source.who, use.caller.who)]
        by_id = use.unique_id if not use.names_caller else None
        may_be = [
            one
            for one in into
            if (use.event in (ROOT, *SESSIONS) and not use.names_caller)  # a session whose beginning has no record
            or (
                _may_be(use.caller.who, one.door.source.who)
                and self._is_member(use, one) is not False
                and not (by_id and _has_another_id(one.door.source.who, by_id, ids))
            )
        ]
        alone = wide == may_be or (len(may_be) == 1 and use.caller.who.account in self._third_parties)
        sure = own or (wide if use.names_caller else may_be if alone else [])
        return sure or may_be, bool(sure)

    def _is_member(self, use: Use, one: Tally) -> bool | None:
        """Whether the caller is in the group that a door is for; None where nothing shows it, or it is for no group."""
        caller, group = use.caller.who, one.door.source.who
        in_groups = (caller.kind, group.kind) == ("identity-center-user", "identity-center-group")
        return self._answers.is_member(caller.name, group) if in_groups else None


@dataclass
class Tally:
    """A door, and what surely and what perhaps used it."""

    door: Step
    sure: list[Use] = field(default_factory=list)
    perhaps: list[Use] = field(default_factory=list)

    def of_person(self, whole: DoorUse, entries: Iterable[Entry]) -> DoorUse:
        """How one person used it, of all its uses and of this person's entries."""
        for one in entries:
            (self.perhaps if one.perhaps else self.sure).append(one.use)
        found = self._use(whole.not_known, whole.covered, without_digests=whole.without_digests)
        return replace(found, by_others=whole.count + whole.perhaps - found.count - found.perhaps)

    def use(self, records: Records) -> DoorUse:
        """How it was used."""
        not_known, covered, without_digests = records.about(self.door)
        return self._use(not_known, covered, without_digests=without_digests)

    def _use(self, not_known: str, covered: tuple[datetime, datetime] | None, *, without_digests: bool) -> DoorUse:
        made = self.door.since.first
        uses = self.sure or self.perhaps
        early = sum(use.time < made for use in uses) if made else 0
        sessions = tuple(dict.fromkeys(use.caller_session for use in uses if use.caller_session))
        identities = tuple(dict.fromkeys(use.source_identity for use in uses if use.source_identity))
        last = uses[-1].time if uses else None
        found = (len(self.sure), len(self.perhaps), last, early, sessions, identities)
        proved = bool(self.door.keys)
        return DoorUse(self.door, proved, *found, not_known, covered, without_digests)


def _is_another(use: Use, ids: Mapping[Who, set[str]]) -> bool:
    """Whether a call tells another unique id of its caller or its role than the sources do."""
    shown = ((use.caller.who, use.unique_id), (use.target, use.role_id)) if use.event == "AssumeRole" else ()
    return any(unique_id is not None and unique_id not in ids.get(who, {unique_id}) for who, unique_id in shown)


def _has_another_path(door: Step, use: Use) -> bool:
    """Whether the role of a door has its name and another path: a name is unique in an account, so it was another role.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
    """
    return door.target.who == use.target and "" not in (use.arn, door.target.arn) and use.arn != door.target.arn


def _asked(door: Step, use: Use) -> list[tuple[Requirement, Truth]]:
    """What a door asks for, as it is now, and whether a call met it, as far as its record shows.

    What a session does later shows nothing of the call that began it.
    """
    if use.event in SESSIONS:
        return []
    return [(one, met(one, use.lookup)) for one in chain.from_iterable(door.requirements)]


def _unmet(use: Use, asked: Iterable[tuple[Requirement, Truth]]) -> Iterator[str]:
    """What a door asks for and a call did not meet, in words."""
    for one, is_met in asked:
        if is_met is Truth.FALSE:
            opens, closed = window([one])
            if is_mfa(one):
                yield "without the MFA that its door asks for"
            elif is_external_id(one):
                named = "with another external ID than" if use.external_id else "without the external ID that"
                yield f"{named} its door asks for: {_OTHERWISE}"
            elif closed is not None and opens is None and not one.any_of:
                yield f"the door is closed since {in_utc(closed)}: {_OTHERWISE}"
            else:
                yield f"the call does not meet its door's condition {in_words(one)}: {_OTHERWISE}"


def _is_at(target: Who, used: Who) -> bool:
    """Whether a door leads to what was used; the end of a permission set's role is AWS's own, and not known before."""
    same_place = (target.kind, target.account) == (used.kind, used.account)
    return same_place and (target.name == used.name or Glob(target.name).matches(used.name))


def _comes_by(source: Who, event: str) -> bool:
    """Whether such a call is how a door's source comes: people of an identity provider have calls of their own.

    A door for any provider may be for both of them. https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_sts-comparison.html
    """
    if event in SESSIONS:  # nothing tells how it began
        return True
    if event == "AssumeRoleWithSAML":
        return source.kind in BY_PROVIDER and (source.kind != "web-identity" or source.name.startswith(_ANY_PROVIDER))
    if event == "AssumeRoleWithWebIdentity":
        return source.kind == "web-identity"
    return source.kind not in BY_PROVIDER


def _is(source: Who, caller: Who) -> bool:
    """Whether a door's source is the caller; a subject may be a pattern, as in `GitHub repo:acme/*`."""
    if source.assigned:
        return caller.kind == "identity-center-user" and Glob(source.assigned).matches(caller.name)
    if source.kind in ("web-identity", "saml"):
        any_provider = source.name.startswith(_ANY_PROVIDER)
        name = f"* {source.name.removeprefix(_ANY_PROVIDER)}" if any_provider else source.name
        return caller.kind == source.kind and Glob(name).matches(caller.name)
    if source.kind == "identity-center-user":
        return (caller.kind, caller.name) == (source.kind, source.name)
    return source == caller


def _lets_in_all(source: Who, caller: Who) -> bool:
    """Whether a door is for the caller's account as a whole, for everyone, or for every service."""
    if source.kind == "root":
        return source.account == caller.account != ""
    every_service = source.kind == caller.kind == "service" and source.name == EVERY_SERVICE
    return every_service or source.kind == "everyone"


def _may_be(caller: Who, source: Who) -> bool:
    """Whether the caller may be the source, as far as is told: a user of a group that nobody shows the members of.

    No record tells of which organization a caller's account is.
    """
    if source.kind in ("everyone", "outsider") or (source.kind, caller.kind) == (
        "identity-center-group",
        "identity-center-user",
    ):
        return True
    if source.name.startswith(_ANY_PROVIDER) and caller.kind in ("saml", "identity-center-user"):
        return True
    if caller.account != source.account:
        return source == _UNKNOWN_MANAGEMENT
    return caller.kind == "principal" or (source.kind == "group" and caller.kind == "user")


def _has_another_id(source: Who, unique_id: str, ids: Container[Who]) -> bool:
    """Whether a unique id is surely not the source's: the sources know hers, or it is one of another kind.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-prefixes
    """
    others = {"AIDA": ("role",), "AROA": ("user", "group")}.get(unique_id[:4], ())
    return source in ids or source.kind in others
