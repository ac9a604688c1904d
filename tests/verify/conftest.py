"""A local AWS that enforces both keys, with doors of every kind between three accounts."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from twokeys.sandbox.local_aws import LocalAws
from twokeys.verify.attempts import Attempts, Keys, Pace
from twokeys.verify.doors import Exports, exports

HUB, STAGE, PROD = "111111111111", "222222222222", "333333333333"
ACCESS_ROLE = "OrganizationAccountAccessRole"
MFA = {"Bool": {"aws:MultiFactorAuthPresent": "true"}}


def arn(account: str, rest: str) -> str:
    return f"arn:aws:iam::{account}:{rest}"


def trusts(principal: str, condition: dict[str, Any] | None = None) -> dict[str, Any]:
    statement = {"Effect": "Allow", "Principal": {"AWS": principal}, "Action": "sts:AssumeRole"}
    return {"Version": "2012-10-17", "Statement": [statement | ({"Condition": condition} if condition else {})]}


def grants(*roles: str) -> dict[str, Any]:
    return {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": list(roles)}],
    }


def exported(
    name: str, source: tuple[str, str], role_arn: str, trust: dict[str, Any], **requires: bool
) -> dict[str, Any]:
    """A door as the stack output `doors` lists it."""
    account, role = role_arn.split(":")[4], role_arn.rpartition("/")[2]
    kind, who = source
    return {
        "name": name,
        "door": {
            "name": name,
            "source": {"kind": kind, "account": HUB, "names": [who] if who else []},
            "target": {"account": account, "role": role},
            "requires": {"mfa": False, "externalId": False, **requires},
        },
        "documents": [
            {
                "type": "aws:iam/role:Role",
                "name": name,
                "account": account,
                "property": "assumeRolePolicy",
                "properties": {"name": role, "path": "/"},
                "document": trust,
            }
        ],
    }


CI, ALICE = arn(HUB, "role/ci"), arn(HUB, "user/alice")
DEPLOYER, DEVELOPER, PARTNER, OFFICE = (
    arn(STAGE, f"role/{name}") for name in ("deployer", "developer", "partner", "office")
)
READER, SUPPORT = arn(PROD, "role/reader"), arn(PROD, "role/support")
DOORS: dict[str, tuple[tuple[str, str], str, dict[str, Any], dict[str, bool]]] = {
    "stage-deployer": (("role", "ci"), DEPLOYER, trusts(CI), {}),
    "stage-developer": (("group", "people"), DEVELOPER, trusts(ALICE, MFA), {"mfa": True}),
    "stage-partner": (
        ("user", "alice"),
        PARTNER,
        trusts(ALICE, {"StringEquals": {"sts:ExternalId": "ticket-7"}}),
        {"externalId": True},
    ),
    "stage-office": (("user", "alice"), OFFICE, trusts(ALICE, {"IpAddress": {"aws:SourceIp": ["203.0.113.0/24"]}}), {}),
    "prod-reader": (("role", "ci"), READER, trusts(CI), {}),
    "prod-support": (("root", ""), SUPPORT, trusts(arn(HUB, "root")), {}),
}
STACKS: dict[str, dict[str, Any]] = {
    "management": {"parent_account_id": HUB},
    **{
        stack: {
            "access_role_arns": {stack: arn(account, f"role/{ACCESS_ROLE}")},
            "doors": [
                exported(name, source, role, trust, **requires)
                for name, (source, role, trust, requires) in DOORS.items()
                if name.startswith(stack)
            ],
        }
        for stack, account in (("stage", STAGE), ("prod", PROD))
    },
}


@pytest.fixture(scope="module")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalAws]:
    """The accounts, roles, people and policies that the doors speak of."""
    with LocalAws.start(tmp_path_factory.mktemp("sandbox") / "aws") as running:
        hub = running.client("iam", HUB)
        hub.create_role(RoleName="ci", AssumeRolePolicyDocument=json.dumps(trusts(arn(HUB, "root"))))
        allowed = json.dumps(grants(DEPLOYER, READER))
        hub.put_role_policy(RoleName="ci", PolicyName="enter", PolicyDocument=allowed)
        hub.create_group(GroupName="people")
        for user in ("alice", "bob"):
            hub.create_user(UserName=user)
        hub.add_user_to_group(GroupName="people", UserName="alice")
        hub.put_group_policy(
            GroupName="people", PolicyName="enter", PolicyDocument=json.dumps(grants(DEVELOPER, PARTNER, OFFICE))
        )
        for account in (STAGE, PROD):
            iam = running.client("iam", account)
            iam.create_role(RoleName=ACCESS_ROLE, AssumeRolePolicyDocument=json.dumps(trusts(arn(HUB, "root"))))
            everything = {"Effect": "Allow", "Action": "*", "Resource": "*"}
            iam.put_role_policy(
                RoleName=ACCESS_ROLE,
                PolicyName="everything",
                PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [everything]}),
            )
            for _source, role, trust, _requires in DOORS.values():
                if role.split(":")[4] == account:
                    iam.create_role(RoleName=role.rpartition("/")[2], AssumeRolePolicyDocument=json.dumps(trust))
        yield running


@pytest.fixture
def keys_of(aws: LocalAws) -> Iterator[Callable[[str], Keys]]:
    """Makes access keys of a user; they are gone after the test."""
    iam, made = aws.client("iam", HUB), []

    def make(user: str) -> Keys:
        key = iam.create_access_key(UserName=user)["AccessKey"]
        made.append((user, key["AccessKeyId"]))
        return Keys(key["AccessKeyId"], key["SecretAccessKey"])

    yield make
    for user, key in made:
        iam.delete_access_key(UserName=user, AccessKeyId=key)


@pytest.fixture
def attempts(aws: LocalAws) -> Attempts:
    return Attempts(lambda keys: aws.client("sts", keys.access, keys.secret, keys.token), Pace(0))


@pytest.fixture
def found() -> Exports:
    return exports(STACKS)
