"""Every command of the CLI on a program of a user's own, with the aws plugin that the shell gives."""

import json
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

trust = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole",
         "Principal": {"Service": "ec2.amazonaws.com"}}]}
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
    assert command("up", "--yes", "--skip-preview").changes == {"create": 5}
    assert iam.get_role(RoleName="worker")["Role"]["RoleName"] == "worker"
    assert command("up", "--yes", "--skip-preview").changes == {"same": 5}
    assert "ciphertext" in plain("stack", "export", "--stack", "dev"), "what is secret is encrypted in the state"

    iam.delete_role(RoleName="worker")
    assert command("refresh", "--yes", "--skip-preview").changes["delete"] == 1
    assert command("up", "--yes", "--skip-preview").changes["create"] == 1

    iam.create_role(RoleName="older", AssumeRolePolicyDocument=TRUST)
    imported = ("import", "aws:iam/role:Role", "older", "older", "--yes", "--protect=false", "--generate-code=false")
    assert command(*imported, "--skip-preview").changes["import"] == 1
    suggested = run(pulumi, [*imported[:-1], "--stack", "dev"], tmp_path, clean_environment() | engine.variables)
    assert "has no schema" in suggested.said, "the code that import suggests is the schema's"
    assert command("destroy", "--yes", "--skip-preview").changes["delete"] == 6
    assert {role["RoleName"] for role in iam.list_roles()["Roles"]} & {"worker", "older"} == set()
