"""What the types say of a change, and of an API that refused."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Diff:
    """What changes: input properties that differ, those that need a new object, and whether the old one goes first."""

    changed: tuple[str, ...]
    replaces: tuple[str, ...] = ()
    delete_before_replace: bool = False


class ProviderError(Exception):
    """An API refused, or an object cannot be handled: one sentence, and further lines with causes and next steps."""

    def __init__(self, message: str, reasons: tuple[str, ...] = ()) -> None:
        self.message, self.reasons = message, reasons
        super().__init__("\n".join((message, *reasons)))
