"""The doors that stacks export, with what a caller must bring to each."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from twokeys.doors import ExportedDoor, Who
from twokeys.errors import Refusal
from twokeys.iam import Arn, Statement
from twokeys.iam.principals import OF_ONE
from twokeys.iam.verdict import all_of, one_of

_KNOWN = {*OF_ONE, "aws:principalaccount", "aws:principalorgid", "sts:externalid"} | {
    f"aws:{key}" for key in ("multifactorauthpresent", "currenttime", "epochtime", "securetransport")
}
"""Condition keys that whoever tries a door brings with it, or has for being the one that the door is for.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
"""
_STEP = "update that stack with this version of the program, so that its output `doors` is current"


@dataclass(frozen=True)
class DoorToTry:
    """A door as the stack output `doors` has it, ready to be tried.

    Attributes:
        sources: whom it is for; an account's root for a door that trusts an account as a whole.
        trusted: the principals that its trust policy names.
        external: the external ID to bring, as AssumeRole takes it; empty when it asks for none.
        needs: the other conditions of its trust policy, in words: not everyone, and not every place, meets them.
        by_portal: whether it is entered through IAM Identity Center's access portal only, so that no keys can try it.
            https://docs.aws.amazon.com/singlesignon/latest/userguide/referencingpermissionsets.html
    """

    name: str
    sources: tuple[Who, ...]
    role_arn: str
    trusted: frozenset[Who]
    mfa: bool
    external: Mapping[str, str]
    needs: str = ""
    by_portal: bool = False

    @property
    def source_account(self) -> str:
        """The account that those whom it is for belong to."""
        return self.sources[0].account

    @property
    def whom(self) -> str:
        """Whom it is for, in words."""
        names = ", ".join(one.label for one in self.sources)
        return f"{names} of account {self.source_account}" if self.source_account else names


@dataclass(frozen=True)
class Exports:
    """What stacks export about who may enter: doors, and the ARN of each account's access role by account name."""

    management: str
    doors: tuple[DoorToTry, ...]
    access_roles: Mapping[str, str]

    @property
    def accounts(self) -> frozenset[str]:
        """The ids of the organization's accounts."""
        return frozenset([self.management, *(arn.split(":")[4] for arn in self.access_roles.values())])

    @property
    def role_arns(self) -> frozenset[str]:
        """The roles that all this is about."""
        return frozenset([*(door.role_arn for door in self.doors), *self.access_roles.values()])


def exports(stacks: Mapping[str, Mapping[str, Any]]) -> Exports:
    """What the outputs of stacks declare, by stack name.

    Raises Refusal when none names the management account, or a door cannot be read.
    """
    managements = [outputs["parent_account_id"] for outputs in stacks.values() if outputs.get("parent_account_id")]
    if not managements:
        raise Refusal(
            "these stacks do not tell who may enter",
            where=", ".join(stacks) or "no stack",
            why="none has the output `parent_account_id`, which TwoKeys' own program makes",
            next_step="update its stack; the keys of another program's doors are read by `twokeys access check --live`",
        )
    doors = [door for name, outputs in stacks.items() for door in _doors(name, outputs.get("doors") or ())]
    doors += [door for outputs in stacks.values() for door in _break_glass(outputs.get("break_glass") or {})]
    access_roles = {
        account: arn for outputs in stacks.values() for account, arn in (outputs.get("access_role_arns") or {}).items()
    }
    return Exports(str(managements[0]), tuple(doors), access_roles)


def _break_glass(said: Mapping[str, Any]) -> Iterator[DoorToTry]:
    """The way for emergencies, within the management account: it names its users and asks for MFA."""
    arn = Arn.parse(str(said.get("role_arn")))
    if arn is not None and said.get("users"):
        users = tuple(Who("user", arn.account, str(name)) for name in said["users"])
        yield DoorToTry("break-glass", users, str(arn), frozenset(users), mfa=True, external={})


def _doors(stack: str, listed: Iterable[Any]) -> Iterator[DoorToTry]:
    for item in listed:
        try:
            yield _door(ExportedDoor.read(item))
        except ValueError as error:
            what = f"a door that stack {stack} exports cannot be read"
            raise Refusal(what, where="output doors", why=str(error), next_step=_STEP) from error


def _door(exported: ExportedDoor) -> DoorToTry:
    door, external = exported.door, exported.external_id
    return DoorToTry(
        name=door.name,
        sources=door.source.principals,
        role_arn=str(exported.role_arn),
        trusted=exported.trusted,
        mfa=door.requires.mfa,
        external={"ExternalId": external} if external is not None else {},
        needs=_needs(exported.trust.statements if exported.trust else ()),
        by_portal=door.target.permission_set is not None,
    )


def _needs(statements: Iterable[Statement]) -> str:
    """What each statement that allows has beyond the known keys; empty where one has nothing."""
    ways = [
        all_of(str(clause.requirement()) for clause in one.conditions if clause.lower_key not in _KNOWN)
        for one in statements
        if one.effect == "Allow"
    ]
    return one_of(ways) if all(ways) else ""
