"""Whether a file repeats another one's lines, or its own.

A new version of a month repeats the lines of the one before it, under other ids
(https://docs.aws.amazon.com/cur/latest/userguide/cur-versioning.html), so that lines are told by what they are for and
cost. Parts of one version may have some alike, but not most. Within one file a line's id is unique in its partition
(https://docs.aws.amazon.com/cur/latest/userguide/identity-columns.html): one that stands there twice is the same cost,
and lines that are alike but for it may be two costs, or two versions in one file.

Memory does not grow with the report. Of two files only the lines with the smallest digests are compared: if the files
repeat each other, they are the same ones. Of one file every line is, by a temporary database.
"""

import heapq
import os
import sqlite3
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from decimal import Decimal
from itertools import combinations

from twokeys.errors import Refusal

_KEPT = 1024
_AT_ONCE = 4096
_CACHE_KIB = 1 << 16
_AGAIN = """
    SELECT number, CASE WHEN name != '' AND same < number THEN same ELSE 0 END, amount
    FROM (SELECT *, min(number) OVER (PARTITION BY whole) AS first,
                 min(number) OVER (PARTITION BY whole, name) AS same
          FROM line WHERE whole IN (SELECT whole FROM line GROUP BY whole HAVING count(*) > 1))
    WHERE number > first
"""


class Lines:
    """What is kept of the lines of one file; `told_by` are the columns that another version of the line has, too.

    Each line has its digest in a temporary database, which is on the disk once it is large: of a hundred million lines
    about 8 GB. `close` ends it; what `repeated` compares stays.
    """

    def __init__(self, told_by: Sequence[int]) -> None:
        self._told_by = told_by
        self._kept: set[int] = set()
        self._end: float = float("inf")  # below it every line is kept
        self._new: list[tuple[int, int, str, str]] = []
        self._database = sqlite3.connect("", isolation_level=None)  # https://sqlite.org/inmemorydb.html#temp_db
        self._database.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
        self._database.execute("PRAGMA journal_mode = OFF")
        self._database.execute("BEGIN")
        self._database.execute("CREATE TABLE line (whole INTEGER, number INTEGER, name TEXT, amount TEXT)")

    def add(self, line: Sequence[str], number: int, name: str, amount: Decimal) -> None:
        """Take a line without its id, with its number, its id or "" and what it costs.

        One that costs nothing is not compared with other files: all of them may have it, and it adds nothing.
        """
        self._new.append((hash(tuple(line)), number, name, str(amount)))
        if len(self._new) >= _AT_ONCE:
            self._write()
        digest = hash(tuple([line[column] for column in self._told_by]))
        if amount and digest < self._end:
            self._kept.add(digest)
            if len(self._kept) >= 2 * _KEPT:
                self._kept = set(heapq.nsmallest(_KEPT, self._kept))
                self._end = max(self._kept)

    def again(self) -> Iterator[tuple[int, int, Decimal]]:
        """Of each line that says what one before it says: its number, that of one with the same id or 0, its cost."""
        self._write()
        with _on_disk():
            for number, before, amount in self._database.execute(_AGAIN):
                yield number, before, Decimal(amount)

    def close(self) -> None:
        """End the temporary database."""
        self._database.close()

    def _write(self) -> None:
        with _on_disk():
            self._database.executemany("INSERT INTO line VALUES (?, ?, ?, ?)", self._new)
        self._new = []


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


@contextmanager
def _on_disk() -> Iterator[None]:
    """Refuses where there is no room for the temporary database."""
    try:
        yield
    except sqlite3.OperationalError as error:
        raise Refusal(
            "the lines of the report cannot be compared",
            where=os.environ.get("TMPDIR") or "the folder of temporary files",
            why=str(error),
            next_step="set TMPDIR to a folder with room: about 80 bytes for each line of the report",
        ) from error
