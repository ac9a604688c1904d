"""Stack files as every reader of YAML has to read them.

https://yaml.org/spec/1.2.2/#321-representation-graph: the keys of a mapping are unique. What scalars mean was printed
by `pulumi config --json` 3.274.1 (tests/project/test_as_the_cli.py asks it again).
"""

import json
from typing import Any

import pytest
import yaml

from twokeys.project.stack_yaml import dumped, loaded


def test_what_is_written_is_read_again() -> None:
    value = {
        "accounts": {"000000000001": {"name": "on", "tags": {"a": "1e3", "b": "-1e3", "c": "2012-10-17"}}, "b": {}}
    }
    assert loaded(dumped(value)) == value


@pytest.mark.parametrize("text", ["a: 1\na: 2\n", "accounts:\n  stage: {}\n  stage: {name: Other}\n", "{a: 1, 'a': 2}"])
def test_a_key_that_stands_twice_is_an_error_that_names_it(text: str) -> None:
    with pytest.raises(yaml.YAMLError, match="stands twice in one mapping"):
        loaded(text)


def test_a_merged_mapping_may_be_overridden() -> None:
    assert loaded("a: &a {x: 1}\nb: {<<: *a, x: 2}\n") == {"a": {"x": 1}, "b": {"x": 2}}
    assert loaded("- &a {x: 1}\n- &b {x: 2, y: 3}\n- {<<: [*a, *b]}\n")[2] == {"x": 1, "y": 3}


MEANT: list[tuple[str, Any]] = [
    ("2012-10-17", "2012-10-17 00:00:00 +0000 UTC"),
    ("2012-1-7", "2012-01-07 00:00:00 +0000 UTC"),
    ("2012-10-17T10:11:12Z", "2012-10-17 10:11:12 +0000 UTC"),
    ("2012-10-17 10:11:12", "2012-10-17 10:11:12 +0000 UTC"),
    ("2012-10-17T10:11:12.5+02:00", "2012-10-17 10:11:12.5 +0200 +0200"),
    ("2012-13-17", "2012-13-17"),
    ("'2012-10-17'", "2012-10-17"),
    ("!!str 2012-10-17", "2012-10-17"),
    ("012345678901", 12345678901),
    ("111111111111", 111111111111),
    ("0777", 511),
    ("0o17", 15),
    ("0x1f", 31),
    ("0b11", 3),
    ("1_000", 1000),
    ("1:30", "1:30"),
    ("1.0", 1),
    ("1e3", 1000),
    (".5", 0.5),
    ("1.10", 1.1),
    ("-5", -5),
    ("+5", 5),
    ("123456789012345678901234567890", 1.2345678901234568e29),
    ("yes", "yes"),
    ("on", "on"),
    ("TRUE", True),
    ("~", None),
    ("", None),
    ("=", "="),
    ("!!binary aGk=", "hi"),
    ("{1: x, true: y}", {"1": "x", "true": "y"}),
    ("{2012-10-17: x}", {"2012-10-17 00:00:00 +0000 UTC": "x"}),
]


@pytest.mark.parametrize(("text", "meant"), MEANT)
def test_a_scalar_means_what_it_means_to_the_cli(text: str, meant: Any) -> None:
    found = loaded(f"a: {text}\n")["a"]
    assert (found, type(found)) == (meant, type(meant))


@pytest.mark.parametrize("text", [".nan", "-.inf", "!!int x", "!!python/object:os.system x", "!!set {a, b}"])
def test_what_no_program_can_be_given_is_an_error(text: str) -> None:
    with pytest.raises(yaml.YAMLError, match="line 1"):
        loaded(f"a: {text}\n")


def _bomb(levels: int) -> str:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, levels)]
    return "\n".join(lines)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (_bomb(9), "aliases stand for more than 100,000 values"),
        ("&a [*a]", "no &a ends before"),
        ("a: &a {b: *a}", "no &a ends before"),
        ("a: *b", "no &b ends before"),
        ("[" * 500 + "]" * 500, "deeper than 100 levels"),
        ("- " * 50_000 + "x", "deeper than 100 levels"),
        ("{a: " * 500 + "}" * 500, "deeper than 100 levels"),
    ],
)
def test_what_grows_without_end_is_an_error_and_not_a_wait(text: str, why: str) -> None:
    with pytest.raises(yaml.YAMLError, match=why):
        loaded(text)


def test_ordinary_aliases_are_what_they_stand_for() -> None:
    found = loaded("doors: &doors {a: {b: [1, 2]}}\nmore: *doors\n")
    assert json.dumps(found) == '{"doors": {"a": {"b": [1, 2]}}, "more": {"a": {"b": [1, 2]}}}'
