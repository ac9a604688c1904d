"""The GitHub Action: its scripts run here as a runner runs them, with a `pulumi` that answers as the CLI does.

https://docs.github.com/en/actions/sharing-automations/creating-actions/metadata-syntax-for-github-actions
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.access.states import write_plan, write_state
from tests.access.world import two_keys
from tests.pack.test_violations import event

PULUMI = """#!/bin/sh
echo "$@" >> "$CALLS"
if [ "$1" = stack ]; then sed "s#pulumi:stage::#pulumi:$(basename "$4")::#g" state > "$6"; exit; fi
if [ -f plan ]; then for last; do :; done; sed "s/pulumi:stage::/pulumi:dev::/g" plan > "$last"; fi
if [ -n "$PULUMI_ENABLE_STREAMING_JSON_PREVIEW" ]; then cat "$EVENTS"; exit "$CODE"; fi
echo '{"steps": []}'
exit "$CODE"
"""
GH = """#!/bin/sh
echo "$@" >> "$CALLS"
case "$*" in *--paginate*) cat "$COMMENTS";; esac
"""


class Runner:
    def __init__(self, folder: Path, action: Path) -> None:
        self.folder = folder
        self.steps = yaml.safe_load(action.read_text())["runs"]["steps"]
        tools = folder / "tools"
        tools.mkdir()
        for name, script in (("pulumi", PULUMI), ("gh", GH)):
            (tools / name).write_text(script)
            (tools / name).chmod(0o755)
        self.environment = {
            "PATH": f"{tools}:{Path(sys.executable).parent}:/usr/bin:/bin",
            "RUNNER_TEMP": str(folder),
            "GITHUB_OUTPUT": str(folder / "output"),
            "GITHUB_STEP_SUMMARY": str(folder / "summary"),
            "CALLS": str(folder / "calls"),
            "EVENTS": str(folder / "events"),
            "COMMENTS": str(folder / "comments"),
            "STACK": "dev",
        }

    def run(self, step: int, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["/bin/bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", self.steps[step]["run"]],
            cwd=self.folder,
            env=self.environment | environment,
            capture_output=True,
            text=True,
            check=False,
        )

    @property
    def outputs(self) -> dict[str, str]:
        lines = (self.folder / "output").read_text().splitlines()
        return {name: value for name, _, value in (line.partition("=") for line in lines)}


@pytest.fixture
def runner(tmp_path: Path, project_root: Path) -> Runner:
    return Runner(tmp_path, project_root / "action.yml")


def test_a_refused_preview_is_annotated_reported_and_fails_the_job(runner: Runner) -> None:
    (runner.folder / "events").write_text(event("wildcard-trust", "mandatory", "Says who.\nEveryone may enter"))
    done = runner.run(0, PACK="", PACK_CONFIG="", FOLDER=".", WITH_STATE="false", CODE="255")
    assert done.returncode == 0, done.stderr
    assert "::error title=wildcard-trust::Everyone may enter" in done.stdout
    assert runner.outputs["code"] == "255"
    comment = Path(runner.outputs["comment"]).read_text()
    assert "Everyone may enter" in comment
    assert "Ways in are compared once the preview passes; until then `doors-changed`" in comment
    assert Path(runner.outputs["sarif"]).read_text().startswith('{"$schema"')
    assert "twokeys-policies" in (runner.folder / "calls").read_text()
    assert runner.run(2, CODE=runner.outputs["code"]).returncode == 255


def test_a_preview_in_order_passes(runner: Runner) -> None:
    (runner.folder / "events").write_text('{"summaryEvent": {}}\n')
    done = runner.run(0, PACK="policies", PACK_CONFIG="c.json", FOLDER="infra", WITH_STATE="false", CODE="0")
    assert done.returncode == 0, done.stderr
    assert "Every door has two keys" in (runner.folder / "summary").read_text()
    assert "--policy-pack policies --policy-pack-config c.json" in (runner.folder / "calls").read_text()
    assert runner.run(2, CODE=runner.outputs["code"]).returncode == 0


def test_the_comment_reads_the_other_stacks_and_says_the_changes_once(runner: Runner) -> None:
    write_state(runner.folder / "state", two_keys())
    write_plan(runner.folder / "plan", two_keys())
    events = [event("doors-changed", "advisory", "What changes.\n+ a -> b", severity="low")]
    events.append(event("other-stacks", "advisory", "None of their states is named.", severity="medium"))
    (runner.folder / "events").write_text("\n".join(events))
    done = runner.run(
        0, PACK="", PACK_CONFIG="", FOLDER=".", WITH_STATE="true", OTHER_STACKS="hub acme/x/prod", CODE="0"
    )
    assert done.returncode == 0, done.stderr
    comment = Path(runner.outputs["comment"]).read_text()
    assert all(name in comment for name in ("before.json", "hub.json", "acme-x-prod.json")), comment + done.stderr
    assert "doors-changed" not in comment
    assert "None of their states is named" not in comment
    assert "title=doors-changed::+ a -" in done.stdout


def test_without_a_state_every_way_of_the_plan_is_listed_and_the_comment_says_so(runner: Runner) -> None:
    write_plan(runner.folder / "plan", two_keys())
    (runner.folder / "events").write_text('{"summaryEvent": {}}\n')
    done = runner.run(0, PACK="", PACK_CONFIG="", FOLDER=".", WITH_STATE="false", CODE="0")
    assert done.returncode == 0, done.stderr
    comment = Path(runner.outputs["comment"]).read_text()
    assert "listed as gained: with `state: false` there is nothing to compare with" in comment
    assert "### Who can enter: 1 way gained" in comment, comment + done.stderr


@pytest.mark.skipif(not os.path.exists("/usr/bin/jq"), reason="GitHub's runners have jq, this machine has not")
@pytest.mark.parametrize(("comments", "call"), [
    ("", "--method POST repos/acme/app/issues/7/comments"),
    ('[5, "another"]\n[6, "<!-- twokeys: dev --> of before"]\n', "--method PATCH repos/acme/app/issues/comments/6"),
], ids=["first", "again"])  # fmt: skip
def test_a_pull_request_has_one_comment_for_a_stack(comments: str, call: str, runner: Runner) -> None:
    (runner.folder / "comments").write_text(comments)
    done = runner.run(1, REPOSITORY="acme/app", NUMBER="7", COMMENT="comment.md")
    assert done.returncode == 0, done.stderr
    assert call in (runner.folder / "calls").read_text()
