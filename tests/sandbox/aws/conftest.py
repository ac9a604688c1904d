"""One local AWS for the session, and a fresh management account with its own organization for each test."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from twokeys.sandbox.aws.catalogue import resource_type
from twokeys.sandbox.aws.configuration import check_configuration
from twokeys.sandbox.aws.provider import AwsProvider, configured
from twokeys.sandbox.aws.resource_type import Diff
from twokeys.sandbox.local_aws import LocalAws

_accounts = itertools.count(500000000001)

ORGANIZATION = "aws:organizations/organization:Organization"
ACCOUNT = "aws:organizations/account:Account"
ACCESS_ROLE = "OrganizationAccountAccessRole"


def urn(type: str, name: str) -> str:
    return f"urn:pulumi:test::twokeys::{type}::{name}"


def trust(principal: str, **condition: dict[str, str]) -> str:
    statement: dict[str, Any] = {"Effect": "Allow", "Principal": {"AWS": principal}, "Action": "sts:AssumeRole"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement | condition]})


def grant(*resources: str) -> str:
    statement = {"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": list(resources)}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


@dataclass
class Driver:
    """Does with a provider what the engine does, one resource at a time."""

    environment: Mapping[str, str]
    provider: AwsProvider

    @property
    def account(self) -> str:
        return self.provider.aws.account

    def check(self, type: str, name: str, inputs: dict[str, Any], olds: dict[str, Any] | None = None) -> dict[str, Any]:
        return resource_type(type).check(urn(type, name), olds or {}, inputs, f"seed of {name}".encode())

    def up(self, type: str, name: str, /, **inputs: Any) -> tuple[str, dict[str, Any]]:
        return self.provider.create(type, urn(type, name), self.check(type, name, inputs))

    def diff(self, type: str, name: str, old: dict[str, Any], new: dict[str, Any]) -> Diff:
        checked = self.check(type, name, new, old)
        return resource_type(type).diff(urn(type, name), self.check(type, name, old), checked, ())

    def api(self, service: str) -> Any:
        """boto3 with the provider's own credentials: what an independent client sees."""
        return self.provider.aws.client(service)

    def member(self, account: str, **settings: Any) -> Driver:
        """A provider that works in a member account through its access role."""
        inputs = {
            "assumeRoles": [{"roleArn": f"arn:aws:iam::{account}:role/{ACCESS_ROLE}", "sessionName": "twokeys"}],
            "allowedAccountIds": [account],
            **settings,
        }
        return Driver(self.environment, configured(check_configuration(inputs), self.environment))


@pytest.fixture(scope="session")
def local_aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalAws]:
    with LocalAws.start(tmp_path_factory.mktemp("local-aws")) as running:
        yield running


@pytest.fixture
def fresh_account() -> str:
    return str(next(_accounts))


@pytest.fixture
def drive(local_aws: LocalAws) -> Iterator[Callable[..., Driver]]:
    """Make a driver as an account's root user; its connections end with the test."""
    made: list[Driver] = []

    def make(account: str, **inputs: Any) -> Driver:
        environment = local_aws.environment(account)
        made.append(Driver(environment, configured(inputs, environment)))
        return made[-1]

    yield make
    for driver in made:
        driver.provider.close()


@pytest.fixture
def management(drive: Callable[..., Driver], fresh_account: str) -> Driver:
    """An account without an organization yet."""
    return drive(fresh_account)


@dataclass
class Organized:
    """A management account whose organization exists; `root` is the id of the organization's root."""

    driver: Driver
    root: str

    def account(self, name: str, **inputs: Any) -> str:
        return self.driver.up(ACCOUNT, name, name=name, email=f"example+{name}@company.com", **inputs)[0]


@pytest.fixture
def organized(management: Driver) -> Organized:
    _, outputs = management.up(
        ORGANIZATION,
        "organization",
        enabledPolicyTypes=["SERVICE_CONTROL_POLICY"],
        awsServiceAccessPrincipals=["account.amazonaws.com"],
    )
    return Organized(management, outputs["roots"][0]["id"])


@pytest.fixture
def client_of(local_aws: LocalAws) -> Callable[..., Any]:
    """A boto3 client with given keys."""
    return local_aws.client
