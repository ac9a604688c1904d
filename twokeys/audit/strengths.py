"""How strong roles were meanwhile, or may still be, by policies that the answers do not show. Pure."""

from collections import defaultdict
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import cache
from itertools import chain
from typing import TypeAlias

from twokeys.access.model.principals import own_changes
from twokeys.answers.model import Answers, Party, Way
from twokeys.answers.permissions import Level, level_of
from twokeys.audit.bearing import is_about_roles
from twokeys.audit.changes import CONTROLS, LETS_IN, TRUST
from twokeys.audit.entries import Entry
from twokeys.audit.fates import done_of
from twokeys.audit.history import FIRST, LAST, History, Policies, document_of
from twokeys.audit.stood import POLICIES, Stood
from twokeys.audit.trail import Change
from twokeys.audit.whom import ways_into, whom_entered
from twokeys.doors import Who
from twokeys.iam import Arn
from twokeys.iam.arn import partition_of_region
from twokeys.iam.sts import permission_set_of
from twokeys.shown import in_utc

Histories: TypeAlias = Mapping[Who | None, History]
_POLICIES = ("RolePolicy", "UserPolicy", "GroupPolicy", "PermissionSet")
"""How calls end that give a policy to somebody."""


def permissions_meanwhile(
    one: Change, since: datetime | None, until: datetime | None, done: Sequence[Change], answers: Answers
) -> tuple[Level, tuple[str, ...]] | None:
    """How strong a role was at most while a trust policy stood, or a policy of a role or permission set that somebody
    enters; None of a call that is neither, or by whose policy the role may have entered others.

    Of a role's policy of before the records it is how strong the role was then; None if that is not more than now.
    """
    ways = ways_into(one, answers) if one.gives in POLICIES else []
    judged = one.trusts if one.gives == TRUST else ways
    if not judged or (one.recorded not in answers.accounts and one.of[0] != "set"):
        return None
    of_then = since is None and one.gives != TRUST and one.of[0] == "role"
    shown = History(one.whom, done, answers).between(since or FIRST, FIRST if of_then else until or LAST)
    role = str(Arn.iam("role", one.recorded, one.of[1], partition=partition_of_region(one.use.region)))
    strongest = _strongest(role, one.whom, shown, _made(done), answers)
    if one.gives != TRUST and strongest is not Level.ADMINISTRATOR and is_about_roles(one, {}, answers):
        return None
    if of_then and (strongest is Level.UNKNOWN or strongest <= max(way.permissions.level for way in ways)):
        return None
    return strongest, tuple(map(_policy, shown))


def _made(done: Iterable[Change]) -> set[tuple[str, str, str]]:
    """The roles that calls made."""
    return {one.whom for one in done if one.use.event == "CreateRole"}


def _strongest(
    role: str, whom: tuple[str, str, str], had: Policies, made: Container[tuple[str, str, str]], answers: Answers
) -> Level:
    """How strong a role is by these policies; that is not known of one that nothing shows and no call `made`."""
    documents = [said for each in had.values() for said in each]
    shown = whom in made or whom in answers.written or (*whom, "") in answers.holds
    raising = tuple(own_changes(role, filter(None, documents)))
    levels = [level_of(said, raising) if said else Level.UNKNOWN for said in documents]
    return max((Level.NONE if shown else Level.UNKNOWN, *levels))


def strength(one: Change, answers: Answers) -> Level:
    """How strong what a call gives is: a policy, or the role of whom it lets in. Whom a control policy bound may be
    administrators; of other calls there is none.
    """
    if one.gives in CONTROLS:
        return Level.ADMINISTRATOR
    if one.gives == TRUST or one.gives in LETS_IN:
        return max((way.permissions.level for way in ways_into(one, answers)), default=Level.NONE)
    gives = one.gives.endswith(_POLICIES) and not one.undone
    return level_of(document_of(one, answers), ()) if gives else Level.NONE


def as_they_may_be(answers: Answers, stood: Iterable[Stood], histories: Histories) -> Answers:
    """The answers with each role as strong as it may still be by policies that states do not show, and with since when
    it has those that calls gave it.
    """
    more: dict[Who | None, list[Stood]] = defaultdict(list)
    for one in stood if answers.from_states else ():
        for where in whom_entered(one.change, one.accounts, answers) if one.may_stand else ():
            more[where].append(one)

    def of(way: Way) -> Way:
        found, may = chain(more[way.target.who], more[way.target.permission_set]), way.permissions
        since = histories[way.target.who].since.items() if way.target.who in histories else ()
        dated = {_policy(name): f"{_policy(name)} since {in_utc(time)}" for name, time in since}
        may = replace(may, names=tuple(dated.get(name, name) for name in may.names))
        for one in found:
            level, _ = one.permissions or (may.level, ())
            name = f"{_policy(one.change.of[2])} ({one.change.use.event}, {in_utc(one.since or one.change.use.time)})"
            names, policies = ((name, *each) for each in (may.names, may.policies))
            if may.limit:
                level = min(level, level_of(may.limit, tuple(own_changes(way.target.arn, may.documents))))
            may = replace(may, level=max(may.level, level), names=names, policies=policies)
        return replace(way, permissions=may)

    return replace(answers, ways=tuple(map(of, answers.ways)), within=tuple(map(of, answers.within)))


def strengths_of(
    answers: Answers,
    population: Iterable[Entry],
    stood: Iterable[Stood],
    changes: Sequence[Change],
    histories: Histories,
) -> dict[str, Level]:
    """Of each entry, by id, how strong its role was then, as far as a way into it shows, or calls that changed it."""
    made = _made(done_of(changes))
    now, then = (
        _ways_into(each)
        for each in ((*answers.all_ways, *answers.if_granted), answers.before.all_ways if answers.before else ())
    )

    @cache
    def strength_of(role: Who | None, time: datetime) -> Level:
        ways = now.get(role) or then[role]
        level = max(way.permissions.level for way in ways)
        if role not in histories:
            return max((level, *(way.permissions.level for way in then.get(role, ()))))
        history, may, arn = histories[role], ways[0].permissions, ways[0].target.arn
        if (had := history.between(time, time)) == history.between(LAST, LAST):
            return level
        level = _strongest(arn, history.whom, had, made, answers)
        return min(level, level_of(may.limit, tuple(own_changes(arn, may.documents)))) if may.limit else level

    found: dict[str, Level] = {}
    known: set[Who | None] = {*now, *then}
    for one in population:
        use = one.use
        roles = [use.target, Party(use.target, use.arn).permission_set, *(door.target.who for door in one.doors)]
        shown = known.intersection(roles) or known & {Who("set", "", use.permission_set or "")}
        found[use.id] = max((strength_of(role, use.time) for role in shown), default=Level.UNKNOWN)
    for each in stood:
        if each.change.gives in POLICIES and each.change.of[0] == "role":
            continue  # the role's history tells how strong it was at each
        level, _ = each.permissions or (Level.NONE, ())
        found |= {use.id: max(found[use.id], level) for use in each.entered}
    return found


def histories_of(answers: Answers, changes: Sequence[Change]) -> Histories:
    """Of each role whose policies calls changed."""
    calls: dict[tuple[str, str, str], list[Change]] = defaultdict(list)
    for one in done_of(changes):
        if one.gives in POLICIES and one.of[0] == "role":
            calls[one.whom].append(one)
    return {Who("role", *whom[::2]): History(whom, of_role, answers) for whom, of_role in calls.items()}


def _ways_into(ways: Iterable[Way]) -> dict[Who | None, list[Way]]:
    """The ways into each role, or permission set, which is the same in every account."""
    found: dict[Who | None, list[Way]] = defaultdict(list)
    for way in ways:
        name = permission_set_of(way.target.arn or way.target.who.name)
        for role in (way.target.who, *((way.target.permission_set, Who("set", "", name)) if name else ())):
            found[role].append(way)
    return found


def _policy(name: str) -> str:
    return name.rpartition("/")[2] or "inline policy"
