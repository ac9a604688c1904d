"""Generated programs on the sandbox: the pack passes a program exactly if all it asks for really works.

Each program is previewed and judged, then really made in the local AWS without it, and every door that its documents
ask for is tried with the principal's own credentials. A trust in somebody who does not exist cannot be made, as on AWS:
https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_iam-policies.html
"""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.pack.generated import HUB, Generated, generate
from twokeys.access.graph import build
from twokeys.access.reading.live import read_live
from twokeys.project.config import load_project
from twokeys.sandbox.box import Sandbox
from twokeys.sandbox.local_aws import LocalAws
from twokeys.sandbox.up import StackRun

pytestmark = pytest.mark.usefixtures("programs_in_process")


class Organization:
    """A local AWS with a hub and a member account."""

    def __init__(self, aws: LocalAws) -> None:
        self.aws = aws
        organizations = self.aws.client("organizations", HUB)
        organizations.create_organization(FeatureSet="ALL")
        made = organizations.create_account(Email="stage@example.com", AccountName="stage")
        self.stage = made["CreateAccountStatus"]["AccountId"]

    def sts_of(self, name: str, kind: str) -> Any:
        """STS with the credentials of a user or a role of the hub."""
        if kind == "user":
            key = self.aws.client("iam", HUB).create_access_key(UserName=name)["AccessKey"]
            return self.aws.client("sts", key["AccessKeyId"], key["SecretAccessKey"])
        made = self.aws.client("sts", HUB).assume_role(
            RoleArn=f"arn:aws:iam::{HUB}:role/{name}", RoleSessionName="test"
        )
        given = made["Credentials"]
        return self.aws.client("sts", given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"])


@pytest.fixture(scope="module")
def organization(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Organization]:
    with LocalAws.start(tmp_path_factory.mktemp("aws")) as aws:
        yield Organization(aws)


def disagreement(organization: Organization, seed: int, folder: Path) -> str | None:
    """What the pack and the local AWS say differently of one program."""
    generated = generate(seed, organization.stage)
    shutil.copytree(Path(__file__).with_name("agreement"), folder)
    (folder / "spec.json").write_text(json.dumps(generated.spec))
    stack = StackRun(
        Sandbox(load_project(folder), folder / ".twokeys"), "test", rules={"all": {"enforcementLevel": "disabled"}}
    )
    passed = StackRun(stack.sandbox, "test").preview().ok
    made = stack.make(organization.aws)
    assert made.failed is None or "Invalid principal" in made.failed.why, made.failed
    works = really_works(organization, generated)
    if passed == generated.right(works):
        return None
    return f"seed {seed}: the pack {'passes' if passed else 'refuses'}, but of {generated.asked} only {works} work"


def really_works(organization: Organization, generated: Generated) -> frozenset[tuple[str, str]]:
    works = set()
    for source in generated.spec["sources"]:
        sts = organization.sts_of(source["name"], source["kind"])
        for role in generated.spec["roles"]:
            arn = f"arn:aws:iam::{organization.stage}:role/{role['name']}"
            try:
                sts.assume_role(RoleArn=arn, RoleSessionName="test")
                works.add((source["name"], role["name"]))
            except ClientError as error:
                if error.response["Error"]["Code"] not in ("AccessDenied", "NoSuchEntity"):
                    raise
    return frozenset(works)


@pytest.mark.parametrize("seed", range(8))
def test_the_pack_passes_exactly_what_really_works(seed: int, organization: Organization, tmp_path: Path) -> None:
    assert disagreement(organization, seed, tmp_path / "program") is None


@pytest.mark.long
@pytest.mark.timeout(3600)
def test_the_pack_and_the_local_aws_agree_on_200_programs(organization: Organization, tmp_path: Path) -> None:
    found = [disagreement(organization, seed, tmp_path / f"program-{seed}") for seed in range(1_000, 1_200)]
    assert [one for one in found if one] == []


def test_live_iam_shows_the_same_doors_as_really_work(
    organization: Organization, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`twokeys access check --live`, on the hub and the member account that it enters."""
    seeds = range(500, 503)
    works: set[tuple[str, str]] = set()
    for seed in seeds:
        disagreement(organization, seed, tmp_path / f"program-{seed}")
        works |= really_works(organization, generate(seed, organization.stage))
    for key, value in organization.aws.environment(HUB).items():
        monkeypatch.setenv(key, value)
    graph = build(read_live())
    mine = tuple(f"s{seed}-" for seed in seeds)
    doors = {(door.source.name, door.target.name) for door in graph.doors if door.open}
    groups = {door.source.name for door in graph.doors if door.source.kind == "group"}
    assert {door for door in doors if door[0].startswith(mine) and door[0] not in groups} == works
