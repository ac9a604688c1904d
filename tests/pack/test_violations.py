"""What policies said in a preview, where a pull request shows it.

The events are those of `pulumi preview --json` with PULUMI_ENABLE_STREAMING_JSON_PREVIEW, of CLI 3.274.1.
"""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from twokeys.errors import Refusal
from twokeys.pack.commands import policies
from twokeys.pack.violations import read_violations

ROLE = "urn:pulumi:dev::app::aws:iam/role:Role::deployer"
STACK = "urn:pulumi:dev::app::pulumi:pulumi:Stack::s"


def event(policy: str, level: str, message: str, urn: str = ROLE, severity: str = "critical") -> str:
    told = {
        "resourceUrn": urn,
        "message": message,
        "policyName": policy,
        "policyPackName": "twokeys",
        "enforcementLevel": level,
        "severity": severity,
    }
    return json.dumps({"sequence": 1, "policyEvent": told})


@pytest.fixture
def events(tmp_path: Path) -> Path:
    file = tmp_path / "events.jsonl"
    refused = event("wildcard-trust", "mandatory", "Says who.\nRole d admits everyone: 100%, [x]\x1b[2J")
    advice = event("doors-changed", "advisory", "What changes.\n+ a -> b", STACK)
    file.write_text("\n".join(["warning: using a plugin", refused, refused, advice, '{"summaryEvent": {}}']))
    return file


@pytest.fixture
def steps(tmp_path: Path) -> Path:
    file = tmp_path / "steps.json"
    state = {"sourcePosition": "project:///roles.py#12,3"}
    library = {"sourcePosition": "project:///../lib/site-packages/x.py#1"}
    beside = {"sourcePosition": "project:///../shared/roles.py#1"}
    steps = [{"urn": ROLE, "newState": state}, {"urn": "urn:other", "newState": library}]
    steps.append({"urn": STACK, "newState": beside})
    file.write_text(json.dumps({"steps": steps}))
    return file


def run(*arguments: object) -> tuple[int, str]:
    result = CliRunner().invoke(policies, ["report", *map(str, arguments)], standalone_mode=False)
    if result.exception:
        raise result.exception
    return int(result.return_value), result.output


def test_an_annotation_stands_at_the_line_that_makes_the_resource(events: Path, steps: Path) -> None:
    code, said = run(events, "--steps", steps, "--folder", "infra", "--format", "annotations")
    first, second = said.splitlines()
    assert code == 1
    assert first == (
        "::error file=infra/roles.py,line=12,title=wildcard-trust::Role d admits everyone: 100%25, [x]\\x1b[2J"
    )
    assert second == "::warning title=doors-changed::+ a -> b"


def test_the_security_tab_gets_every_rule_once_and_a_file_for_every_result(events: Path, steps: Path) -> None:
    code, said = run(events, "--steps", steps, "--format", "sarif")
    (analysis,) = json.loads(said)["runs"]
    assert code == 1
    assert [rule["id"] for rule in analysis["tool"]["driver"]["rules"]] == ["wildcard-trust", "doors-changed"]
    places = [one["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] for one in analysis["results"]]
    assert [one["locations"][0]["physicalLocation"]["region"]["startLine"] for one in analysis["results"]] == [12, 1]
    assert places == ["roles.py", "Pulumi.yaml"]
    assert [one["level"] for one in analysis["results"]] == ["error", "warning"]
    events.write_text(event("doors-changed", "advisory", "What changes.\n- a -> b", severity="low"))
    (result,) = json.loads(run(events, "--format", "sarif")[1])["runs"][0]["results"]
    assert result["level"] == "note"


def test_a_comment_says_first_what_stops_the_change_and_obeys_no_markup(events: Path) -> None:
    code, said = run(events)
    assert code == 1
    assert said.index("### Refused") < said.index("### Advice")
    assert ", [x]" in said


def test_a_policy_that_is_left_out_is_not_shown_and_fails_nothing(events: Path) -> None:
    code, said = run(events, "--without", "wildcard-trust")
    assert (code, "### Refused" in said, "### Advice" in said) == (0, False, True)


def test_a_comment_gives_each_way_that_changes_a_line_with_its_sign(tmp_path: Path) -> None:
    """A `+` or `-` before a space begins a list: https://spec.commonmark.org/0.31.2/#bullet-list-marker"""
    ways = "What changes.\nWays in gained (+), lost (-):\n+ a -> b\n    for *\n- c -> d\nNext step: `up`"
    (tmp_path / "events.jsonl").write_text(event("doors-changed", "advisory", ways))
    item = ":\n  - \\+ a -> b\n      - for \\*\n  - \\- c -> d\n  - Next step: `"
    assert item in run(tmp_path / "events.jsonl")[1]


def test_a_preview_without_violations_says_so(tmp_path: Path) -> None:
    (tmp_path / "events.jsonl").write_text('{"summaryEvent": {}}\n')
    assert run(tmp_path / "events.jsonl") == (0, "Every door has two keys, and every rule holds.\n")


@pytest.mark.parametrize("text", ['{"policyEvent"', "{]"])
def test_a_file_that_is_no_preview_is_refused(text: str, tmp_path: Path) -> None:
    (tmp_path / "events.jsonl").write_text(text)
    with pytest.raises(Refusal, match="not what a preview printed"):
        read_violations(tmp_path / "events.jsonl")
