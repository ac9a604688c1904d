"""Probes: really assume each declared door, and really try what must be refused.

In the local AWS the prober can be anybody, so each door is tried by its own caller. Keys, devices and users that a
probe needs are removed afterwards.
"""

import secrets
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from functools import partial
from typing import Any, Final

from botocore.exceptions import ClientError

from twokeys.doors import Who
from twokeys.sandbox.local_aws import LocalAws
from twokeys.sandbox.local_server.mfa import totp
from twokeys.sandbox.person import make_device, remove_device
from twokeys.verify.attempts import REFUSAL, SESSION, Attempts, Keys, Pace, Probe
from twokeys.verify.doors import DoorToTry, Exports
from twokeys.verify.probes import WRONG_EXTERNAL_ID, by_portal, enter, from_inside

_NOBODY: Final = "twokeys-probe-without-grant"
# Shards are probed beside each other in one management account.
_OURS: Final = secrets.token_hex(4)


def probe(
    aws: LocalAws, found: Exports, *, about: frozenset[str] | None = None, pace: Pace | None = None
) -> Iterator[Probe]:
    """Probe what the outputs of stacks declare; `about` are the ARNs of the roles to try, None means all of them."""
    prober = _Prober(aws, found, found.role_arns if about is None else about, pace or Pace(0))
    yield from prober.access_roles()
    yield from prober.doors()
    yield from prober.from_inside()


class _Prober:
    def __init__(self, aws: LocalAws, found: Exports, about: frozenset[str], pace: Pace) -> None:
        self._aws = aws
        self._found = found
        self._doors = [door for door in found.doors if door.role_arn in about]
        self._about = about
        self._attempts = Attempts(partial(self._client, "sts"), pace)

    def access_roles(self) -> Iterator[Probe]:
        for account, arn in self._found.access_roles.items():
            if arn in self._about:
                name = f"the management account's administrator enters {account} by its access role"
                yield self._attempts.attempt(name, _root(self._found.management), arn, expected=True)

    def doors(self) -> Iterator[Probe]:
        yield from map(by_portal, (door for door in self._doors if door.by_portal))
        doors = [door for door in self._doors if not door.by_portal]
        for door in doors:
            for source in door.sources:
                yield from self._through(door, source)
        for account in dict.fromkeys(door.source_account for door in doors):
            with self._user(account, f"{_NOBODY}-{_OURS}") as nobody:
                for door in (one for one in doors if one.source_account == account):
                    name = f"a user without a grant tries door {door.name}"
                    yield self._attempts.attempt(name, nobody, door.role_arn, expected=False, arguments=door.external)

    def from_inside(self) -> Iterator[Probe]:
        """Each member account's administrator at what is probed of the others."""
        for account, arn in self._found.access_roles.items():
            access_roles = {
                other: role
                for other, role in self._found.access_roles.items()
                if other == account or role in self._about
            }
            others = Exports(self._found.management, tuple(self._doors), access_roles)
            try:
                administrator = self._attempts.assume(_root(self._found.management), arn)
            except ClientError as error:
                name = f"the administrator of {account} tries the doors of the others"
                step = f"see why {arn} cannot be entered"
                yield Probe(name, arn, expected=False, assumed=None, detail=str(error), next_step=step)
                continue
            yield from from_inside(self._attempts, account, others, administrator)

    def _through(self, door: DoorToTry, source: Who) -> Iterator[Probe]:
        """Who the door is for, and the same caller without what the door asks for."""
        with ExitStack() as cleaning:
            try:
                who, keys, user = self._caller(door, source, cleaning)
                caller = Who("user", door.source_account, user) if user else source
            except ClientError as error:
                name = f"{source.label} enters by door {door.name}"
                said = error.response["Error"]
                detail = said["Message"].rstrip(".")
                step = f"see that {source.label} is there, and that a group has a member"
                if elsewhere := door.source_account not in self._found.accounts:
                    detail, step = f"its account {door.source_account} is another company's", "have them try it"
                elif elsewhere := said["Code"] == REFUSAL:
                    detail = f"only whom its trust policy names enters {source.label}, not the account's administrator"
                    step = "try it from there, such as from the workflow of GitHub Actions that enters the role"
                yield Probe(
                    name, door.role_arn, expected=True, assumed=None, detail=detail, next_step=step, elsewhere=elsewhere
                )
                return
            code = cleaning.enter_context(self._mfa(door.source_account, user)) if door.mfa and user else dict
            given = {**door.external, **code()}
            name, role = f"{who} enters by door {door.name}", door.role_arn
            yield replace(
                enter(self._attempts, name, keys, door, given), caller=caller, with_mfa=door.mfa and bool(user)
            )
            if door.mfa:
                name = f"{who} tries door {door.name} without MFA"
                yield self._attempts.attempt(name, keys, role, expected=False, arguments=door.external)
            if door.external:
                wrong = {**given, "ExternalId": WRONG_EXTERNAL_ID}
                name = f"{who} tries door {door.name} with a wrong external ID"
                yield self._attempts.attempt(name, keys, role, expected=False, arguments=wrong)

    def _caller(self, door: DoorToTry, source: Who, cleaning: ExitStack) -> tuple[str, Keys, str]:
        """How the probe calls the caller, credentials, and the user's name when it is one."""
        account = door.source_account
        if source.kind == "root":
            return "the account's administrator", _root(account), ""
        if source.kind == "role":
            role = self._client("iam", _root(account)).get_role(RoleName=source.name)["Role"]["Arn"]
            return source.label, self._attempts.assume(_root(account), role), ""
        user, called = source.name, source.label
        if source.kind != "user":
            members = self._client("iam", _root(account)).get_group(GroupName=user)["Users"]
            if not members:
                raise ClientError({"Error": {"Code": "Empty", "Message": f"group {user} has no member"}}, "GetGroup")
            user = members[0]["UserName"]
            called = f"{user} of group {source.name}"
        return called, cleaning.enter_context(self._keys_of(account, user)), user

    @contextmanager
    def _user(self, account: str, name: str) -> Iterator[Keys]:
        """Keys of a user who exists only for this."""
        iam = self._client("iam", _root(account))
        iam.create_user(UserName=name)
        try:
            with self._keys_of(account, name) as keys:
                yield keys
        finally:
            iam.delete_user(UserName=name)

    @contextmanager
    def _keys_of(self, account: str, user: str) -> Iterator[Keys]:
        iam = self._client("iam", _root(account))
        key = iam.create_access_key(UserName=user)["AccessKey"]
        try:
            yield Keys(key["AccessKeyId"], key["SecretAccessKey"])
        finally:
            iam.delete_access_key(UserName=user, AccessKeyId=key["AccessKeyId"])

    @contextmanager
    def _mfa(self, account: str, user: str) -> Iterator[Callable[[], Mapping[str, str]]]:
        """A virtual device of the user; gives what AssumeRole is told of it at a moment."""
        iam = self._client("iam", _root(account))
        serial, seed = make_device(iam, user, f"{SESSION}-{user}-{_OURS}")
        try:
            yield lambda: {"SerialNumber": serial, "TokenCode": totp(seed, time.time())}
        finally:
            remove_device(iam, user, serial)

    def _client(self, service: str, keys: Keys) -> Any:  # noqa: ANN401 - boto3's clients are made at run time
        return self._aws.client(service, keys.access, keys.secret, keys.token)


def _root(account: str) -> Keys:
    """In the local AWS an account id is the access key of that account's administrator."""
    return Keys(account, "test")
