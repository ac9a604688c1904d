"""The shape of a stack's config as frozen models. A setting that is not here is refused."""

from __future__ import annotations

import re
from typing import Annotated, Any, Final, Literal, NamedTuple, Self, TypeAlias

from pydantic import AfterValidator, ConfigDict, Field, StringConstraints, model_validator

from twokeys.access_role import ACCESS_ROLE
from twokeys.aws_reference import regions
from twokeys.doors import Declaration
from twokeys.doors.documents import DoorPlan, KeyName, SourceKind
from twokeys.iam import is_account_id
from twokeys.settings.audit import AuditSettings
from twokeys.settings.base import Model
from twokeys.settings.baseline import AccountBaselineSettings, BaselineSettings, ContactsSettings
from twokeys.settings.bill import BillSettings, BudgetSettings
from twokeys.settings.guard_rails import GuardRail
from twokeys.settings.people import BreakGlassSettings, IdentityCenterSettings
from twokeys.settings.values import (
    UNIT_ID,
    AccountId,
    AccountName,
    AccountOrEvery,
    ClosingTime,
    ConditionValues,
    Email,
    ExternalId,
    GroupName,
    GroupPathAndName,
    IdentityGroupName,
    Once,
    OrganizationId,
    PathAndName,
    PolicyArn,
    PolicyDescription,
    PolicyId,
    PolicyName,
    PolicyType,
    Reason,
    Region,
    RoleName,
    ServicePrincipal,
    SessionSeconds,
    Slug,
    Tags,
    TargetId,
    UnitId,
    UnitPath,
    check_conditions,
    check_scp,
    check_statements,
    check_tag_text,
    must_match,
    refuse,
    within,
)

IAM_QUOTAS = "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html"
_UNIT_PAGE = "https://docs.aws.amazon.com/organizations/latest/APIReference/API_CreateOrganizationalUnit.html"
_OIDC_PAGE = "https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateOpenIDConnectProvider.html"
_STS_PAGE = "https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html"

MANAGEMENT = "management"
"""What the management account is called among the accounts."""
EVERY_ACCOUNT = "*"
"""How a door names every active account of its stack as its target."""
ROOT = "root"
"""How a guard rail names the organization's root among its targets."""
SERVICE_CONTROL_POLICY: Final = "SERVICE_CONTROL_POLICY"


State: TypeAlias = Literal["active", "quarantined", "closed"]


class _Tagged(Model):
    """A resource of Organizations, which did not limit the text of tags once: what is taken over keeps such a one."""

    adopt: str | None = None
    tags: Tags = {}

    @model_validator(mode="after")
    def _can_be_set(self) -> Self:
        if self.adopt is None:
            check_tag_text(self.tags)
        return self


class UnitSettings(_Tagged):
    """An organizational unit: made by the stack, or one that exists.

    With `id` the stack only uses it; with `adopt` (its id) the stack takes it over and manages it from then on. `name`
    is what AWS calls it, where that is not the last part of its path, such as a name with a slash.
    """

    id: UnitId | None = None
    adopt: UnitId | None = None
    name: Annotated[str, within(1, 128, "a unit's name has 1 to 128 characters", _UNIT_PAGE)] | None = None

    @model_validator(mode="after")
    def _only_used(self) -> Self:
        if self.id and (self.adopt or self.name or self.tags):
            raise refuse("a unit with an id is only used, so nothing else is said of it", "write adopt instead of id")
        return self


class GuardRailSettings(_Tagged):
    """A service control policy and where it is attached: `root`, paths of organizational units or ids of accounts.

    `adopt` is the id of a policy that exists and is taken over, `attached` those of its targets that it is attached to
    already, with their ids (`root: r-ab12`). `name` is what AWS calls it, where that is not its key.
    """

    document: Annotated[dict[str, Any], AfterValidator(check_scp)]
    targets: Annotated[tuple[str, ...], Once]
    description: PolicyDescription = ""
    name: PolicyName | None = None
    adopt: PolicyId | None = None
    attached: dict[str, TargetId] = {}

    @property
    def kind(self) -> str:
        """The policy type."""
        return SERVICE_CONTROL_POLICY


class OtherPolicySettings(GuardRailSettings):
    """A policy of another type than service control policies; its document is in the language of that type."""

    type: PolicyType
    document: Annotated[dict[str, Any], Field(min_length=1)]

    @property
    def kind(self) -> str:
        """The policy type."""
        return self.type


class DelegatedSettings(Model):
    """What an account is the delegated administrator of; `adopt` lists the services that it is so for already."""

    services: Annotated[tuple[ServicePrincipal, ...], Field(min_length=1), Once]
    adopt: tuple[ServicePrincipal, ...] = ()

    @model_validator(mode="after")
    def _among_them(self) -> Self:
        if beyond := sorted(set(self.adopt) - set(self.services)):
            raise refuse(
                f"adopt names {', '.join(beyond)}: it is not among the services", "add it to them, or remove it"
            )
        return self


class OrganizationSettings(Model):
    """The organization as a whole. A stack that has it is the management stack.

    `create: false` only looks it up; `adopt` (its id) takes over one that exists, and the stack then manages it.
    `policies` are those of other types than service control policies. `delegatedAdministrators` are by account id; for
    the security services of accounts of this stack, see `audit`. `centralizedRootAccess: adopt` says that it is on.
    `guardRails` gives each target (`root` or the path of an organizational unit) the guard rails it gets by name; they
    become one service control policy a target, since AWS attaches ten at most. `allowedRegions` belongs to the guard
    rail of that name, and `accessRoles` are the roles by which the management account enters: guard rails spare them.
    `quarantine` is the path of the organizational unit that quarantined accounts of every stack are moved to; it has
    the guard rail of that name.
    """

    create: bool = True
    adopt: OrganizationId | None = None
    policy_types: tuple[PolicyType, ...] = (SERVICE_CONTROL_POLICY,)
    trusted_services: tuple[ServicePrincipal, ...] = ()
    organizational_units: dict[UnitPath, UnitSettings] = {}
    service_control_policies: dict[PolicyName, GuardRailSettings] = {}
    policies: dict[PolicyName, OtherPolicySettings] = {}
    guard_rails: dict[UnitPath, Annotated[tuple[GuardRail, ...], Field(min_length=1)]] = {}
    allowed_regions: tuple[Region, ...] = ()
    quarantine: UnitPath | None = None
    access_roles: Annotated[tuple[RoleName, ...], Field(min_length=1)] = (ACCESS_ROLE,)
    centralized_root_access: bool | Literal["adopt"] = False
    delegated_administrators: dict[AccountId, DelegatedSettings] = {}

    @property
    def every_policy(self) -> dict[str, GuardRailSettings]:
        """The policies of all types that config writes out, by name."""
        return {**self.service_control_policies, **self.policies}


class OidcSettings(Model):
    """An identity provider outside AWS that signs tokens, such as a CI system's.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_create_oidc.html
    """

    issuer: Annotated[
        str,
        must_match(
            r"[A-Za-z0-9.-]+\.[A-Za-z]{2,}(/[\w./-]+)?",
            "an issuer is the host (and path) of its https URL",
            "write it without https://, as in token.actions.githubusercontent.com",
        ),
        within(1, 247, "an issuer has at most 247 characters after https://", _OIDC_PAGE),
    ]
    audience: Annotated[str, within(1, 255, "an audience has 1 to 255 characters", _OIDC_PAGE)] = "sts.amazonaws.com"
    subjects: Annotated[tuple[Annotated[str, Field(min_length=1)], ...], Field(min_length=1)]


class PrincipalRoleSettings(Model):
    """A role that doors start from, such as the one that deploys.

    Without `oidc` it trusts its own account: whoever that account's own policies let in.
    """

    description: Reason | None = None
    oidc: OidcSettings | None = None


class PeopleSettings(Model):
    """Principals that doors start from, in the member account `account`. None of them has an access key.

    Without `account` they live in the management account, where no service control policy binds them; AWS advises to
    work elsewhere. The way for emergencies stays there in any case. Stacks without `organization` say `account` only:
    where their doors start.
    https://docs.aws.amazon.com/organizations/latest/userguide/orgs_best-practices_mgmt-acct.html
    """

    account: Slug | None = None
    users: tuple[RoleName, ...] = ()
    groups: dict[GroupName, tuple[RoleName, ...]] = {}
    roles: dict[RoleName, PrincipalRoleSettings] = {}
    break_glass: BreakGlassSettings | None = None
    identity_center: IdentityCenterSettings | None = None


class AccessRoleSettings(Model):
    """The role through which the management account enters a member account to run this program.

    It is called otherwise where AWS Organizations did not make it: `AWSControlTowerExecution` in accounts that Control
    Tower made, any name (or none) in accounts that were invited. `enter: false` adopts an account without entering it:
    its place, name, tags and budget are managed from outside, and nothing is made in it.
    https://docs.aws.amazon.com/controltower/latest/userguide/awscontroltowerexecution.html
    """

    enter: bool = True
    role: RoleName = ACCESS_ROLE
    external_id: ExternalId | None = None
    session_seconds: Annotated[int, within(900, 43_200, "a session lasts 900 to 43200 seconds", _STS_PAGE)] = 3600


class MemberSettings(_Tagged):
    """A member account. Its e-mail address and name default to what its key and the root address give.

    `state`: `quarantined` moves it, in place, to the organization's quarantine unit, and no door leads to it; `closed`
    makes nothing of it: the entry, with the account's id in `adopt`, keeps its id and address from other accounts.
    """

    name: AccountName | None = None
    email: Email | None = None
    organizational_unit: UnitPath | None = None
    adopt: AccountId | None = None
    state: State = "active"
    access: AccessRoleSettings = AccessRoleSettings()
    contacts: ContactsSettings = ContactsSettings()
    baseline: AccountBaselineSettings = AccountBaselineSettings()
    budget: BudgetSettings | None = None


class GranteeSettings(Model):
    """Who gets a grant: one role, user or group."""

    role: PathAndName | None = None
    user: PathAndName | None = None
    group: GroupPathAndName | None = None

    @model_validator(mode="after")
    def _one(self) -> Self:
        if len(_principals(self)) != 1:
            raise refuse("a door or a grant has exactly one source", "name one role, user or group")
        return self


class SourceSettings(GranteeSettings):
    """Who comes through a door: one role, user or group of an account, or its root.

    `account` is the key of an account of this stack, or of `stack` (its name, the management stack by default), or
    `management`, or the id of a third party's; without it they come from where `people` live.

    A group is no principal in AWS, so the trust names its members: `members`, or those that the management stack says.
    `exists` says that the principal is there already, made by somebody else: AWS refuses a trust in one that is not.
    """

    group: IdentityGroupName | None = None  # of IAM by `twokeys.settings.doors`, which knows `via`
    root: bool = False
    account: Slug | None = None
    stack: Annotated[str, Field(min_length=1)] | None = None
    members: tuple[PathAndName, ...] | None = None
    grant_to: GranteeSettings | None = None
    exists: bool = False

    @model_validator(mode="after")
    def _whom(self) -> Self:
        if self.members is not None and self.group is None:
            raise refuse("only a group has members", "remove them")
        if self.members == ():
            raise refuse("a trust policy has to name somebody", "list the members or remove the key")
        if self.root and self.grant_to is None:
            raise refuse(
                "a trust in the whole account opens to whoever gets the grant, so that has to be said",
                "name one role, user or group under grantTo",
            )
        if not self.root and self.grant_to is not None:
            raise refuse(f"the grant goes to the {principal_of(self).kind} itself", "remove grantTo")
        return self


class TargetSettings(Model):
    """Where a door leads: a role that this stack makes in one of its accounts, or (`*`) in each that is active."""

    account: AccountOrEvery | None = None
    role: PathAndName


class PermissionsSettings(Model):
    """What the role may do: managed policies, statements of an inline policy, a permissions boundary.

    How many managed policies a role takes is a quota: see `QuotaSettings`.
    """

    managed_policies: Annotated[tuple[PolicyArn, ...], Once] = ()
    statements: Annotated[tuple[dict[str, Any], ...], AfterValidator(check_statements)] = ()
    boundary: PolicyArn | None = None


class DeclaredSettings(Model, Declaration):
    """What each door and grant says for people; a field of `Declaration` is a key of both by itself."""

    model_config = ConfigDict(str_min_length=1)

    reason: Reason
    owner: Annotated[str, StringConstraints(strip_whitespace=True, max_length=200)]
    expires: ClosingTime | None = None


class DoorSettings(DeclaredSettings):
    """A door: who may enter which account as which role, on what conditions, and why.

    `via: identity-center` leads people in through IAM Identity Center: the role is then the permission set
    `<account>-<role>`, of which AWS makes a role in the account.

    A field that documents say has the same name in `DoorPlan`, to which it comes by itself, and in its `OWN_CONDITIONS`
    if the trust asks for it. Its limits are a type of `twokeys.settings.values`, what it clashes with is in
    `twokeys.settings.doors`, and `IdentityCenterAccess` takes it or `_identity_center_door` there refuses it.
    """

    source: Annotated[SourceSettings, Field(alias="from")]
    target: Annotated[TargetSettings, Field(alias="to")]
    via: Literal["assume-role", "identity-center"] = "assume-role"
    permissions: PermissionsSettings = PermissionsSettings()
    session_seconds: SessionSeconds = 3600
    mfa: bool | None = None
    external_id: ExternalId | None = None
    conditions: Annotated[dict[str, dict[str, ConditionValues]], AfterValidator(check_conditions)] = {}
    keys: Annotated[tuple[KeyName, ...], Field(min_length=1), Once] = ("trust", "grant")


class EveryAccountSettings(Model):
    """The role of this name in every account of the organization."""

    role: PathAndName


class OrganizationGrantSettings(DeclaredSettings):
    """A grant in the management account of the role of one name in every account of the organization.

    It is half a door into each: the other half is a trust, which the stacks of the accounts make (`keys: [trust]`).
    """

    source: Annotated[GranteeSettings, Field(alias="from")]
    target: Annotated[EveryAccountSettings, Field(alias="to")]
    mfa: bool | None = None


class QuotaSettings(Model):
    """Quotas that AWS has raised for the accounts of this stack; what is not said is what AWS gives everybody.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
    """

    trust_policy_characters: Annotated[int, within(2_048, 8_192, "AWS gives 2048 to 8192", IAM_QUOTAS)] = 2_048
    managed_policies_per_role: Annotated[int, within(10, 25, "AWS gives 10 to 25", IAM_QUOTAS)] = 10
    groups_per_account: Annotated[int, within(300, 500, "AWS gives 300 to 500", IAM_QUOTAS)] = 300


class Settings(Model):
    """Everything that a stack's config says."""

    management_account_id: AccountId
    root_email: Email
    region: Region = "us-east-1"
    tags: Annotated[Tags, AfterValidator(check_tag_text)] = {}
    management_stack: Annotated[str, Field(min_length=1)] | None = None
    organization: OrganizationSettings | None = None
    people: PeopleSettings = PeopleSettings()
    audit: AuditSettings | None = None
    bill: BillSettings | None = None
    baseline: BaselineSettings = BaselineSettings()
    accounts: dict[Slug, MemberSettings] = {}
    accounts_at_once: Annotated[int, Field(ge=1, le=50)] = 5
    doors: dict[Slug, DoorSettings] = {}
    organization_grants: dict[Slug, OrganizationGrantSettings] = {}
    quotas: QuotaSettings = QuotaSettings()
    newer_aws_policies: tuple[PolicyArn, ...] = ()
    """AWS-managed policies that are newer than the list of them in `twokeys.iam`, which doors may then name."""

    @property
    def partition(self) -> str:
        """The partition of the region: `aws`, `aws-cn` or `aws-us-gov`; it stands in every ARN."""
        return regions()[self.region]

    def email_of(self, account: str) -> str:
        """The e-mail address of a member account: its own, or the root address with `+account` before the @."""
        own = self.accounts[account].email
        local, _, domain = self.root_email.rpartition("@")
        return own or f"{local}+{account}@{domain}"

    def name_of(self, account: str) -> str:
        """The name of a member account as AWS shows it."""
        return self.accounts[account].name or account

    def accounts_in(self, *states: State) -> tuple[str, ...]:
        """The member accounts in these states, by key, in the order of the config."""
        return tuple(account for account, member in self.accounts.items() if member.state in states)

    def closed(self) -> dict[str, str]:
        """The ids of the closed accounts, or of those that are to be closed, by key."""
        return {account: self.accounts[account].adopt or "" for account in self.accounts_in("closed")}

    def entered(self) -> tuple[str, ...]:
        """The accounts in use that the program works in, by key."""
        return tuple(one for one in self.accounts_in("active", "quarantined") if self.accounts[one].access.enter)

    def baseline_of(self, account: str) -> AccountBaselineSettings:
        """The baseline of a member account: its own settings over those of the stack."""
        own = self.accounts[account].baseline
        return self.baseline.model_copy(update={name: getattr(own, name) for name in own.model_fields_set})

    def target_account_of(self, door: DoorSettings) -> str:
        """The key of the account that a door leads to: the one it names, or the only one there is."""
        return door.target.account or next(iter(self.accounts))

    def target_accounts_of(self, door: DoorSettings) -> tuple[str, ...]:
        """The keys of the accounts that a door leads to as it is written: with `*`, the other active ones."""
        if door.target.account == EVERY_ACCOUNT:
            return tuple(account for account in self.accounts_in("active") if account != self.source_account_of(door))
        return (self.target_account_of(door),)

    def source_account_of(self, door: DoorSettings) -> str:
        """The key of the account that a door starts in: the one it names, or where `people` live."""
        if door.via == "identity-center":
            return MANAGEMENT
        return door.source.account or self.people.account or MANAGEMENT

    def source_stack_of(self, door: DoorSettings) -> str | None:
        """The name of the other stack whose account a door starts in, `management` for that one; None for our own."""
        account = self.source_account_of(door)
        if account == MANAGEMENT or (account in self.accounts and door.source.stack is None) or self.is_outside(door):
            return None
        return door.source.stack or MANAGEMENT

    def is_outside(self, door: DoorSettings) -> bool:
        """Whether a door starts in the account of a third party, which its id names: it has no key here."""
        return is_account_id(account := self.source_account_of(door)) and account not in self.accounts

    def way_to(self, name: str) -> list[str]:
        """A door, before it the one that makes the role from which it starts, and so on; a circle is told but once."""
        way = [name]
        while (before := self.door_before(self.doors[way[0]])) and before not in way:
            way.insert(0, before)
        return way

    def door_before(self, door: DoorSettings) -> str | None:
        """The name of the door of this stack that makes the role that gets this door's grant, if one does."""
        source, account = grantee(door), self.source_account_of(door)
        if source.kind != "role" or account not in self.accounts:
            return None
        for name, one in self.doors.items():
            makes = one.target.role == source.name and one.via == "assume-role" and "trust" in one.keys
            if makes and account in self.target_accounts_of(one):
                return name
        return None

    def environment_of(self, account: str) -> str | None:
        """What the tag `environment` of a member account says, its own before that of the stack."""
        tags = (*self.accounts[account].tags.items(), *self.tags.items())
        return next((value for tag, value in tags if tag.casefold() == "environment"), None)

    def with_a_door_for_each_account(self) -> Settings:
        """The same, with a door `<account>-<door>` for each account in the place of a door into every account."""
        doors = {}
        for name, door in self.doors.items():
            if door.target.account != EVERY_ACCOUNT:
                doors[name] = door
                continue
            for account in self.target_accounts_of(door):
                target = door.target.model_copy(update={"account": account})
                doors[f"{account}-{name}"] = door.model_copy(update={"target": target})
        return self.model_copy(update={"doors": doors})


class PrincipalName(NamedTuple):
    """One principal by kind ("role", "user", "group" or "root") and path-and-name (empty for root)."""

    kind: SourceKind
    name: str


def principal_of(said: GranteeSettings) -> PrincipalName:
    """The one principal that a setting names."""
    return _principals(said)[0]


def grantee(door: DoorSettings) -> PrincipalName:
    """Who gets the grant of a door: its source, or whom it names for a trust in the whole account."""
    return principal_of(door.source.grant_to or door.source)


def made_by_management(settings: Settings, door: DoorSettings) -> tuple[PrincipalName, ...]:
    """Those of a door whom `people` of the management stack has to have: not who exists, has a path, or is made by a
    door.
    """
    source = door.source
    elsewhere = source.stack or (source.account and source.account != settings.people.account)
    if source.exists or elsewhere or door.via == "identity-center" or settings.door_before(door):
        return ()
    people = [grantee(door), *(PrincipalName("user", member) for member in source.members or ())]
    return tuple(one for one in people if "/" not in one.name)


def asks_for_mfa(said: DoorSettings | OrganizationGrantSettings) -> bool:
    """Whether MFA is asked for: as it says, else for people (users, groups) and not for roles, which have none."""
    if said.mfa is not None:
        return said.mfa
    person = grantee(said) if isinstance(said, DoorSettings) else principal_of(said.source)
    return person.kind != "role"


def terms(door: DoorSettings) -> dict[str, Any]:
    """What a door says beside who enters where, as JSON values by the names of the fields of a `DoorPlan`."""
    alike = (DoorSettings.model_fields.keys() & DoorPlan.model_fields.keys()) - {"source"}
    return door.model_dump(mode="json", include=alike, exclude_none=True) | {"mfa": asks_for_mfa(door)}


def permission_set_name(account: str, door: DoorSettings) -> str:
    """What the permission set of a door through IAM Identity Center is called: unique in the whole organization."""
    return f"{account}-{door.target.role}"


def all_units(organization: OrganizationSettings) -> tuple[str, ...]:
    """The paths of all organizational units, parents first; parents that are not listed are implied.

    An existing unit (one with an id) implies none: it has its parents.
    """
    units = organization.organizational_units
    paths = set()
    for listed in (*units, *([organization.quarantine] if organization.quarantine else [])):
        path = listed
        while path:
            paths.add(path)
            path = "" if path in units and units[path].id else path.rpartition("/")[0]
    return tuple(sorted(paths, key=lambda path: (path.count("/"), path)))


def guard_rails(organization: OrganizationSettings) -> dict[str, tuple[GuardRail, ...]]:
    """The guard rails of each target, that of the quarantine unit included."""
    rails = dict(organization.guard_rails)
    if unit := organization.quarantine:
        rails[unit] = tuple(dict.fromkeys((*rails.get(unit, ()), "quarantine")))
    return rails


def is_unit_id(text: str) -> bool:
    """Whether an organizational unit is named by its id and not by its path."""
    return re.fullmatch(UNIT_ID, text) is not None


def _principals(said: GranteeSettings) -> list[PrincipalName]:
    kinds: tuple[SourceKind, ...] = ("role", "user", "group")
    found = [PrincipalName(kind, name) for kind in kinds if (name := getattr(said, kind)) is not None]
    return [*found, PrincipalName("root", "")] if getattr(said, "root", False) else found
