"""Whether a file repeats another one's lines, or its own.

A new version of a month repeats the lines of the one before it, under other ids
(https://docs.aws.amazon.com/cur/latest/userguide/cur-versioning.html), so that lines are told by what they are for and
cost. Parts of one version may have some alike, but not most. Within one file a line's id is unique in its partition
(https://docs.aws.amazon.com/cur/latest/userguide/identity-columns.html): one that stands there twice is the same cost,
and lines that are alike but for it may be two costs, or two versions in one file.

Memory does not grow with the report. Of two files only the lines with the smallest digests are compared: if the files
repeat each other, they are the same ones. Of one file every line is, by digests in temporary files.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from struct import Struct
from tempfile import SpooledTemporaryFile
from types import TracebackType
from typing import IO, Self

_KEPT = 1024
_PARTS = 64
_PART = 1 << 18
_RECORD = Struct("=qQI")


class Lines:
    """What is kept of the lines of one file; `told_by` are the columns that another version of the line has, too.

    Each line has its digest in one of several temporary files, of which one is held in memory at a time: of a hundred
    million lines about 8 GB there, and 300 MB here. Leaving the `with` ends that; what `repeats` compares stays.
    """

    def __init__(self, told_by: Sequence[int]) -> None:
        self._told_by = told_by
        self._kept: set[int] = set()
        self._largest_first: list[int] = []
        self._end: float = float("inf")  # below it every line is kept
        self._files = ExitStack()
        self._parts: list[IO[bytes]] = []

    def __enter__(self) -> Self:
        self._parts = [self._files.enter_context(SpooledTemporaryFile(_PART)) for _ in range(_PARTS)]  # noqa: SIM115 - it is one
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._files.close()

    def add(self, line: Sequence[str], number: int, name: str, amount: str) -> None:
        """Take a line without its id, with its number, its id or "" and what it costs."""
        whole, said = hash(tuple(line)), f"{name}\0{amount}".encode()
        self._parts[whole % _PARTS].write(_RECORD.pack(whole, number, len(said)) + said)
        digest = hash(tuple([line[column] for column in self._told_by]))
        if digest >= self._end or digest in self._kept:
            return
        self._kept.add(digest)
        heapq.heappush(self._largest_first, -digest)
        if len(self._kept) > _KEPT:
            self._kept.remove(-heapq.heappop(self._largest_first))
        if len(self._kept) == _KEPT:
            self._end = -self._largest_first[0]

    def again(self) -> Iterator[tuple[int, int, bool, str]]:
        """Of each line that says what one before it says: both numbers, whether by one id, and what it costs."""
        for part in self._parts:
            part.seek(0)
            records, place = part.read(), 0
            seen: dict[int, int] = {}
            while place < len(records):
                whole, number, name, amount, following = _record(records, place)
                before = seen.setdefault(whole, place)
                if before != place:
                    _, its_number, its_name, *_ = _record(records, before)
                    yield number, its_number, bool(name) and name == its_name, amount
                place = following

    def repeats(self, other: Lines) -> bool:
        """Whether most lines of the smaller one of the two files are in the other one too."""
        end = min(self._end, other._end)
        mine, theirs = ({digest for digest in each._kept if digest < end} for each in (self, other))
        return 2 * len(mine & theirs) > min(len(mine), len(theirs))


def _record(records: bytes, place: int) -> tuple[int, int, str, str, int]:
    whole, number, length = _RECORD.unpack_from(records, place)
    following = place + _RECORD.size + length
    name, _, amount = records[place + _RECORD.size : following].decode().rpartition("\0")
    return whole, number, name, amount, following
