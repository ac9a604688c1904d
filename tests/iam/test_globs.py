"""https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html"""

from __future__ import annotations

from fnmatch import fnmatchcase

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twokeys.iam import Glob

short = st.text("ab:", max_size=6)
patterns = st.lists(st.sampled_from(("a", "b", ":", "*", "?")), max_size=8).map("".join)


@given(patterns, short)
def test_a_glob_matches_what_the_shell_would_match(pattern: str, name: str):
    assert Glob(pattern).matches(name) is fnmatchcase(name, pattern)


def test_a_policy_variable_stands_for_any_text():
    glob = Glob("arn:aws:iam::222222222222:role/${aws:username}-x")
    assert glob.matches("arn:aws:iam::222222222222:role/anna-x")
    assert not glob.matches("arn:aws:iam::222222222222:role/anna-y")


@pytest.mark.parametrize(("pattern", "expected"), [
    ("arn:aws:iam::*:role/x", True),
    ("arn:aws:iam::????????????:role/x", True),
    ("arn:aws:iam::?????????????:role/x", False),
    ("arn:aws:iam::1111*:role/x", True),
    ("arn:aws:iam::111111111111:role/*", False),
    ("arn:aws:iam::account:stage:role/*", True),
    ("arn:aws:iam::account:prod:role/*", False),
])  # fmt: skip
def test_the_symbol_of_an_account_may_be_any_id(pattern: str, expected: bool):
    name = "arn:aws:iam::account:stage:role/x"
    assert Glob(pattern).matches(name) is expected


def test_a_glob_with_forty_stars_looks_at_each_part_of_a_name_once():
    """Backtracking would need more steps than the sun has years."""
    glob = Glob("arn:aws:iam::222222222222:role/" + "*a" * 40 + "b")
    assert not any(glob.matches(f"arn:aws:iam::222222222222:role/{'a' * 64}{number}") for number in range(10_000))


def test_a_glob_says_whether_it_can_match_several_names():
    assert [Glob(text).wild for text in ("a", "a?", "a*", "${aws:username}")] == [False, True, True, True]
    assert [Glob(text).everything for text in ("*", "**", "*a", "?")] == [True, True, False, False]
