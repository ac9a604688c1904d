"""Whether lines would be added twice: two files of a report that are two versions of the same month, or one of such.

AWS writes a report several times a month, and a new version repeats the lines of the one before it, under the same line
item and time interval: https://docs.aws.amazon.com/cur/latest/userguide/cur-versioning.html. Files of one version may
share a few of these (a line item's id is unique in its own partition only), but not most.
https://docs.aws.amazon.com/cur/latest/userguide/identity-columns.html

Of each file only the lines with the smallest digests are kept, so that memory does not grow with the report: of two
files that repeat each other, they are the same ones.
"""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from hashlib import blake2b

_KEPT = 1024


class Lines:
    """What is kept of the lines of one file."""

    def __init__(self) -> None:
        self._kept: dict[int, int] = {}
        self._largest_first: list[int] = []

    def add(self, identity: Sequence[str], whole: Sequence[str]) -> bool:
        """Take one line by what identifies it in a version of the report; whether the same one was taken before."""
        digest = int.from_bytes(blake2b("\0".join(identity).encode(), digest_size=8).digest())
        if digest in self._kept or digest >= self._end:
            return self._kept.get(digest) == hash(tuple(whole))
        self._kept[digest] = hash(tuple(whole))
        heapq.heappush(self._largest_first, -digest)
        if len(self._kept) > _KEPT:
            del self._kept[-heapq.heappop(self._largest_first)]
        return False

    def repeats(self, other: Lines) -> bool:
        """Whether most lines of the smaller one of the two files are in the other one too."""
        end = min(self._end, other._end)
        mine, theirs = ({digest for digest in each._kept if digest < end} for each in (self, other))
        return 2 * len(mine & theirs) > min(len(mine), len(theirs))

    @property
    def _end(self) -> float:
        """Below it every line is kept."""
        return -self._largest_first[0] if len(self._kept) == _KEPT else float("inf")
