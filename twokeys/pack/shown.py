"""Violations as a code host shows them: annotations of GitHub Actions, SARIF for its security tab, Markdown."""

import json
from collections.abc import Iterable, Sequence
from pathlib import PurePosixPath
from typing import Any, Final

from twokeys.pack.policies import BY_NAME
from twokeys.pack.violations import Violation
from twokeys.shown import markdown, printable

_SCHEMA: Final = "https://json.schemastore.org/sarif-2.1.0.json"
_SCORES: Final = {"low": "3.0", "medium": "5.0", "high": "8.0", "critical": "9.5"}
"""GitHub sorts by CVSS score: over 9.0 is critical, 7.0 high, 4.0 medium.

https://docs.github.com/en/code-security/code-scanning/integrating-with-code-scanning/sarif-support-for-code-scanning
"""


def in_annotations(found: Iterable[Violation], folder: str = "") -> list[str]:
    """Workflow commands, which GitHub shows at the line of the program.

    https://docs.github.com/en/actions/reference/workflow-commands-for-github-actions#setting-an-error-message
    """
    return [_annotation(one, folder) for one in found]


def in_sarif(found: Sequence[Violation], folder: str = "") -> str:
    """A SARIF 2.1.0 log; a violation without a file stands at Pulumi.yaml: GitHub asks for a file and a line.

    https://docs.github.com/en/code-security/code-scanning/integrating-with-code-scanning/sarif-support-for-code-scanning#physicallocation-object
    https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html
    """
    names = list(dict.fromkeys(one.policy for one in found))
    driver = {"name": "TwoKeys", "rules": [_rule(name, found) for name in names]}
    results = [_result(one, names.index(one.policy), folder) for one in found]
    return json.dumps(
        {"$schema": _SCHEMA, "version": "2.1.0", "runs": [{"tool": {"driver": driver}, "results": results}]}
    )


def in_markdown(found: Sequence[Violation]) -> str:
    """A list for a comment: what stops the change first, then advice."""
    if not found:
        return "Every door has two keys, and every rule holds.\n"
    parts = []
    for mandatory, title in ((True, "Refused"), (False, "Advice")):
        if listed := [one for one in found if one.mandatory is mandatory]:
            parts.append(f"### {title}\n\n" + "\n".join(map(_item, listed)) + "\n")
    return "\n".join(parts)


def _annotation(one: Violation, folder: str) -> str:
    place = [] if one.file is None else [f"file={_property(_path(one.file, folder))}"]
    place += [] if one.line is None else [f"line={one.line}"]
    command = "error" if one.mandatory else "warning"
    return f"::{command} {','.join([*place, f'title={_property(one.policy)}'])}::{_data(_sentence(one))}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def _rule(name: str, found: Sequence[Violation]) -> dict[str, Any]:
    policy = BY_NAME.get(name)
    severity = next(one.severity for one in found if one.policy == name)
    rule: dict[str, Any] = {"id": name, "properties": {"security-severity": _SCORES.get(severity, "5.0")}}
    if policy is not None:
        rule |= {"shortDescription": {"text": policy.description}, "helpUri": policy.url}
        rule["help"] = {"text": policy.remediation}
    return rule


def _result(one: Violation, index: int, folder: str) -> dict[str, Any]:
    artifact = {"artifactLocation": {"uri": _path(one.file or "Pulumi.yaml", folder)}}
    return {
        "ruleId": one.policy,
        "ruleIndex": index,
        "level": "error" if one.mandatory else "warning" if one.severity in ("high", "critical") else "note",
        "message": {"text": _sentence(one)},
        "locations": [{"physicalLocation": {**artifact, "region": {"startLine": one.line or 1}}}],
        "partialFingerprints": {"resource/v1": f"{one.policy}:{one.urn}"},
    }


def _item(one: Violation) -> str:
    """As an item of a list, with those within as far in as the lines of the message are."""
    first, *others = _lines(one)
    within = [f"  {line[: len(line) - len(line.lstrip())]}- {markdown(line.lstrip())}" for line in others]
    return "\n".join([f"- **{one.policy}**: {markdown(first)}", *within])


def _lines(one: Violation) -> list[str]:
    """The message without the policy's description, which a title or a rule already says."""
    first, _, rest = one.message.partition("\n")
    return [printable(line.rstrip()) for line in (rest or first).split("\n") if line.strip()]


def _sentence(one: Violation) -> str:
    return " ".join(map(str.strip, _lines(one)))


def _path(file: str, folder: str) -> str:
    return str(PurePosixPath(folder) / file) if folder else file
