"""Single changes of the example's config, and the operations that each asks for.

A change is an edit of the config of one stack as the change before it left it. What it asks for is written as Pulumi
names operations (https://www.pulumi.com/docs/iac/concepts/how-pulumi-works/), with a resource's class and logical name.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

Config = dict[str, Any]

REFUSED = "refused: "
"""Its preview is refused by the rule that follows, or as the engine would delete what is "protected"; the config stays
as it was."""
UPDATES = "updates only"
"""So much is updated that it is not listed here; nothing is made, replaced or deleted."""


@dataclass(frozen=True)
class Change:
    """One edit.

    Attributes:
        does: the operations, or one of the words above.
        few: whether it is one of those that stand for its kind in CI.
    """

    what: str
    edit: Callable[[Config], object]
    does: frozenset[str]
    few: bool = False


def _set(path: str, value: Any) -> Callable[[Config], object]:
    """Set what is at a path of keys with `|` between them."""

    def edit(config: Config) -> None:
        *above, last = path.split("|")
        for key in above:
            config = config.setdefault(key, {})
        config[last] = value

    return edit


def _gone(path: str) -> Callable[[Config], object]:
    def edit(config: Config) -> None:
        *above, last = path.split("|")
        for key in above:
            config = config[key]
        del config[last]

    return edit


def _changes(*rows: tuple[Any, ...]) -> list[Change]:
    return [
        Change(what, edit, frozenset(does.split(", ")) if does else frozenset(), bool(few))
        for what, edit, does, *few in rows
    ]


FEW = True
DENY = {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "organizations:Leave*", "Resource": "*"}]}
DENY_MORE = {**DENY, "Statement": [{**DENY["Statement"][0], "Action": "account:Close*"}]}  # type: ignore[dict-item]
RAILS, UNITS = "organization|guardRails", "organization|organizationalUnits"
SCP, ROLES, CENTER = "organization|serviceControlPolicies", "people|roles", "people|identityCenter"
OIDC = {"issuer": "token.actions.githubusercontent.com", "subjects": ["repo:company/app:ref:refs/heads/main"]}
ALICE = {"givenName": "Alice", "familyName": "Example", "email": "alice@company.com"}
BOB = {"givenName": "Bob", "familyName": "Example", "email": "bob@company.com"}
SERVICES = ["access-analyzer", "account", "cloudtrail", "config-multiaccountsetup", "config", "guardduty", "iam"]


def _services(*more: str) -> list[str]:
    return [f"{name}.amazonaws.com" for name in (*SERVICES, *more)]


ORGANIZATION = _changes(
    ("a unit", _set(f"{UNITS}|Workloads/Test", {}), "create OrganizationalUnit Workloads/Test", FEW),
    (
        "a unit and the one above it",
        _set(f"{UNITS}|Sandbox/Trials", {}),
        "create OrganizationalUnit Sandbox, create OrganizationalUnit Sandbox/Trials",
    ),
    ("a unit's tags", _set(f"{UNITS}|Security", {"tags": {"team": "s"}}), "update OrganizationalUnit Security"),
    ("a unit's name", _set(f"{UNITS}|Workloads/Test", {"name": "Try"}), "update OrganizationalUnit Workloads/Test"),
    ("a unit that goes", _gone(f"{UNITS}|Workloads/Test"), f"{REFUSED}protected"),
    (
        "a service control policy",
        _set(f"{SCP}|no-leaving", {"targets": ["Workloads"], "document": DENY}),
        "create Policy no-leaving, create PolicyAttachment no-leaving-Workloads",
        FEW,
    ),
    ("what it denies", _set(f"{SCP}|no-leaving|document", DENY_MORE), "update Policy no-leaving"),
    (
        "where it is attached",
        _set(f"{SCP}|no-leaving|targets", ["Workloads", "Security"]),
        "create PolicyAttachment no-leaving-Security",
    ),
    (
        "a policy that goes",
        _gone(f"{SCP}|no-leaving"),
        "delete Policy no-leaving, delete PolicyAttachment no-leaving-Workloads,"
        " delete PolicyAttachment no-leaving-Security",
    ),
    (
        "a guard rail where there was none",
        _set(f"{RAILS}|Security", ["no-root-user"]),
        "create Policy guard-rails-Security, create PolicyAttachment guard-rails-Security-Security",
    ),
    (
        "one guard rail more",
        _set(f"{RAILS}|Workloads/Prod", ["no-root-user", "stay-in-organization"]),
        "update Policy guard-rails-Workloads/Prod",
    ),
    (
        "a region",
        _set("organization|allowedRegions", ["us-east-1", "eu-central-1", "eu-west-1"]),
        "update Policy guard-rails-Workloads",
    ),
    (
        "a trusted service",
        _set("organization|trustedServices", _services("sso")),
        "update Organization organization",
        FEW,
    ),
    (
        "a type of policy",
        _set("organization|policyTypes", ["SERVICE_CONTROL_POLICY", "TAG_POLICY", "BACKUP_POLICY"]),
        "update Organization organization",
    ),
    (
        "no centralized root access",
        _set("organization|centralizedRootAccess", False),
        "delete OrganizationsFeatures organization",
    ),
)
"""Of the organization itself: the management stack, without audit, with the one account that people live in."""

PEOPLE = _changes(
    ("a user", _set("people|users", ["alice", "bob", "carol"]), "create User carol"),
    ("a group", _set("people|groups|auditors", ["bob"]), "create Group auditors, update UserGroupMembership bob", FEW),
    ("a member", _set("people|groups|auditors", ["bob", "alice"]), "update UserGroupMembership alice", FEW),
    ("a member who goes", _set("people|groups|auditors", ["alice"]), "update UserGroupMembership bob"),
    ("a group that goes", _gone("people|groups|auditors"), "delete Group auditors, update UserGroupMembership alice"),
    ("a user who goes", _set("people|users", ["alice", "bob"]), "delete User carol"),
    # The component declares the trusts of roles, so it changes with them.
    ("a role", _set(f"{ROLES}|auditor", {}), "create Role auditor, update People people", FEW),
    ("what a role is for", _set(f"{ROLES}|auditor|description", "Reads."), "update Role auditor"),
    (
        "whose tokens a role takes",
        _set(f"{ROLES}|auditor|oidc", OIDC),
        f"create OpenIdConnectProvider {OIDC['issuer']}, update Role auditor, update People people",
        FEW,
    ),
    (
        "one subject more",
        _set(f"{ROLES}|auditor|oidc|subjects", [*OIDC["subjects"], "repo:company/app:ref:refs/heads/next"]),
        "update Role auditor, update People people",
    ),
    (
        "a grant in every account",
        _set(
            "organizationGrants|auditor",
            {"from": {"role": "ci"}, "to": {"role": "auditor"}, "reason": "The audit", "owner": "security"},
        ),
        "create OrganizationGrant auditor, create RolePolicy auditor",
    ),
    ("who answers for it", _set("organizationGrants|auditor|owner", "platform"), "update OrganizationGrant auditor"),
    (
        "a role that goes",
        _gone(f"{ROLES}|auditor"),
        f"delete Role auditor, delete OpenIdConnectProvider {OIDC['issuer']}, update People people",
    ),
    (
        "who breaks the glass",
        _set("people|breakGlass|users", ["emergency-1"]),
        "update Role break-glass, delete User emergency-2",
    ),
    (
        "who hears of it",
        _set("people|breakGlass|notify", ["security@company.com", "ops@company.com"]),
        "create TopicSubscription break-glass-ops@company.com",
    ),
    ("for how long", _set("people|breakGlass|sessionSeconds", 7200), "update Role break-glass"),
    (
        "the service that they need",
        _set("organization|trustedServices", _services("sso")),
        "update Organization organization",
    ),
    (
        "people of IAM Identity Center",
        _set(CENTER, {"users": {"alice": ALICE}, "groups": {"developers": ["alice"]}}),
        "create IdentityCenter identity-center, create User identity-alice, create Group identity-developers,"
        " create GroupMembership identity-developers-alice",
        FEW,
    ),
    ("one person more", _set(f"{CENTER}|users|bob", BOB), "create User identity-bob"),
    (
        "one member more",
        _set(f"{CENTER}|groups|developers", ["alice", "bob"]),
        "create GroupMembership identity-developers-bob",
    ),
    ("a person's address", _set(f"{CENTER}|users|bob|email", "b@company.com"), "update User identity-bob"),
    ("a unit beside them", _set(f"{UNITS}|Workloads/Lab", {}), "create OrganizationalUnit Workloads/Lab", FEW),
    (
        "a trusted service beside them",
        _set("organization|trustedServices", _services("sso", "ram")),
        "update Organization organization",
    ),
    (
        "a member of theirs who goes",
        _set(f"{CENTER}|groups|developers", ["alice"]),
        "delete GroupMembership identity-developers-bob",
    ),
    ("a tag of everything", _set("tags|cost-center", "1"), UPDATES, FEW),
    (
        "a tag of the bill",
        _set("bill|tags|cost-center", {}),
        "create CostAllocationTag cost-center, update Policy cost-tags",
        FEW,
    ),
    ("a value of such a tag", _set("bill|tags|cost-center|values", ["1", "2"]), "update Policy cost-tags"),
    ("an anomaly", _set("bill|anomalies|minimumImpact", 250), "update AnomalySubscription bill"),
    ("who hears of one", _set("bill|anomalies|notify", ["ops@company.com"]), "update AnomalySubscription bill"),
    ("how long reports stay", _set("bill|report|keepDays", 400), "update BucketLifecycleConfiguration bill"),
)
"""Of people and the bill: the management stack, without audit, with the one account that people live in."""

ACCOUNTS = _changes(
    ("how long logs stay", _set("audit|retention|keepDays", 3000), "update BucketLifecycleConfiguration audit-trail"),
    (
        "how long they are locked",
        _set("audit|retention|lockedDays", 400),
        "update BucketObjectLockConfiguration audit-trail",
    ),
    (
        "a duty that goes",
        _set("audit|delegatedAdministrators|security", ["access-analyzer", "config"]),
        "delete OrganizationAdminAccount delegation-security",
    ),
    ("no analyzer", _set("audit|accessAnalyzer", False), "delete Analyzer organization"),
    ("an account's tags", _set("accounts|security|tags", {"team": "security"}), "update Account security"),
    (
        "an account's contact",
        _set(
            "accounts|security|contacts|security",
            {"name": "Security", "title": "On call", "email": "security@company.com", "phone": "+1(555)000-0000"},
        ),
        "create AlternativeContact security-security",
    ),
    ("an account that moves", _set("accounts|security|organizationalUnit", "Workloads"), "update Account security"),
    ("an account's name", _set("accounts|security|name", "Guard"), "update Account security"),
    ("how many accounts at once", _set("accountsAtOnce", 2), ""),
)
"""Of the management stack with its audit and accounts."""

LOOK = {
    "from": {"role": "ci"},
    "to": {"role": "reader"},
    "permissions": {"managedPolicies": ["arn:aws:iam::aws:policy/ReadOnlyAccess"]},
    "reason": "Looking in",
    "owner": "platform",
}
_POLICIES = ["arn:aws:iam::aws:policy/ReadOnlyAccess", "arn:aws:iam::aws:policy/SecurityAudit"]
_DOOR = "update CrossAccountAccess look"

STAGE = _changes(
    ("a budget", _set("accounts|stage|budget|monthly", 600), "update Budget stage", FEW),
    ("who hears of it", _set("accounts|stage|budget|notify", ["ops@company.com"]), "update Budget stage"),
    ("no budget", _gone("accounts|stage|budget"), "delete Budget stage, delete AccountBudget stage"),
    ("an account's tags", _set("accounts|stage|tags", {"team": "web"}), "update Account stage"),
    ("an alias", _set("accounts|stage|baseline|alias", "company-stage"), "create AccountAlias stage"),
    ("passwords", _set("baseline|passwordPolicy|minimumLength", 16), "update AccountPasswordPolicy stage"),
    ("no encryption by default", _set("baseline|encryptEbs", False), "delete EncryptionByDefault stage"),
    ("public buckets", _set("baseline|blockPublicS3", False), "delete AccountPublicAccessBlock stage"),
    (
        "an open default VPC",
        _set("baseline|closeDefaultVpc", False),
        "delete DefaultVpc stage, delete DefaultSecurityGroup stage",
    ),
    ("how long the program may work", _set("accounts|stage|access|sessionSeconds", 7200), "update aws stage"),
    (
        "a door",
        _set("doors|look", LOOK),
        "create CrossAccountAccess look, create Role look, create RolePolicyAttachment look-ReadOnlyAccess,"
        " create RolePolicy look-grant",
        FEW,
    ),
    (
        "one managed policy more",
        _set("doors|look|permissions|managedPolicies", _POLICIES),
        "create RolePolicyAttachment look-SecurityAudit",
    ),
    (
        "a boundary",
        _set("doors|look|permissions|boundary", "arn:aws:iam::aws:policy/PowerUserAccess"),
        "update Role look",
    ),
    ("a reason", _set("doors|look|reason", "Looking around"), f"{_DOOR}, update Role look"),
    ("an owner", _set("doors|look|owner", "security"), _DOOR),
    ("an external ID", _set("doors|look|externalId", "abc-123"), f"{_DOOR}, update Role look"),
    (
        "a condition",
        _set("doors|look|conditions", {"IpAddress": {"aws:SourceIp": ["203.0.113.0/24"]}}),
        f"{_DOOR}, update Role look",
    ),
    ("an expiry", _set("doors|look|expires", "2027-01-31"), f"{_DOOR}, update Role look"),
    (
        "who comes",
        _set("doors|look|from", {"user": "alice"}),
        f"{_DOOR}, update Role look, create UserPolicy look-grant, delete RolePolicy look-grant",
        FEW,
    ),
    ("longer sessions", _set("doors|look|sessionSeconds", 7200), f"{_DOOR}, update Role look"),
    (
        "a path",
        _set("doors|look|to|role", "deploy/reader"),
        # A role's name is its own whatever its path, so the old one goes first, and with it what is attached to it:
        # https://www.pulumi.com/docs/iac/concepts/resources/options/deletebeforereplace/
        f"{_DOOR}, update UserPolicy look-grant, "
        + ", ".join(
            f"{step} {one}"
            for step in ("replace", "create-replacement", "delete-replaced")
            for one in (
                "Role look",
                "RolePolicyAttachment look-ReadOnlyAccess",
                "RolePolicyAttachment look-SecurityAudit",
            )
        ),
    ),
    ("one key", _set("doors|look|keys", ["trust"]), f"{REFUSED}door-needs-grant"),
    (
        "a door that goes",
        _gone("doors|look"),
        "delete CrossAccountAccess look, delete Role look, delete RolePolicyAttachment look-ReadOnlyAccess,"
        " delete RolePolicyAttachment look-SecurityAudit, delete UserPolicy look-grant",
    ),
    (
        "what a door allows",
        _set(
            "doors|stage-developer|permissions|statements", [{"Effect": "Allow", "Action": "logs:*", "Resource": "*"}]
        ),
        # The component declares its documents, so it changes with them.
        "update CrossAccountAccess stage-developer, update RolePolicy stage-developer-permissions",
        FEW,
    ),
    (
        "without MFA",
        _set("doors|stage-developer|mfa", False),
        "update CrossAccountAccess stage-developer, update Role stage-developer",
    ),
    (
        "whom a group's trust names",
        _set("doors|stage-developer|from|members", ["alice", "bob"]),
        "update CrossAccountAccess stage-developer, update Role stage-developer",
        FEW,
    ),
    (
        "whom it names no more",
        _set("doors|stage-developer|from|members", ["bob"]),
        "update CrossAccountAccess stage-developer, update Role stage-developer",
        FEW,
    ),
    (
        "a user in place of a group",
        _set("doors|stage-developer|from", {"user": "alice"}),
        "update CrossAccountAccess stage-developer, update Role stage-developer,"
        " create UserPolicy stage-developer-grant, delete GroupPolicy stage-developer-grant",
    ),
)

PROD = _changes(
    (
        "a door's session",
        _set("doors|prod-read-only|sessionSeconds", 7200),
        "update CrossAccountAccess prod-read-only, update Role prod-read-only",
    ),
    ("a budget", _set("accounts|prod|budget|monthly", 2500), "update Budget prod"),
)


def chosen(changes: list[Change], *, few: bool) -> Iterator[Change]:
    """All of them, or those that stand for their kind."""
    return (change for change in changes if change.few or not few)
