"""The jobs of a CI system. https://docs.github.com/en/actions/reference/limits: a matrix has 256 jobs at most."""

from __future__ import annotations

from pathlib import Path

from twokeys.fleet.matrix import matrix_of
from twokeys.project.environment import Shard


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


def test_no_shards_make_an_empty_matrix() -> None:
    assert matrix_of([]) == {"include": []}
