"""A local AWS that enforces both keys, with doors of every kind between three accounts."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.access.world import HUB, MFA, PROD, STAGE, arn, document, grants, trusts
from tests.profiles.doors import door
from twokeys.sandbox.local_aws import LocalAws
from twokeys.verify.attempts import Attempts, Keys, Pace
from twokeys.verify.doors import Exports, exports

ACCESS_ROLE = "OrganizationAccountAccessRole"


def trust_in(principal: str, condition: dict[str, Any] | None = None) -> dict[str, Any]:
    return dict(json.loads(document(trusts(principal, condition=condition))))


def exported(
    name: str, source: tuple[str, str], role_arn: str, trust: dict[str, Any], **requires: Any
) -> dict[str, Any]:
    """A door as the stack output `doors` lists it."""
    account, role = role_arn.split(":")[4], role_arn.rpartition("/")[2]
    kind, who = source
    made = door(name, kind=kind, names=(who,) if who else (), target=account, role=role, **requires)
    made["documents"][0]["document"] = trust
    return made


CI, ALICE = arn(HUB, "role/ci"), arn(HUB, "user/alice")
DEPLOYER, DEVELOPER, PARTNER, OFFICE = (
    arn(STAGE, f"role/{name}") for name in ("deployer", "developer", "partner", "office")
)
READER, SUPPORT = arn(PROD, "role/reader"), arn(PROD, "role/support")
DOORS: dict[str, tuple[tuple[str, str], str, dict[str, Any], dict[str, Any]]] = {
    "stage-deployer": (("role", "ci"), DEPLOYER, trust_in(CI), {}),
    "stage-developer": (("group", "people"), DEVELOPER, trust_in(ALICE, MFA), {"mfa": True}),
    "stage-partner": (
        ("user", "alice"),
        PARTNER,
        trust_in(ALICE, {"StringEquals": {"sts:ExternalId": "ticket-7"}}),
        {"external_id": "ticket-7"},
    ),
    "stage-office": (
        ("user", "alice"),
        OFFICE,
        trust_in(ALICE, {"IpAddress": {"aws:SourceIp": ["203.0.113.0/24"]}}),
        {},
    ),
    "prod-reader": (("role", "ci"), READER, trust_in(CI), {}),
    "prod-support": (("root", ""), SUPPORT, trust_in(arn(HUB, "root")), {}),
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
        hub.create_role(RoleName="ci", AssumeRolePolicyDocument=document(trusts(arn(HUB, "root"))))
        allowed = document(grants(DEPLOYER, READER))
        hub.put_role_policy(RoleName="ci", PolicyName="enter", PolicyDocument=allowed)
        hub.create_group(GroupName="people")
        for user in ("alice", "bob"):
            hub.create_user(UserName=user)
        hub.add_user_to_group(GroupName="people", UserName="alice")
        hub.put_group_policy(
            GroupName="people", PolicyName="enter", PolicyDocument=document(grants(DEVELOPER, PARTNER, OFFICE))
        )
        for account in (STAGE, PROD):
            iam = running.client("iam", account)
            iam.create_role(RoleName=ACCESS_ROLE, AssumeRolePolicyDocument=document(trusts(arn(HUB, "root"))))
            everything = document(grants("*", action="*"))
            iam.put_role_policy(RoleName=ACCESS_ROLE, PolicyName="everything", PolicyDocument=everything)
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
