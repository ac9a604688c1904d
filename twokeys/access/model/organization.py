"""The service and resource control policies of the snapshot, and the accounts they bind.

https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps_evaluation.html
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import partial
from itertools import chain

from twokeys import doors
from twokeys.access.model.accounts import Accounts
from twokeys.access.model.documents import Document, Documents
from twokeys.access.model.exports import Exported
from twokeys.access.model.identities import id_of
from twokeys.access.model.principals import Principal
from twokeys.access.reading.snapshot import Resource, Snapshot, mapping
from twokeys.access.reading.type_names import (
    ACCOUNT,
    CONTROL_POLICY,
    CONTROL_POLICY_ATTACHMENT,
    ORGANIZATION,
    ORGANIZATIONAL_UNIT,
)
from twokeys.iam import UNKNOWN, PolicyDocument, PolicyError, PolicyKind, Statement, Unknown, parse_policy
from twokeys.iam.evaluation import Levels
from twokeys.iam.truth import Truth, Values

CONTROL_POLICIES = {"SERVICE_CONTROL_POLICY": PolicyKind.SCP, "RESOURCE_CONTROL_POLICY": PolicyKind.RCP}
_ROOT = "root"
_DEEPEST = 5
"""Levels of units: https://docs.aws.amazon.com/organizations/latest/userguide/orgs_reference_limits.html"""


class Guards:
    """Which control policies bind an account, from the root of the organization down to the account.

    AWS attaches FullAWSAccess (and RCPFullAWSAccess) everywhere; only live accounts show where it is attached still,
    elsewhere it is taken to be. The management account is bound by none. An attachment whose target is not known makes
    the policy UNKNOWN for every member account. Where the snapshot does not hold the organization, other stacks tell of
    it what they export.

    Attributes:
        documents: what those that are attached say, by the policy's URN.
        aimless: the URNs of attachments whose target is not known yet.
    """

    def __init__(self, snapshot: Snapshot, accounts: Accounts, documents: Documents, exported: Exported) -> None:
        self._snapshot = snapshot
        self._accounts = accounts
        self._attached: dict[PolicyKind, dict[str, list[PolicyDocument | Unknown]]] = {
            kind: defaultdict(list) for kind in CONTROL_POLICIES.values()
        }
        self.documents: dict[str, Document] = {}
        self.aimless: set[str] = set()
        self._parents: dict[str, str] = {}
        self._roots: set[str] = set()
        self._names: dict[str, str] = {}
        self._exported_paths: dict[str, str] = {}
        self._managers = {accounts.management}
        self._levels: dict[tuple[PolicyKind, str], Levels] = {}
        live = any(one.get("awsManaged") is True for one in snapshot.of_type(CONTROL_POLICY))
        self._full_access_at: set[str] | None = set() if live else None
        """The nodes that FullAWSAccess is attached to; None where that is not shown."""
        self._read_tree()
        for attachment in snapshot.of_type(CONTROL_POLICY_ATTACHMENT):
            self._read_attachment(attachment, documents)
        if next(snapshot.of_type(ORGANIZATION), None) is None:
            self._read_exported(exported, documents)

    def scps(self, account: str) -> Levels:
        """The service control policies on each level above and at an account; () when none bind it."""
        return self._of(PolicyKind.SCP, account)

    def rcps(self, account: str) -> Levels:
        """The resource control policies on each level above and at an account; () when none bind it."""
        return self._of(PolicyKind.RCP, account)

    def path(self, account: str) -> tuple[str, bool]:
        """The root and the units above an account, as `aws:PrincipalOrgPaths` has them, and whether that is all of it.

        https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-principalorgpaths
        """
        _, *units, own = self._line(account)
        roots = self._roots if len(self._roots) == 1 else ()
        known = roots and own in self._parents and all(one.startswith("ou-") for one in units)
        whole = bool(known) and self._parents.get(units[0] if units else own) == _ROOT
        return "/".join((*roots, *(units if whole else ()), "")).removeprefix("/"), whole

    def denials(self, role: Principal) -> Iterator[Statement]:
        """What the resource control policies of a role say of it, without the conditions that its own tags meet.

        No trust policy can open what they deny; a policy that is not known is left out, and so are all of an account
        that is not shown to be in the organization.
        https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_rcps.html
        """
        lookup = partial(_of_tags, role.tags)
        policies = self.rcps(role.account) if self.is_member(role.account) else ()
        for policy in chain.from_iterable(policies):
            for one in () if isinstance(policy, Unknown) else policy.statements:
                if one.covers_resource(role.arn, lookup) is Truth.TRUE:
                    left = tuple(each for each in one.conditions if each.evaluate(lookup) is not Truth.TRUE)
                    yield replace(one, conditions=left)

    def bind(self, account: str) -> Iterator[Document]:
        """The control policies on each level above and at an account, but for AWS's own that allow everything."""
        for kind in CONTROL_POLICIES.values():
            for attached in self._of(kind, account):
                others = [one for one in attached if one is not _FULL_ACCESS[kind]]
                yield from (Document(one, getattr(one, "title", None) or kind.value) for one in others)

    @property
    def targets(self) -> set[str]:
        """The accounts, units and root that control policies are attached to."""
        return {node for attached in self._attached.values() for node in attached}

    def _of(self, kind: PolicyKind, account: str) -> Levels:
        attached = self._attached[kind]
        if not attached or account in self._managers or self._is_outside(account):
            return ()
        if (kind, account) not in self._levels:
            self._levels[kind, account] = tuple(
                (*self._full_access(kind, node), *attached.get(node, ())) for node in self._line(account)
            )
        return self._levels[kind, account]

    def _full_access(self, kind: PolicyKind, node: str) -> tuple[PolicyDocument, ...]:
        shown = kind is PolicyKind.SCP and self._full_access_at is not None
        return () if shown and node not in (self._full_access_at or ()) else (_FULL_ACCESS[kind],)

    def _is_outside(self, account: str) -> bool:
        known = self._accounts.all_listed and self._accounts.pinned(account)
        return known and not self.is_member(account)

    def is_member(self, account: str) -> bool:
        """Whether an account is shown to be one of the organization; that a stack works in it does not show that."""
        attached = any(account in targets for targets in self._attached.values())
        return attached or account in self._parents or self._accounts.is_member(account)

    def _line(self, account: str) -> list[str]:
        line = [account]
        while line[-1] in self._parents and self._parents[line[-1]] not in line:
            line.append(self._parents[line[-1]])
        if line[-1] != _ROOT:
            line.append(_ROOT)
        return line[::-1]

    def _read_tree(self) -> None:
        for organization in self._snapshot.of_type(ORGANIZATION):
            roots = organization.get("roots")
            ids = [mapping(one).get("id") for one in roots] if isinstance(roots, list | tuple) else []
            self._roots |= {one for one in ids if isinstance(one, str)}
        for resource in self._snapshot.of_type(ORGANIZATIONAL_UNIT, ACCOUNT):
            parent = self._node(resource, "parentId")
            if parent is not None:
                self._parents[self._key(resource)] = parent
            if resource.type == ORGANIZATIONAL_UNIT:
                self._names[self._key(resource)] = resource.text("name") or resource.name

    def _read_attachment(self, attachment: Resource, documents: Documents) -> None:
        policy = self._snapshot.behind(attachment, "policyId", CONTROL_POLICY) or self._by_id(
            attachment.text("policyId")
        )
        if policy is None:
            return
        kind = CONTROL_POLICIES.get(policy.text("type") or "SERVICE_CONTROL_POLICY")
        if kind is None:
            return
        node = self._node(attachment, "targetId")
        if policy.get("awsManaged") is True and self._full_access_at is not None:
            self._full_access_at.update([node] if node else [])
            return
        document = documents.of(policy, "content", kind, f"{kind.value} {policy.name}")
        self.documents[policy.urn] = document
        if node is None:
            self.aimless.add(attachment.urn)
            self._attached[kind][_ROOT].append(UNKNOWN)
        else:
            self._attach(kind, policy.text("name") or policy.name, node, document.policy)

    def _attach(self, kind: PolicyKind, name: str, node: str, policy: PolicyDocument | Unknown) -> None:
        if isinstance(policy, PolicyDocument):
            policy = replace(policy, title=f"{kind.name} {name} at {self._label(node)}")
        self._attached[kind][node].append(policy)

    def _label(self, node: str) -> str:
        if node == _ROOT:
            return "the root"
        names: list[str] = []
        above: str | None = node
        while above in self._names and len(names) < _DEEPEST:
            names.append(self._names[above])
            above = self._parents.get(above)
        path = self._exported_paths.get(node) or "/".join(reversed(names))
        return f"unit {path}" if path else f"account {self._accounts.name(node)}"

    def _read_exported(self, exported: Exported, documents: Documents) -> None:
        """What other stacks tell of the organization: its units, the accounts in them, and what control policies deny.

        A target that they do not tell is taken as it stands: the id of an account or of a unit.
        """
        for stack, outputs in exported.outputs.items():
            told = mapping(outputs.get(doors.UNITS_OUTPUT))
            units = {path: unit if isinstance(unit, str) else f"unit {path}" for path, unit in told.items()}
            for path, unit in units.items():
                self._exported_paths[unit] = path
                self._parents.setdefault(unit, units.get(path.rpartition("/")[0], _ROOT))
            for policy in exported.policies[stack]:
                parsed = documents.parse(policy.document, policy.kind)
                for target in policy.targets:
                    node = self._accounts.canonical(units.get(target, target))
                    self._attach(policy.kind, policy.name, node, UNKNOWN if isinstance(parsed, PolicyError) else parsed)
            self._read_accounts(outputs)

    def _read_accounts(self, outputs: Mapping[str, object]) -> None:
        """Where the accounts of another stack are, by their ids."""
        manager, ids = outputs.get(doors.ACCOUNT_OUTPUT), mapping(outputs.get(doors.ACCOUNTS_OUTPUT))
        if isinstance(manager, str):
            self._managers.add(manager)
        for name, parent in mapping(outputs.get(doors.ACCOUNT_UNITS_OUTPUT)).items():
            if isinstance(parent, str) and isinstance(account := ids.get(name), str):
                self._parents.setdefault(account, _ROOT if parent.startswith("r-") else parent)

    def _by_id(self, identity: str | None) -> Resource | None:
        found = [policy for policy in self._snapshot.of_type(CONTROL_POLICY) if identity and id_of(policy) == identity]
        return found[0] if len(found) == 1 else None

    def _node(self, resource: Resource, key: str) -> str | None:
        """The root, organizational unit or account that a property names."""
        identity = resource.text(key)
        if identity is not None:
            return _ROOT if identity.startswith("r-") else self._accounts.canonical(identity)
        behind = self._snapshot.behind(resource, key, ORGANIZATION, ORGANIZATIONAL_UNIT, ACCOUNT)
        return self._key(behind) if behind else None

    def _key(self, resource: Resource) -> str:
        if resource.type == ORGANIZATION:
            return _ROOT
        if resource.type == ACCOUNT:
            return self._accounts.named_by(resource)
        return id_of(resource) or resource.urn


def _of_tags(tags: Mapping[str, object] | None, key: str) -> Values:
    """A condition key about the tags of a resource, whose keys are compared without case; others are not known.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-resourcetag
    """
    _, of_resource, tag = key.partition("aws:resourcetag/")
    value = tags.get(tag, ()) if of_resource and tags is not None else UNKNOWN
    return (value,) if isinstance(value, str) else () if value == () else UNKNOWN


def _allowing_all(kind: PolicyKind) -> PolicyDocument:
    statement: dict[str, object] = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    if kind is PolicyKind.RCP:
        statement["Principal"] = "*"
    return parse_policy({"Version": "2012-10-17", "Statement": [statement]}, kind)


_FULL_ACCESS = {kind: _allowing_all(kind) for kind in CONTROL_POLICIES.values()}
