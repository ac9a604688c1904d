"""What is wrong with a setting, as data."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Problem:
    """One setting that cannot stand: its key, its value, why, and the next step."""

    key: str
    value: object
    why: str
    next_step: str


def listed_twice(key: str, listed: Sequence[str]) -> Iterator[Problem]:
    """A problem for each entry of a list that is there more than once."""
    for name, count in Counter(listed).items():
        if count > 1:
            yield Problem(key, name, "it is listed twice", "list it once")
