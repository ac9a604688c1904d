"""What preview leaves to the update gate: IAM documents that wait for something that opens no door.

An ordinary program names a bucket, a topic or a key in a policy, whose ARN is not known before it exists. Such a
document is judged in the update, with known values, before it is made. It is not deferred where half a door already
hangs on it (a policy beside the grant of a door can only shut it), unless it is made from the role at that door's other
end, whose ARN is not known before it exists, or where it waits for an account that does not exist yet: then preview has
to prove it.

Of a plain look-up (`aws.iam.get_policy_document(resources=[queue.arn])`, not its `_output`) the engine leaves out what
is not known, so that preview shows a document that lacks a name, and IAM would take none (CLI 3.274.1, SDK 3.272.0).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import replace
from functools import cached_property
from itertools import chain
from typing import Final

from twokeys.access.findings import Finding, Severity
from twokeys.access.graph import DECLARE, Door, Graph, Key
from twokeys.access.identity_center import ASSIGNMENT, ENTITLEMENT, INLINE_POLICY, PERMISSION_SET
from twokeys.access.judge import Judge, widest
from twokeys.access.keys import PIN, denial, past
from twokeys.access.model.identities import ORGANIZATIONS
from twokeys.access.model.names import may_grant
from twokeys.access.model.principals import ATTACHMENTS, INLINE_POLICIES, TYPES, Identity, Principal
from twokeys.access.reading.snapshot import Resource, holds_unknown, stack_of
from twokeys.access.reading.types import Reading, reading_of
from twokeys.access.rules import BY_NAME
from twokeys.access.verdicts import Judged, in_one
from twokeys.iam import UNKNOWN, Outcome
from twokeys.iam.parsing import ELEMENTS
from twokeys.pack.relevance import GIVING, may_say_who
from twokeys.shown import listed

ACCOUNT_FIRST: Final = "make the accounts first"
DEFERRED: Final = "judged-in-the-update"
_DOCUMENTS: Final = ("assumeRolePolicy", "inlinePolicies", "policy")
_OF_TRUST: Final = frozenset({"assumeRolePolicy", "name", "namePrefix", "path"})
"""What says who comes into which role; all else of a role says what it may do."""
_MANY: Final = 5
_STEP: Final = "nothing has to be done; `pulumi up` with this pack judges each before it is made"
_JUDGED_NOW: Final = (
    "to have it judged now, write ARNs that are known already (that of an OIDC provider follows from its account and "
    "URL), with `depends_on` the role or provider that it names (or declare it: `twokeys.declared`)"
)


def deferred(
    graph: Graph, judged: Sequence[Judged], joined: Graph, first: str = ACCOUNT_FIRST, option: str = ""
) -> tuple[list[Judged], list[Judged]]:
    """The findings that stand in a preview, and one piece of advice about what the update will settle.

    So it does a control policy that is not known yet: it can only close a door that both keys open. `joined` is the
    graph beside other stacks, which may hold a grant; where none is named, the same. `first` is what to do
    where an account is to come, `option` what gives the pack to `pulumi up` where nothing else does.
    """
    mandatory = [one.finding for one in judged if one.mandatory]
    waiting = _Waiting(graph, joined, {one.door for one in mandatory if not _asks_for_proof(one)}, first, option)
    later = [one for one in judged if _asks_for_proof(one.finding) and waiting.may_be_deferred(one.finding)]
    kept = waiting.in_one([one for one in judged if one not in later])
    urns = {one.finding.urn for one in later if one.finding.urn is not None}
    if any(door.outcome is Outcome.CONDITIONAL for door in graph.doors):
        policies = {urn: document.policy for urn, document in graph.guards.documents.items()}
        urns |= {urn for urn, policy in policies.items() if policy is UNKNOWN or widest(policy) is not policy}
        urns |= graph.guards.aimless
    if not urns:
        return kept, []
    found = [graph.snapshot.by_urn[urn] for urn in sorted(urns)]
    trusts = [one for one in found if holds_unknown(_trust(one)) or _lacks_name(_trust(one))]
    others = [_with_type(one) for one in found if one not in trusts]
    about = []
    if others:
        about.append(f"Not known in preview, and nobody comes in by it unjudged: {listed(sorted(others), _MANY)}")
    step = _STEP
    if trusts:
        whose = listed(sorted(map(_with_type, trusts)), _MANY)
        about.append(
            f"Whom the trust policy of {whose} lets in is not known in preview, and may be refused in the update"
        )
        step = _JUDGED_NOW
    severity: Severity | None = "medium" if trusts else None
    return kept, [Judged(Finding(". ".join(about), step, rule=DEFERRED, severity=severity), mandatory=False)]


def _asks_for_proof(finding: Finding) -> bool:
    return BY_NAME[finding.rule].may_follow == "proof"


def _with_type(resource: Resource) -> str:
    return f"{resource.type.rpartition(':')[2]} {resource.name}"


def _trust(resource: Resource) -> object:
    return (resource.inputs or {}).get("assumeRolePolicy")


class _Waiting:
    """Tells what an unknown document waits for, and what hangs on it."""

    def __init__(self, graph: Graph, joined: Graph, refused: Set[str | None], first: str, option: str) -> None:
        self._graph = graph
        self._joined = joined
        self._first = first
        self._option = option
        self._refused = refused
        """The doors that stop the operation: they are not made, so nothing can hang on them."""
        to_come = graph.accounts.by_symbol.keys() - graph.accounts.ids.keys()
        self._accounts_to_come = {graph.accounts.by_symbol[symbol].urn for symbol in to_come}
        self._hung_upon = set(self._documents_of_half_doors())
        self._lone_grants = {(one.source.arn, one.resource) for one in graph.lone_grants}

    def may_be_deferred(self, finding: Finding) -> bool:
        """Whether a finding of `unproved-door` is about an unknown document that the update can judge in time.

        So it can an assignment of Identity Center whose people or account it looks up: nothing of it is open before.
        """
        resource = self._graph.snapshot.by_urn.get(finding.urn or "")
        if resource is None or finding.sides in self._lone_grants:  # nothing to come makes an account that is not shown
            return False
        if self._is_of_known_part(finding, resource):
            return False
        principal = self._graph.principals.by_urn.get(resource.urn)
        if principal is not None and finding.sides[1] == principal.arn:
            found = [resource] if _OF_TRUST.intersection(self._unknown(resource)) else []
        else:
            found = [one for one in self._with_inline_policies(resource) if self._unknown(one)]
        return bool(found) and all(self._is_judged_later(one, finding) for one in found)

    def _is_of_known_part(self, finding: Finding, template: Resource) -> bool:
        """Whether a finding is about a principal of a template of which nothing waits for a value."""
        parts = [one for one in self._graph.snapshot.resources if one.made_by == template.urn]
        found = [self._graph.principals.by_urn.get(one.urn) for one in parts]
        about = {one.urn for one in found if one is not None and one.arn in finding.sides}
        behind = (one for one in parts if not about.isdisjoint((one.urn, *chain(*one.property_dependencies.values()))))
        return bool(about) and not any(map(self._unknown, behind))

    def _with_inline_policies(self, resource: Resource) -> Iterator[Resource]:
        """A resource with the policies that aws-native's type of a principal or permission set holds itself."""
        yield resource
        if resource.type in (*TYPES.values(), PERMISSION_SET):
            yield from (one for one in self._graph.snapshot.resources if one.made_by == resource.urn)

    def _is_judged_later(self, resource: Resource, finding: Finding) -> bool:
        of_nobody = resource.type in (ASSIGNMENT, ENTITLEMENT) and finding.door == f"{resource.urn} -> *"
        if resource.urn in self._hung_upon or not (_judged_in_update(resource) or of_nobody):
            return False
        waits = self._accounts_behind(resource, resource.provider or "")
        if of_nobody and (resource.property_dependencies.get("targetId") or "targetId" not in self._unknown(resource)):
            waits &= self._graph.snapshot.all_behind([resource.provider or ""])  # nobody's id is made from an account
        return not (waits or self.without_grants(resource) or self._not_pinned(resource))

    def explained(self, finding: Finding) -> Finding:
        """A finding about what is not known, with the key that is known to lack, or the account that it waits for."""
        resource = self._graph.snapshot.by_urn.get(finding.urn or "")
        if resource is None or not _asks_for_proof(finding):
            return finding
        if providers := self._not_pinned(resource):
            about = f"and the update cannot tell in which accounts {listed(providers)} work, so that it would refuse it"
            return replace(finding, message=f"{finding.message}; {about}", next_step=PIN)
        if not (lacking := self.without_grants(resource)):
            waits = finding.next_step == DECLARE and self._accounts_behind(resource)
            return replace(finding, next_step=self._accounts_first) if waits else finding
        said = {one: f"{one.label} of {self._graph.accounts.name(one.account)}" for one in lacking}
        ungranted = listed([said[one] for one, why in lacking.items() if why is None])
        denied = [f"{said[one]} cannot be granted sts:AssumeRole on it: {why}" for one, why in lacking.items() if why]
        steps = [past(why, f"let {one.label} assume it") for one, why in lacking.items() if why]
        if ungranted:
            denied.insert(0, f"nothing here grants sts:AssumeRole to {ungranted}")
            steps.insert(0, f"give a policy that allows it to {ungranted}")
        return replace(finding, message="; and ".join((finding.message, *denied)), next_step=", or ".join(steps))

    def without_grants(self, resource: Resource) -> dict[Identity, str | None]:
        """The roles and users of other accounts that a trust is made from, if none of them has what may be a grant.

        With what keeps a grant from counting, where one has what may be one.
        """
        principals = self._joined.principals
        role = principals.by_urn.get(resource.urn)
        if role is None or principals.not_proved:
            return {}
        found = self._joined.trust_made_from(role)
        others = [one for one in found if one and self._joined.accounts.differ(one.account, role.account)]
        if len(others) < len(found):
            return {}
        lacking = {one: self._kept_in(one, role) for one in others}
        return lacking if all(why or not _holds_grant(one) for one, why in lacking.items()) else {}

    def _not_pinned(self, resource: Resource) -> list[str]:
        """The providers of a trust and of the roles and users that it is made from, if one's account stays unknown.

        Those with the same credentials work in one account, whichever that is.
        """
        accounts, by_urn = self._graph.accounts, self._graph.snapshot.by_urn
        role = self._graph.principals.by_urn.get(resource.urn)
        sources = filter(None, self._graph.trust_made_from(role) if role else ())
        urns = {resource.provider, *(by_urn[one.urn or ""].provider for one in sources)}
        found = [one for one in accounts.entries if one.urn in urns]
        alike = all(one.assumes == () for one in found) and len({one.credentials for one in found}) == 1
        known = [None in (one.assumes, one.allowed) or accounts.pinned(accounts.of_provider(one.urn)) for one in found]
        return [] if len(found) <= 1 or alike or all(known) else sorted(f"provider {one.name}" for one in found)

    def _kept_in(self, source: Identity, role: Identity) -> str | None:
        """What keeps a principal out of a role whatever its own policies allow: its boundary, or a control policy.

        Of a role whose name is not known yet, only a boundary that allows sts:AssumeRole on none does so for certain.
        """
        bounded = source.boundary is not None and not may_grant(source.boundary.policy)
        door = Judge(self._joined.guards, self._joined.accounts).if_granted(source, role)
        return denial(door, "grant") if bounded or not role.unsettled else None

    def _names_its_holder(self, resource: Resource, key: str) -> bool:
        """Whether a property names the principal that gets a policy, which is known by its resource: `role=role.id`."""
        kind = {**INLINE_POLICIES, **ATTACHMENTS}.get(resource.type)
        return key == kind and self._graph.snapshot.behind(resource, key, TYPES[kind]) is not None

    def _unknown(self, resource: Resource) -> list[str]:
        """The properties that are not known and say who may come in, but for the name of who gets a policy."""
        found = [key for key, value in (resource.inputs or {}).items() if holds_unknown(value) or _lacks_name(value)]
        if resource.type in INLINE_POLICIES:
            found = [key for key in found if key != "name"]
        return [key for key in found if may_say_who(resource, key) and not self._names_its_holder(resource, key)]

    def _accounts_behind(self, resource: Resource, *more: str) -> Set[str]:
        """The accounts to come that what is not known of a resource waits for, or that other URNs do.

        A value whose origin is not told may come from each of them.
        """
        unknown = self._unknown(resource)
        behind = [resource.property_dependencies.get(key, ()) for key in unknown]
        origins = {urn for urns in behind for urn in urns}.union(more)
        known = self._graph.snapshot.all_behind(origins) if all(behind) else self._accounts_to_come
        return self._accounts_to_come & known if unknown else frozenset()

    @cached_property
    def _accounts_first(self) -> str:
        """The next step that makes every account to come, so that all that waits for one has the same.

        The engine makes each provider unasked, and no target without what it depends on and its parents (CLI 3.274.1).
        With these come other resources of Organizations, where they ask for nothing else: one pattern names all.
        """
        snapshot = self._graph.snapshot
        new = [one for one in snapshot.resources if not one.is_there and not one.type.startswith("pulumi:")]
        of_organizations = {one.urn for one in snapshot.resources if one.type.startswith(ORGANIZATIONS)}
        entered = {one.urn for one in snapshot.resources if one.type.startswith("pulumi:providers:")}
        needed = snapshot.all_behind(entered | self._accounts_to_come, parents=True)
        more = snapshot.all_behind(needed | of_organizations, parents=True)
        alone = {one.urn for one in new if one.urn in more} <= needed | of_organizations
        covered = of_organizations if alone else frozenset()
        targets = [f"**{ORGANIZATIONS}*:*::**"] if alone else []
        targets += [one.urn for one in new if one.urn in needed - covered]
        named = " ".join(f"--target '{one}'" for one in targets)
        up = f"pulumi up -s {stack_of(min(self._accounts_to_come))} {self._option}{named}"
        first = f"{self._first} (`{up}`)"
        return f"{first}, or declare each as `python -m pydoc twokeys.declared` shows"

    def in_one(self, judged: Sequence[Judged]) -> list[Judged]:
        """Findings, as one those that have one cause and one next step."""
        explained = [replace(one, finding=self.explained(one.finding)) for one in judged]
        return in_one(explained, self._cause, self._as_one)

    def _cause(self, judged: Judged) -> object:
        """The accounts to come that findings wait for together."""
        step = judged.finding.next_step
        return step if self._accounts_to_come and step == self._accounts_first else None

    def _as_one(self, alike: Sequence[Judged]) -> Finding:
        found = [self._graph.snapshot.by_urn[one.finding.urn or ""] for one in alike]
        named = ", ".join(sorted(set(map(_with_type, found))))
        message = f"Not proved before the accounts to come are made: {named}"
        return replace(alike[0].finding, message=message, urn=None, door=None, source=None)

    def _documents_of_half_doors(self) -> Iterator[str]:
        """The resources whose unknown document is the missing half of a door that is known otherwise."""
        judge = Judge(self._graph.guards, self._graph.accounts)
        for door in self._graph.doors:
            source, role = door.source, door.target
            if door.crosses and door.asked and {Key.UNPROVED, Key.PRESENT} == {door.trust_key, door.grant_key}:
                present = door.trust_key is Key.PRESENT
                if present and isinstance(source, Identity) and judge.granted_already(source, role):
                    continue  # what is not known can only shut it
                other = role if present else source
                yield from self._without_the_role(_unknown_documents(door), other)
        for trust in self._graph.open_trusts:
            role = trust.role
            stands = trust.account != role.account and f"* -> {role.arn}" not in self._refused
            if stands and not any(door.open and door.crosses for door in trust.holders):
                # within the role's own account, a trust in everyone is open without a grant
                others = [one for one in self._graph.principals if one.account != role.account]
                holders = [one for one in others if trust.account in (None, one.account)]
                grants = (urn for one in holders for urn in _unknown_grants(one))
                yield from self._without_the_role(grants, role)

    def _without_the_role(self, unknown: Iterable[str], role: Principal) -> Iterable[str]:
        """Documents of which one is to name a role, unless one is made from that role: its ARN is not known yet.

        Of a group a trust names its members.
        """
        urns = list(unknown)
        behind = [self._graph.snapshot.by_urn[urn].property_dependencies for urn in urns]
        named = {one.urn for one in self._graph.principals if one is role or role in one.groups}
        return () if any(named.intersection(one.get(key, ())) for one in behind for key in _DOCUMENTS) else urns


def _holds_grant(source: Principal) -> bool:
    return any(may_grant(one.policy) for one in source.all_documents)


def _judged_in_update(resource: Resource) -> bool:
    """Whether a resource is judged by itself once its values are known: it gives a document, or holds a template."""
    return resource.type in (*GIVING, INLINE_POLICY) or reading_of(resource.type) is Reading.BY_CONTENT


def _unknown_documents(door: Door) -> Iterator[str]:
    if door.target.trust is not None and door.target.trust.policy is UNKNOWN and door.target.urn is not None:
        yield door.target.urn
    yield from _unknown_grants(door.source)


def _unknown_grants(principal: Principal) -> Iterator[str]:
    return (one.urn for one in principal.bearing if one.policy is UNKNOWN and one.urn is not None)


def _lacks_name(value: object) -> bool:
    """Whether a document, or one of a role's inline policies, has an empty place where a name has to stand."""
    if isinstance(value, list):
        return any(_lacks_name(item.get("policy")) for item in value if isinstance(item, Mapping))
    try:
        document = json.loads(value) if isinstance(value, str) else value
    except ValueError:
        return False
    found = document.get("Statement") if isinstance(document, Mapping) else None
    statements = found if isinstance(found, list) else [found]
    return any(_is_short(one) for one in statements if isinstance(one, Mapping))


def _is_short(statement: Mapping[str, object]) -> bool:
    principal = statement.get("Principal")
    names = [value for key, value in statement.items() if key in ("Action", "NotAction", "Resource", "NotResource")]
    names += principal.values() if isinstance(principal, Mapping) else [principal] if "Principal" in statement else []
    listed = [name if isinstance(name, list) else [name] for name in names]
    about_nothing = not {"Principal", "NotPrincipal", "Resource", "NotResource"} & statement.keys()
    lacks = about_nothing or any(not one or None in one or "" in one for one in listed)
    return lacks and statement.keys() <= ELEMENTS
