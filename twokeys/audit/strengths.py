"""How strong roles were meanwhile, or may still be, by policies that the answers do not show. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import chain

from twokeys.access.model.documents import Document
from twokeys.access.model.principals import own_changes
from twokeys.answers.model import BOUNDARY, Answers, Party, Way
from twokeys.answers.permissions import Level, level_of
from twokeys.audit.bearing import is_about_roles
from twokeys.audit.changes import CONTROLS, LETS_IN, TRUST
from twokeys.audit.entries import Entry
from twokeys.audit.stood import POLICIES, Stood
from twokeys.audit.trail import Change
from twokeys.audit.whom import set_of, ways_into, whom_entered
from twokeys.doors import Who
from twokeys.iam import UNKNOWN, Arn
from twokeys.iam.arn import partition_of_region
from twokeys.iam.sts import permission_set_of
from twokeys.shown import in_utc

_POLICIES = ("RolePolicy", "UserPolicy", "GroupPolicy", "PermissionSet")
"""How calls end that give a policy to somebody."""


def permissions_meanwhile(
    one: Change, until: datetime | None, done: Sequence[Change], answers: Answers
) -> tuple[Level, tuple[str, ...]] | None:
    """How strong a role was at most while a trust policy stood, or a policy of a role or permission set that somebody
    enters; None of a call that is neither, or by whose policy the role may have entered others.

    Its policies are those that the answers show and those that calls gave it before the end.
    """
    of, of_set = one.whom, one.of[0] == "set"
    ways = ways_into(one, answers) if one.gives in POLICIES else []
    judged = one.trusts if one.gives == TRUST else ways
    if not judged or (one.recorded not in answers.accounts and not of_set):
        return None
    there = ((key[3], said) for key, said in answers.holds.items() if key[:3] == of)
    shown = {name: [said] for name, said in there if name not in ("", BOUNDARY)}
    if of_set:
        shown = {said.arn or "": [said] for way in ways for said in way.permissions.documents}
    given = [each for each in done if each.whom == of and each.gives in POLICIES]
    for each in given:
        what = each.of[2]
        if each.use.time <= one.use.time:
            shown.pop(what, None)
        if each is one or (not each.undone and (until is None or each.use.time < until)):
            shown.setdefault(what, []).append(_document(each, answers))
    made = of in answers.written or any(each.use.event == "CreateRole" and each.whom == of for each in done)
    documents = [said for each in shown.values() for said in each]
    role = str(Arn.iam("role", one.recorded, one.of[1], partition=partition_of_region(one.use.region)))
    raising = tuple(own_changes(role, filter(None, documents)))
    levels = [level_of(said, raising) if said else Level.UNKNOWN for said in documents]
    strongest = max((Level.NONE if made else Level.UNKNOWN, *levels))
    if one.gives != TRUST and strongest is not Level.ADMINISTRATOR and is_about_roles(one, {}, answers):
        return None
    return strongest, tuple(map(_policy, shown))


def _document(one: Change, answers: Answers) -> Document:
    """The policy that a call gives, as far as it is known."""
    what = one.of[2]
    own = answers.holds.get((one.recorded, "policy", what, ""))
    policy = one.policy or (own.policy if own else UNKNOWN)
    return Document(policy, what.rpartition("/")[2], arn=what if Arn.parse(what) else None)


def strength(one: Change, answers: Answers) -> Level:
    """How strong what a call gives is: a policy, or the role of whom it lets in. Whom a control policy bound may be
    administrators; of other calls there is none.
    """
    if one.gives in CONTROLS:
        return Level.ADMINISTRATOR
    if one.gives == TRUST or one.gives in LETS_IN:
        return max((way.permissions.level for way in ways_into(one, answers)), default=Level.NONE)
    gives = one.gives.endswith(_POLICIES) and not one.undone
    return level_of(_document(one, answers), ()) if gives else Level.NONE


def as_they_may_be(answers: Answers, stood: Iterable[Stood]) -> Answers:
    """The answers with each role as strong as it may still be by policies that states do not show."""
    more: dict[Who | None, list[Stood]] = defaultdict(list)
    for one in stood if answers.from_states else ():
        for where in whom_entered(one.change, one.accounts, answers) if one.may_stand else ():
            more[where].append(one)

    def of(way: Way) -> Way:
        found, may = chain(more[way.target.who], more[set_of(way.target)]), way.permissions
        for one in found:
            level, _ = one.permissions or (may.level, ())
            name = f"{_policy(one.change.of[2])} ({one.change.use.event}, {in_utc(one.since or one.change.use.time)})"
            names, policies = ((name, *each) for each in (may.names, may.policies))
            if may.limit:
                level = min(level, level_of(may.limit, tuple(own_changes(way.target.arn, may.documents))))
            may = replace(may, level=max(may.level, level), names=names, policies=policies)
        return replace(way, permissions=may)

    return replace(answers, ways=tuple(map(of, answers.ways)), within=tuple(map(of, answers.within)))


def strengths_of(answers: Answers, population: Iterable[Entry], stood: Iterable[Stood]) -> dict[str, Level]:
    """Of each entry, by id, how strong its role is, as far as a way into it shows, or was meanwhile."""
    of_roles: dict[Who | None, Level] = {}
    before = answers.before.all_ways if answers.before else ()
    for way in (*before, *answers.all_ways, *answers.if_granted):
        name = permission_set_of(way.target.arn or way.target.who.name)  # a set is the same in every account
        sets = (set_of(way.target), Who("set", "", name)) if name else ()
        of_roles |= dict.fromkeys((way.target.who, *sets), way.permissions.level)
    found: dict[str, Level] = {}
    for one in population:
        use = one.use
        roles = {use.target, set_of(Party(use.target, use.arn)), *(door.target.who for door in one.doors)} & {*of_roles}
        anywhere = of_roles.get(Who("set", "", use.permission_set or ""), Level.UNKNOWN)
        found[use.id] = max((of_roles[role] for role in roles), default=anywhere)
    for each in stood:
        level, _ = each.permissions or (Level.NONE, ())
        found |= {use.id: max(found[use.id], level) for use in each.entered}
    return found


def _policy(name: str) -> str:
    return name.rpartition("/")[2] or "inline policy"
