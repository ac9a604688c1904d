"""The jobs of a CI system, one for each shard or for some of them. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from twokeys.project.environment import Shard

MOST_JOBS: Final = 256
"""Jobs in one matrix of GitHub Actions at most.

https://docs.github.com/en/actions/reference/limits
"""


def matrix_of(shards: Iterable[Shard], at_most: int = MOST_JOBS) -> dict[str, list[dict[str, object]]]:
    """A matrix as `fromJSON` of GitHub Actions takes it: `{"include": [{name, shards, arguments, accounts}]}`.

    `arguments` are for `twokeys fleet`: `--shard prod-001 --shard prod-002`. More shards than jobs are spread evenly in
    their order, so that a job's shards are next to each other.
    """
    listed = list(shards)
    jobs = min(len(listed), at_most)
    bounds = [round(index * len(listed) / jobs) for index in range(jobs + 1)] if jobs else []
    groups = [listed[start:end] for start, end in pairwise(bounds)]
    return {
        "include": [
            {
                "name": group[0].stack if len(group) == 1 else f"{group[0].stack} to {group[-1].stack}",
                "shards": [shard.stack for shard in group],
                "arguments": " ".join(f"--shard {shard.stack}" for shard in group),
                "accounts": sum(len(shard.accounts) for shard in group),
            }
            for group in groups
        ]
    }
