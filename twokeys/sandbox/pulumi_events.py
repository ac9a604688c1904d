"""One command of the pulumi CLI, and what its engine reported of it.

The CLI prints one event a line with `--json`: https://www.pulumi.com/docs/iac/automation-api/ and
https://github.com/pulumi/pulumi/blob/master/sdk/go/common/apitype/events.go
"""

import json
import re
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

_MARKS: Final = re.compile(r"<\{%.*?%\}>")
_STREAMING: Final = {"PULUMI_ENABLE_STREAMING_JSON_PREVIEW": "true"}
_LAST_LINES: Final = 20


@dataclass(frozen=True)
class Ran:
    """What came of one command; `said` is what else it printed, for people."""

    code: int
    events: tuple[Mapping[str, Any], ...]
    said: str

    @property
    def changes(self) -> dict[str, int]:
        """How many resources had each operation ("create", "same"); empty where the run did not come to its end."""
        summaries = [one["summaryEvent"] for one in self.events if "summaryEvent" in one]
        return dict(summaries[-1]["resourceChanges"]) if summaries else {}

    @property
    def violations(self) -> list[tuple[str, str, str]]:
        """(rule, level, message) of each violation, sorted."""
        found = [one["policyEvent"] for one in self.events if "policyEvent" in one]
        return sorted((one["policyName"], one["enforcementLevel"], _plain(one["message"])) for one in found)

    @property
    def errors(self) -> str:
        """Why it failed, as the engine, the program and the CLI said it; "" where none of them said anything."""
        told = [
            _plain(one["diagnosticEvent"]["message"])
            for one in self.events
            if one.get("diagnosticEvent", {}).get("severity") == "error"
        ]
        others = self.said.strip().splitlines()[-_LAST_LINES:]
        return "\n".join(told or others)


def run(pulumi: Path, arguments: Sequence[str], folder: Path, environment: Mapping[str, str]) -> Ran:
    """Run `pulumi ARGUMENTS --json` in a folder and wait for it."""
    done = subprocess.run(  # noqa: S603 - the CLI that the user installed
        [str(pulumi), *arguments, "--json"],
        cwd=folder,
        env={**environment, **_STREAMING},
        capture_output=True,
        text=True,
        check=False,
    )
    lines = done.stdout.splitlines()
    events = [json.loads(line) for line in lines if line.startswith('{"sequence"')]
    said = "\n".join(line for line in lines if not line.startswith('{"sequence"'))
    return Ran(done.returncode, tuple(events), f"{said}\n{done.stderr}")


def _plain(text: str) -> str:
    """Without the marks of colours."""
    return _MARKS.sub("", text).strip()
