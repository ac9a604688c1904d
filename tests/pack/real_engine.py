"""A program with the pack on the pulumi CLI, against a local AWS of its own."""

import json
import os
import subprocess
import urllib.request
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest

from twokeys.access_role import ACCESS_ROLE
from twokeys.sandbox.get_pulumi import find_pulumi
from twokeys.sandbox.local_aws import LocalAws
from twokeys.sandbox.pulumi_box import place_plugins

HUB, STAGE, PROD = "1" * 12, "2" * 12, "3" * 12


@dataclass(frozen=True)
class Ran:
    """What one command said."""

    code: int
    text: str


class Accounts:
    """The three accounts of a program on a local AWS."""

    def __init__(self, aws: LocalAws) -> None:
        self.aws = aws

    def client(self, service: str, account: str) -> Any:
        """AWS as the root of an account sees it."""
        return self.aws.client(service, account)

    def renew(self) -> None:
        """Forget all that was made, and make them anew."""
        asked = urllib.request.Request(f"{self.aws.endpoint}/_ministack/reset", method="POST")
        urllib.request.urlopen(asked).close()
        self.make_access_roles()

    def make_access_roles(self) -> None:
        """AWS makes this role in each member account."""
        self.client("organizations", HUB).create_organization(FeatureSet="ALL")
        for account in (STAGE, PROD):
            iam = self.client("iam", account)
            statement = {
                "Effect": "Allow",
                "Principal": {"AWS": f"arn:aws:iam::{HUB}:root"},
                "Action": "sts:AssumeRole",
            }
            iam.create_role(RoleName=ACCESS_ROLE, AssumeRolePolicyDocument=_text(statement))
            everything = {"Effect": "Allow", "Action": "*", "Resource": "*"}
            iam.put_role_policy(RoleName=ACCESS_ROLE, PolicyName="all", PolicyDocument=_text(everything))

    def role_names(self, account: str) -> set[str]:
        """The roles of an account."""
        return {role["RoleName"] for role in self.client("iam", account).list_roles()["Roles"]}

    def keys_in_iam(self) -> set[str]:
        """Every trust in somebody outside the role's account and every grant of sts:AssumeRole, as IAM lists them.

        The account that a program makes is `new` in it.
        """
        listed = self.client("organizations", HUB).list_accounts()["Accounts"]
        made = [one["Id"] for one in listed if one["Name"] == "new"]
        keys = {key for account in (HUB, STAGE, PROD, *made) for key in self._keys_in(account)}
        return {key.replace(made[0], "new") for key in keys} if made else keys

    def _keys_in(self, account: str) -> Iterator[str]:
        iam = self.client("iam", account)
        for role in iam.list_roles()["Roles"]:
            if role["RoleName"] == ACCESS_ROLE:
                continue
            for statement in _statements(role["AssumeRolePolicyDocument"]):
                for name in _names(statement.get("Principal", statement.get("NotPrincipal", {}))):
                    if name == "*" or f":{account}:" not in name:
                        yield f"{name} may assume {role['RoleName']}"
            for policy in iam.list_role_policies(RoleName=role["RoleName"])["PolicyNames"]:
                found = iam.get_role_policy(RoleName=role["RoleName"], PolicyName=policy)["PolicyDocument"]
                yield from _grants(f"role {role['RoleName']}", found)
        for policy in iam.list_policies(Scope="Local")["Policies"]:
            version = iam.get_policy_version(PolicyArn=policy["Arn"], VersionId=policy["DefaultVersionId"])
            yield from _grants(f"policy {policy['PolicyName']}", version["PolicyVersion"]["Document"])
        for kind in ("user", "group"):
            for one in getattr(iam, f"list_{kind}s")()[f"{kind.title()}s"]:
                who = {f"{kind.title()}Name": one[f"{kind.title()}Name"]}
                for policy in getattr(iam, f"list_{kind}_policies")(**who)["PolicyNames"]:
                    found = getattr(iam, f"get_{kind}_policy")(**who, PolicyName=policy)["PolicyDocument"]
                    yield from _grants(f"{kind} {one[f'{kind.title()}Name']}", found)


class RealEngine(Accounts):
    """One stack of one program, on a backend in a folder."""

    def __init__(self, folder: Path, program: Path, aws: LocalAws, path: str) -> None:
        super().__init__(aws)
        self.folder = folder
        self._program = program
        self._path = _tools(folder, path)

    def run(self, *arguments: str, program: str, step: int = 1, pack: Path | None = None, stack: str = "dev") -> Ran:
        """One command of the CLI; `step` tells the program which run of it this is."""
        pack_options = ["--policy-pack", str(pack)] if pack else []
        yes = ["--yes"] if arguments[0] in ("up", "destroy", "refresh") else []
        done = subprocess.run(
            ["pulumi", *arguments, *yes, *pack_options, "--color", "never", "--stack", stack],
            cwd=self._program,
            env=self.environment | {"PROGRAM": program, "STEP": str(step)},
            capture_output=True,
            text=True,
            timeout=180,
            check=False,
        )
        return Ran(done.returncode, done.stdout + done.stderr)

    @property
    def environment(self) -> dict[str, str]:
        """What the CLI finds: its backend, its plugins and the local AWS."""
        return {
            "PATH": self._path,
            "HOME": str(self.folder),
            "PYTHONPATH": str(Path(__file__).resolve().parents[2]),
            "PYTHONDONTWRITEBYTECODE": "1",
            "PULUMI_HOME": str(self.folder / "pulumi"),
            "PULUMI_BACKEND_URL": f"file://{self.folder}",
            "PULUMI_CONFIG_PASSPHRASE": "",
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
            **self.aws.environment(HUB),
        }


def _tools(folder: Path, path: str) -> str:
    """PATH for the CLI: our language host and aws plugin before it, for where the vendor's are not installed."""
    pulumi = find_pulumi(path)
    if pulumi is None:
        pytest.fail("this test needs the pulumi CLI: `scripts/engine` gets it")
    tools = folder / "tools"
    tools.mkdir()
    place_plugins(tools, pulumi, path)
    return f"{tools}:{pulumi.parent}:{path}"


def _text(statement: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def _statements(document: Any) -> Sequence[dict[str, Any]]:
    known = json.loads(unquote(document)) if isinstance(document, str) else document
    listed = known["Statement"]
    return listed if isinstance(listed, list) else [listed]


def _names(principal: Any) -> Iterator[str]:
    kinds = principal if isinstance(principal, dict) else {"AWS": principal}
    for kind, names in kinds.items():
        if kind != "Service":
            yield from [names] if isinstance(names, str) else names


def _grants(whose: str, document: Any) -> Iterator[str]:
    for statement in _statements(document):
        actions = statement.get("Action", [])
        listed = [actions] if isinstance(actions, str) else actions
        if statement["Effect"] == "Allow" and any(one.lower().startswith("sts:") or one == "*" for one in listed):
            resources = statement["Resource"]
            for resource in [resources] if isinstance(resources, str) else resources:
                yield f"{whose} may assume {resource}"


PATH = os.environ.get("PATH", "")
"""As it was before a test's fixtures changed the environment."""
