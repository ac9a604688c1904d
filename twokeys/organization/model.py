"""An organization as it is: frozen, and free of boto3. Terms and shapes are those of AWS Organizations.

https://docs.aws.amazon.com/organizations/latest/APIReference/API_Types.html
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

ACTIVE = "ACTIVE"
CLOSING = "PENDING_CLOSURE"
CLOSED = frozenset({"CLOSED", "SUSPENDED"})
"""AWS's states of an account: https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_accounts_account_state.html

An account that AWS itself restricts is SUSPENDED too; either way it cannot be used.
"""
ALL_FEATURES = "ALL"
SERVICE_CONTROL_POLICY = "SERVICE_CONTROL_POLICY"


@dataclass(frozen=True)
class Caller:
    """Whose credentials these are.

    `local`: they are for a local AWS on this machine, which lets root users assume roles.
    """

    account: str
    arn: str
    local: bool = False

    @property
    def is_root_user(self) -> bool:
        """Whether they are the account's root user's."""
        return self.arn.endswith(":root")

    @property
    def partition(self) -> str:
        """`aws`, `aws-cn` or `aws-us-gov`."""
        return self.arn.split(":")[1]


@dataclass(frozen=True)
class Unit:
    """An organizational unit.

    `names` lead from the root down to it, and may have slashes in them; `parent` is the id of the unit or root above.
    """

    id: str
    names: tuple[str, ...]
    parent: str
    tags: Mapping[str, str] = field(default_factory=dict)

    @property
    def path(self) -> str:
        """Its names, with slashes between them."""
        return "/".join(self.names)


@dataclass(frozen=True)
class Account:
    """An account of the organization, the management account included.

    Attributes:
        state: ACTIVE, PENDING_ACTIVATION, SUSPENDED, PENDING_CLOSURE or CLOSED.
        joined_method: CREATED or INVITED; AWS makes no access role in an invited account.
        parent: the id of the unit or root that it is in.
    """

    id: str
    name: str
    email: str
    state: str
    joined_method: str
    parent: str
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Policy:
    """A policy of the organization.

    Attributes:
        targets: ids of the roots, units and accounts that it is attached to.
        aws_managed: AWS made it (FullAWSAccess), so nobody can change it.
    """

    id: str
    name: str
    type: str
    description: str
    document: str
    targets: tuple[str, ...]
    aws_managed: bool = False
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Request:
    """A CreateAccount request that is under way. AWS does not tell its e-mail address."""

    id: str
    account_name: str
    requested: str


@dataclass(frozen=True)
class Organization:
    """The organization of the caller's account. What could not be read is empty, and named in `Live.unread`.

    Attributes:
        features: ALL or CONSOLIDATED_BILLING.
        delegated_administrators: services by account id.
        root_features: what IAM centralizes of root access: RootCredentialsManagement, RootSessions.
        pending: CreateAccount requests under way.
        invitations: how many invitations to accounts are open; they count against the account quota.
        account_quota: how many accounts it may have, None when not known.
        has_resource_policy: whether it has a resource-based policy of its own.
    """

    id: str
    features: str
    management_account: str
    management_email: str
    root: str = ""
    policy_types: tuple[str, ...] = ()
    units: tuple[Unit, ...] = ()
    accounts: tuple[Account, ...] = ()
    policies: tuple[Policy, ...] = ()
    trusted_services: tuple[str, ...] = ()
    delegated_administrators: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    root_features: tuple[str, ...] = ()
    pending: tuple[Request, ...] = ()
    invitations: int = 0
    account_quota: int | None = None
    has_resource_policy: bool = False

    @cached_property
    def account_by_id(self) -> Mapping[str, Account]:
        """Accounts by id."""
        return {account.id: account for account in self.accounts}

    @cached_property
    def account_by_email(self) -> Mapping[str, Account]:
        """Accounts by e-mail address in lower case; AWS does not tell addresses apart by case."""
        return {account.email.casefold(): account for account in self.accounts}

    @cached_property
    def unit_by_id(self) -> Mapping[str, Unit]:
        """Units by id."""
        return {unit.id: unit for unit in self.units}

    @cached_property
    def unit_by_path(self) -> Mapping[str, Unit]:
        """Units by path; of two with the same path (a name with a slash in it) the last."""
        return {unit.path: unit for unit in self.units}


@dataclass(frozen=True)
class Live:
    """What the credentials show.

    `organization` is None when the account belongs to none. `unread` is what could not be read ("accounts"), each with
    the permission that was missing ("organizations:ListAccountsForParent").
    """

    caller: Caller
    organization: Organization | None
    unread: Mapping[str, str] = field(default_factory=dict)
