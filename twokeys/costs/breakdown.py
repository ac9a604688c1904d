"""What costs are broken down by, and the arithmetic of it: pure and exact.

Money is `Decimal` from the text that AWS sends to the text that we print; a result that would have to be rounded is an
error, never a rounded result. Credits, refunds, adjustments and taxes are kept apart from what was used.
"""

from __future__ import annotations

import decimal
import re
from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from twokeys.errors import nearest

ZERO = Decimal(0)

APART = ("credit", "refund", "adjustment", "tax")
"""Line item types that are no usage: https://docs.aws.amazon.com/cur/latest/userguide/Lineitem-columns.html
(`Credit`, `Refund`, `Tax`) and, of FOCUS, https://focus.finops.org/focus-specification/v1-2/ (Charge Category: an
`Adjustment` is neither usage nor a purchase). Discounts and fees belong to what they discount or are charged for."""

_KINDS = re.compile(
    r"usage|discountedusage|fee|rifee|.*discount|savingsplan(upfrontfee|recurringfee|coveredusage|negation)"
    r"|credit|refund|tax|purchase|adjustment"
)
"""Those that there are, of FOCUS (`ChargeCategory`) too, in small letters.

https://focus.finops.org/focus-specification/v1-2/ (Charge Category)
"""

_EXACT = decimal.Context(prec=100, traps=[decimal.Inexact, decimal.InvalidOperation])


@dataclass(frozen=True)
class Dimension:
    """One thing to break costs down by: an account, a service or the values of a tag key."""

    kind: str
    key: str = ""

    @staticmethod
    def parse(text: str) -> Dimension:
        """Read `account`, `service` or `tag:KEY`. Raises ValueError for anything else."""
        kind, colon, key = text.partition(":")
        if kind in ("account", "service") and not colon:
            return Dimension(kind)
        if kind == "tag" and key:
            return Dimension(kind, key)
        near = nearest(kind, ("account", "service", "tag:KEY"))
        raise ValueError(f"{text!r} is not account, service or tag:KEY" + (f" (did you mean {near}?)" if near else ""))

    def __str__(self) -> str:
        return f"{self.kind}:{self.key}" if self.key else self.kind


ACCOUNT, SERVICE = Dimension("account"), Dimension("service")


METRIC = "UnblendedCost"
"""What is summed: the same word in Cost Explorer and in the report's columns."""


@dataclass(frozen=True)
class Question:
    """What to read from a report: the breakdowns, the days [first, end), and one currency or whichever it has."""

    breakdowns: tuple[tuple[Dimension, ...], ...]
    first: date | None = None
    end: date | None = None
    currency: str | None = None

    @property
    def tags(self) -> tuple[str, ...]:
        """The tag keys that the breakdowns name, each once."""
        return tuple(dict.fromkeys(each.key for by in self.breakdowns for each in by if each.kind == "tag"))


@dataclass(frozen=True)
class Breakdown:
    """Amounts by the values of one or more dimensions; "" is a cost that has no account, no service or not that tag."""

    by: tuple[Dimension, ...]
    amounts: Mapping[tuple[str, ...], Decimal]

    @property
    def total(self) -> Decimal:
        """The sum of all amounts."""
        return add(self.amounts.values())

    def sorted(self) -> list[tuple[tuple[str, ...], Decimal]]:
        """The amounts, highest first, then by name."""
        return sorted(self.amounts.items(), key=lambda item: (-item[1], item[0]))


@dataclass(frozen=True)
class Costs:
    """A bill, broken down.

    `apart` holds what is in `APART` by (account, kind); it is in no breakdown, and not in `charges`. `first`
    and `end` are the first day and the day after the last, in UTC, of a report those on which its lines begin; None
    where no line says when. `payers` are the accounts that pay, and `files` those that were read, each with its sha256.
    """

    currency: str
    charges: Decimal
    breakdowns: tuple[Breakdown, ...]
    apart: Mapping[tuple[str, str], Decimal]
    names: Mapping[str, str]
    first: date | None = None
    end: date | None = None
    notes: tuple[str, ...] = ()
    metric: str = METRIC
    payers: tuple[str, ...] = ()
    files: tuple[tuple[str, str], ...] = ()

    @property
    def total(self) -> Decimal:
        """What is paid: charges, and what is apart."""
        return add([self.charges, *self.apart.values()])

    def breakdown(self, *by: Dimension) -> Breakdown:
        """The breakdown by these dimensions. Raises KeyError when nobody asked for it."""
        for each in self.breakdowns:
            if each.by == by:
                return each
        raise KeyError(by)

    def named(self, names: Mapping[str, str]) -> Costs:
        """The same bill with these names of accounts beside, and before, its own."""
        return replace(self, names={**self.names, **names})


def kind_of(line_item_type: str) -> str:
    """One of `APART`, or "" for a line that is part of what was used."""
    kind = line_item_type.lower()
    return kind if kind in APART else ""


def is_known(line_item_type: str) -> bool:
    """Whether it is a kind of line that is known; any other counts as part of what was used."""
    return _KINDS.fullmatch(line_item_type.lower()) is not None


def exactly() -> AbstractContextManager[decimal.Context]:
    """Within it, arithmetic that would have to round a result raises decimal.Inexact."""
    return decimal.localcontext(_EXACT)


def add(amounts: Iterable[Decimal]) -> Decimal:
    """The exact sum; decimal.Inexact when it needs more than a hundred digits."""
    with exactly():
        return sum(amounts, ZERO)


def break_down(
    by: tuple[Dimension, ...], cells: Mapping[tuple[str, ...], Decimal], columns: Mapping[Dimension, int]
) -> Breakdown:
    """Sum finer cells to a breakdown; `columns` says where in a cell's key the value of each dimension stands."""
    places = [columns[each] for each in by]
    amounts: dict[tuple[str, ...], Decimal] = {}
    with exactly():
        for key, amount in cells.items():
            values = tuple(key[place] for place in places)
            amounts[values] = amounts.get(values, ZERO) + amount
    return Breakdown(by, amounts)
