"""Whether a file repeats another one's lines, or its own.

A new version of a month repeats the lines of the one before it, under other ids
(https://docs.aws.amazon.com/cur/latest/userguide/cur-versioning.html), so that lines are told by what they are for and
cost. Parts of one version may have some alike, but not most. Within one file a line's id is unique in its partition
(https://docs.aws.amazon.com/cur/latest/userguide/identity-columns.html): one that stands there twice is the same cost,
and lines that are alike but for it may be two costs, or two versions in one file.

Memory does not grow with the report. Of two files only the lines with the smallest digests are compared: if the files
repeat each other, they are the same ones. Of one file every line is, by digests in temporary files.
"""

import heapq
import tempfile
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, suppress
from decimal import Decimal
from itertools import combinations
from struct import Struct
from types import TracebackType
from typing import IO, Self

from twokeys.errors import Refusal

_KEPT = 1024
_PARTS = 64
_PART = 1 << 18
_RECORD = Struct("=qQI")


class Lines:
    """What is kept of the lines of one file; `told_by` are the columns that another version of the line has, too.

    Each line has its digest in one of several temporary files, of which one is held in memory at a time: of a hundred
    million lines about 8 GB there, and 300 MB here. Leaving the `with` ends that; what `repeated` compares stays.
    """

    def __init__(self, told_by: Sequence[int]) -> None:
        self._told_by = told_by
        self._kept: set[int] = set()
        self._largest_first: list[int] = []
        self._end: float = float("inf")  # below it every line is kept
        self._files = ExitStack()
        self._parts: list[IO[bytes]] = []

    def __enter__(self) -> Self:
        self._parts = [self._files.enter_context(tempfile.SpooledTemporaryFile(_PART)) for _ in range(_PARTS)]  # noqa: SIM115 - it is one
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        with suppress(OSError):  # what a full disk keeps from being written is read no more
            self._files.close()

    def add(self, line: Sequence[str], number: int, name: str, amount: Decimal) -> None:
        """Take a line without its id, with its number, its id or "" and what it costs.

        One that costs nothing is not compared with other files: all of them may have it, and it adds nothing.
        """
        whole, said = hash(tuple(line)), f"{name}\0{amount}".encode()
        _on_disk(self._parts[whole % _PARTS].write, _RECORD.pack(whole, number, len(said)) + said)
        digest = hash(tuple([line[column] for column in self._told_by]))
        if not amount or digest >= self._end or digest in self._kept:
            return
        self._kept.add(digest)
        heapq.heappush(self._largest_first, -digest)
        if len(self._kept) > _KEPT:
            self._kept.remove(-heapq.heappop(self._largest_first))
        if len(self._kept) == _KEPT:
            self._end = -self._largest_first[0]

    def again(self) -> Iterator[tuple[int, int, Decimal]]:
        """Of each line that says what one before it says: its number, that of one with the same id or 0, its cost."""
        for part in self._parts:
            _on_disk(part.seek, 0)
            records, place = part.read(), 0
            seen: dict[int, int] = {}
            named: dict[tuple[int, str], int] = {}  # of those lines only that are alike
            while place < len(records):
                whole, number, name, amount, following = _record(records, place)
                first = seen.setdefault(whole, place)
                if first != place:
                    _, its_number, its_name, *_ = _record(records, first)
                    named.setdefault((whole, its_name), its_number)
                    before = named.setdefault((whole, name), number)
                    yield number, before if name and before != number else 0, Decimal(amount)
                place = following


def repeated(files: Sequence[Lines]) -> tuple[int, int] | None:
    """Two files, by their places, of which most lines of the smaller one are in the other one, too."""
    kept = [sorted(each._kept) for each in files]
    having: dict[int, list[int]] = {}
    for place, digests in enumerate(kept):
        for digest in digests:
            having.setdefault(digest, []).append(place)
    common = Counter(pair for places in having.values() for pair in combinations(places, 2))

    def compared(one: int, other: int) -> int:
        end = min(files[one]._end, files[other]._end)
        return min(bisect_right(kept[one], end), bisect_right(kept[other], end))

    return next((pair for pair, count in common.items() if 2 * count > compared(*pair)), None)


def _on_disk(do: Callable[..., object], argument: object) -> None:
    """Do it with a temporary file. Refuses where there is no room for it."""
    try:
        do(argument)
    except OSError as error:
        raise Refusal(
            "the lines of the report cannot be compared",
            where=tempfile.tempdir or "the folder of temporary files",
            why=error.strerror or str(error),
            next_step="set TMPDIR to a folder with room: about 80 bytes for each line of the report",
        ) from error


def _record(records: bytes, place: int) -> tuple[int, int, str, str, int]:
    whole, number, length = _RECORD.unpack_from(records, place)
    following = place + _RECORD.size + length
    name, _, amount = records[place + _RECORD.size : following].decode().rpartition("\0")
    return whole, number, name, amount, following
