"""https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html"""

from fnmatch import fnmatchcase
from itertools import product

import pytest

from twokeys.iam import Glob

PATTERNS = ["".join(each) for size in range(6) for each in product("ab*?", repeat=size)]
FEW_PATTERNS = [pattern for pattern in PATTERNS if len(pattern) < 5]
NAMES = ["".join(each) for size in range(7) for each in product("ab", repeat=size)]
MATCHED = {pattern: {name for name in NAMES if fnmatchcase(name, pattern)} for pattern in PATTERNS}


def test_a_glob_matches_what_the_shell_would_match():
    assert {pattern: {*filter(Glob(pattern).matches, NAMES)} for pattern in PATTERNS} == MATCHED


def test_a_glob_covers_another_only_if_it_matches_all_that_the_other_matches():
    globs = {pattern: Glob(pattern) for pattern in FEW_PATTERNS}
    for (one, glob), (other, covered) in product(globs.items(), repeat=2):
        if glob.covers(covered):
            assert MATCHED[one] >= MATCHED[other], (one, other)


@pytest.mark.parametrize(("one", "other", "expected"), [
    ("a*", "ab", True),
    ("a*", "a*b", True),
    ("a*", "a?", True),
    ("a*", "b*", False),
    ("a?", "a?", True),
    ("a?", "ab", False),  # does not tell
    ("a*b", "a${aws:username}b", True),
    ("arn:aws:iam::*:role/*", "arn:aws:iam::account:new:role/*", True),
    ("arn:aws:iam::2*:role/*", "arn:aws:iam::account:new:role/*", False),  # an id that nobody knows yet
    ("ab", "a${aws:username}", False),
    ("a${aws:username}", "ab", False),  # only where that is the name
    ("XX*", "${aws:username}", False),
    ("*XX", "${aws:username}", False),
])  # fmt: skip
def test_what_a_glob_covers(one: str, other: str, expected: bool):
    assert Glob(one).covers(Glob(other)) is expected


def test_globs_overlap_wherever_a_name_matches_both():
    globs = {pattern: Glob(pattern) for pattern in FEW_PATTERNS}
    for (one, glob), (other, met) in product(globs.items(), repeat=2):
        if MATCHED[one] & MATCHED[other]:
            assert glob.overlaps(met), (one, other)


@pytest.mark.parametrize(("one", "other"), [
    ("role/a", "role/b"), ("role/a*", "role/b*"), ("*-ab", "*-cb"), ("*xab", "*ab-"), ("ab?", "cb?"),
    ("role/?a", "role/?b"),
])  # fmt: skip
def test_globs_that_begin_or_end_otherwise_do_not_overlap(one: str, other: str):
    assert not Glob(one).overlaps(Glob(other))
    assert not Glob(other).overlaps(Glob(one))


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
    ("arn:aws:iam::${aws:PrincipalAccount}:role/x", True),
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
