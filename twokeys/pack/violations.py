"""What policies said in a preview, read from the CLI's events, for a code host to show.

PULUMI_ENABLE_STREAMING_JSON_PREVIEW=true pulumi preview --json > events.jsonl
pulumi preview --json > steps.json    # tells the line of the program that makes each resource
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from twokeys.errors import Refusal

_PROJECT: Final = "project:///"


@dataclass(frozen=True, slots=True)
class Violation:
    """One thing that a policy said, at `file` (below the project's folder) and `line`, where the engine tells them."""

    policy: str
    message: str
    mandatory: bool
    severity: str
    urn: str
    file: str | None = None
    line: int | None = None


def read_violations(events: Path, steps: Path | None = None) -> list[Violation]:
    """The violations in a preview's events, each once; `steps` is what the same preview says with `--json` alone.

    Raises:
        Refusal: a file cannot be read or is none of these.
    """
    places = _places(_json(steps)) if steps is not None else {}
    found = [_violation(event, places) for event in _events(events)]
    return list(dict.fromkeys(one for one in found if one is not None))


def _events(file: Path) -> Iterator[Mapping[str, Any]]:
    for line in _text(file).splitlines():
        if line.startswith("{"):  # the CLI's warnings may stand between
            try:
                event = json.loads(line)
            except ValueError as error:
                raise _refusal(file, str(error)) from error
            yield event


def _violation(event: Mapping[str, Any], places: Mapping[str, tuple[str, int | None]]) -> Violation | None:
    told = event.get("policyEvent")
    if not isinstance(told, Mapping):
        return None
    urn = str(told.get("resourceUrn", ""))
    file, line = places.get(urn, (None, None))
    return Violation(
        policy=str(told.get("policyName", "")),
        message=str(told.get("message", "")).strip(),
        mandatory=told.get("enforcementLevel") == "mandatory",
        severity=str(told.get("severity") or "medium"),
        urn=urn,
        file=file,
        line=line,
    )


def _places(document: object) -> dict[str, tuple[str, int | None]]:
    """Where the program makes each resource; a place outside the project's folder (a library) is none."""
    steps = document.get("steps") if isinstance(document, Mapping) else None
    places: dict[str, tuple[str, int | None]] = {}
    for step in steps if isinstance(steps, list) else []:
        state = step.get("newState") or {}
        position = str(state.get("sourcePosition") or "")
        file, _, line = position.removeprefix(_PROJECT).partition("#")
        if position.startswith(_PROJECT) and not file.startswith("..") and "site-packages" not in file:
            number = line.partition(",")[0]
            places[str(step.get("urn"))] = (file, int(number) if number.isdigit() else None)
    return places


def _json(file: Path) -> object:
    try:
        return json.loads(_text(file))
    except ValueError as error:
        raise _refusal(file, str(error)) from error


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise _refusal(file, str(error)) from error


def _refusal(file: Path, why: str) -> Refusal:
    return Refusal(
        "this is not what a preview printed",
        where=str(file),
        why=why,
        next_step="write it with `pulumi preview --json`",
    )
