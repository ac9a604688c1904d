"""Stack files as every reader of YAML has to read them.

https://yaml.org/spec/1.2.2/#321-representation-graph: the keys of a mapping are unique.
"""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from twokeys.errors import Refusal
from twokeys.sandbox.project import load_config, load_project
from twokeys.stack_yaml import dumped, loaded


def test_what_is_written_is_read_again() -> None:
    value = {"accounts": {"000000000001": {"name": "on", "tags": {"a": "1e3"}}, "b": {}}}
    assert loaded(dumped(value)) == value


@pytest.mark.parametrize("text", ["a: 1\na: 2\n", "accounts:\n  stage: {}\n  stage: {name: Other}\n", "{a: 1, 'a': 2}"])
def test_a_key_that_stands_twice_is_an_error_that_names_it(text: str) -> None:
    with pytest.raises(yaml.YAMLError, match="stands twice in one mapping"):
        loaded(text)


def test_a_merged_mapping_may_be_overridden() -> None:
    assert loaded("a: &a {x: 1}\nb: {<<: *a, x: 2}\n") == {"a": {"x": 1}, "b": {"x": 2}}


def test_a_stack_file_with_an_account_twice_is_refused_before_one_is_lost(tmp_path: Path) -> None:
    (tmp_path / "Pulumi.yaml").write_text("name: twokeys\nruntime: python\n")
    (tmp_path / "Pulumi.stage.yaml").write_text(
        "config:\n  twokeys:accounts:\n    shop: {}\n    bank: {}\n    shop: {name: Shop}\n"
    )
    with pytest.raises(Refusal, match="the key 'shop' stands twice") as refused:
        load_config(load_project(tmp_path), "stage", {})
    assert "line 5" in refused.value.why
