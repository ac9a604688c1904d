"""What is planned without an engine: which shard an account is in, how many are worked on at once, the jobs of a CI.

https://docs.github.com/en/actions/reference/limits: a matrix has 256 jobs at most.
"""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twokeys.fleet.layout import (
    MIB,
    PROVIDER_BYTES,
    PULUMI_BYTES,
    Placement,
    Slots,
    matrix_of,
    place,
    shard_bytes,
    slots,
)
from twokeys.project.environment import Shard

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
    assert place({"a": 400, "b": 150}, {}, 150) == Placement({1: ("a",), 2: ("b",)}, ("a", "b"))


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


def shards(count: int) -> list[Shard]:
    return [Shard(f"prod-{number:03d}", Path("shards"), ("a", "b")) for number in range(1, count + 1)]


def test_each_shard_is_a_job_with_the_arguments_of_its_command() -> None:
    assert matrix_of(shards(2)) == {
        "include": [
            {"name": "prod-001", "shards": ["prod-001"], "arguments": "--shard prod-001", "accounts": 2},
            {"name": "prod-002", "shards": ["prod-002"], "arguments": "--shard prod-002", "accounts": 2},
        ]
    }


def test_more_shards_than_jobs_are_spread_evenly_and_none_is_lost() -> None:
    jobs = matrix_of(shards(1000))["include"]
    assert len(jobs) == 256
    told = [shard for job in jobs for shard in job["shards"]]  # type: ignore[attr-defined]
    assert told == [shard.stack for shard in shards(1000)]
    assert {len(job["shards"]) for job in jobs} == {3, 4}  # type: ignore[arg-type]
    assert jobs[0]["name"] == "prod-001 to prod-004"
    assert str(jobs[0]["arguments"]).startswith("--shard prod-001 --shard prod-002 ")


def test_no_shards_make_an_empty_matrix() -> None:
    assert matrix_of([]) == {"include": []}


def test_there_is_one_a_processor_where_the_memory_allows_it() -> None:
    assert slots(None, 4, 2_000 * MIB, 500 * MIB) == Slots(4, "4 processors")
    assert slots(3, 4, 2_000 * MIB, 500 * MIB) == Slots(3, "--parallel")


def test_memory_limits_what_was_asked_for_and_the_reason_is_told() -> None:
    limited = slots(16, 4, 2_000 * MIB, 500 * MIB)
    assert limited.count == 4
    assert limited.why == "2,000 MiB of memory, 500 MiB a shard"


def test_one_shard_is_worked_on_however_little_memory_there_is() -> None:
    assert slots(None, 4, 100 * MIB, 500 * MIB).count == 1


def test_each_account_of_a_shard_brings_a_provider_process() -> None:
    assert shard_bytes(1) == PULUMI_BYTES + 2 * PROVIDER_BYTES, "and the management account"
