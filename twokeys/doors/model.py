"""The door: one model from the config's components to the stack's exports, the access graph and every answer.

A door leads from principals of one account to a role in another. Its two keys are policy documents, in which symbols
stand for ids that are not known yet (see `twokeys.doors.symbols`).
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from operator import not_
from typing import Any, Literal, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError, field_validator
from pydantic.alias_generators import to_camel
from pydantic_core import ErrorDetails

from twokeys.doors.expiry import ClosingTime
from twokeys.doors.symbols import ACCOUNT
from twokeys.doors.who import Who, name_of, path_of
from twokeys.iam import DEFAULT_PARTITION, Arn, PolicyDocument, PolicyKind, Statement, parse_policy
from twokeys.iam.external_id import is_external_id
from twokeys.iam.leaves import texts
from twokeys.iam.sts import ASSUME_ROOT, IN_TRUSTS, RESERVED_PATH, RESERVED_ROLE
from twokeys.iam.truth import Truth

RESERVED = RESERVED_PATH + RESERVED_ROLE
"""What stands before a permission set's name in the role that AWS makes of it; a suffix of AWS's own follows."""
_ENTERING = (*IN_TRUSTS, ASSUME_ROOT)
"""The actions by which somebody enters an account."""
_IN_JSON = {
    "missing": "it is missing",
    "extra_forbidden": "there is no such field in this version of TwoKeys",
    "tuple_type": "it should be a list",
    "model_type": "it should be an object",
    "dict_type": "it should be an object",
    "string_type": "it should be a text",
    "int_type": "it should be a whole number",
    "int_parsing": "it should be a whole number",
    "bool_type": "it should be true or false",
    "bool_parsing": "it should be true or false",
    "string_pattern_mismatch": "it should be the id of an account",
}
"""What pydantic says of a value, in the words of JSON."""


class _Declared(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=to_camel, populate_by_name=True)

    def to_props(self) -> dict[str, Any]:
        """The declaration as plain JSON values with camelCase keys: what a component registers and a stack exports."""
        return self.model_dump(mode="json", by_alias=True)

    @classmethod
    def read(cls, value: object, *, newer: bool = True) -> Self:
        """A declaration as a program, a stack or a file gives it.

        A field that is not known is passed over where a `newer` TwoKeys may have written it. Raises ValueError, which
        says where it is wrong and why.
        """
        try:
            return cls.model_validate(value, extra="ignore" if newer else "forbid")
        except ValidationError as error:
            raise ValueError(_in_words(error.errors()[0])) from error


class SymbolicDocument(_Declared):
    """One policy document of one resource, as declared.

    It covers the resource with this type and logical name that has the declaring component among its ancestors.
    `account` is a 12-digit id or a symbol; `properties` are the identifying inputs that are known (a role's `name` and
    `path`, a group policy's `group` and `name`); `document` is the policy document with symbols where ids will stand.
    """

    type: str
    name: str
    account: str = Field(pattern=ACCOUNT)
    property: Literal["assumeRolePolicy", "policy"]
    properties: dict[str, str]
    document: dict[str, Any]


class DoorSource(_Declared):
    """Who may go through a door: principals of one kind and account by name (with path), or an account's root.

    `names` is empty for the root. The account of users and groups of IAM Identity Center is that of their instance, and
    they themselves belong to none.
    """

    kind: Literal["role", "user", "group", "root", "identity-center-user", "identity-center-group"]
    account: str = Field(pattern=ACCOUNT)
    names: tuple[str, ...] = ()

    @property
    def principals(self) -> tuple[Who, ...]:
        """Each of them; the root for an account as a whole."""
        account = "" if self.kind.startswith("identity-center-") else self.account
        return tuple(Who(self.kind, account, name) for name in self.names or ("",))


class DoorTarget(_Declared):
    """The role behind a door: its name with its path, `deploy/deployer`.

    That of an Identity Center door is `aws-reserved/sso.amazonaws.com/AWSReservedSSO_<permission set>`: AWS makes it
    and adds a suffix of its own. https://docs.aws.amazon.com/singlesignon/latest/userguide/referencingpermissionsets.html
    """

    account: str = Field(pattern=ACCOUNT)
    role: str
    partition: str | None = None
    """The partition of the role's ARN; None where its documents say it."""

    @property
    def permission_set(self) -> str | None:
        """The permission set that AWS makes the role of; None for a role of anybody else's making."""
        return self.role.removeprefix(RESERVED) if self.role.startswith(RESERVED) else None


class DoorRequirements(_Declared):
    """What a session must show at a door beside its identity."""

    mfa: bool = False
    external_id: bool = False
    conditions: tuple[str, ...] = Field(default=(), exclude_if=not_)
    """Of a published door, what its keys ask beside these and a time, in words."""


class Declaration(_Declared):
    """What people say of a door; `expires` is the moment from which it is closed.

    A field here is in config, exports, JSON, CSV, maps, sentences and what `twokeys access export` publishes by itself;
    its limits in config are a type of the same field in `DeclaredSettings`.
    """

    reason: str | None = None
    owner: str | None = None
    expires: ClosingTime | None = None

    @field_validator("reason")
    @classmethod
    def _in_one_line(cls, reason: str | None) -> str | None:
        return reason and " ".join(reason.split())

    @property
    def declaration(self) -> dict[str, Any]:
        """These fields alone, by name."""
        return self.model_dump(include=set(Declaration.model_fields))

    @property
    def said(self) -> dict[str, Any]:
        """These fields as answers print them."""
        values = self.declaration.items()
        return {to_camel(name): one.isoformat() if isinstance(one, datetime) else one for name, one in values}

    @property
    def details(self) -> tuple[str, ...]:
        """What they say beside the reason, for a sentence: "owner platform". When a door ends, its keys say as well."""
        said = {name: value for name, value in self.declaration.items() if name not in ("reason", "expires") and value}
        return tuple(f"{name.replace('_', ' ')} {value}" for name, value in said.items())


class DeclaredDoor(Declaration):
    """The summary of a door for people and exports."""

    name: str
    source: DoorSource
    target: DoorTarget
    grant_to: DoorSource | None = None
    """Of a door for an account as a whole: who in it the grant is for."""
    requires: DoorRequirements = DoorRequirements()
    opens: AwareDatetime | None = None
    """Of a published door, the moment before which AWS refuses it, as its keys have it."""
    pauses: tuple[tuple[AwareDatetime, AwareDatetime], ...] = Field(default=(), exclude_if=not_)
    """Of a published door, from when until when AWS refuses it in between."""
    permits: str | None = Field(default=None, exclude_if=not_)
    """Of a published door, how strong its role is, in words: "write"."""
    max_session_seconds: int | None = Field(default=None, ge=900, le=43_200)
    """What AssumeRole takes: https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html"""

    @property
    def whom(self) -> tuple[Who, ...]:
        """Those for whom the door was written: whom the grant is for where the trust is in an account as a whole."""
        return (self.grant_to or self.source).principals


class OrganizationGrant(Declaration):
    """The summary of a grant of the role of one name in every account, as `DeclaredDoor` is of a door."""

    name: str
    source: DoorSource
    role: str
    mfa: bool = False


class ExportedGrant(_Declared):
    """A grant as the stack output `organization_grants` lists it, so that other stacks can prove this key by it."""

    name: str
    grant: OrganizationGrant
    documents: tuple[SymbolicDocument, ...]


class ExportedPolicy(_Declared):
    """A control policy as the stack output `control_policy_denials` lists it: what it denies about entering.

    `targets` are `root`, paths of `organizational_unit_ids`, and ids of accounts and units. What allows is left out:
    AWS's own policies allow everything wherever they are attached.
    """

    name: str
    type: Literal["SERVICE_CONTROL_POLICY", "RESOURCE_CONTROL_POLICY"]
    targets: tuple[str, ...]
    document: dict[str, Any]

    @property
    def kind(self) -> PolicyKind:
        """What its document is read as."""
        return PolicyKind.SCP if self.type == "SERVICE_CONTROL_POLICY" else PolicyKind.RCP

    def shortened(self) -> ExportedPolicy | None:
        """The policy with only the statements that may deny entering an account; None without any.

        Raises PolicyError where its document cannot be read.
        """
        given = self.document["Statement"]
        read = parse_policy(self.document, self.kind).statements
        listed = given if isinstance(given, list) else [given]
        kept = [said for said, one in zip(listed, read, strict=True) if one.effect == "Deny" and _about_entering(one)]
        return self.model_copy(update={"document": {**self.document, "Statement": kept}}) if kept else None


class ExportedDoor(_Declared):
    """A door as the stack output `doors` lists it, so that another stack can prove the key that lives elsewhere."""

    name: str
    door: DeclaredDoor
    documents: tuple[SymbolicDocument, ...]

    @property
    def trust(self) -> PolicyDocument | None:
        """The trust policy of the role; None where the door has none of its own or its documents are not published.

        Raises PolicyError where it cannot be read.
        """
        declared = self._trust_document
        return parse_policy(declared.document, PolicyKind.TRUST) if declared else None

    @property
    def role_arn(self) -> Arn:
        """The ARN of the role behind the door, with the path and in the partition that its documents have."""
        declared, target = self._trust_document, self.door.target
        path = path_of(target.role)
        if declared is not None:
            path = declared.properties.get("path", path)
        return Arn.iam("role", target.account, name_of(target.role), path, target.partition or self._partition)

    @property
    def trusted(self) -> frozenset[Who]:
        """Those whom the trust policy names, accounts as a whole and everyone included. Raises as `trust` does."""
        policy = self.trust
        statements = policy.statements if policy else ()
        return frozenset(who for one in statements if one.effect == "Allow" for who in _named_by(one))

    @property
    def external_id(self) -> str | None:
        """The external ID that the trust policy asks for, where it asks for one. Raises as `trust` does.

        https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_common-scenarios_third-party.html
        """
        policy = self.trust
        clauses = (clause for one in (policy.statements if policy else ()) for clause in one.conditions)
        found = (value for clause in clauses if is_external_id(clause.requirement()) for value in clause.values)
        return next((value for value in found if isinstance(value, str)), None)

    @property
    def _trust_document(self) -> SymbolicDocument | None:
        return next((one for one in self.documents if one.property == "assumeRolePolicy"), None)

    @property
    def _partition(self) -> str:
        found = (Arn.parse(text) for one in self.documents for text in texts(one.document))
        return next((arn.partition for arn in found if arn), DEFAULT_PARTITION)


def _in_words(error: ErrorDetails) -> str:
    said = _IN_JSON.get(error["type"], error["msg"].removeprefix("Value error, ").replace("Input should", "it should"))
    if "should" in said and not isinstance(error["input"], dict | list):
        said += f", not {json.dumps(error['input'], default=str)}"
    return ": ".join(filter(None, (".".join(map(str, error["loc"])), said)))


def _about_entering(statement: Statement) -> bool:
    return any(statement.covers_action(action) is not Truth.FALSE for action in _ENTERING)


def _named_by(statement: Statement) -> Iterator[Who]:
    principals = statement.principals
    if principals is None:
        return
    if principals.everyone:
        yield Who("everyone", "")
    for name in principals.aws:
        if isinstance(name, str) and (who := Who.named(name)) is not None:
            yield who
