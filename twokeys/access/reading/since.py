"""Since when a key is there, as far as whoever tells of it dates it: the one idea behind every `since`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Since:
    """It was not there before `first`, and at `last` it was; where these are one moment, since when is known exactly.

    Each is None where nothing tells: without `last` it may have come at any time after `first`. `changed` is then when
    it was last changed, of what AWS dates.
    """

    first: datetime | None = None
    last: datetime | None = None
    changed: datetime | None = None

    @property
    def exactly(self) -> datetime | None:
        """The moment, where it is known."""
        return self.first if self.first == self.last else None

    @classmethod
    def all_of(cls, each: Iterable[Since]) -> Since:
        """Since when all of several are there."""
        parts = list(each)
        lasts = [one.last for one in parts if one.last]
        return cls(
            first=max((one.first for one in parts if one.first), default=None),
            last=max(lasts) if lasts and len(lasts) == len(parts) else None,
            changed=max((one.changed for one in parts if one.changed), default=None),
        )


NOT_KNOWN = Since()
