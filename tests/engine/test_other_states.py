"""Two stacks of plain programs on the CLI: a door between them is proved by the state that the configuration names."""

import json
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.access.world import CI, HUB, STAGE, document, grants, trusts
from tests.engine.conftest import Engine
from twokeys.sandbox.get_pulumi import find_pulumi
from twokeys.sandbox.pulumi_events import Ran, run

pytestmark = [pytest.mark.engine, pytest.mark.timeout(600)]
ACCOUNTS = {"tools": HUB, "app": STAGE}
DEPLOYER = f"arn:aws:iam::{STAGE}:role/deployer"
PROGRAM = """
import pulumi_aws as aws

own = aws.Provider("own", region="us-east-1", allowed_account_ids=[{account!r}])
role = aws.iam.Role({name!r}, name={name!r}, assume_role_policy={trust!r}, opts={options})
"""
GRANT = 'aws.iam.RolePolicy("enter", name="enter", role=role.name, policy={policy!r}, opts={options})\n'
OPTIONS = "__import__('pulumi').ResourceOptions(provider=own)"


@dataclass(frozen=True)
class Stacks:
    """Two stacks, `tools` and `app`, each judged with the exported state of the other one."""

    engine: Engine
    folder: Path
    pack: Path

    def command(self, project: str, *arguments: str, **exceptions: object) -> Ran:
        other = next(one for one in ACCOUNTS if one != project)
        config = self.folder / "config.json"
        config.write_text(json.dumps({"other-stacks": {"states": [f"../{other}.json"]}, **exceptions}))
        environment = self.engine.environment | self.engine.aws.environment(ACCOUNTS[project])
        with_pack = [*arguments, "--stack", "dev", "--policy-pack", str(self.pack), "--policy-pack-config", str(config)]
        return run(find_pulumi() or "pulumi", with_pack, self.folder / project, environment)

    def refusals(self, project: str, *arguments: str, **exceptions: object) -> dict[str, str]:
        ran = self.command(project, *(arguments or ("preview",)), **exceptions)
        assert ran.code != 0
        return {rule: text for rule, level, text in ran.violations if level == "mandatory"}

    def update(self, project: str, **exceptions: object) -> Ran:
        made = self.command(project, "up", "--yes", "--skip-preview", **exceptions)
        assert made.code == 0, made.errors
        self.export(project)
        return made

    def export(self, project: str) -> None:
        exported = self.engine.pulumi("stack", "export", "--stack", "dev", folder=self.folder / project)
        (self.folder / f"{project}.json").write_text(exported.stdout)

    def init(self, project: str) -> None:
        (self.folder / project).mkdir()
        (self.folder / project / "Pulumi.yaml").write_text(f"name: {project}\nruntime: python\n")
        assert self.engine.pulumi("stack", "init", "dev", folder=self.folder / project).returncode == 0

    def tools(self, *granted: str) -> None:
        trust = document(trusts(f"arn:aws:iam::{HUB}:root"))
        given = GRANT.format(policy=document(grants(*granted)), options=OPTIONS) if granted else ""
        program = PROGRAM.format(account=HUB, name="ci", trust=trust, options=OPTIONS) + given
        (self.folder / "tools" / "__main__.py").write_text(program)

    def app(self, *trusted: str) -> None:
        program = PROGRAM.format(account=STAGE, name="deployer", trust=document(trusts(*trusted)), options=OPTIONS)
        (self.folder / "app" / "__main__.py").write_text(program)


def test_a_door_between_two_stacks_is_made_grant_first_and_closed_trust_first(
    engine: Engine, tmp_path: Path, project_root: Path
) -> None:
    """In the order that the refusals tell (docs/policies.md)."""
    stacks = Stacks(engine, tmp_path, project_root / "policies")
    for project in ACCOUNTS:
        stacks.init(project)

    stacks.app(CI)
    missing = stacks.command("app", "preview")
    assert missing.code != 0
    assert any(rule == "every-rule-ran" and "tools.json" in text for rule, _, text in missing.violations)

    stacks.export("app")  # nothing has been made of it so far
    stacks.tools()
    stacks.update("tools")
    for arguments in (("preview",), ("up", "--yes", "--skip-preview")):
        assert "which goes first" in stacks.refusals("app", *arguments)["door-needs-grant"]
    names = {one["RoleName"] for one in engine.aws.client("iam", STAGE).list_roles()["Roles"]}
    assert "deployer" not in names
    stacks.app(f"arn:aws:iam::{STAGE}:root")
    stacks.update("app")

    stacks.tools(DEPLOYER)
    text = stacks.refusals("tools")["door-needs-trust"]
    offered = json.JSONDecoder().raw_decode(text, text.index('{"door-needs-trust"'))[0]
    offered["door-needs-trust"]["exceptions"][0]["expires"] = "2099-12-31"
    stacks.update("tools", **offered)

    stacks.app(CI)
    shown = stacks.command("app", "preview")
    assert (shown.code, {level for _, level, _ in shown.violations}) == (0, {"advisory"}), shown.violations
    assert any(rule == "other-stacks" and "tools.json as of" in text for rule, _, text in shown.violations)
    assert any(rule == "doors-changed" and "\n+ role ci of" in text for rule, _, text in shown.violations)
    stacks.update("app")
    assert "is not used" in stacks.refusals("tools", **offered)["door-needs-trust"]
    assert stacks.command("tools", "preview").code == 0

    stacks.tools()
    assert "take that trust away first" in stacks.refusals("tools")["door-needs-grant"]
    stacks.app(f"arn:aws:iam::{STAGE}:root")
    left = stacks.update("app")
    assert any(level == "advisory" and "take that grant away" in text for _, level, text in left.violations)
    stacks.update("tools")
