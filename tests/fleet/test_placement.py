"""Which shard an account is in: an account that has one never leaves it by itself."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twokeys.fleet.placement import Placement, place

ACCOUNTS = st.lists(st.sampled_from([f"a{number}" for number in range(60)]), unique=True)


def sizes_of(accounts: list[str]) -> dict[str, int]:
    return {account: 5 + sum(map(ord, account)) % 40 for account in accounts}


def home_of(placement: Placement) -> dict[str, int]:
    return {account: number for number, accounts in placement.shards.items() for account in accounts}


def test_accounts_fill_shards_up_to_the_capacity() -> None:
    placement = place({"a": 60, "b": 60, "c": 60, "d": 30}, {}, 150)
    assert placement.shards == {1: ("a", "b", "d"), 2: ("c",)}
    assert placement.placed == ("a", "b", "c", "d")


def test_an_account_that_is_larger_than_a_shard_has_one_of_its_own() -> None:
    assert place({"a": 400, "b": 10}, {}, 150).shards == {1: ("a",), 2: ("b",)}


def test_what_an_account_leaves_is_given_to_a_new_one() -> None:
    placement = place({"b": 60, "c": 60, "d": 60}, {1: ["a", "b"], 2: ["c"]}, 150)
    assert placement.shards == {1: ("b", "d"), 2: ("c",)}
    assert placement.removed == ("a",)


def test_a_shard_without_accounts_stays_for_its_stack_may_still_be_there() -> None:
    assert place({"b": 10}, {1: ["a"], 2: ["b"]}, 150).shards == {1: (), 2: ("b",)}


def test_a_shard_that_has_outgrown_its_capacity_is_told_and_left_alone() -> None:
    placement = place({"a": 100, "b": 100, "c": 10}, {1: ["a", "b"]}, 150)
    assert placement.shards == {1: ("a", "b"), 2: ("c",)}
    assert placement.overfull == {1: 200}


def test_an_account_in_two_shards_is_an_error() -> None:
    with pytest.raises(ValueError, match="a is in two shards, 1 and 2"):
        place({"a": 1}, {1: ["a"], 2: ["a"]})


@given(st.lists(ACCOUNTS, min_size=2, max_size=6))
def test_no_account_moves_whatever_is_added_and_removed(environments: list[list[str]]) -> None:
    placement = place(sizes_of(environments[0]), {}, 100)
    for accounts in environments[1:]:
        before = home_of(placement)
        placement = place(sizes_of(accounts), placement.shards, 100)
        after = home_of(placement)
        assert set(after) == set(accounts)
        assert all(after[account] == number for account, number in before.items() if account in after)
        assert set(placement.placed) == set(accounts) - set(before)


@given(ACCOUNTS)
def test_no_shard_is_filled_over_its_capacity(accounts: list[str]) -> None:
    sizes = sizes_of(accounts)
    placement = place(sizes, {}, 100)
    for members in placement.shards.values():
        assert len(members) == 1 or sum(sizes[account] for account in members) <= 100


@given(ACCOUNTS)
def test_a_second_placing_changes_nothing(accounts: list[str]) -> None:
    placement = place(sizes_of(accounts), {}, 100)
    again = place(sizes_of(accounts), placement.shards, 100)
    assert again.shards == placement.shards
    assert not again.placed


def test_a_thousand_accounts_make_no_more_shards_than_needed_and_one_more_changes_one_file() -> None:
    sizes = {f"account-{number}": 15 for number in range(1000)}
    placement = place(sizes, {}, 150)
    assert len(placement.shards) == 100
    more = place({**sizes, "new": 15}, placement.shards, 150)
    assert [number for number in more.shards if more.shards[number] != placement.shards.get(number)] == [101]
