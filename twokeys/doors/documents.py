"""The documents of a door, pure: from one structure come both the symbolic and the real document."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Literal, NamedTuple, cast, get_args

from pydantic import BaseModel

from twokeys.doors.expiry import as_condition
from twokeys.doors.model import Declaration, DeclaredDoor, DoorRequirements, DoorSource, DoorTarget, SymbolicDocument
from twokeys.doors.who import name_of, path_of

SourceKind = Literal["role", "user", "group", "root"]
"""What a door may start from in an account; the root stands for the account as a whole."""

KeyName = Literal["trust", "grant"]
KEYS: tuple[KeyName, ...] = get_args(KeyName)

GRANT_TYPES = {
    "role": ("aws:iam/rolePolicy:RolePolicy", "role"),
    "user": ("aws:iam/userPolicy:UserPolicy", "user"),
    "group": ("aws:iam/groupPolicy:GroupPolicy", "group"),
}
"""The resource of an inline policy and its property that names the holder, by what the holder is."""


class OwnCondition(NamedTuple):
    """The condition of a trust that a field of a door becomes; `in_trust` is how the trust says the field's value."""

    operator: str
    key: str
    in_trust: Callable[[Any], Any]
    or_in_conditions: bool = False
    """Whether a door may say it among its `conditions` instead."""
    in_permission_set: bool = False
    """Whether `IdentityCenterAccess` asks for it in its own way: it makes no trust."""


OWN_CONDITIONS: dict[str, OwnCondition] = {
    "mfa": OwnCondition("Bool", "aws:MultiFactorAuthPresent", lambda _: "true"),
    "external_id": OwnCondition("StringEquals", "sts:ExternalId", str),
    "expires": OwnCondition(
        "DateLessThan", "aws:CurrentTime", as_condition, or_in_conditions=True, in_permission_set=True
    ),
}
"""The fields of a door that become a condition of its trust.

Config refuses a door whose `conditions` say one of them too, since one would overwrite the other.
"""


def own_conditions(said: BaseModel) -> Iterator[tuple[str, dict[str, dict[str, Any]]]]:
    """The fields of a door that are set, that is to another value than their default, each as its condition."""
    for field, own in OWN_CONDITIONS.items():
        if (value := getattr(said, field)) != type(said).model_fields[field].default:
            yield field, {own.operator: {own.key: own.in_trust(value)}}


class DoorPlan(Declaration):
    """A door before any id is known: accounts are 12-digit ids or symbols.

    `source` and `grantee` are path-and-name ("ci", "deploy/ci"); `source` is empty for the root. The trust names
    `members` when the source is a group. What a config and the component's arguments say under the name of a field here
    arrives in it by itself.
    """

    name: str
    kind: SourceKind
    source: str = ""
    source_account: str
    members: tuple[str, ...] = ()
    grantee_kind: str
    grantee: str
    target_account: str
    role: str
    statements: tuple[dict[str, Any], ...] = ()
    mfa: bool = False
    external_id: str | None = None
    conditions: Mapping[str, Mapping[str, Any]] = {}
    keys: tuple[str, ...] = ("trust", "grant")
    session_seconds: int = 3600
    partition: str = "aws"

    @property
    def role_arn(self) -> str:
        """The ARN of the role behind the door."""
        return f"arn:{self.partition}:iam::{self.target_account}:role/{self.role}"

    @property
    def grant_name(self) -> str:
        """The name of the grant's inline policy: one source may go through doors of several stacks."""
        account = self.target_account.rpartition(":")[2]
        return f"assume-{account}-{name_of(self.role)}"


def trust_document(plan: DoorPlan) -> dict[str, Any]:
    """The trust policy: exact principals, and every condition that the door sets.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
    """
    conditions: dict[str, dict[str, Any]] = {operator: dict(keys) for operator, keys in plan.conditions.items()}
    for _, own in own_conditions(plan):
        for operator, keys in own.items():
            conditions.setdefault(operator, {}).update(keys)
    principals = _principals(plan)
    statement: dict[str, Any] = {
        "Effect": "Allow",
        "Principal": {"AWS": principals[0] if len(principals) == 1 else list(principals)},
        "Action": "sts:AssumeRole",
    }
    return _document([statement | ({"Condition": conditions} if conditions else {})])


def trust_in_tokens(provider: str, issuer: str, audience: str, subjects: Sequence[str]) -> dict[str, Any]:
    """The trust policy of a role for the tokens of an OIDC provider, by its ARN and its issuer.

    It always names audience and subjects, or anyone with a token of that issuer could come:
    https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_create_for-idp_oidc.html
    """
    return _document(
        [
            {
                "Effect": "Allow",
                "Principal": {"Federated": provider},
                "Action": "sts:AssumeRoleWithWebIdentity",
                "Condition": {
                    "StringEquals": {f"{issuer}:aud": audience},
                    "StringLike": {f"{issuer}:sub": list(subjects)},
                },
            }
        ]
    )


def grant_document(plan: DoorPlan) -> dict[str, Any]:
    """The identity-based policy of the source: this role and no other."""
    return _document([{"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": plan.role_arn}])


def permissions_document(plan: DoorPlan) -> dict[str, Any]:
    """The inline policy of the role itself."""
    return _document(list(plan.statements))


def symbolic_documents(plan: DoorPlan) -> list[SymbolicDocument]:
    """What the door declares of each policy document it makes."""
    documents = []
    if "trust" in plan.keys:
        documents.append(
            SymbolicDocument(
                type="aws:iam/role:Role",
                name=plan.name,
                account=plan.target_account,
                property="assumeRolePolicy",
                properties={"name": name_of(plan.role), "path": path_of(plan.role)},
                document=trust_document(plan),
            )
        )
        if plan.statements:
            documents.append(
                SymbolicDocument(
                    type="aws:iam/rolePolicy:RolePolicy",
                    name=permissions_resource(plan),
                    account=plan.target_account,
                    property="policy",
                    properties={"name": plan.name, "role": name_of(plan.role)},
                    document=permissions_document(plan),
                )
            )
    if "grant" in plan.keys:
        type_, key = GRANT_TYPES[plan.grantee_kind]
        documents.append(
            SymbolicDocument(
                type=type_,
                name=grant_resource(plan),
                account=plan.source_account,
                property="policy",
                properties={"name": plan.grant_name, key: name_of(plan.grantee)},
                document=grant_document(plan),
            )
        )
    return documents


def door(plan: DoorPlan) -> DeclaredDoor:
    """The door as people and other stacks read it."""
    grantee = DoorSource(kind=cast("SourceKind", plan.grantee_kind), account=plan.source_account, names=(plan.grantee,))
    return DeclaredDoor.model_validate(
        {
            "name": plan.name,
            "source": DoorSource(
                kind=plan.kind, account=plan.source_account, names=(plan.source,) if plan.source else ()
            ),
            "target": DoorTarget(account=plan.target_account, role=plan.role, partition=plan.partition),
            "grant_to": grantee if plan.kind == "root" else None,
            "requires": DoorRequirements(mfa=plan.mfa, external_id=plan.external_id is not None),
            "max_session_seconds": plan.session_seconds,
            **plan.declaration,
        }
    )


def permissions_resource(plan: DoorPlan) -> str:
    """The logical name of the role's inline policy."""
    return f"{plan.name}-permissions"


def grant_resource(plan: DoorPlan) -> str:
    """The logical name of the grant."""
    return f"{plan.name}-grant"


def _principals(plan: DoorPlan) -> Sequence[str]:
    prefix = f"arn:{plan.partition}:iam::{plan.source_account}"
    if plan.kind == "root":
        return [f"{prefix}:root"]
    if plan.kind == "group":
        return [f"{prefix}:user/{member}" for member in plan.members]
    return [f"{prefix}:{plan.kind}/{plan.source}"]


def _document(statements: list[dict[str, Any]]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": statements}
