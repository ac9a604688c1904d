"""How many shards are worked on at once."""

from __future__ import annotations

from twokeys.fleet.slots import MIB, PROVIDER_BYTES, shard_bytes, slots


def test_there_is_one_a_processor_where_the_memory_allows_it() -> None:
    assert slots(None, 4, 100_000 * MIB, 500 * MIB).count == 4


def test_memory_limits_what_was_asked_for_and_the_reason_is_told() -> None:
    limited = slots(16, 4, 2_000 * MIB, 500 * MIB)
    assert limited.count == 4
    assert limited.why == "2,000 MiB of memory, 500 MiB a shard"


def test_one_shard_is_worked_on_however_little_memory_there_is() -> None:
    assert slots(None, 4, 100 * MIB, 500 * MIB).count == 1


def test_each_account_of_a_shard_brings_a_provider_process() -> None:
    assert shard_bytes(10) - shard_bytes(9) == PROVIDER_BYTES
