"""What may shut doors of other stacks where none of their states is named: a control policy, or that somebody goes."""

from collections import defaultdict
from collections.abc import Mapping
from typing import Final

from twokeys.access.configuration import OTHER_STACKS
from twokeys.access.findings import Finding
from twokeys.access.graph import Graph
from twokeys.access.judge import Judge
from twokeys.access.keys import denial
from twokeys.access.model.door_name import IN_CONFIGURATION
from twokeys.access.model.exports import made_by
from twokeys.access.model.principals import Principal
from twokeys.access.reading.snapshot import STACK
from twokeys.access.reading.type_names import ACCOUNT, CONTROL_POLICY, CONTROL_POLICY_ATTACHMENT, ORGANIZATIONAL_UNIT
from twokeys.access.verdicts import Judged
from twokeys.iam import is_account_id, parse_arn
from twokeys.shown import listed

_ELSEWHERE: Final = "0" * 12
"""An account of which nothing is known, where a stack shows none but the one that is denied something."""


def may_shut(graph: Graph, was: Graph | None) -> list[Judged]:
    """What control policies newly deny every role of an account, or every other account on its roles, as one advice.

    Where nobody tells what `was`, all that they deny. Does not look at what they deny on a condition that only some
    calls meet, at accounts and units that are still to be made, as nobody has a door there, and at what another stack
    tells or is imported. Beside it, who of this stack goes and was for use across accounts.
    """
    before = _denied(was) if was else {}
    denied_now = _denied(graph) if _binds_anew(graph, was) else {}
    found = {what: places - before.get(what, set()) for what, places in denied_now.items()}
    if was and (gone := _gone(graph, was)):
        who = listed([one.label for one in gone])
        found[f"doors of theirs may start at {who}, which this change takes away"] = set().union(*gone.values())
    denied = [what for what, places in found.items() if places]
    if not denied:
        return []
    names = [graph.accounts.name(one) for one in sorted(set().union(*found.values())) if is_account_id(one)]
    about = f"Whether other stacks lose doors is not known, as none of their states is named: {listed(denied)}"
    step = (
        f"name the state of each stack that makes roles or grants {f'in {listed(names)}' if names else 'there'} "
        f'{IN_CONFIGURATION}: {{"{OTHER_STACKS}": {{"states": ["STATE"]}}}}, as `pulumi stack export --file STATE` '
        "writes it; if there is none, nothing has to be done"
    )
    return [Judged(Finding(about, step, severity="medium", rule=OTHER_STACKS), mandatory=False)]


def _binds_anew(graph: Graph, was: Graph | None) -> bool:
    """Whether this stack makes or changes a control policy or an attachment, or moves what one may be attached to."""
    for one in graph.snapshot.of_type(CONTROL_POLICY, CONTROL_POLICY_ATTACHMENT, ORGANIZATIONAL_UNIT, ACCOUNT):
        old = was.snapshot.by_urn.get(one.urn) if was else None
        if old is not None:
            if any(one.get(key) != old.get(key) for key in ("content", "policyId", "targetId", "parentId")):
                return True
        elif one.type in (CONTROL_POLICY, CONTROL_POLICY_ATTACHMENT) and (was is None or not one.is_there):
            return True
    return False


def _denied(graph: Graph) -> Mapping[str, set[str]]:
    """What control policies deny whatever other policies say, in words, and the accounts or units where they do."""
    judge, accounts, found = Judge(graph.guards, graph.accounts), graph.accounts, defaultdict[str, set[str]](set)
    ours = sorted(filter(is_account_id, accounts.all_members | accounts.held))
    there = (one for one in graph.guards.targets if is_account_id(one) or one.startswith(("ou-", "root")))
    for place in sorted({*ours, *there}) if graph.guards.targets else ():
        others = [one for one in (accounts.management, *ours) if one and one != place]
        for other in others[:2] or [_ELSEWHERE]:
            if graph.guards.scps(place) and (why := denial(judge.between(place, other), "grant")):
                found[f"no role can assume one of another account where {why}"].add(place)
            if graph.guards.rcps(place) and (why := denial(judge.between(other, place), "trust")):
                found[f"no role can be assumed from another account where {why}"].add(place)
    return found


def _gone(graph: Graph, was: Graph) -> Mapping[Principal, set[str]]:
    """Whom a change takes away of those that enter another account or are exported, each with the accounts of that.

    Nobody whose name is there still, and nobody who may enter whatever there is: that names no other account.
    """
    exported = {one for stack in was.snapshot.of_type(STACK) for one in made_by(stack.outputs)}
    into = defaultdict[Principal, set[str]](set)
    for grant in was.lone_grants:
        into[grant.source] |= {parse_arn(grant.resource).account} - {grant.source.account}
    for door in was.doors:
        if door.target.urn is None and not door.target.made_by_aws:
            into[door.source].add(door.target.account)
    found: dict[Principal, set[str]] = {}
    for one in was.principals:
        now = graph.principals.named(graph.accounts.canonical(one.account), one.kind, one.name)
        there = one.urn in graph.principals.by_urn or (now is not None and now.urn is not None)
        others = set().union(*(into[each] for each in (one, *one.groups)))
        if one.urn and not there and (others or (one.account, one.kind, one.name) in exported):
            found[one] = {one.account, *others}
    return found
