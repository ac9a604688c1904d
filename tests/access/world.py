"""Small stacks to try rules on: resources as the engine shows them, with as little said as possible."""

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from twokeys.access.findings import Finding
from twokeys.access.graph import Graph, build
from twokeys.access.reading.snapshot import PROVIDER, Resource, Snapshot
from twokeys.access.rules import RULES
from twokeys.access.verdicts import Verdicts, check
from twokeys.iam import UNKNOWN

HUB, STAGE, PROD, OUTSIDE = "1" * 12, "2" * 12, "3" * 12, "9" * 12
TODAY = datetime(2026, 11, 24, tzinfo=UTC)
TYPES = {
    "Account": "aws:organizations/account:Account",
    "Organization": "aws:organizations/organization:Organization",
    "OrganizationalUnit": "aws:organizations/organizationalUnit:OrganizationalUnit",
    "ControlPolicy": "aws:organizations/policy:Policy",
    "ControlPolicyAttachment": "aws:organizations/policyAttachment:PolicyAttachment",
    "OrganizationsFeatures": "aws:iam/organizationsFeatures:OrganizationsFeatures",
    "DelegatedAdministrator": "aws:organizations/delegatedAdministrator:DelegatedAdministrator",
    "Role": "aws:iam/role:Role",
    "User": "aws:iam/user:User",
    "Group": "aws:iam/group:Group",
    "AccessKey": "aws:iam/accessKey:AccessKey",
    "UserLoginProfile": "aws:iam/userLoginProfile:UserLoginProfile",
    "Policy": "aws:iam/policy:Policy",
    "RolePolicy": "aws:iam/rolePolicy:RolePolicy",
    "UserPolicy": "aws:iam/userPolicy:UserPolicy",
    "GroupPolicy": "aws:iam/groupPolicy:GroupPolicy",
    "RolePolicyAttachment": "aws:iam/rolePolicyAttachment:RolePolicyAttachment",
    "UserPolicyAttachment": "aws:iam/userPolicyAttachment:UserPolicyAttachment",
    "GroupPolicyAttachment": "aws:iam/groupPolicyAttachment:GroupPolicyAttachment",
    "PolicyAttachment": "aws:iam/policyAttachment:PolicyAttachment",
    "GroupMembership": "aws:iam/groupMembership:GroupMembership",
    "UserGroupMembership": "aws:iam/userGroupMembership:UserGroupMembership",
    "RolePoliciesExclusive": "aws:iam/rolePoliciesExclusive:RolePoliciesExclusive",
    "RolePolicyAttachmentsExclusive": "aws:iam/rolePolicyAttachmentsExclusive:RolePolicyAttachmentsExclusive",
    "StackReference": "pulumi:pulumi:StackReference",
    "OtherStack": "twokeys:access:OtherStack",
    "Provider": PROVIDER,
    "MemberAccount": "twokeys:accounts:MemberAccount",
    "Component": "test:doors:Door",
    "Command": "command:local:Command",
}


def arn(account: str, rest: str) -> str:
    return f"arn:aws:iam::{account}:{rest}"


CI = arn(HUB, "role/ci")
DEPLOYER = arn(STAGE, "role/deployer")


def document(*statements: Mapping[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def trusts(*principals: str, condition: Mapping[str, Any] | None = None, effect: str = "Allow") -> dict[str, Any]:
    principal = {"AWS": list(principals)}
    statement: dict[str, Any] = {"Effect": effect, "Principal": principal, "Action": "sts:AssumeRole"}
    return statement | ({"Condition": condition} if condition else {})


def grants(*resources: str, effect: str = "Allow", action: str = "sts:AssumeRole") -> dict[str, Any]:
    return {"Effect": effect, "Action": action, "Resource": list(resources)}


SERVICE = document({"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"})
MFA = {"Bool": {"aws:MultiFactorAuthPresent": "true"}}


class World:
    """A stack under construction; the two providers of most stacks are there from the beginning."""

    def __init__(self) -> None:
        self.resources: list[Resource] = []
        self.hub = self.provider("hub", HUB, assume=False)
        self.stage = self.provider("stage", STAGE)

    def add(
        self,
        kind: str,
        logical: str,
        provider: Resource | None = None,
        /,
        *,
        parent: Resource | None = None,
        made_from: Mapping[str, list[Resource]] | None = None,
        protect: bool = False,
        outputs: Mapping[str, object] | None = None,
        **inputs: object,
    ) -> Resource:
        """A resource; `made_from` names what a property hangs on, and its value is unknown unless it is given."""
        behind = {key: tuple(one.urn for one in ones) for key, ones in (made_from or {}).items()}
        values = {**dict.fromkeys(behind, UNKNOWN), **inputs}
        above = f"{parent.type}$" if parent else ""
        resource = Resource(
            urn=f"urn:pulumi:stage::twokeys::{above}{TYPES[kind]}::{logical}",
            type=TYPES[kind],
            name=logical,
            inputs=values,
            outputs=values if outputs is None else outputs,
            provider=provider.urn if provider else None,
            parent=parent.urn if parent else None,
            property_dependencies=behind,
            protect=protect,
        )
        self.resources.append(resource)
        return resource

    def provider(self, name: str, account: str, *, assume: bool = True, pin: bool = True) -> Resource:
        values: dict[str, object] = {}
        if pin:
            values["allowedAccountIds"] = json.dumps([account])
        if assume:
            values["assumeRoles"] = json.dumps([{"roleArn": arn(account, "role/OrganizationAccountAccessRole")}])
        return self.add("Provider", name, **values)

    def new_account(self, name: str = "new") -> Resource:
        """An account that does not exist yet, and its provider; returns the provider."""
        account = self.add("Account", name, self.hub, protect=True, name=name, email=f"a+{name}@example.com")
        return self.add("Provider", f"in-{name}", made_from={"assumeRoles": [account], "allowedAccountIds": [account]})

    def other_stack(self, logical: str, stack: str, outputs: Mapping[str, object]) -> Resource:
        """A component that repeats another stack, made from a reference that the engine does not show itself."""
        resource = self.add("OtherStack", logical, name=stack, outputs={"name": stack, "outputs": outputs})
        reference = f"urn:pulumi:stage::twokeys::{TYPES['StackReference']}::{stack}"
        return self.change(resource, inputs=resource.outputs, property_dependencies={"outputs": (reference,)})

    def role(self, name: str, provider: Resource, trust: object = SERVICE, **inputs: object) -> Resource:
        return self.add("Role", name, provider, **{"name": name, "assumeRolePolicy": trust, **inputs})

    def grant(self, role: str, provider: Resource, *resources: str) -> Resource:
        return self.add(
            "RolePolicy", f"{role}-grant", provider, role=role, name="grant", policy=document(grants(*resources))
        )

    def change(self, resource: Resource, **changes: Any) -> Resource:
        changed = replace(resource, **changes)
        self.resources[self.resources.index(resource)] = changed
        return changed

    @property
    def snapshot(self) -> Snapshot:
        return Snapshot(tuple(self.resources))

    @property
    def graph(self) -> Graph:
        return build(self.snapshot)

    def check(self, config: Mapping[str, Mapping[str, object]] | None = None) -> Verdicts:
        return check(self.graph, RULES, config or {}, TODAY)

    def findings(self, config: Mapping[str, Mapping[str, object]] | None = None) -> list[Finding]:
        verdicts = self.check(config)
        return [*verdicts.mandatory, *verdicts.advisory]

    def rules(self, config: Mapping[str, Mapping[str, object]] | None = None) -> list[str]:
        return sorted({finding.rule for finding in self.findings(config)})

    @property
    def refused(self) -> list[str]:
        """The rules that refuse it."""
        return sorted({finding.rule for finding in self.check().mandatory})


def replaced(world: World, name: str, /, **inputs: object) -> None:
    """Give a resource other properties."""
    found = next(one for one in world.resources if one.name == name)
    values = {**(found.inputs or {}), **inputs}
    world.change(found, inputs=values, outputs=values)


def two_keys(trust: object = document(trusts(CI)), *, granted: bool = True, **deployer: object) -> World:
    """The compliant stack that most tests change in one place."""
    world = World()
    world.role("ci", world.hub)
    world.role("deployer", world.stage, trust, **deployer)
    if granted:
        world.grant("ci", world.hub, DEPLOYER)
    return world


Change = Callable[[World], object]
