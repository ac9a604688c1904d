"""Every command of the CLI on a program of a user's own, with the aws plugin that the shell gives."""

import json
import shlex
import subprocess
from pathlib import Path

import pytest

from tests.engine.conftest import Engine
from twokeys.sandbox.get_pulumi import find_pulumi
from twokeys.sandbox.pulumi_box import clean_environment
from twokeys.sandbox.pulumi_events import Ran, run

pytestmark = [pytest.mark.engine, pytest.mark.timeout(600)]
PROGRAM = """
import json
import pulumi
import pulumi_aws as aws
from pulumi.dynamic import CreateResult, Resource, ResourceProvider

trust = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole",
         "Principal": {"Service": "ec2.amazonaws.com"}}]}


class Ours(ResourceProvider):
    def create(self, props):
        return CreateResult("ours", props)


class Thing(Resource):
    pass


Thing(Ours(), "ours", {"size": 1})
role = aws.iam.Role("worker", name="worker", assume_role_policy=json.dumps(trust))
key = aws.iam.AccessKey("key", user=aws.iam.User("robot", name="robot").name)
queue = aws.sqs.Queue("jobs", visibility_timeout_seconds=30)
pulumi.export("queue", queue.arn)
pulumi.export("secret", key.secret)
"""
TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "lambda.amazonaws.com"}}
        ],
    }
)


def test_up_refresh_import_and_destroy_do_what_they_do_on_aws(engine: Engine, tmp_path: Path) -> None:
    (tmp_path / "Pulumi.yaml").write_text("name: plain\nruntime: python\n")
    (tmp_path / "__main__.py").write_text(PROGRAM)
    pulumi = find_pulumi()
    assert pulumi is not None

    def command(*arguments: str) -> Ran:
        ran = run(pulumi, [*arguments, "--stack", "dev"], tmp_path, clean_environment() | engine.variables)
        assert ran.code == 0, ran.errors
        return ran

    def plain(*arguments: str) -> str:
        environment = clean_environment() | engine.variables
        done = subprocess.run(
            [str(pulumi), *arguments], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    iam = engine.aws.client("iam")
    plain("stack", "init", "dev")
    assert command("up", "--yes", "--skip-preview").changes == {"create": 6}
    assert iam.get_role(RoleName="worker")["Role"]["RoleName"] == "worker"
    assert command("up", "--yes", "--skip-preview").changes == {"same": 6}
    assert "ciphertext" in plain("stack", "export", "--stack", "dev"), "what is secret is encrypted in the state"

    iam.delete_role(RoleName="worker")
    assert command("refresh", "--yes", "--skip-preview").changes["delete"] == 1
    assert command("up", "--yes", "--skip-preview").changes["create"] == 1

    iam.create_role(RoleName="older", AssumeRolePolicyDocument=TRUST)
    imported = ("import", "aws:iam/role:Role", "older", "older", "--yes", "--protect=false", "--generate-code=false")
    assert command(*imported, "--skip-preview").changes["import"] == 1
    suggested = run(pulumi, [*imported[:-1], "--stack", "dev"], tmp_path, clean_environment() | engine.variables)
    assert "has no schema" in suggested.said, "the code that import suggests is the schema's"
    assert command("destroy", "--yes", "--skip-preview").changes["delete"] == 7
    assert {role["RoleName"] for role in iam.list_roles()["Roles"]} & {"worker", "older"} == set()


TO_COME = """
import json
import pulumi
import pulumi_aws as aws

trust = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole",
         "Principal": {"Service": "ec2.amazonaws.com"}}]}
hub = aws.Provider("hub", region="us-east-1", allowed_account_ids=["111111111111"])
at_hub = pulumi.ResourceOptions(provider=hub)
organization = aws.organizations.Organization("org", feature_set="ALL", opts=at_hub)
unit = aws.organizations.OrganizationalUnit("unit", parent_id=organization.roots[0].id, opts=at_hub)


class Landing(pulumi.ComponentResource):
    def __init__(self) -> None:
        super().__init__("acme:accounts:Landing", "landing")
        inside = pulumi.ResourceOptions(parent=self, provider=hub)
        self.account = aws.organizations.Account(
            "new", name="new", email="new@example.com", parent_id=unit.id, opts=inside
        )


def provider(name: str, account: aws.organizations.Account) -> aws.Provider:
    entry = account.id.apply(lambda id: f"arn:aws:iam::{id}:role/OrganizationAccountAccessRole")
    roles = [aws.ProviderAssumeRoleArgs(role_arn=entry)]
    return aws.Provider(name, region="us-east-1", assume_roles=roles, allowed_account_ids=[account.id])


new = provider("new", Landing().account)
inside = {"parent_id": unit.id, "opts": at_hub}
provider("other", aws.organizations.Account("other", name="other", email="other@example.com", **inside))
jobs = aws.sqs.Queue("jobs", name="jobs", opts=pulumi.ResourceOptions(provider=new))
ci = aws.iam.Role("ci", name="ci", assume_role_policy=json.dumps(trust), opts=at_hub)
sends = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sqs:SendMessage"}]}
policy = pulumi.Output.json_dumps({**sends, "Statement": [{**sends["Statement"][0], "Resource": jobs.arn}]})
aws.iam.RolePolicy("send", name="send", role=ci.name, policy=policy, opts=at_hub)
"""


def test_an_account_to_come_is_made_first_with_all_that_it_stands_on_by_the_command_that_preview_says(
    engine: Engine, tmp_path: Path, project_root: Path
) -> None:
    """The engine refuses a target that depends on another resource to make, or has one as its parent, or a provider."""
    (tmp_path / "Pulumi.yaml").write_text("name: tocome\nruntime: python\n")
    (tmp_path / "__main__.py").write_text(TO_COME)
    pack = f"--policy-pack={project_root / 'policies'}"
    assert engine.pulumi("stack", "init", "dev", folder=tmp_path).returncode == 0
    refused = engine.pulumi("preview", "--stack", "dev", pack, folder=tmp_path)
    said = " ".join(refused.stdout.split())
    assert "make the accounts first (`pulumi up" in said, refused.stdout + refused.stderr
    first = shlex.split(said.partition("make the accounts first (`pulumi ")[2].partition("`")[0])
    assert "--policy-pack" in first, "whoever copies it has the update judged, too"
    for command in (first, ["up", "-s", "dev", pack]):
        made = engine.pulumi(*command, "--yes", "--skip-preview", folder=tmp_path)
        assert made.returncode == 0, made.stdout + made.stderr
