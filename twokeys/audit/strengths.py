"""How strong roles were meanwhile, or may still be, by policies that the answers do not show. Pure."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from functools import cache
from itertools import chain

from twokeys.access.model.principals import own_changes
from twokeys.answers.model import BOUNDARY, Answers, Way
from twokeys.answers.permissions import Level, level_of
from twokeys.audit.bearing import is_about_roles
from twokeys.audit.changes import CONTROLS, LETS_IN, TRUST
from twokeys.audit.entries import Entry
from twokeys.audit.held import Held, Policies, document_of
from twokeys.audit.history import FIRST, LAST, Whom
from twokeys.audit.stood import POLICIES, Stood
from twokeys.audit.trail import Change
from twokeys.audit.whom import level_into, ways_into, whom_entered
from twokeys.doors import Who
from twokeys.iam import Arn
from twokeys.iam.arn import partition_of_region
from twokeys.shown import in_utc

_POLICIES = ("RolePolicy", "UserPolicy", "GroupPolicy", "PermissionSet")
"""How calls end that give a policy to somebody."""


def permissions_meanwhile(
    one: Change, since: datetime | None, until: datetime | None, held: Held
) -> tuple[Level, tuple[str, ...]] | None:
    """How strong a role was at most while a trust policy stood, or a policy of a role or permission set that somebody
    enters; None of a call that is neither, or by whose policy the role may have entered others.

    Of a role's policy of before the records it is how strong the role was then; None if that is not more than now.
    """
    answers = held.answers
    ways = ways_into(one, answers) if one.gives in POLICIES else []
    judged = one.trusts if one.gives == TRUST else ways
    if not judged or (one.recorded not in answers.accounts and one.of[0] != "set"):
        return None
    of_then = since is None and one.gives != TRUST and one.of[0] == "role"
    had = held.between(one.whom, since or FIRST, FIRST if of_then else until or LAST)
    role = str(Arn.iam("role", one.recorded, one.of[1], partition=partition_of_region(one.use.region)))
    policies = {name: said for name, said in had.items() if name != BOUNDARY}
    most, strongest = (_strongest(role, one.whom, each, held) for each in (policies, had))
    if one.gives != TRUST and most is not Level.ADMINISTRATOR and is_about_roles(one, {}, answers):
        return None
    if of_then and (strongest is Level.UNKNOWN or strongest <= max(way.permissions.level for way in ways)):
        return None
    return strongest, tuple(map(_policy, policies))


def _strongest(role: str, whom: Whom, had: Policies, held: Held) -> Level:
    """How strong a role is by these policies; that is not known of one that nothing shows and no call made."""
    documents = [said for name, each in had.items() if name != BOUNDARY for said in each]
    answers = held.answers
    sides = (answers, answers.before or answers)
    shown = whom in held.history.made or any(whom in one.written or (*whom, "") in one.holds for one in sides)
    raising = tuple(own_changes(role, filter(None, documents)))
    most, limit = (
        max((least, *(level_of(said, raising) if said else Level.UNKNOWN for said in of)))
        for least, of in ((Level.NONE if shown else Level.UNKNOWN, documents), (Level.NONE, had.get(BOUNDARY, ())))
    )
    return min(most, limit) if BOUNDARY in had else most


def strength(one: Change, answers: Answers) -> Level:
    """How strong what a call gives is: a policy, or the role of whom it lets in. The root user, and whom a control
    policy bound, may be administrators; of other calls there is none.
    """
    if one.gives in CONTROLS or one.of[0] == "root-user":
        return Level.ADMINISTRATOR
    if one.gives == TRUST or one.gives in LETS_IN:
        return level_into(one, answers)
    gives = one.call.gives.endswith(_POLICIES) and not one.undone
    return level_of(document_of(one, answers), ()) if gives else Level.NONE


def as_they_may_be(answers: Answers, stood: Iterable[Stood], held: Held) -> Answers:
    """The answers with each role as strong as it may still be by policies that states do not show, and with since when
    it has those that calls gave it.
    """
    more: dict[Who | None, list[Stood]] = defaultdict(list)
    for one in stood if answers.from_states else ():
        for where in whom_entered(one.change, one.accounts, answers) if one.may_stand else ():
            more[where].append(one)

    def of(way: Way) -> Way:
        found, may = chain(more[way.target.who], more[way.target.permission_set]), way.permissions
        since = {} if way.target.permission_set else held.since(held.holder(way.target))
        dated = {_policy(name): f"{_policy(name)} since {in_utc(time)}" for name, time in since.items()}
        may = replace(may, names=tuple(dated.get(name, name) for name in may.names))
        for one in found:
            level, _ = one.permissions or (may.level, ())
            name = f"{_policy(one.change.of[2])} ({one.change.use.event}, {in_utc(one.since or one.change.use.time)})"
            names, policies = ((name, *each) for each in (may.names, may.policies))
            may = replace(may, level=max(may.level, level), names=names, policies=policies)
        return replace(way, permissions=may)

    return replace(answers, ways=tuple(map(of, answers.ways)), within=tuple(map(of, answers.within)))


def strengths_of(population: Iterable[Entry], held: Held) -> dict[str, Level]:
    """Of each entry, by id, how strong its role was then, as far as a way into it shows, or calls that changed it."""
    answers, then = held.answers, held.answers.before
    now = replace(answers, within=(*answers.within, *answers.if_granted))

    @cache
    def ways_of(role: Who) -> list[Way]:
        return now.ways_into([role]) or (then.ways_into([role]) if then else [])

    @cache
    def strength_of(role: Who, account: str, time: datetime) -> Level:
        own = ways_of(role)
        party = replace(own[0].target, who=replace(own[0].target.who, account=account))
        whom, had = held.holder(party), held.of_role(party, time)
        if had == held.between(whom, LAST, LAST):
            return max(way.permissions.level for way in own)
        return _strongest(party.arn, whom, had, held)

    found: dict[str, Level] = {}
    for one in population:
        use = one.use
        roles = [use.target, use.entered_set, *(door.target.who for door in one.doors)]
        shown = [*filter(ways_of, filter(None, roles))] or [Who("set", "", use.permission_set or "")]
        levels = (strength_of(role, use.account, use.time) for role in {*shown} if ways_of(role))
        found[use.id] = max(levels, default=Level.UNKNOWN)
    return found


def _policy(name: str) -> str:
    return name.rpartition("/")[2] or "inline policy"
