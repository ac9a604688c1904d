"""The accounts of a stack, each with its provider, and the doors that lead into them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import cast

import pulumi
import pulumi_aws as aws

from components.account_baseline import AccountBaseline
from components.account_budget import AccountBudget
from components.account_provider import AssumedRole, account_provider, session_name
from components.caller_identity import caller_arn
from components.cross_account_access import CrossAccountAccess, CrossAccountAccessArgs
from components.identity_center import IdentityCenter
from components.identity_center_access import IdentityCenterAccess
from components.management_stack import ManagementStack
from components.member_account import MemberAccount
from components.organization import Organization
from components.other_stack import OtherStack, SourceAccount, account_of
from components.people import People
from components.stack_outputs import StackOutputs
from twokeys.doors.switch_role import switch_role_url, takes
from twokeys.settings.models import (
    MANAGEMENT,
    DoorSettings,
    Settings,
    asks_for_mfa,
    is_unit_id,
    made_by_management,
    principal_of,
    terms,
)


@dataclass(frozen=True)
class Account:
    """A member account that can be worked in."""

    id: pulumi.Output[str]
    caller_arn: pulumi.Output[str]
    access_role_arn: pulumi.Output[str]
    parent_id: pulumi.Output[str]
    provider: aws.Provider


class Accounts:
    """What a stack makes of `accounts` and `doors`.

    Everything in the management account goes through `parent`. `organization` and `identity_center` are what the same
    stack makes there; accounts wait for the first.
    """

    def __init__(
        self,
        settings: Settings,
        parent: aws.Provider,
        organization: Organization | None = None,
        identity_center: IdentityCenter | None = None,
    ) -> None:
        self._settings = settings
        self._stack = pulumi.get_stack()
        self._parent = parent
        self._organization = organization
        self._before_doors: list[pulumi.Resource] = []
        self._identity_center = identity_center
        self._made: dict[str, MemberAccount] = {}
        named = sum(bool(made_by_management(settings, door)) for door in settings.doors.values())
        self._management = ManagementStack(settings.management_stack or _beside(MANAGEMENT), named)
        self._others: dict[str, tuple[StackOutputs, OtherStack]] = {}
        self._sources: dict[str, SourceAccount] = {}

    def members(self) -> dict[str, Account]:
        """Create or adopt each account in use; its provider works only once the account can be entered."""
        return {account: self._member(account) for account in self._settings.entered()}

    def not_entered(self) -> dict[str, pulumi.Output[str]]:
        """Adopt each account that this program does not work in; its id by name."""
        entered = {*self._settings.entered(), *self._settings.accounts_in("closed")}
        return {name: self._account(name).account_id for name in self._settings.accounts if name not in entered}

    def doors(
        self, members: Mapping[str, Account], people: Sequence[People] = ()
    ) -> dict[str, CrossAccountAccess | IdentityCenterAccess]:
        """Make the keys of each door, after the people whom the same stack makes, and the door that makes its source.

        A key that lives elsewhere is proved by what the management stack exports.
        """
        self._before_doors += people
        doors = [door for door in self._settings.doors.values() if door.via == "assume-role"]
        if self._organization is None and (
            any(len(door.keys) == 1 for door in doors) or (doors and self._management.is_read)
        ):
            self._before_doors.append(self._other(MANAGEMENT)[1])
        made: dict[str, CrossAccountAccess | IdentityCenterAccess] = {}
        for name in (one for door in self._settings.doors for one in self._settings.way_to(door)):
            if name not in made:
                door = self._settings.doors[name]
                after = [*self._before_doors, *filter(None, [made.get(self._settings.door_before(door) or "")])]
                by_role = door.via == "assume-role"
                made[name] = self._door(name, members, after) if by_role else self._assignment(name)
        return made

    def switch_role_urls(self, members: Mapping[str, Account]) -> dict[str, pulumi.Output[str]]:
        """A console link for each role that people may switch to and the console takes, by `account/role`."""
        settings = self._settings
        roles = {(account, settings.accounts[account].access.role) for account in members}
        roles |= {
            (settings.target_account_of(door), door.target.role)
            for door in settings.doors.values()
            if door.via == "assume-role" and (asks_for_mfa(door) or principal_of(door.source).kind != "role")
        }
        return {
            f"{account}/{role}": self._link(members[account], account, role)
            for account, role in sorted(roles)
            if takes(role)
        }

    def _account(self, name: str) -> MemberAccount:
        settings, in_parent = self._settings, pulumi.ResourceOptions(provider=self._parent)
        after: list[pulumi.Resource] = list(self._organization.resources) if self._organization else []
        # AWS makes a few accounts at a time and refuses more: each waits for the one that many places before it.
        if len(self._made) >= settings.accounts_at_once:
            after.append(list(self._made.values())[-settings.accounts_at_once].account)
        opts = pulumi.ResourceOptions(provider=self._parent, depends_on=after)
        made = self._made[name] = MemberAccount(name, settings, self._unit_id(name), opts)
        if budget := settings.accounts[name].budget:
            AccountBudget(name, budget, made.account_id, in_parent)
        return made

    def _member(self, name: str) -> Account:
        settings, member = self._settings, self._settings.accounts[name]
        account = self._account(name)
        role = AssumedRole(
            arn=account.access_role_arn,
            session_name=session_name(),
            session_seconds=member.access.session_seconds,
            external_id=member.access.external_id,
        )
        provider = account_provider(
            name, account_id=account.account_id, region=settings.region, role=role, tags=settings.tags
        )
        arn = caller_arn(provider, account.account_id, account=name, depends_on=[account.account])
        baseline = settings.baseline_of(name)
        if any(baseline.model_dump(exclude={"contacts"}).values()):
            AccountBaseline(name, baseline, pulumi.ResourceOptions(provider=provider))
        return Account(
            id=account.account_id,
            caller_arn=arn,
            access_role_arn=account.access_role_arn,
            parent_id=account.account.parent_id,
            provider=provider,
        )

    def _unit_id(self, account: str) -> pulumi.Input[str] | None:
        member, own = self._settings.accounts[account], self._settings.organization
        quarantined = member.state == "quarantined"
        unit = own.quarantine if quarantined and own else member.organizational_unit
        if self._organization and unit is not None and not is_unit_id(unit):
            return self._organization.unit_ids[unit]
        if quarantined:
            return self._management.read("quarantine", "organizational_unit_id", "organization.quarantine")
        if unit is None or is_unit_id(unit):
            return unit
        return self._management.read("organizational_unit_ids", unit, "organization.organizationalUnits")

    def _door(self, name: str, members: Mapping[str, Account], after: Sequence[pulumi.Resource]) -> CrossAccountAccess:
        settings, door = self._settings, self._settings.doors[name]
        target = members[settings.target_account_of(door)]
        source = self._source(name, members)
        group_members = self._group_members(name)
        if self._organization is None:
            named = made_by_management(settings, door)
            group_members = self._management.expect(named, name, settings.people.account, group_members)
        return CrossAccountAccess(
            name,
            door_args(
                settings,
                door,
                target_account_id=target.id,
                source_account_id=source.id,
                source_provider=source.provider,
                target_provider=target.provider,
                members=group_members,
            ),
            pulumi.ResourceOptions(depends_on=after),
        )

    def _source(self, door: str, members: Mapping[str, Account]) -> SourceAccount:
        settings, said = self._settings, self._settings.doors[door]
        account, stack = settings.source_account_of(said), settings.source_stack_of(said)
        if stack is None and account == MANAGEMENT:
            return SourceAccount(settings.management_account_id, self._parent)
        if stack is None and settings.is_outside(said):  # nothing is made there
            return SourceAccount(account, self._parent)
        if stack is None:
            return SourceAccount(members[account].id, members[account].provider)
        if account not in self._sources:
            outputs, other = self._other(stack)
            self._sources[account] = account_of(
                other, outputs, account, region=settings.region, session_name=session_name()
            )
        return self._sources[account]

    def _other(self, stack: str) -> tuple[StackOutputs, OtherStack]:
        full = stack if "/" in stack else _beside(stack)
        if stack == MANAGEMENT or full == self._management.name:
            stack, full = MANAGEMENT, self._management.name
        if stack not in self._others:
            otherwise = "name another one as `stack` of the doors that start there"
            begin = sum(self._settings.source_stack_of(door) == stack for door in self._settings.doors.values())
            there = StackOutputs(full, f"stack {stack}", otherwise, begin)
            outputs = self._management if stack == MANAGEMENT else there
            shown = OtherStack(stack.replace("/", "-"), {"stack": full, "outputs": outputs.refer()})
            self._others[stack] = outputs, shown
        return self._others[stack]

    def _assignment(self, name: str) -> IdentityCenterAccess:
        settings, door = self._settings, self._settings.doors[name]
        source, own = principal_of(door.source), self._identity_center
        who_comes = f"{source.kind}/{source.name}"
        return IdentityCenterAccess(
            name,
            settings=settings,
            source_id=own.id_of[who_comes]
            if own
            else self._management.read("identity_ids", who_comes, f"people.identityCenter.{source.kind}s"),
            instance_arn=own.instance_arn
            if own
            else self._management.read("identity_center", "instance_arn", "people.identityCenter"),
            target_account_id=self._made[settings.target_account_of(door)].account_id,
            opts=pulumi.ResourceOptions(provider=self._parent),
        )

    def _group_members(self, name: str) -> pulumi.Input[list[str]]:
        source = self._settings.doors[name].source
        if source.group is None:
            return []
        if source.members is not None:
            return list(source.members)
        own = self._settings.people.groups.get(source.group)
        return (
            list(own)
            if own is not None
            else self._management.read("group_members", source.group, "people.groups", name)
        )

    def _link(self, member: Account, account: str, role: str) -> pulumi.Output[str]:
        partition, stack = self._settings.partition, self._stack
        return member.id.apply(
            lambda id_: switch_role_url(
                id_, role, display_name=f"{account} {role}", environment=stack, partition=partition
            )
        )


def _beside(stack: str) -> str:
    """The full name of a stack of this project."""
    return f"{pulumi.get_organization()}/{pulumi.get_project()}/{stack}"


def door_args(  # noqa: PLR0913 - a door joins two accounts
    settings: Settings,
    door: DoorSettings,
    *,
    target_account_id: pulumi.Input[str],
    source_account_id: pulumi.Input[str],
    source_provider: aws.Provider,
    target_provider: aws.Provider,
    members: pulumi.Input[list[str]],
) -> CrossAccountAccessArgs:
    """The arguments of one CrossAccountAccess component."""
    source = principal_of(door.source)
    args: CrossAccountAccessArgs = {
        "source_kind": source.kind,
        "source_account_id": source_account_id,
        "target_account": settings.target_account_of(door),
        "target_account_id": target_account_id,
        "role": door.target.role,
        "source_provider": source_provider,
        "target_provider": target_provider,
        "members": members,
        "managed_policy_arns": list(door.permissions.managed_policies),
        "statements": list(door.permissions.statements),
        "partition": settings.partition,
    }
    args.update(cast("CrossAccountAccessArgs", terms(door)))
    if (account := settings.source_account_of(door)) != MANAGEMENT and not settings.is_outside(door):
        args["source_account"] = account
    if source.kind != "root":
        args["source"] = source.name
    elif door.source.grant_to is not None:
        args["grant_to_kind"], args["grant_to"] = principal_of(door.source.grant_to)
    if door.permissions.boundary:
        args["permissions_boundary"] = door.permissions.boundary
    return args
