"""Two stacks of plain programs on the CLI: a door between them is proved by the state that the configuration names."""

import json
from pathlib import Path

import pytest

from tests.access.world import CI, HUB, STAGE, document, grants, trusts
from tests.engine.conftest import Engine
from twokeys.sandbox.get_pulumi import find_pulumi
from twokeys.sandbox.pulumi_events import Ran, run

pytestmark = [pytest.mark.engine, pytest.mark.timeout(600)]
DEPLOYER = f"arn:aws:iam::{STAGE}:role/deployer"
PROGRAM = """
import pulumi_aws as aws

own = aws.Provider("own", region="us-east-1", allowed_account_ids=[{account!r}])
role = aws.iam.Role({name!r}, name={name!r}, assume_role_policy={trust!r}, opts={options})
"""
GRANT = 'aws.iam.RolePolicy("enter", name="enter", role=role.name, policy={policy!r}, opts={options})\n'
OPTIONS = "__import__('pulumi').ResourceOptions(provider=own)"


def test_the_state_of_the_other_stack_proves_the_grant(engine: Engine, tmp_path: Path, project_root: Path) -> None:
    pulumi = find_pulumi()
    assert pulumi is not None
    config = tmp_path / "config.json"
    config.write_text(json.dumps({"other-stacks": {"states": ["tools.json"]}}))

    def command(project: str, account: str, *arguments: str) -> Ran:
        environment = engine.environment | engine.aws.environment(account)
        return run(pulumi, [*arguments, "--stack", "dev"], tmp_path / project, environment)

    def write(project: str, program: str) -> None:
        folder = tmp_path / project
        folder.mkdir(exist_ok=True)
        (folder / "Pulumi.yaml").write_text(f"name: {project}\nruntime: python\n")
        (folder / "__main__.py").write_text(program)

    def state_of_tools(policy: str) -> None:
        values = {"account": HUB, "name": "ci", "trust": document(trusts(f"arn:aws:iam::{HUB}:root"))}
        write("tools", (PROGRAM + GRANT).format(**values, policy=policy, options=OPTIONS))
        done = command("tools", HUB, "up", "--yes", "--skip-preview")
        assert done.code == 0, done.errors
        exported = engine.pulumi("stack", "export", "--stack", "dev", folder=tmp_path / "tools")
        (tmp_path / "app" / "tools.json").write_text(exported.stdout)

    pack = ["--policy-pack", str(project_root / "policies"), "--policy-pack-config", str(config)]
    write("app", PROGRAM.format(account=STAGE, name="deployer", trust=document(trusts(CI)), options=OPTIONS))
    for project in ("tools", "app"):
        (tmp_path / project).mkdir(exist_ok=True)
        (tmp_path / project / "Pulumi.yaml").write_text(f"name: {project}\nruntime: python\n")
        assert engine.pulumi("stack", "init", "dev", folder=tmp_path / project).returncode == 0

    missing = command("app", STAGE, "preview", *pack)
    assert missing.code != 0
    assert any(rule == "every-rule-ran" and "tools.json" in text for rule, _, text in missing.violations)

    state_of_tools(document(grants(f"arn:aws:iam::{STAGE}:role/another")))
    for arguments in (("preview",), ("up", "--yes", "--skip-preview")):
        refused = command("app", STAGE, *arguments, *pack)
        assert refused.code != 0
        assert "door-needs-grant" in {rule for rule, _, _ in refused.violations}, refused.errors
    names = {one["RoleName"] for one in engine.aws.client("iam", STAGE).list_roles()["Roles"]}
    assert "deployer" not in names

    state_of_tools(document(grants(DEPLOYER)))
    shown = command("app", STAGE, "preview", *pack)
    assert (shown.code, {level for _, level, _ in shown.violations}) == (0, {"advisory"}), shown.violations
    assert any(rule == "other-stacks" and "tools.json as of" in text for rule, _, text in shown.violations)
    made = command("app", STAGE, "up", "--yes", "--skip-preview", *pack)
    assert made.code == 0, made.errors
