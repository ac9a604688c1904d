"""The update gate: judges each resource before the engine creates or changes it.

An update shows the pack one resource after the other, with known values, before it is made. What then lets somebody in
who has not both keys, or is not proved, is refused there, so that it never exists. What a later resource of the same
update can still put right is left alone: the stack phase reports what is alone at the end.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Final, TypeAlias

from twokeys.access.findings import Finding
from twokeys.access.graph import Graph
from twokeys.access.identity_center import ASSIGNMENT, PERMISSION_SET
from twokeys.access.model.names import trusted_names
from twokeys.access.model.principals import Principal
from twokeys.access.model.providers import entry
from twokeys.access.model.translation import lacks_instances
from twokeys.access.reading.snapshot import PROVIDER, Resource, Snapshot
from twokeys.access.reading.type_names import (
    ACCOUNT,
    CONTROL_POLICY,
    CONTROL_POLICY_ATTACHMENT,
    MANAGED_POLICY,
    ORGANIZATION,
    ROLE,
    USER,
)
from twokeys.access.reading.types import Reading, reading_of
from twokeys.access.rules import BY_NAME
from twokeys.doors import TRUST_AFTER_GRANT
from twokeys.iam import UNKNOWN, Arn
from twokeys.iam.sts import permission_set_of
from twokeys.pack.neighbourhood import Neighbourhood
from twokeys.pack.other_states import Beside, is_shut
from twokeys.pack.own_account import graph_of
from twokeys.pack.relevance import may_let_in, may_say_who

_CLOSING: Final = (CONTROL_POLICY_ATTACHMENT, CONTROL_POLICY, "aws-native:organizations:Policy")
_BY_CLOUD_CONTROL: Final = ("aws:cloudcontrol/resource:Resource", "AWS::Organizations::Policy")
_WITH_IDS: Final = (ACCOUNT, CONTROL_POLICY, ORGANIZATION, PERMISSION_SET)
_Change: TypeAlias = tuple[Snapshot, Snapshot]
"""Before and after."""


class Gate:
    """What one update has shown so far, upon the state that it started from.

    Args:
        before: the state before the update; None where there is none or where it cannot be reached.
        findings: the mandatory findings on a graph.
        made: the state as it is now, read for the ids of what `_WITH_IDS` lists that this update has made: no input
            holds them.
        own_account: the account of providers that tell none, asked for only before something is refused.
        beside: the states of other stacks, if any is named: no update puts right what is found in all together.
    """

    def __init__(
        self,
        before: Snapshot | None,
        findings: Callable[[Graph], Iterable[Finding]],
        *,
        made: Callable[[], Snapshot | None] = lambda: None,
        own_account: Callable[[Iterable[Resource]], str | None] = lambda _providers: None,
        beside: Beside | None = None,
    ) -> None:
        there = before.resources if before else ()
        self._all = Neighbourhood(there)
        self._with_others = Neighbourhood((*there, *beside.others.resources)) if beside else None
        self._before = before
        self._changed: dict[str, Resource | None] = {}
        self._control_policies: dict[str, Resource | None] = {}
        self._begun = False
        self._shown: set[str] = set()
        self._renamed: set[str] = set()
        self._ids_are_read = False
        self._taken_for_late: defaultdict[str, set[str]] = defaultdict(set)
        self._findings = findings
        self._made = made
        self._ask_own_account = own_account
        self._beside = beside

    def show(self, resource: Resource, aliases: Iterable[str] = ()) -> None:
        """Take note of a resource that the update has come to; under its aliases it is there no more."""
        urns = (resource.urn, *aliases)
        was = next(filter(None, map(self._all.there.get, urns)), None)
        if self._before is not None and _is_control_policy(resource):
            for urn in urns:  # AWS may refuse the change, or have it later than a role whose trust it would close
                self._control_policies.setdefault(urn, self._all.there.get(urn))
        for alias in urns[1:]:
            if self._all.there.get(alias) is not None:
                self._renamed.add(resource.urn)
            self._note(alias, None)
        self._note(resource.urn, _with_identity(resource, was))
        self._shown.add(resource.urn)

    def concerns(self, resource: Resource, aliases: Iterable[str] = ()) -> bool:
        """Whether making a resource may let somebody in: by what it says, or by what it no longer says.

        A boundary, a Deny or a control policy that was there may have closed a way. A new control policy shuts doors.
        """
        if may_let_in(resource):
            return True
        was = [*filter(None, (self._all.there.get(urn) for urn in (resource.urn, *aliases)))]
        if not was:
            return _is_control_policy(resource)
        return reading_of(resource.type) is Reading.READ and any(_asked(one) != _asked(resource) for one in was)

    def judge(self, resource: Resource, aliases: Iterable[str] = ()) -> list[Finding]:
        """What making this resource would do that nothing later in the update can put right.

        Notes the resource unless there is such a finding: then it is not made.
        """
        self._read_ids()
        if not self._begun:  # what was shown before the first is as it is
            self._changed, self._begun = {}, True
        earlier = dict(self._changed)
        there = {urn: self._all.there.get(urn) for urn in (*aliases, resource.urn)}
        self.show(resource, aliases)
        refused = self._refused(resource)
        providers = [one for one in self._all.there.values() if one.type == PROVIDER] if refused else []
        if refused and self._all.own_account is None and (own := self._ask_own_account(providers)):
            self._work_as(own)
            refused = self._refused(resource)
        if refused:
            self._put(there)
            for one in self._both:
                one.forget_accounts()
        if refused or not _is_control_policy(resource):  # what it shuts, what comes next may still put right
            self._changed = earlier if refused else {}
        return refused

    def _refused(self, resource: Resource) -> list[Finding]:
        """What would be let in, both by the control policies as they will be and as they were before the update."""
        refused = self._refused_now(resource)
        there = self._all.there
        before = {urn: was for urn, was in self._control_policies.items() if was != there.get(urn)}
        if refused or not before:
            return refused
        now = {urn: there.get(urn) for urn in before}
        self._put(before)
        refused = [one for one in self._refused_now(resource) if BY_NAME[one.rule].may_follow not in ("grant", "trust")]
        self._put(now)
        return refused

    def _refused_now(self, resource: Resource) -> list[Finding]:
        """What bears on the resource is judged first; the whole stack has the last word before it is refused."""
        around = [one.around(self._changed) for one in self._both]
        if all(around) and not self._refused_in(resource, *filter(None, around)):
            return []
        return self._refused_in(resource, *((one.whole(self._changed), one.whole()) for one in self._both))

    def _refused_in(self, resource: Resource, own: _Change, both: _Change | None = None) -> list[Finding]:
        """What is refused of a change of this stack, and of the same change beside the other stacks."""
        found = self._new(resource, *own)
        if self._beside is None or both is None:
            return found
        if found:
            found = self._beside.still_refused(found, self._graph(own[1]), both[1], self._all.own_account)
        found = [
            *found,
            *self._beside.completed(*both, self._all.own_account, None if self._before is None else self._shown),
        ]
        return list({one.subject: one for one in found}.values())

    def _new(self, resource: Resource, before: Snapshot, after: Snapshot) -> list[Finding]:
        graph = self._graph(after)
        found = {one.subject: one for one in self._findings(graph)}.values()
        stands = [one for one in found if not self._may_still_come(one, resource, graph)]
        was = self._graph(before) if stands else None
        known = {one.subject for one in self._findings(was) if not self._lacks_instances(one, was)} if was else set()
        # what is wrong with a provider may have been put off ("removal") until it makes something
        return [one for one in stands if one.subject not in known or one.urn == resource.provider]

    def _graph(self, snapshot: Snapshot) -> Graph:
        """The graph; of grants alone, which may still get their trust, those that say something of what is there."""
        graph = graph_of(snapshot, self._all.own_account)
        made = {role.arn for role in graph.roles}
        graph.lone_grants = [
            one
            for one in graph.lone_grants
            if one.resource in made
            or not graph.accounts.pinned(one.source.account)
            or graph.accounts.is_access_role(one.resource)
        ]
        return graph

    @property
    def _both(self) -> list[Neighbourhood]:
        """This stack and, where other stacks are named, the same beside them."""
        return [self._all, *([self._with_others] if self._with_others else [])]

    def _work_as(self, own_account: str | None) -> None:
        for one in self._both:
            one.work_as(own_account)

    def _put(self, resources: Mapping[str, Resource | None]) -> None:
        for one in self._both:
            for urn, resource in resources.items():
                one.put(urn, resource)

    def _note(self, urn: str, resource: Resource | None) -> None:
        was = self._all.there.get(urn)
        if was != resource:
            self._changed.setdefault(urn, was)
            self._put({urn: resource})
            if resource is not None and resource.type == PROVIDER and entry(resource).tells_none:
                self._work_as(None)  # the credentials of this one may be of another account

    def _read_ids(self) -> None:
        """Find out the ids of what this update has made so far, which no input holds."""
        without = [one for one in self._all.frame if one.type in _WITH_IDS and not one.outputs]
        now = self._made() if without else None
        self._ids_are_read = now is not None
        if now is not None:
            for one in without:
                if (made := now.by_urn.get(one.urn)) and made.outputs:
                    self._put({one.urn: replace(one, outputs=made.outputs)})
                    self._changed = {}

    def _may_still_come(self, finding: Finding, resource: Resource, graph: Graph) -> bool:
        """Whether a later resource of this update can still make a finding untrue."""
        if finding.denied and _is_control_policy(resource):
            return not is_shut(finding, graph, self._shown)
        match BY_NAME[finding.rule].may_follow:
            case None:
                return finding.sides[0].startswith("o-") and self._is_late(ORGANIZATION, finding.sides[0])
            case "grant":  # a role that it has not come to may still lose that part of its trust
                return finding.urn not in self._shown or not self._trust_is_last(graph.snapshot, finding.urn)
            case "trust":
                return not self._is_made(finding, graph)
            case "what is declared":  # a component is shown before what it makes and declares
                declaring = {declared.component.urn for declared in graph.documents.declared}
                return finding.urn != resource.urn or resource.urn in declaring
            case "proof":
                ours = graph.accounts.is_own_organization(finding.sides[0])  # one of whom may still get the grant
                waits = _is_about_unsettled(finding, graph) or self._lacks_instances(finding, graph)
                return self._leads_out(finding, graph) or ours or waits
            case "removal":  # what the program has no more is deleted last
                return finding.urn not in self._shown
            case "holder":
                return finding.sides[0] == finding.urn and self._may_be_boundary(finding.urn, graph)

    def _may_be_boundary(self, urn: str, graph: Graph) -> bool:
        """Whether a managed policy that nobody holds yet may be a boundary: who gets it is judged then, by its ARN.

        So its account has to be known; and others may hold one that is known to have been there before.
        """
        policy = graph.snapshot.by_urn[urn]
        pinned = graph.accounts.pinned(graph.accounts.of(policy))
        return policy.type == MANAGED_POLICY and pinned and not self._was_there(urn)

    def _was_there(self, urn: str) -> bool:
        """Whether a resource is known to have been there before."""
        return self._before is not None and (urn in self._before.by_urn or urn in self._renamed)

    def _lacks_instances(self, finding: Finding, graph: Graph) -> bool:
        """Whether it is about what a new StackSet is to deploy, whose instances come next and say where.

        Until then it deploys nothing; it is judged again with each of them.
        https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/stacksets-concepts.html
        """
        made = graph.snapshot.by_urn.get(finding.urn or "")
        return made is not None and not self._was_there(made.urn) and lacks_instances(made, graph.snapshot)

    def _leads_out(self, finding: Finding, graph: Graph) -> bool:
        """Whether a door ends at a role that is none of the stack: the grant alone lets nobody in here.

        That role may be one that this update makes later, in an account that it has not come to yet, or AWS's of a
        permission set of this update. What AWS makes in each member account has its trust already, but may be of an
        account that this update has made.
        """
        source = finding.sides[0]
        assigned = {one.urn for one in graph.snapshot.of_type(ASSIGNMENT)}
        arn = Arn.parse(source)
        named = permission_set_of(arn.name) if arn else None
        if named or source in assigned:
            return self._is_of_late_set(source, named, graph.snapshot)
        target = Arn.parse(finding.sides[1])
        if target is None or any(role.arn == str(target) for role in graph.roles):
            return False
        return not graph.accounts.is_access_role(str(target)) or self._is_late(ACCOUNT, target.account)

    def _is_late(self, kind: str, identity: str) -> bool:
        """Whether an id may be the one of an account or organization that no input tells: one id for each of them."""
        late = [one for one in self._all.frame if one.type == kind and not one.outputs]
        taken = self._taken_for_late[kind]
        if not self._ids_are_read and len(taken | {identity}) <= len(late):
            taken.add(identity)
        return identity in taken

    def _is_of_late_set(self, source: str, named: str | None, snapshot: Snapshot) -> bool:
        """Whether a role, a session of it or an assignment may be of a permission set that has still to get its ARN.

        `named` is the permission set that the name of the role has.

        An assignment tells the ARN only: where the state as it is now cannot be read, each of as many ARNs as there are
        such sets may be the one of one of them. Where it can, a set of pulumi-aws that is made has its ARN there.
        """
        sets = snapshot.of_type(PERMISSION_SET)
        late = [one for one in sets if one.text("arn") is None]
        if named in [one.text("name") or one.name for one in late]:
            return True
        if self._ids_are_read:
            late = [one for one in late if one.urn not in {mine.urn for mine in self._all.frame}]
        assigned = {one.urn: one.text("permissionSetArn") for one in snapshot.of_type(ASSIGNMENT)}
        before = self._before.of_type(ASSIGNMENT) if self._before else ()
        known = {one.text("arn") for one in sets} | {one.text("permissionSetArn") for one in before}
        arns = {arn for arn in assigned.values() if arn} - known
        at = {arn for arn in arns if arn == assigned.get(source) or arn.rpartition("/")[2] == named}
        return bool(at) and len(arns) <= len(late)

    def _trust_is_last(self, snapshot: Snapshot, urn: str) -> bool:
        above = (snapshot.by_urn.get(parent) for parent in snapshot.ancestors(snapshot.by_urn[urn]))
        return any(parent is not None and parent.get(TRUST_AFTER_GRANT) is True for parent in above)

    def _is_made(self, finding: Finding, graph: Graph) -> bool:
        """Whether the update has already come to a grant and to the role that it names: neither changes again.

        A grant that it has not come to may be one that the program has no more, which is deleted last.
        """
        source, target = finding.sides
        doors = [door for door in graph.doors if door.id == finding.door]
        grants = [door.source.document_of(decision) for door in doors for decision in door.grant.decisions]
        documents = [one.urn for one in grants if one is not None]
        if documents and None not in documents and self._shown.isdisjoint(documents):
            return False
        holder = Arn.parse(source)
        made = [role for role in graph.roles if role.arn == target and role.urn in self._shown]
        if holder is not None and holder.kind == "group":
            return bool(made) and not any(map(_may_name_users, made))
        alike = [one for one in graph.principals if one.arn.lower() == source.lower()]
        if len(alike) > 1 and all(one.urn is None for one in alike):  # what is made later says how its name is written
            return False
        return bool(made)


def _is_about_unsettled(finding: Finding, graph: Graph) -> bool:
    """Whether the name that a document speaks of may be one that AWS's provider has still to make up.

    The engine shows the inputs of a resource only, and such a name is in none. What the stack itself makes is no name
    that a document speaks of: a role of a template has a name that AWS makes up, whatever its trust is.
    """
    shown = {one.arn for one in graph.principals if one.urn is not None}
    sides = [Arn.parse(side) for side in finding.sides if side not in shown]
    return any(arn and arn.kind and graph.principals.unsettled(arn.kind, arn.account) for arn in sides)


def _may_name_users(role: Principal) -> bool:
    """Whether the trust of a role may name users, who may still join a group."""
    policy = role.trust_policy
    named = [] if policy is UNKNOWN else [Arn.parse(name) for name in trusted_names(policy)]
    return policy is UNKNOWN or any(arn is not None and arn.kind == "user" for arn in named)


def _is_control_policy(resource: Resource) -> bool:
    return resource.type in _CLOSING or (resource.type, resource.text("typeName")) == _BY_CLOUD_CONTROL


def _asked(resource: Resource) -> Mapping[str, object]:
    """What a resource is asked to be, but for what lets nobody in."""
    return {key: value for key, value in (resource.inputs or {}).items() if may_say_who(resource, key)}


def _with_identity(resource: Resource, before: Resource | None) -> Resource:
    """A part of the organization, a permission set, role or user as it is asked for, with the ids it got before."""
    if before is not None and resource.type.startswith(("aws:organizations/", PERMISSION_SET)):
        return replace(resource, outputs={**before.outputs, **(resource.inputs or {})})
    if before is not None and resource.type in (ROLE, USER) and _named(resource) == _named(before):
        return replace(resource, outputs={key: before.outputs[key] for key in ("uniqueId",) if key in before.outputs})
    return resource


def _named(principal: Resource) -> tuple[str | None, str]:
    return principal.text("name"), principal.text("path") or "/"
