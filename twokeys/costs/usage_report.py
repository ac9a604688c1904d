"""Reading an exported Cost and Usage Report as a stream: legacy CUR, CUR 2.0, or FOCUS 1.0 to 1.2 from Data Exports.

Columns: https://docs.aws.amazon.com/cur/latest/userguide/Lineitem-columns.html (legacy, `lineItem/UnblendedCost`) and
https://docs.aws.amazon.com/cur/latest/userguide/table-dictionary-cur2-line-item.html (CUR 2.0, and legacy reports as
Parquet, `line_item_unblended_cost`) and https://docs.aws.amazon.com/cur/latest/userguide/table-dictionary-focus-1-0-aws.html
(FOCUS, `BilledCost`). Memory grows with the number of different (account, service, tag values), not with the number of
lines.
"""

from __future__ import annotations

import csv
import decimal
import functools
import gzip
import io
import json
import re
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from itertools import chain
from typing import Any

from twokeys.costs.breakdown import (
    ACCOUNT,
    METRIC,
    SERVICE,
    ZERO,
    Costs,
    Dimension,
    Question,
    add,
    break_down,
    exactly,
    is_known,
    kind_of,
)
from twokeys.costs.overlap import ReportFile, Spans, refuse_what_is_in_two, widen
from twokeys.costs.versions import Lines
from twokeys.errors import Refusal, nearest
from twokeys.shown import counted, joined

Row = Sequence[str]


@dataclass
class Ledger:
    """The sums of one or more report files, as they are read.

    `cells` is keyed by (line item type, account, product code, payer, and for each of `question.tags` two values: of
    the key as it is asked for, and of one that is spelled alike).
    `manifests` has the manifest that named a file, by the file's name.
    """

    question: Question
    manifests: dict[str, str] = field(default_factory=dict)
    cells: dict[tuple[str, ...], Decimal] = field(default_factory=dict)
    rows: int = 0
    blank: int = 0
    currencies: set[str] = field(default_factory=set)
    of_other_days: dict[str, list[Decimal]] = field(default_factory=dict)
    """By currency what lines cost that are billed with these days and are of others, so that they are left out."""
    other_currencies: set[str] = field(default_factory=set)
    """Those of lines that are left out, as another currency is asked for."""
    tag_keys: set[str] = field(default_factory=set)
    account_names: dict[str, str] = field(default_factory=dict)
    products: dict[str, str] = field(default_factory=dict)
    files: list[ReportFile] = field(default_factory=list)
    hashes: dict[str, str] = field(default_factory=dict)
    """The sha256 of each file, by its name."""
    metrics: set[str] = field(default_factory=set)
    days: set[tuple[str, str]] = field(default_factory=set)
    """On which lines begin and end, as they stand there."""
    alike: int = 0
    alike_cost: Decimal = ZERO
    """Lines that say, but for an id, what one before them in their file says, and their sum."""

    def costs(self, where: str) -> Costs:
        """The bill. Refuses files that may hold the same costs, none of these days, or several currencies."""
        refuse_what_is_in_two(self.files, self.manifests)
        left_out = joined(sorted(one or "no currency" for one in self.other_currencies))
        if not self.rows:
            raise Refusal(
                "there is nothing to break down",
                where=where,
                why="no line of the report falls into these days"
                + (f" and is in {self.question.currency}; there are lines in {left_out}" if left_out else ""),
                next_step="give another report, or other days with --from and --to"
                + (", or another --currency" if left_out else ""),
            )
        if len(self.currencies) > 1:
            raise Refusal(
                "costs in different currencies cannot be added",
                where=where,
                why=f"the report has lines in {joined(sorted(one or 'no currency' for one in self.currencies))}",
                next_step="choose one with --currency",
            )
        used: dict[tuple[str, ...], Decimal] = {}
        apart: dict[tuple[str, str], Decimal] = {}
        for (line_item_type, account, code, *others), amount in self.cells.items():
            if kind := kind_of(line_item_type):
                apart[account, kind] = add([apart.get((account, kind), ZERO), amount])
            else:
                key = (account, self.products.get(code) or code, *others)
                used[key] = add([used.get(key, ZERO), amount])
        columns = {ACCOUNT: 0, SERVICE: 1}
        columns |= {Dimension("tag", key): self._column(key, where) - 1 for key in self.question.tags}
        first, end, note = self._days(where)
        currency, payers = next(iter(self.currencies)), sorted({payer for _, _, _, payer, *_ in self.cells if payer})
        return Costs(
            currency=currency,
            charges=add(used.values()),
            breakdowns=tuple(break_down(by, used, columns) for by in self.question.breakdowns),
            apart=apart,
            names=self.account_names,
            first=first,
            end=end,
            notes=(*([f"lines in {left_out} are left out"] if left_out else []), *self._notes(currency, payers), *note),
            metric=joined(sorted(self.metrics)),
            payers=tuple(payers),
            files=tuple(self.hashes.items()),
        )

    def _notes(self, currency: str, payers: Sequence[str]) -> Iterator[str]:
        if self.blank:
            yield f"{counted(self.blank, 'line')} without {joined(sorted(self.metrics), 'or')}: what is blank is 0"
        if unknown := sorted(kind or "no kind" for kind in {cell[0] for cell in self.cells} if not is_known(kind)):
            yield f"lines of a kind that is not known count as charges: {', '.join(unknown)}"
        if len(payers) > 1:
            yield f"the bills of {len(payers)} payers are added: {', '.join(payers)}"
        if self.alike:
            lines, cost = counted(self.alike, "line"), f"{currency} {self.alike_cost:f}"
            yield f"{cost} of the total, in {lines}, is as a line before it but for an id: its own cost, or added twice"
        if left_out := self.of_other_days.get(currency):
            lines, are = counted(len(left_out), "line"), "is" if len(left_out) == 1 else "are"
            yield f"{lines} of the bills of these days, {currency} {add(left_out):f}, {are} of other days and left out"
        for tag in self.question.tags:
            exact, alike = self._keys(tag)
            others = joined(sorted(alike))
            if exact and others:
                yield f"{others} is a tag of its own, beside {tag}"
            elif others:
                yield f"no line has the tag {tag}; {others}, which is spelled alike, is taken for it"
            elif self.tag_keys and not exact:
                near = nearest(tag, set(map(_bare, self.tag_keys)))
                yield f"no line has the tag {tag}" + (f"; {near} is there" if near else "")

    def _column(self, tag: str, where: str) -> int:
        """Where in a cell a tag's value stands: that of the key as it is asked for, if it is there.

        Refuses a key that could be several others: https://docs.aws.amazon.com/tag-editor/latest/userguide/best-practices-and-strats.html
        """
        place = 4 + 2 * self.question.tags.index(tag)
        exact, alike = self._keys(tag)
        if exact:
            return place
        if len(alike) > 1:
            raise _could_be(where, tag, sorted(alike))
        return place + 1

    def _keys(self, tag: str) -> tuple[set[str], set[str]]:
        """The key as it is asked for, if it is there, and others that are spelled alike."""
        exact = {_bare(name) for name in self.tag_keys.intersection(_spellings(tag))}
        return exact, {_bare(name) for name in self.tag_keys if _is_spelled(name, tag)} - exact

    def _days(self, where: str) -> tuple[date | None, date | None, list[str]]:
        """The first day and the day after the last, and of which of them there are lines, unless of each.

        A line of more than a day says nothing of each of its days, unless all lines do (a report by month).
        """
        try:
            spans = {(date.fromisoformat(start), end) for start, end in self.days if _DAY.fullmatch(start)}
            days = sorted({start for start, _ in spans})
            after = days[-1] + timedelta(days=1) if days else None
        except (ValueError, OverflowError) as error:
            raise _unreadable(where, f"a line of it begins on no day of a bill: {error}", _AGAIN) from error
        first, end = self.question.first or min(days, default=None), self.question.end or after
        if not first or not end:
            return first, end, []
        daily = {start for start, its_end in spans if its_end <= str(start + timedelta(days=1))}
        if daily and len(daily) < (asked := (end - first).days):
            there = " to ".join(map(str, dict.fromkeys((min(daily), max(daily)))))
            return first, end, [f"of these {asked} days the report has lines of {len(daily)} only, {there}"]
        months = [day.strftime("%Y-%m") for day in (first, end - timedelta(days=1))]
        if not daily and months != [day.strftime("%Y-%m") for day in (days[0], days[-1])]:
            there = " to ".join(dict.fromkeys(day.strftime("%Y-%m") for day in (days[0], days[-1])))
            return first, end, [f"of these days the report has lines of {there} only"]
        return first, end, []


def is_parquet(stream: io.BufferedReader[io.RawIOBase]) -> bool:
    """Whether a report is Parquet; nothing is taken out of the stream."""
    return stream.peek(4)[:4] == b"PAR1"


def read_csv(stream: io.BufferedReader[io.RawIOBase], where: str, ledger: Ledger) -> None:
    """Add a CSV report (plain or gzip) to the ledger, line by line.

    Refuses a file that is cut off or damaged, lacks a column, or has a cost that is no number, naming the line.
    """
    start = stream.peek(2)[:2]
    if start == b"PK":
        raise _unreadable(where, "it is a ZIP archive", "unpack it and give the CSV file in it")
    unpacked = gzip.GzipFile(fileobj=stream) if start == b"\x1f\x8b" else stream
    with io.TextIOWrapper(unpacked, encoding="utf-8-sig", newline="") as text:
        reader = csv.reader(text, strict=True)
        try:
            header = next(reader, [])
            if not header:
                raise _unreadable(where, "it is empty", _AGAIN)
            if header[0].lstrip().startswith("<"):
                raise _unreadable(where, "it is a page of HTML or XML, such as an error of S3", _AGAIN)
            if len(header) == 1:
                raise _unreadable(where, "no commas separate the columns in its first line", _AS_EXPORTED)
            _read_rows(header, reader, where, ledger, lambda: f"line {reader.line_num}")
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise _unreadable(where, f"the compressed file is damaged or cut off: {error}", _AGAIN) from error
        except UnicodeDecodeError as error:
            raise _unreadable(where, f"near line {reader.line_num + 1} it is not UTF-8", _AS_EXPORTED) from error
        except csv.Error as error:
            raise _unreadable(where, f"near line {reader.line_num}: {error}", _AGAIN) from error


def read_parquet(path: str, ledger: Ledger, progress: Callable[..., None] = lambda **_: None) -> None:
    """Add a Parquet report to the ledger, some rows at a time; `progress` is told the fraction `completed`.

    Parquet holds costs as doubles; each becomes the shortest decimal that means the same double, which is also what a
    CSV report shows.
    """
    import pyarrow as arrow  # type: ignore[import-untyped]  # noqa: PLC0415 - an optional dependency
    from pyarrow import parquet  # noqa: PLC0415

    try:
        with parquet.ParquetFile(path) as file:
            header = file.schema_arrow.names
            done = 0

            def rows() -> Iterator[list[str]]:
                nonlocal done
                for batch in file.iter_batches(_ROWS):
                    yield from map(list, zip(*map(_texts, batch.columns), strict=True))
                    done += batch.num_rows
                    progress(completed=done / max(file.metadata.num_rows, 1))

            _read_rows(header, rows(), path, ledger, lambda: f"after row {done}")
    except (arrow.ArrowException, OSError) as error:
        raise _unreadable(path, f"the Parquet file is damaged: {error}", _AGAIN) from error


_FOCUS = {
    "BilledCost": "lineItem/UnblendedCost",
    "BillingAccountId": "bill/PayerAccountId",
    "BillingCurrency": "lineItem/CurrencyCode",
    "BillingPeriodStart": "bill/BillingPeriodStartDate",
    "ChargeCategory": "lineItem/LineItemType",
    "ChargePeriodEnd": "lineItem/UsageEndDate",
    "ChargePeriodStart": "lineItem/UsageStartDate",
    "ServiceName": "lineItem/ProductCode",
    "SubAccountId": "lineItem/UsageAccountId",
    "SubAccountName": "lineItem/UsageAccountName",
    "Tags": "tags",
}
"""The columns of FOCUS that say what those of the report say; what is billed is not blended and not amortized."""
_FOCUS_NEEDS = ("BilledCost", "BillingCurrency", "ChargeCategory", "ChargePeriodStart", "ServiceName", "SubAccountId")
_CATEGORIES = ("Usage", "Purchase", "Tax", "Credit", "Adjustment")
"""What a ChargeCategory may be: https://focus.finops.org/focus-columns/#charge_category."""
_AGAIN = "download the report again and compare its size with the one in the bucket"
_AS_EXPORTED = "give the file as AWS exported it: a spreadsheet, for example, may have saved this one in another form"
_ROWS = 1 << 14
"""How many of a Parquet report are in memory at once, with all their columns."""
_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_ACCOUNT, _CODE, _KIND = "lineitemusageaccountid", "lineitemproductcode", "lineitemlineitemtype"
_CURRENCY, _START, _COST = "lineitemcurrencycode", "lineitemusagestartdate", "lineitemunblendedcost"
_ACCOUNT_NAME, _PRODUCT, _PRODUCT_MAP = "lineitemusageaccountname", "productproductname", "product"
_TAG_MAPS = ("resourcetags", "tags")
_PAYER, _PERIOD, _END = "billpayeraccountid", "billbillingperiodstartdate", "lineitemusageenddate"
_IDENTITY = ("identitylineitemid", "identitytimeinterval")
_FOCUS_OTHERS = ("ChargeClass", "ChargeDescription", "ResourceId", "SkuPriceId", "x_UsageType", "x_Operation")
"""Columns of FOCUS that no report has. (`x_`: AWS's own.)

https://docs.aws.amazon.com/cur/latest/userguide/table-dictionary-focus-1-2-aws-columns.html
"""
_ALIKE = {
    *(_START, _END, _ACCOUNT, _PAYER, _PERIOD, _CODE, _KIND, _COST),
    *("lineitemusagetype", "lineitemoperation", "lineitemresourceid", "lineitemlineitemdescription"),
    *map(str.lower, ("ChargeDescription", "ResourceId", "SkuPriceId", "xUsageType", "xOperation")),
}
"""What a line has in each version of a month, where the column is there: no id of a line, and no invoice."""
_FOCUS_NAMES = {name.lower(): name for name in (*_FOCUS, *_FOCUS_OTHERS) if name != "Tags"}
"""Columns as Athena calls them: https://docs.aws.amazon.com/athena/latest/ug/tables-databases-columns-names.html"""
_SPELLED = {
    _ACCOUNT: "lineItem/UsageAccountId",
    _CODE: "lineItem/ProductCode",
    _KIND: "lineItem/LineItemType",
    _CURRENCY: "lineItem/CurrencyCode",
    _START: "lineItem/UsageStartDate",
    _COST: f"lineItem/{METRIC}",
}


def _plain(name: str) -> str:
    """A column or tag name without what the formats spell differently: `lineItem/UsageType`, `line_item_usage_type`."""
    return re.sub(r"[^a-z0-9]", "", name.lower())


def _read_rows(header: Row, rows: Iterable[list[str]], where: str, ledger: Ledger, place: Callable[[], str]) -> None:
    report = _Report(header, where, ledger)
    with exactly(), closing(Lines(report.alike)) as lines:
        for number, row in enumerate(rows, 1):
            if len(row) != len(header):
                if not row:
                    continue
                raise _unreadable(where, f"{place()} has {len(row)} fields of {len(header)}", _AGAIN)
            row.append("")
            try:
                if (amount := report.add(row)) is not None:
                    name, row[report.id] = row[report.id], ""
                    lines.add(row, number, name, amount)
            except (ValueError, decimal.DecimalException) as error:
                why = str(error) if isinstance(error, ValueError) else f"{row[report.cost]!r} is no amount of money"
                next_step = error.next_step if isinstance(error, _NotAMapError) else _AGAIN
                raise _unreadable(where, f"{place()}: {why}", next_step) from error
        for again, before, repeated in lines.again():
            if before:
                raise Refusal(
                    "a line item cannot be added twice",
                    where=where,
                    why=f"rows {before} and {again} below its header are one line item",
                    next_step=_AGAIN,
                )
            ledger.alike += 1
            ledger.alike_cost += repeated
    ledger.files.append(ReportFile(where, tuple(report.header), lines, report.spans))


class _Report:
    """The columns of one file; one that it lacks and need not have is the field behind the last, which is empty."""

    def __init__(self, header: Row, where: str, ledger: Ledger) -> None:
        written = [_FOCUS_NAMES.get(name, name) for name in header]
        self.focus = len(_FOCUS.keys() & written) > 1
        self.header = _as_report(written, where) if self.focus else written
        columns = {_plain(name): index for index, name in reversed(list(enumerate(self.header)))}
        self.cost = _need(columns, _COST, where)
        self.cost_name = written[self.cost]
        self.question, self.ledger = ledger.question, ledger
        self.first = str(self.question.first or "")
        self.end = str(self.question.end or "~")
        self.bounded = bool(self.question.first or self.question.end)
        if self.bounded:
            _need(columns, _START, where)
        self.account, self.code, self.kind, self.currency = (
            _need(columns, each, where) for each in (_ACCOUNT, _CODE, _KIND, _CURRENCY)
        )
        self.start, self.stop, self.payer, self.period, self.name = (
            columns.get(each, len(header)) for each in (_START, _END, _PAYER, _PERIOD, _ACCOUNT_NAME)
        )
        self.tags = [_tag_reader(key, self.header, columns, where, ledger.tag_keys) for key in self.question.tags]
        self.product = _product_reader(self.header, columns)
        self.id = columns[_IDENTITY[0]] if all(name in columns for name in _IDENTITY) else len(header)
        self.alike = [index for name, index in columns.items() if name in _ALIKE]
        self.spans: Spans = {}
        self.total = ZERO
        ledger.metrics.add("BilledCost" if self.focus else METRIC)

    def add(self, row: Row) -> Decimal | None:
        """Add a line, if it is of the days asked for, and say its amount. Raises ValueError for what it cannot be."""
        ledger, begins, ends, code = self.ledger, row[self.start], row[self.stop], row[self.code]
        day, account, payer = begins[:10], _account_id(row[self.account]), _account_id(row[self.payer])
        if self.bounded and not self.first <= day < self.end and _is_day(day):
            billed = row[self.period][:10]
            if billed and self.first <= billed < self.end and day[:7] != billed[:7]:
                ledger.of_other_days.setdefault(row[self.currency], []).append(Decimal(row[self.cost] or 0))
            return None
        if self.question.currency not in (None, row[self.currency]):
            ledger.other_currencies.add(row[self.currency])
            return None
        amount = Decimal(row[self.cost] or 0)
        if not amount.is_finite():
            raise ValueError(f"the {self.cost_name} in it is {amount}")
        if self.focus and row[self.kind] not in _CATEGORIES:
            raise ValueError(f"the ChargeCategory {row[self.kind]!r} is none of {', '.join(_CATEGORIES)}")
        key = (row[self.kind], account, code, payer, *chain.from_iterable(tag(row) for tag in self.tags))
        self.total += amount
        ledger.cells[key] = ledger.cells.get(key, ZERO) + amount
        if not ledger.products.get(code):
            ledger.products[code] = self.product(row)
        if row[self.name]:
            ledger.account_names[account] = row[self.name]
        widen(self.spans, (account, payer, (row[self.period] or begins)[:7]), begins, ends)
        ledger.days.add((day, ends[:10]))
        ledger.rows += 1
        ledger.blank += not row[self.cost]
        ledger.currencies.add(row[self.currency])
        return amount


@functools.lru_cache(maxsize=65536)
def _account_id(text: str) -> str:
    """The 12 digits of an account, also where they were kept as a number; raises ValueError for one that was rounded.

    https://docs.aws.amazon.com/accounts/latest/reference/manage-acct-identifiers.html
    """
    number = re.fullmatch(r"(\d{1,12})(?:\.0)?", text)
    if number is None and re.fullmatch(r"\d[.,]?\d*[Ee]\+?\d+", text):
        raise ValueError(f"the account {text} was rounded, as spreadsheets do")
    return number.group(1).zfill(12) if number else text


def _is_day(start: str) -> bool:
    """True; raises ValueError for what is no day, so that no line is left out for that."""
    if not _DAY.match(start):
        raise ValueError(f"{start!r} is no day")
    return True


def _need(columns: Mapping[str, int], name: str, where: str) -> int:
    if name not in columns:
        raise _unreadable(
            where,
            f"it has no column {_SPELLED[name]} (or what CUR 2.0 calls it)",
            "give a Cost and Usage Report or CUR 2.0 export with that column, or a FOCUS export (1.0 to 1.2)",
        )
    return columns[name]


def _as_report(header: Row, where: str) -> Row:
    """FOCUS's columns under the names that a report has for them."""
    missing = [name for name in _FOCUS_NEEDS if name not in header]
    if missing:
        what = f"a FOCUS export without {', '.join(missing)}"
        if "ChargeType" in header:  # what ChargeCategory was called in 0.5
            what = "a FOCUS 0.5 export"
        raise _unreadable(where, f"it is {what}", "export it again as FOCUS 1.0 or newer, with all columns")
    return [_FOCUS.get(name, name) for name in header]


def _product_reader(header: Row, columns: Mapping[str, int]) -> Callable[[Row], str]:
    """The service's name: a column of its own in legacy reports, in the map `product` in CUR 2.0."""
    if _PRODUCT in columns:
        column = columns[_PRODUCT]
        return lambda row: row[column]
    if _PRODUCT_MAP in columns:
        pairs = columns[_PRODUCT_MAP]
        return lambda row: _map(row[pairs], header[pairs]).get("product_name", "")
    return lambda _: ""


def _tag_reader(
    key: str, header: Row, columns: Mapping[str, int], where: str, keys: set[str]
) -> Callable[[Row], tuple[str, str]]:
    """How to read a tag: from its own column (`resourceTags/user:KEY`), or from the map that CUR 2.0 has for all.

    It gives two values: of the key as it is asked for, and of one that is spelled alike.

    In a map a key may be spelled `user_KEY`, `user:KEY`, `resourceTags/KEY` or, with a prefix that the caller gave,
    as it is; `keys` takes those that are there, of columns the ones that are spelled alike. See https://docs.aws.amazon.com/cur/latest/userguide/table-dictionary-cur2-tag-columns.html.
    """
    spellings = _columns(key)
    alike = [name for name in header if _plain(name) in map(_plain, spellings)]
    keys.update(alike)
    for spelling in spellings:
        if spelling in header:
            exact = header.index(spelling)
            return lambda row: (row[exact], "")
    if len(alike) > 1:
        raise _could_be(where, key, alike)
    if alike:
        similar = header.index(alike[0])
        return lambda row: ("", row[similar])
    maps = [columns[each] for each in _TAG_MAPS if each in columns]
    if not maps:
        known = [_bare(name) for name in header if _plain(name).startswith("resourcetags")]
        others = f"the tags it has columns for are {', '.join(known)}" if known else "nor for any other"
        raise _unreadable(
            where,
            f"it has no column for the tag {key}; {others}",
            "activate the key as a cost allocation tag in the billing console, or name one that is there"
            + (f", such as {near}" if (near := nearest(key, known)) else ""),
        )

    @functools.lru_cache(maxsize=65536)
    def tag_in(text: str, column: str) -> tuple[str, str]:
        pairs = _map(text, column)
        keys.update(pairs)
        exact = next((pairs[name] for name in _spellings(key) if name in pairs), "")
        return exact, "" if exact else next((value for name, value in pairs.items() if _is_spelled(name, key)), "")

    return lambda row: next((found for each in maps if any(found := tag_in(row[each], header[each]))), ("", ""))


def _columns(key: str) -> tuple[str, ...]:
    """What a tag's own column may be called, the last in Parquet."""
    return (f"resourceTags/user:{key}", f"resourceTags/{key}", f"resource_tags_user_{key}")


def _spellings(key: str) -> tuple[str, ...]:
    """How a map or a column may have a tag's key."""
    return (f"user:{key}", f"user_{key}", *_columns(key), key)


@functools.lru_cache(maxsize=65536)
def _is_spelled(name: str, key: str) -> bool:
    """Whether a name in a map may be a tag's key, whatever becomes of case and signs."""
    return _plain(name) in map(_plain, _spellings(key))


def _bare(name: str) -> str:
    """A tag's key without what the formats write before it."""
    return re.sub(r"^(resourceTags/|resource_tags_)?(user[:_])?", "", name)


def _could_be(where: str, key: str, alike: Sequence[str]) -> Refusal:
    return _unreadable(where, f"the tag {key} could be {joined(alike, 'or')}", "write the key as AWS does")


class _NotAMapError(ValueError):
    """Text in a map column that is no JSON object, as Athena prints maps: `{team=a, b=c}` may be one pair or two.

    https://docs.aws.amazon.com/athena/latest/ug/querying-maps.html
    """

    def __init__(self, text: str, column: str) -> None:
        super().__init__(f"{text!r} in the column {column} is not a map in JSON")
        select = f"select it in Athena as json_format(CAST({column} AS JSON)) AS {column}, or give the exported file"
        self.next_step = select if re.match(r'\{[^"]*=', text) else _AGAIN


@functools.lru_cache(maxsize=65536)
def _map(text: str, column: str) -> Mapping[str, str]:
    """A map column, which a CSV export writes as a JSON object. Raises _NotAMapError for anything else."""
    try:
        pairs = json.loads(text) if text else {}
    except (ValueError, RecursionError):
        pairs = None
    if not isinstance(pairs, dict):
        raise _NotAMapError(text, column)
    return {str(name): "" if value is None else str(value) for name, value in pairs.items()}


def _texts(column: Any) -> Iterator[str]:  # noqa: ANN401 - pyarrow has no types
    """The text of each value, made once for all that are alike."""
    if column.type.num_fields or hasattr(column, "dictionary"):  # what cannot be encoded, or is
        return map(_as_text, column.to_pylist())
    encoded = column.dictionary_encode(null_encoding="encode")
    return map([*map(_as_text, encoded.dictionary.to_pylist())].__getitem__, encoded.indices.to_pylist())


def _as_text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return repr(value)
    if isinstance(value, bytes):  # text that its writer did not mark as such
        return value.decode(errors="backslashreplace")
    if isinstance(value, list) and all(isinstance(one, tuple) for one in value):
        value = dict(value)  # a map
    if isinstance(value, list | dict):
        return json.dumps(value, sort_keys=True, default=str)
    return str(value)


def _unreadable(where: str, why: str, next_step: str) -> Refusal:
    return Refusal("the report cannot be read", where=where, why=why, next_step=next_step)
