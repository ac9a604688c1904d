"""Probes: really assume each declared door, and really try what must be refused.

Every probe is an `sts:AssumeRole` call to the local AWS with credentials of the caller in question, followed by
`sts:GetCallerIdentity` with what it returned. Keys, devices and users that a probe needs are removed afterwards.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any, Final

import boto3
from botocore.exceptions import ClientError

from twokeys.sandbox.local_aws import LocalAws
from twokeys.sandbox.local_server.mfa import totp

_SESSION: Final = "twokeys-probe"
_STRANGER: Final = "twokeys-probe-stranger"
_WRONG_EXTERNAL_ID: Final = "twokeys-probe-wrong"


@dataclass(frozen=True)
class Probe:
    """One attempt.

    Attributes:
        name: what was tried, as a sentence.
        expected: whether the role should be assumed.
        assumed: whether it was.
        detail: the caller identity's ARN, or the refusal.
    """

    name: str
    role_arn: str
    expected: bool
    assumed: bool
    detail: str

    @property
    def as_expected(self) -> bool:
        """Whether it went as it should."""
        return self.expected == self.assumed


def probe(aws: LocalAws, management_account: str, stacks: Mapping[str, Mapping[str, Any]]) -> Iterator[Probe]:
    """Probe what the outputs of the stacks declare.

    Args:
        aws: the local AWS, which must be running.
        management_account: its 12-digit id.
        stacks: stack name to plain outputs (`doors`, `access_role_arns`).
    """
    prober = _Prober(aws)
    doors = [
        _Door.parse(entry) for outputs in stacks.values() for entry in outputs.get("doors", []) if _assumable(entry)
    ]
    access_roles = {
        account: arn for outputs in stacks.values() for account, arn in outputs.get("access_role_arns", {}).items()
    }
    for account, arn in access_roles.items():
        name = f"the management account's administrator enters {account} by its access role"
        yield prober.attempt(name, _root(management_account), arn, expected=True)
    for door in doors:
        yield from prober.through(door)
    with prober.user(management_account, _STRANGER) as stranger:
        for door in doors:
            name = f"a user without a grant tries door {door.name}"
            yield prober.attempt(name, stranger, door.role_arn, expected=False, **door.external)
    for account, arn in access_roles.items():
        administrator = prober.assume(_root(management_account), arn)
        yield from prober.from_inside(account, doors, access_roles, administrator)


def _assumable(entry: Mapping[str, Any]) -> bool:
    """Whether the role can be assumed with keys: roles of IAM Identity Center are entered through its portal only.

    https://docs.aws.amazon.com/singlesignon/latest/userguide/referencingpermissionsets.html
    """
    return not str(entry["door"]["target"]["role"]).startswith("aws-reserved/")


@dataclass(frozen=True)
class _Keys:
    access: str
    secret: str
    token: str | None = None


@dataclass(frozen=True)
class _Door:
    """A door as the stack output `doors` has it, with what a caller must bring."""

    name: str
    kind: str
    source_account: str
    source: str
    role_arn: str
    mfa: bool
    external: dict[str, str]

    @staticmethod
    def parse(entry: Mapping[str, Any]) -> _Door:
        door = entry["door"]
        trusts = [one["document"] for one in entry["documents"] if one["property"] == "assumeRolePolicy"]
        conditions = [statement.get("Condition", {}) for trust in trusts for statement in trust["Statement"]]
        ids = [
            one["StringEquals"]["sts:ExternalId"]
            for one in conditions
            if "sts:ExternalId" in one.get("StringEquals", {})
        ]
        return _Door(
            name=door["name"],
            kind=door["source"]["kind"],
            source_account=door["source"]["account"],
            source=next(iter(door["source"]["names"]), ""),
            role_arn=f"arn:aws:iam::{door['target']['account']}:role/{door['target']['role']}",
            mfa=door["requires"]["mfa"],
            external={"ExternalId": ids[0]} if ids else {},
        )


class _Prober:
    def __init__(self, aws: LocalAws) -> None:
        self._aws = aws

    def through(self, door: _Door) -> Iterator[Probe]:
        """Who the door is for, and the same caller without what the door asks for."""
        with ExitStack() as cleaning:
            try:
                who, keys, user = self._caller(door, cleaning)
            except ClientError as error:
                name = f"{door.kind} {door.source} enters by door {door.name}"
                yield Probe(name, door.role_arn, expected=True, assumed=False, detail=f"not tried: {error}")
                return
            code = cleaning.enter_context(self._mfa(door.source_account, user)) if door.mfa and user else dict
            given = {**door.external, **code()}
            yield self.attempt(f"{who} enters by door {door.name}", keys, door.role_arn, expected=True, **given)
            if door.mfa:
                name = f"{who} tries door {door.name} without MFA"
                yield self.attempt(name, keys, door.role_arn, expected=False, **door.external)
            if door.external:
                wrong = {**given, "ExternalId": _WRONG_EXTERNAL_ID}
                name = f"{who} tries door {door.name} with a wrong external ID"
                yield self.attempt(name, keys, door.role_arn, expected=False, **wrong)

    def from_inside(
        self, account: str, doors: Sequence[_Door], access_roles: Mapping[str, str], inside: _Keys
    ) -> Iterator[Probe]:
        """The administrator of one member account at the doors and access roles of the others."""
        own = access_roles[account].split(":")[4]
        for other, arn in access_roles.items():
            if other != account:
                name = f"the administrator of {account} tries the access role of {other}"
                yield self.attempt(name, inside, arn, expected=False)
        for door in doors:
            if door.role_arn.split(":")[4] != own and door.source_account != own:
                name = f"the administrator of {account} tries door {door.name}"
                yield self.attempt(name, inside, door.role_arn, expected=False, **door.external)

    def attempt(self, name: str, keys: _Keys, role_arn: str, *, expected: bool, **arguments: str) -> Probe:
        """Try to assume a role; assumed counts only when the caller identity is then in the role's account."""
        account = role_arn.split(":")[4]
        try:
            session = self.assume(keys, role_arn, **arguments)
        except ClientError as error:
            refusal = error.response["Error"]
            return Probe(name, role_arn, expected, assumed=False, detail=f"{refusal['Code']}: {refusal['Message']}")
        identity = self._client("sts", session).get_caller_identity()
        return Probe(name, role_arn, expected, assumed=identity["Account"] == account, detail=identity["Arn"])

    @contextmanager
    def user(self, account: str, name: str) -> Iterator[_Keys]:
        """Keys of a user who exists only for this."""
        iam = self._client("iam", _root(account))
        iam.create_user(UserName=name)
        try:
            with self._keys_of(account, name) as keys:
                yield keys
        finally:
            iam.delete_user(UserName=name)

    def _caller(self, door: _Door, cleaning: ExitStack) -> tuple[str, _Keys, str]:
        """How the probe calls the caller, credentials, and the user's name when it is one."""
        account, source = door.source_account, door.source
        if door.kind == "root":
            return "the account's administrator", _root(account), ""
        if door.kind == "role":
            return f"role {source}", self.assume(_root(account), f"arn:aws:iam::{account}:role/{source}"), ""
        if door.kind == "user":
            user = source.rpartition("/")[2]
            return f"user {user}", cleaning.enter_context(self._keys_of(account, user)), user
        group = source.rpartition("/")[2]
        members = self._client("iam", _root(account)).get_group(GroupName=group)["Users"]
        if not members:
            raise ClientError({"Error": {"Code": "Empty", "Message": f"group {group} has no member"}}, "GetGroup")
        user = members[0]["UserName"]
        return f"{user} of group {group}", cleaning.enter_context(self._keys_of(account, user)), user

    @contextmanager
    def _keys_of(self, account: str, user: str) -> Iterator[_Keys]:
        iam = self._client("iam", _root(account))
        key = iam.create_access_key(UserName=user)["AccessKey"]
        try:
            yield _Keys(key["AccessKeyId"], key["SecretAccessKey"])
        finally:
            iam.delete_access_key(UserName=user, AccessKeyId=key["AccessKeyId"])

    @contextmanager
    def _mfa(self, account: str, user: str) -> Iterator[Callable[[], dict[str, str]]]:
        """A virtual device of the user; gives what AssumeRole is told of it at a moment."""
        iam = self._client("iam", _root(account))
        device = iam.create_virtual_mfa_device(VirtualMFADeviceName=f"{_SESSION}-{user}")["VirtualMFADevice"]
        serial, seed = device["SerialNumber"], device["Base32StringSeed"].decode()
        now = time.time()
        codes = {"AuthenticationCode1": totp(seed, now - 30), "AuthenticationCode2": totp(seed, now)}
        iam.enable_mfa_device(UserName=user, SerialNumber=serial, **codes)
        try:
            yield lambda: {"SerialNumber": serial, "TokenCode": totp(seed, time.time())}
        finally:
            iam.deactivate_mfa_device(UserName=user, SerialNumber=serial)
            iam.delete_virtual_mfa_device(SerialNumber=serial)

    def assume(self, keys: _Keys, role_arn: str, **arguments: str) -> _Keys:
        """Credentials of a session in the role."""
        sts = self._client("sts", keys)
        given = sts.assume_role(RoleArn=role_arn, RoleSessionName=_SESSION, **arguments)["Credentials"]
        return _Keys(given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"])

    def _client(self, service: str, keys: _Keys) -> Any:  # noqa: ANN401 - boto3's clients are made at run time
        return boto3.client(  # type: ignore[call-overload]  # the service is a variable
            service,
            endpoint_url=self._aws.endpoint,
            region_name="us-east-1",
            aws_access_key_id=keys.access,
            aws_secret_access_key=keys.secret,
            aws_session_token=keys.token,
        )


def _root(account: str) -> _Keys:
    """In the local AWS an account id is the access key of that account's administrator."""
    return _Keys(account, "test")
