"""Whether lines would be added twice: two files of a report that are two versions of the same month, or one of such.

AWS writes a report several times a month, and a new version repeats the lines of the one before it, under the same line
item and time interval: https://docs.aws.amazon.com/cur/latest/userguide/cur-versioning.html. Files of one version may
share a few of these (a line item's id is unique in its own partition only), but not most.
https://docs.aws.amazon.com/cur/latest/userguide/identity-columns.html

Memory does not grow with the report. Of two files only the lines with the smallest digests are compared: if the files
repeat each other, they are the same ones. Of one file every line is, by digests in temporary files.
"""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from contextlib import ExitStack
from hashlib import blake2b
from tempfile import SpooledTemporaryFile
from types import TracebackType
from typing import IO, Self

_KEPT = 1024
_PARTS = 64
_PART = 1 << 18
_DIGEST, _NUMBER = 16, 8


class Lines:
    """What is kept of the lines of one file; `told_by` are the columns that identify a line in a version of the report.

    Where these are `unique`, no line may stand twice: each has its digest in one of several temporary files, of which
    one is held in memory at a time. A hundred million lines are 2.4 GB there, and 300 MB here.
    """

    def __init__(self, told_by: Sequence[int], *, unique: bool) -> None:
        self._told_by, self._unique = told_by, unique
        self._kept: set[int] = set()
        self._largest_first: list[int] = []
        self._count = 0
        self._files = ExitStack()
        self._parts: list[IO[bytes]] = []

    def __enter__(self) -> Self:
        if self._unique:
            self._parts = [self._files.enter_context(SpooledTemporaryFile(_PART)) for _ in range(_PARTS)]  # noqa: SIM115 - it is one
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._files.close()

    def add(self, line: Sequence[str]) -> None:
        """Take the next line."""
        self._count += 1
        if self._unique:
            whole = _digest(line, _DIGEST)
            self._parts[whole[0] % _PARTS].write(whole + self._count.to_bytes(_NUMBER))
        if not self._told_by:
            return
        digest = int.from_bytes(_digest([line[column] for column in self._told_by], 8))
        if digest in self._kept or digest >= self._end:
            return
        self._kept.add(digest)
        heapq.heappush(self._largest_first, -digest)
        if len(self._kept) > _KEPT:
            self._kept.remove(-heapq.heappop(self._largest_first))

    def twice(self) -> tuple[int, int] | None:
        """The numbers of two lines that say the same, those of the first such pair; None where all differ."""
        return min(filter(None, map(_first, self._parts)), key=lambda pair: pair[1], default=None)

    def repeats(self, other: Lines) -> bool:
        """Whether most lines of the smaller one of the two files are in the other one too."""
        end = min(self._end, other._end)
        mine, theirs = ({digest for digest in each._kept if digest < end} for each in (self, other))
        return 2 * len(mine & theirs) > min(len(mine), len(theirs))

    @property
    def _end(self) -> float:
        """Below it every line is kept."""
        return -self._largest_first[0] if len(self._kept) == _KEPT else float("inf")


def _first(part: IO[bytes]) -> tuple[int, int] | None:
    part.seek(0)
    seen: dict[bytes, int] = {}
    while record := part.read(_DIGEST + _NUMBER):
        number = int.from_bytes(record[_DIGEST:])
        before = seen.setdefault(record[:_DIGEST], number)
        if before != number:
            return before, number
    return None


def _digest(texts: Sequence[str], size: int) -> bytes:
    return blake2b("\0".join(texts).encode(), digest_size=size).digest()
