"""The doors that stacks export, with what a caller must bring to each."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from pydantic import ValidationError

from twokeys.doors import ExportedDoor
from twokeys.errors import Refusal

_PRINCIPAL: Final = re.compile(r"arn:[^:]+:iam::(\d{12}):(root|(?:role|user)/.+)")
_SESSION: Final = re.compile(r"arn:[^:]+:sts::(\d{12}):assumed-role/([^/]+)/.+")


@dataclass(frozen=True)
class Who:
    """A principal: `kind` is user, role or root; `name` is without path, and empty for root."""

    kind: str
    account: str
    name: str

    @staticmethod
    def parse(arn: str) -> Who | None:
        """The principal of an ARN as a trust policy or GetCallerIdentity has it; None for another kind of ARN."""
        if session := _SESSION.fullmatch(arn):
            return Who("role", session.group(1), session.group(2))
        found = _PRINCIPAL.fullmatch(arn)
        if found is None:
            return None
        kind, _, name = found.group(2).partition("/")
        return Who(kind, found.group(1), name.rpartition("/")[2])

    def __str__(self) -> str:
        return f"{self.kind} {self.name} of account {self.account}" if self.name else f"the root of {self.account}"


@dataclass(frozen=True)
class Door:
    """A door as the stack output `doors` has it.

    Attributes:
        kind: role, user, group or root, of `source_account`; `sources` are their names with path, () for root.
        trusted: the principals that its trust policy names.
        external: the external ID to bring, as AssumeRole takes it; empty when it asks for none.
    """

    name: str
    kind: str
    source_account: str
    sources: tuple[str, ...]
    role_arn: str
    trusted: frozenset[Who]
    mfa: bool
    external: Mapping[str, str]

    @property
    def by_portal(self) -> bool:
        """Whether it is entered through IAM Identity Center's access portal only, so that no keys can try it.

        https://docs.aws.amazon.com/singlesignon/latest/userguide/referencingpermissionsets.html
        """
        return ":role/aws-reserved/" in self.role_arn


@dataclass(frozen=True)
class Exports:
    """What stacks export about who may enter: doors, and the ARN of each account's access role by account name."""

    management: str
    doors: tuple[Door, ...]
    access_roles: Mapping[str, str]

    @property
    def role_arns(self) -> frozenset[str]:
        """The roles that all this is about."""
        return frozenset([*(door.role_arn for door in self.doors), *self.access_roles.values()])


def exports(stacks: Mapping[str, Mapping[str, Any]]) -> Exports:
    """What the outputs of stacks declare, by stack name.

    Raises Refusal when none tells the management account, or a door cannot be read.
    """
    managements = [outputs["parent_account_id"] for outputs in stacks.values() if outputs.get("parent_account_id")]
    if not managements:
        raise Refusal(
            "these stacks do not tell who may enter",
            where=", ".join(stacks) or "no stack",
            why="none has the output `parent_account_id`",
            next_step="update the stack, or name one of this program",
        )
    doors = [door for name, outputs in stacks.items() for door in _doors(name, outputs.get("doors") or ())]
    access_roles = {
        account: arn for outputs in stacks.values() for account, arn in (outputs.get("access_role_arns") or {}).items()
    }
    return Exports(str(managements[0]), tuple(doors), access_roles)


def _doors(stack: str, listed: Iterable[Any]) -> Iterator[Door]:
    for item in listed:
        try:
            yield _door(ExportedDoor.model_validate(item))
        except ValidationError as error:
            first = error.errors()[0]
            raise Refusal(
                f"a door that stack {stack} exports cannot be read",
                where=".".join(map(str, first["loc"])) or "doors",
                why=str(first["msg"]),
                next_step="update that stack with this version of the program, so that its output `doors` is current",
            ) from error


def _door(exported: ExportedDoor) -> Door:
    door = exported.door
    trusts = [one.document for one in exported.documents if one.property == "assumeRolePolicy"]
    found = [statement for trust in trusts for statement in _listed(trust.get("Statement"))]
    return Door(
        name=door.name,
        kind=door.source.kind,
        source_account=door.source.account,
        sources=door.source.names,
        role_arn=_role_arn(exported),
        trusted=frozenset(_trusted(found)),
        mfa=door.requires.mfa,
        external=next(_external(found), {}),
    )


def _role_arn(exported: ExportedDoor) -> str:
    """The target role's ARN, in the partition of the trusted principals and with the path of the role's document."""
    target = exported.door.target
    document = next((one for one in exported.documents if one.property == "assumeRolePolicy"), None)
    path = document.properties.get("path", "/") if document else "/"
    partitions = re.findall(r"arn:(aws[a-z-]*):iam:", str(document.document)) if document else []
    name = target.role.rpartition("/")[2]
    return f"arn:{next(iter(partitions), 'aws')}:iam::{target.account}:role{path}{name}"


def _trusted(found: Iterable[Mapping[str, Any]]) -> Iterator[Who]:
    for statement in found:
        principal = statement.get("Principal")
        names = principal.get("AWS") if isinstance(principal, Mapping) else None
        for arn in _listed(names):
            if who := Who.parse(str(arn)):
                yield who


def _external(found: Iterable[Mapping[str, Any]]) -> Iterator[dict[str, str]]:
    for statement in found:
        equals = (statement.get("Condition") or {}).get("StringEquals", {})
        for external in _listed(equals.get("sts:ExternalId")):
            yield {"ExternalId": str(external)}


def _listed(value: Any) -> list[Any]:  # noqa: ANN401 - JSON
    return [] if value is None else value if isinstance(value, list) else [value]
