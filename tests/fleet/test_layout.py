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


@pytest.mark.parametrize(
    ("sizes", "recorded", "placement"),
    [
        ({"a": 60, "b": 60, "c": 60, "d": 30}, {}, Placement({1: ("a", "b", "d"), 2: ("c",)}, ("a", "b", "c", "d"))),
        # one that is larger than a shard has one of its own
        ({"a": 400, "b": 150}, {}, Placement({1: ("a",), 2: ("b",)}, ("a", "b"))),
        # what an account leaves is given to a new one
        ({"b": 60, "c": 60, "d": 60}, {1: ["a", "b"], 2: ["c"]}, Placement({1: ("b", "d"), 2: ("c",)}, ("d",), ("a",))),
        # the stack of a shard without accounts may still be there
        ({"b": 10}, {1: ["a"], 2: ["b"]}, Placement({1: (), 2: ("b",)}, (), ("a",))),
        # a shard that has outgrown its capacity is told and left alone
        (
            {"a": 100, "b": 100, "c": 10},
            {1: ["a", "b"]},
            Placement({1: ("a", "b"), 2: ("c",)}, ("c",), overfull={1: 200}),
        ),
    ],
)
def test_accounts_stay_where_they_are_and_new_ones_fill_shards_up_to_the_capacity(
    sizes: dict[str, int], recorded: dict[int, list[str]], placement: Placement
) -> None:
    assert place(sizes, recorded, 150) == placement


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


def shards(count: int) -> list[Shard]:
    return [Shard(f"prod-{number:03d}", Path("shards"), ("a", "b")) for number in range(1, count + 1)]


def test_more_shards_than_jobs_are_spread_evenly_and_none_is_lost() -> None:
    jobs = matrix_of(shards(1000))["include"]
    assert len(jobs) == 256
    told = [shard for job in jobs for shard in job["shards"]]  # type: ignore[attr-defined]
    assert told == [shard.stack for shard in shards(1000)]
    assert {len(job["shards"]) for job in jobs} == {3, 4}  # type: ignore[arg-type]
    assert jobs[0]["name"] == "prod-001 to prod-004"
    assert str(jobs[0]["arguments"]).startswith("--shard prod-001 --shard prod-002 ")


@pytest.mark.parametrize(
    ("wanted", "memory", "found"),
    [
        (None, 2_000, Slots(4, "4 processors")),
        (3, 2_000, Slots(3, "--parallel")),
        (16, 2_000, Slots(4, "2,000 MiB of memory, 500 MiB a shard")),
        (None, 1_999, Slots(3, "1,999 MiB of memory, 500 MiB a shard")),
        (None, 100, Slots(1, "100 MiB of memory, 500 MiB a shard")),
    ],
)
def test_there_is_one_a_processor_or_as_many_as_were_asked_for_where_the_memory_allows_it(
    wanted: int | None, memory: int, found: Slots
) -> None:
    assert slots(wanted, 4, memory * MIB, 500 * MIB) == found
    assert shard_bytes(1) == PULUMI_BYTES + 2 * PROVIDER_BYTES, "one for the account, one for the management account"
