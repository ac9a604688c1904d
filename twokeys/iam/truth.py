"""The sentinels and truth values that evaluation computes with: a value may be there, unresolved, or free."""

from collections.abc import Callable
from enum import Enum
from typing import Final, TypeAlias


class Unknown(Enum):
    """The type of `UNKNOWN`: a value that exists but is not resolved yet, as in the preview of a new account."""

    UNKNOWN = "unknown"

    __hash__ = object.__hash__  # each is one object; Enum's own hash is Python code, run at each look-up

    def __repr__(self) -> str:
        return "UNKNOWN"


class Free(Enum):
    """The type of `FREE`: a condition key of which nothing is said, so it can be absent or hold any value."""

    FREE = "free"


UNKNOWN: Final = Unknown.UNKNOWN
FREE: Final = Free.FREE


class Truth(Enum):
    """What is known of a statement's match: false, true, hanging on an unresolved value, or on a free key."""

    FALSE = "false"
    TRUE = "true"
    UNKNOWN = "unknown"
    FREE = "free"

    __hash__ = object.__hash__


TRUE: Final = Truth.TRUE
FALSE: Final = Truth.FALSE
"""Python 3.11 looks a member up in its Enum ten times slower than a name of a module."""

_TRUE_FIRST = (TRUE, Truth.UNKNOWN, Truth.FREE)
_FALSE_FIRST = (FALSE, Truth.UNKNOWN, Truth.FREE)

Values: TypeAlias = tuple[str, ...] | Unknown | Free
"""What a request says of one condition key; the empty tuple is an absent key."""

Lookup: TypeAlias = Callable[[str], Values]
"""Gives the values of a condition key; the key is in lower case."""


def absent(_key: str) -> Values:
    """The lookup of a request that has no condition key at all."""
    return ()


def truth(value: bool) -> Truth:
    """The truth value of a settled question."""
    return TRUE if value else FALSE


def negate(value: Truth) -> Truth:
    """Not; what is unknown or free stays so."""
    if value is TRUE:
        return FALSE
    if value is FALSE:
        return TRUE
    return value


def any_of(values: list[Truth]) -> Truth:
    """Or: a certain true settles it; otherwise unknown weighs more than free, free more than false."""
    for settled in _TRUE_FIRST:
        if settled in values:
            return settled
    return FALSE


def all_of(values: list[Truth]) -> Truth:
    """And: a certain false settles it; otherwise unknown weighs more than free, free more than true."""
    for settled in _FALSE_FIRST:
        if settled in values:
            return settled
    return TRUE
