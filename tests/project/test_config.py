"""Config as the CLI reads it: https://www.pulumi.com/docs/iac/concepts/config/ ."""

import json
import os
from pathlib import Path

import pytest

from twokeys.errors import Refusal
from twokeys.project.config import load_config, load_project
from twokeys.project.stacks import read_settings

PROJECT = """
name: proj
runtime: {name: python}
config:
  pulumi:disable-default-providers: {value: [aws]}
  region: {type: string, default: us-east-1}
  count: {type: integer}
  tree: {type: object, default: {}}
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "Pulumi.yaml").write_text(PROJECT)
    return tmp_path


def _refusal(root: Path, stack: str = "dev") -> Refusal:
    with pytest.raises(Refusal) as refused:
        load_config(load_project(root), stack)
    return refused.value


def test_values_reach_the_program_as_text_with_defaults_and_overrides(root: Path) -> None:
    (root / "Pulumi.dev.yaml").write_text("config:\n  count: 3\n  proj:flag: true\n  proj:tree: {b: [1, x], a: 2}\n")
    config = load_config(load_project(root), "dev", {"region": "eu-west-1"})
    assert config == {
        "pulumi:disable-default-providers": '["aws"]',
        "proj:region": "eu-west-1",
        "proj:count": "3",
        "proj:tree": '{"a":2,"b":[1,"x"]}',
        "proj:flag": "true",
    }


def test_an_override_of_an_object_is_read_as_one(root: Path) -> None:
    (root / "Pulumi.dev.yaml").write_text("config: {count: 3}")
    config = load_config(load_project(root), "dev", {"tree": "{a: [1]}", "count": "4", "proj:other": "{a: 1}"})
    assert [config[f"proj:{key}"] for key in ("tree", "count", "other")] == ['{"a":[1]}', "4", "{a: 1}"]
    for said in ("\U0001f680", r"a\ud83d\ude80"):  # RFC 8259, section 7: a surrogate pair is one character
        config = load_config(load_project(root), "dev", {"tree": json.dumps({"a": said}), "count": "4"})
        assert json.loads(config["proj:tree"]) == {"a": said}
    with pytest.raises(Refusal, match="proj:tree") as refused:
        load_config(load_project(root), "dev", {"tree": "plain"})
    assert "object" in refused.value.why


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("config: {}", "proj:count"),
        ("config: {count: [1]}", "proj:count"),
        ("config: {count: x}", "proj:count"),
        ("config: {count: 1, tree: text}", "proj:tree"),
        ("config: {count: 1, password: {secure: v1:abc}}", "proj:password"),
        ("config: {count: 1, logins: [{secure: v1:abc}]}", "proj:logins"),
        ("config: [", "Pulumi.dev.yaml"),
        ("cofnig: {count: 1}", "looks like one misspelt"),
        ("config:\n\tcount: 1\n", "it is no YAML: while scanning for the next token"),
        ("config:\n  text: a: b\n", "mapping values are not allowed in this context (line 2, column 10)"),
        ("config:\n  count: 1\n  count: 2\n", "the key 'count' stands twice"),
        ("config: [a]", "Pulumi.dev.yaml"),
        ("just text", "Pulumi.dev.yaml"),
        ("config: {count: 1}\n---\nconfig: {count: 2}\n", "Pulumi.dev.yaml"),
    ],
)
def test_a_wrong_stack_file_is_refused_by_name(root: Path, text: str, named: str) -> None:
    (root / "Pulumi.dev.yaml").write_text(text)
    refused = _refusal(root)
    assert named in str(refused)
    assert "Pulumi.dev.yaml" in refused.where


def test_a_value_of_the_wrong_type_is_refused_with_its_file_or_as_from_the_command_line(root: Path) -> None:
    (root / "Pulumi.dev.yaml").write_text("# the shop\nconfig:\n  proj:count: 1\n  tree: yes\n")
    assert _refusal(root).where == str(root / "Pulumi.dev.yaml")
    with pytest.raises(Refusal) as refused:
        load_config(load_project(root), "dev", {"count": "many", "tree": "{}"})
    assert refused.value.where == "--config"


def test_a_folder_without_a_project_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refusal, match=r"Pulumi\.yaml"):
        load_project(tmp_path)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("name: proj\nruntime: yaml\n", "its runtime is yaml"),
        ("runtime: python\n", "it has no name, or no runtime"),
        ("name: proj\n", "it has no name, or no runtime"),
    ],
)
def test_a_project_in_another_language_is_refused_for_that(root: Path, text: str, why: str) -> None:
    (root / "Pulumi.yaml").write_text(text)
    refused = _refusal(root)
    assert refused.what == "this is not a Pulumi project in Python"
    assert refused.why == why


def test_a_stack_without_a_file_is_refused_beside_others_and_so_is_a_name_that_leads_elsewhere(root: Path) -> None:
    assert load_config(load_project(root), "dev", {"count": "3"})["proj:count"] == "3"
    (root / "Pulumi.prod.yaml").write_text("config: {count: 3}")
    assert "no Pulumi.dev.yaml" in _refusal(root).what
    assert "as the name of a stack" in _refusal(root, "../dev").what


def test_what_is_no_file_is_refused_without_waiting_for_it(root: Path) -> None:
    os.mkfifo(root / "Pulumi.dev.yaml")
    assert "a file is needed" in _refusal(root).why
    (root / "Pulumi.folder.yaml").mkdir()
    assert "a file is needed" in _refusal(root, "folder").why
    (root / "Pulumi.loop.yaml").symlink_to("Pulumi.loop.yaml")
    assert "Pulumi.loop.yaml cannot be read" in _refusal(root, "loop").what
    (root / "Pulumi.bytes.yaml").write_bytes(b"config: {count: \xff}")
    assert "Pulumi.bytes.yaml cannot be read" in _refusal(root, "bytes").what


def test_config_that_no_variable_of_the_environment_holds_is_refused(root: Path) -> None:
    """https://man7.org/linux/man-pages/man2/execve.2.html: 32 pages of 4 KiB for one string at most."""
    accounts = "".join(f"    account-{number}: {{name: Account {number}}}\n" for number in range(4_000))
    (root / "Pulumi.dev.yaml").write_text(f"config:\n  count: 1\n  proj:accounts:\n{accounts}")
    refused = _refusal(root)
    assert "too large" in refused.what
    assert refused.where == "proj:accounts"
    assert load_config(load_project(root), "dev", for_program=False)["proj:accounts"]


@pytest.mark.parametrize("text", ["config: " + "[" * 3_000, "config: {a: &a [*a]}"])
def test_a_file_that_grows_without_end_is_refused(root: Path, text: str) -> None:
    (root / "Pulumi.dev.yaml").write_text(text)
    assert "Pulumi.dev.yaml cannot be read" in _refusal(root).what


def test_stack_files_are_found_where_the_project_says(tmp_path: Path) -> None:
    (tmp_path / "Pulumi.yaml").write_text("{name: proj, runtime: python, stackConfigDir: stacks}")
    (tmp_path / "stacks").mkdir()
    (tmp_path / "shards").mkdir()
    (tmp_path / "stacks/Pulumi.dev.yaml").write_text("config: {a: 1}")
    (tmp_path / "shards/Pulumi.prod-001.yaml").write_text("config: {a: 2}")
    project = load_project(tmp_path)
    assert load_config(project, "dev") == {"proj:a": "1"}
    assert load_config(project, "prod-001") == {"proj:a": "2"}
    assert project.stacks() == {
        "dev": tmp_path / "stacks/Pulumi.dev.yaml",
        "prod-001": tmp_path / "shards/Pulumi.prod-001.yaml",
    }


def test_a_policy_version_without_quotes_is_refused_as_the_cli_would_and_says_how_to_write_it(tmp_path: Path) -> None:
    """The CLI hands over "2012-10-17 00:00:00 +0000 UTC", which is no version of the policy language.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_version.html
    """
    (tmp_path / "Pulumi.yaml").write_text("{name: twokeys, runtime: python}")
    (tmp_path / "Pulumi.management.yaml").write_text(
        'config:\n  twokeys:managementAccountId: "111111111111"\n  twokeys:rootEmail: example@company.com\n'
        "  twokeys:organization:\n    serviceControlPolicies:\n      no-leaving:\n        targets: [root]\n"
        "        document: {Version: 2012-10-17, Statement: [{Effect: Deny, Action: '*', Resource: '*'}]}\n"
    )
    with pytest.raises(Refusal, match="write it in quotes"):
        read_settings(tmp_path, "management")
