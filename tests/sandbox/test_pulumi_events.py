"""What one command of the CLI reported: https://github.com/pulumi/pulumi/blob/master/sdk/go/common/apitype/events.go"""

from __future__ import annotations

import json
from pathlib import Path

from twokeys.sandbox.pulumi_events import run

EVENTS = [
    {"sequence": 0, "diagnosticEvent": {"message": "<{%reset%}>no such config<{%reset%}>\n", "severity": "error"}},
    {
        "sequence": 1,
        "policyEvent": {
            "policyName": "door-needs-grant",
            "enforcementLevel": "mandatory",
            "message": "<{%fg 1%}>one key<{%reset%}>",
        },
    },
    {"sequence": 2, "summaryEvent": {"resourceChanges": {"create": 2, "same": 1}}},
]


def cli(folder: Path, *lines: str, code: int = 0) -> Path:
    (folder / "said").write_text("".join(f"{line}\n" for line in lines))
    path = folder / "pulumi"
    path.write_text(f'#!/bin/sh\ncat "{folder}/said"\necho oh >&2\nexit {code}\n')
    path.chmod(0o755)
    return path


def test_changes_violations_and_errors_are_read_from_the_events(tmp_path: Path) -> None:
    ran = run(
        cli(tmp_path, *(json.dumps(one, separators=(",", ":")) for one in EVENTS), code=255), ["up"], tmp_path, {}
    )
    assert ran.code == 255
    assert ran.changes == {"create": 2, "same": 1}
    assert ran.violations == [("door-needs-grant", "mandatory", "one key")]
    assert ran.errors == "no such config"


def test_a_run_that_ended_before_the_engine_began_says_what_the_cli_said(tmp_path: Path) -> None:
    ran = run(cli(tmp_path, "warning: old", code=1), ["up"], tmp_path, {})
    assert (ran.events, ran.changes) == ((), {})
    assert ran.errors.splitlines()[-1] == "oh"
