"""What is wrong with a setting, as data."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Problem:
    """One setting that cannot stand: its key, its value, why, and the next step."""

    key: str
    value: object
    why: str
    next_step: str
