"""A user of the sandbox's organization, as whom the AWS CLI and `twokeys assume` work on the local AWS."""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from botocore.exceptions import ClientError

from twokeys.access.model.accounts import Accounts
from twokeys.answers.sources import together
from twokeys.errors import Refusal, nearest
from twokeys.files import read_text, write_output
from twokeys.profiles.awsconfig import profiles_in
from twokeys.project.states import local_aws_of, states_made
from twokeys.sandbox.local_aws import LocalAws
from twokeys.sandbox.local_server.mfa import totp

SEED: Final = "TWOKEYS_SANDBOX_MFA_SEED"
"""The variable with the seed of the user's device (base32): `twokeys sandbox mfa-code` reads it."""
_OWN: Final = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", SEED)
_USER: Final = "aws:iam/user:User"


def account_of(user: str, states: Sequence[Path], account: str | None) -> str:
    """The account in which the states have a user, which `account` chooses where several have one of that name.

    Raises Refusal when none has, several have, or the states cannot be read together.
    """
    snapshot = together(states)
    accounts = Accounts(snapshot)
    users = {(one.text("name") or one.name, accounts.of(one)) for one in snapshot.of_type(_USER)}
    found = sorted(where for name, where in users if name == user and account in (None, where))
    if len(found) == 1:
        return found[0]
    having = found or sorted(where for name, where in users if name == user)
    names = sorted({name for name, _ in users})
    if having:
        what = f"{'several users are' if found else f'nobody of {account} is'} called {user}"
        why, step = f"one is in each of {', '.join(having)}", "choose one with --account ID"
    elif user in {one.text("name") or one.name for one in snapshot.of_type("aws:iam/role:Role")}:
        what, why = f"{user} is a role", "only a user has an access key and an MFA device to be given"
        step = f"try the doors of {user} with `twokeys verify STACK`, or be one of {', '.join(names)}"
    elif user in {one.text("userName") for one in snapshot.of_type("aws:identitystore/user:User")}:
        what, why = f"{user} signs in at IAM Identity Center", "the local AWS has none to sign in at"
        step = f"see their doors with `twokeys profiles --person {user} --dry-run`, or be one of {', '.join(names)}"
    else:
        what, why = f"nobody is called {user}", f"the users are {', '.join(names) or 'none'}"
        step = f"name {nearest(user, names) or 'one of them'}"
    raise Refusal(what, where=", ".join(map(str, states)), why=why, next_step=step)


def made_with(account: str, project: Path) -> Path | None:
    """Where the sandbox keeps the stacks of a project that have this account; None where none has it."""
    states = states_made(project)
    if not states:
        return None
    accounts = Accounts(together(states))
    known = accounts.members | accounts.held | {accounts.management}
    return local_aws_of(states[0]).parent if account in known else None


def sign_in(aws: LocalAws, account: str, user: str, credentials: Path) -> dict[str, str]:
    """The variables with which the AWS CLI is this user: an access key, and an MFA device called like the user.

    Those of a shell before, which `credentials` has, stay where the local AWS has them still. Else keys and the device
    of that name that were there are removed: a user has two keys at most, and nobody can read the seed of a device
    again.
    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
    """
    variables = aws.environment(account)
    kept = profiles_in(read_text(credentials), str(credentials), credentials=True).get("default", {})
    iam = aws.client("iam", account)
    try:
        keys = iam.list_access_keys(UserName=user)["AccessKeyMetadata"]
        if kept.get("aws_access_key_id") in [one["AccessKeyId"] for one in keys] and SEED.lower() in kept:
            return variables | {name: kept[name.lower()] for name in _OWN}
        for old in keys:
            iam.delete_access_key(UserName=user, AccessKeyId=old["AccessKeyId"])
        for device in iam.list_mfa_devices(UserName=user)["MFADevices"]:
            if device["SerialNumber"].endswith(f":mfa/{user}"):
                remove_device(iam, user, device["SerialNumber"])
        key = iam.create_access_key(UserName=user)["AccessKey"]
    except ClientError as error:
        raise Refusal(
            f"user {user} is not in the local AWS",
            where=f"account {account} in {aws.directory}",
            why=str(error),
            next_step="make it anew: `twokeys sandbox demo`, or `twokeys sandbox up`",
        ) from error
    _, seed = make_device(iam, user, user)
    own = dict(zip(_OWN, (key["AccessKeyId"], key["SecretAccessKey"], seed), strict=True))
    credentials.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_output(credentials, "".join(["[default]\n", *(f"{name.lower()} = {own[name]}\n" for name in _OWN)]))
    return variables | own


def make_device(iam: Any, user: str, name: str) -> tuple[str, str]:  # noqa: ANN401 - boto3's clients are made at run time
    """Give a user a virtual MFA device; its serial number (an ARN) and its seed (base32).

    https://docs.aws.amazon.com/IAM/latest/APIReference/API_EnableMFADevice.html (two codes in a row)
    """
    device = iam.create_virtual_mfa_device(VirtualMFADeviceName=name)["VirtualMFADevice"]
    serial, seed = device["SerialNumber"], device["Base32StringSeed"].decode()
    now = time.time()
    codes = {"AuthenticationCode1": totp(seed, now - 30), "AuthenticationCode2": totp(seed, now)}
    iam.enable_mfa_device(UserName=user, SerialNumber=serial, **codes)
    return serial, seed


def remove_device(iam: Any, user: str, serial: str) -> None:  # noqa: ANN401 - as above
    """Take a virtual MFA device from a user, and delete it."""
    iam.deactivate_mfa_device(UserName=user, SerialNumber=serial)
    iam.delete_virtual_mfa_device(SerialNumber=serial)
