"""Reading an exported Cost and Usage Report as a stream: legacy CUR, CUR 2.0, or FOCUS 1.0 to 1.2 from Data Exports.

Columns: https://docs.aws.amazon.com/cur/latest/userguide/Lineitem-columns.html (legacy, `lineItem/UnblendedCost`) and
https://docs.aws.amazon.com/cur/latest/userguide/table-dictionary-cur2-line-item.html (CUR 2.0, and legacy reports as
Parquet, `line_item_unblended_cost`) and https://docs.aws.amazon.com/cur/latest/userguide/table-dictionary-focus-1-0-aws.html
(FOCUS, `BilledCost`). Memory grows with the number of different (account, service, tag values), not with
the number of lines.
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
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal

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
from twokeys.costs.versions import Lines
from twokeys.errors import Refusal, nearest

Row = Sequence[str]


@dataclass(frozen=True, slots=True)
class _File:
    """What is kept of one file: its form (FOCUS, ...), its lines, whose they are, and on which days they begin."""

    form: str
    lines: Lines
    accounts: set[str] = field(default_factory=set)
    days: set[str] = field(default_factory=set)


@dataclass
class Ledger:
    """The sums of one or more report files, as they are read.

    `cells` is keyed by (kind, account, product code, value of each tag in the order of `question.tags`).
    """

    question: Question
    cells: dict[tuple[str, ...], Decimal] = field(default_factory=dict)
    rows: int = 0
    blank: int = 0
    currencies: set[str] = field(default_factory=set)
    tag_keys: set[str] = field(default_factory=set)
    account_names: dict[str, str] = field(default_factory=dict)
    products: dict[str, str] = field(default_factory=dict)
    files: dict[str, _File] = field(default_factory=dict)
    payers: set[str] = field(default_factory=set)
    days: set[str] = field(default_factory=set)
    """On which lines begin, as they stand there."""

    def costs(self, where: str) -> Costs:
        """The bill. Refuses a report without any line of these days, and one in several currencies."""
        if not self.rows:
            raise Refusal(
                "there is nothing to break down",
                where=where,
                why="no line of the report falls into these days",
                next_step="give another report, or other days with --from and --to",
            )
        if len(self.currencies) > 1:
            raise Refusal(
                "costs in different currencies cannot be added",
                where=where,
                why=f"the report has lines in {' and '.join(sorted(one or 'no currency' for one in self.currencies))}",
                next_step="give a report in one currency",
            )
        used: dict[tuple[str, ...], Decimal] = {}
        apart: dict[tuple[str, str], Decimal] = {}
        for (line_item_type, account, code, *tags), amount in self.cells.items():
            if kind := kind_of(line_item_type):
                apart[account, kind] = add([apart.get((account, kind), ZERO), amount])
            else:
                key = (account, self.products.get(code) or code, *tags)
                used[key] = add([used.get(key, ZERO), amount])
        columns = {ACCOUNT: 0, SERVICE: 1}
        columns |= {Dimension("tag", key): place for place, key in enumerate(self.question.tags, 2)}
        notes = [f"{self.blank} lines have no {METRIC}; they count as 0"] if self.blank else []
        if unknown := sorted(kind or "no kind" for kind in {cell[0] for cell in self.cells} if not is_known(kind)):
            notes.append(f"lines of a kind that is not known count as charges: {', '.join(unknown)}")
        if len(self.payers) > 1:
            notes.append(f"the bills of {len(self.payers)} payers are added: {', '.join(sorted(self.payers))}")
        for place, tag in enumerate(self.question.tags, 3):
            if self.tag_keys and not any(cell[place] for cell in self.cells):
                near = nearest(tag, {name.rpartition(":")[2].removeprefix("user_") for name in self.tag_keys})
                notes.append(f"no line has the tag {tag}" + (f"; {near} is there" if near else ""))
        try:
            days = sorted(date.fromisoformat(day) for day in self.days if _DAY.fullmatch(day))
            after = days[-1] + timedelta(days=1) if days else None
        except (ValueError, OverflowError) as error:
            raise _unreadable(where, f"a line of it begins on no day of a bill: {error}", _AGAIN) from error
        first, end = self.question.first or min(days, default=None), self.question.end or after
        asked = [day.strftime("%Y-%m") for day in (first, end - timedelta(days=1))] if first and end else []
        if days and asked != [day.strftime("%Y-%m") for day in (days[0], days[-1])]:  # a line can be of a whole month
            there = " to ".join(map(str, dict.fromkeys((days[0], days[-1]))))
            notes.append(f"of these days the report's lines begin on {there} only")
        return Costs(
            currency=next(iter(self.currencies)),
            charges=add(used.values()),
            breakdowns=tuple(break_down(by, used, columns) for by in self.question.breakdowns),
            apart=apart,
            names=self.account_names,
            first=first,
            end=end,
            notes=tuple(notes),
        )


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
            if header[0].strip().lower().startswith(("<!doctype", "<html")):
                raise _unreadable(where, "it is an HTML page", _AGAIN)
            _read_rows(header, reader, where, ledger, lambda: f"line {reader.line_num}")
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise _unreadable(where, f"the compressed file is damaged or cut off: {error}", _AGAIN) from error
        except (csv.Error, UnicodeDecodeError) as error:
            raise _unreadable(where, f"near line {reader.line_num}: {error}", _AGAIN) from error


def read_parquet(path: str, ledger: Ledger, progress: Callable[..., None] = lambda **_: None) -> None:
    """Add a Parquet report to the ledger, one row group at a time; `progress` is told the fraction `completed`.

    Parquet holds costs as doubles; each becomes the shortest decimal that means the same double, which is also what a
    CSV report shows. Refuses when pyarrow is not installed.
    """
    try:
        import pyarrow as arrow  # type: ignore[import-untyped]  # noqa: PLC0415 - an optional dependency
        from pyarrow import parquet  # noqa: PLC0415
    except ImportError as error:
        raise _unreadable(path, "reading Parquet needs pyarrow", "run `pip install 'twokeys[parquet]'`") from error
    try:
        with parquet.ParquetFile(path) as file:
            header = [name for name in file.schema_arrow.names if _wanted(name)]
            done = 0

            def rows() -> Iterator[Row]:
                nonlocal done
                for batch in file.iter_batches(columns=header):
                    yield from zip(*(map(_as_text, column.to_pylist()) for column in batch.columns), strict=True)
                    done += batch.num_rows
                    progress(completed=done / max(file.metadata.num_rows, 1))

            _read_rows(header, rows(), path, ledger, lambda: f"after row {done}")
    except (arrow.ArrowException, OSError) as error:
        raise _unreadable(path, f"the Parquet file is damaged: {error}", _AGAIN) from error


_FOCUS = {
    "BilledCost": "lineItem/UnblendedCost",
    "BillingAccountId": "bill/PayerAccountId",
    "BillingCurrency": "lineItem/CurrencyCode",
    "ChargeCategory": "lineItem/LineItemType",
    "ChargePeriodStart": "lineItem/UsageStartDate",
    "ServiceName": "lineItem/ProductCode",
    "SubAccountId": "lineItem/UsageAccountId",
    "SubAccountName": "lineItem/UsageAccountName",
    "Tags": "tags",
}
"""The columns of FOCUS that say what those of the report say; what is billed is not blended and not amortized."""
_AGAIN = "download the report again and compare its size with the one in the bucket"
_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_ACCOUNT, _CODE, _KIND = "lineitemusageaccountid", "lineitemproductcode", "lineitemlineitemtype"
_CURRENCY, _START, _COST = "lineitemcurrencycode", "lineitemusagestartdate", "lineitemunblendedcost"
_ACCOUNT_NAME, _PRODUCT, _PRODUCT_MAP = "lineitemusageaccountname", "productproductname", "product"
_PAYER = "billpayeraccountid"
_TAG_MAPS = ("resourcetags", "tags")
_IDENTITY = ("identitylineitemid", "identitytimeinterval")
_FOCUS_IDENTITY = (
    *("ChargePeriodStart", "ChargePeriodEnd", "ChargeDescription", "SubAccountId", "ResourceId", "SkuPriceId"),
    *("x_UsageType", "x_Operation", "BilledCost"),
)
"""FOCUS has no identity of a line; these tell two lines apart, where they are there. (`x_`: AWS's own.)

https://docs.aws.amazon.com/cur/latest/userguide/table-dictionary-focus-1-2-aws-columns.html
"""
_FOCUS_NAMES = {name.lower(): name for name in (*_FOCUS, *_FOCUS_IDENTITY) if name != "Tags"}
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


def _wanted(name: str) -> bool:
    name = _FOCUS_NAMES.get(name, name)
    if name in _FOCUS_IDENTITY:
        return True
    plain = _plain(_FOCUS.get(name, name))
    asked = {*_SPELLED, *_TAG_MAPS, *_IDENTITY, _PAYER, _ACCOUNT_NAME, _PRODUCT, _PRODUCT_MAP}
    return plain in asked or plain.startswith("resourcetags")


def _read_rows(header: Row, rows: Iterable[Row], where: str, ledger: Ledger, place: Callable[[], str]) -> None:
    question, header = ledger.question, [_FOCUS_NAMES.get(name, name) for name in header]
    told_by = [header.index(name) for name in _FOCUS_IDENTITY if name in header]
    form, header = _form(header, where)
    columns = {_plain(name): index for index, name in reversed(list(enumerate(header)))}
    cost = _need(columns, _COST, where)
    account, code, kind, currency = (_need(columns, each, where) for each in (_ACCOUNT, _CODE, _KIND, _CURRENCY))
    bounded = question.first is not None or question.end is not None
    start = _need(columns, _START, where) if bounded else columns.get(_START)
    first, end = str(question.first or ""), str(question.end or "~")
    tags = [_tag_reader(key, header, columns, where, ledger.tag_keys) for key in question.tags]
    named, payer, product = columns.get(_ACCOUNT_NAME), columns.get(_PAYER), _product_reader(header, columns)
    cells, products, names = ledger.cells, ledger.products, ledger.account_names
    by_id = all(name in columns for name in _IDENTITY)
    told_by = [columns[name] for name in _IDENTITY] if by_id else told_by
    total = ZERO
    with exactly(), Lines(told_by, unique=by_id) as lines:
        file = _File(form, lines)
        for row in rows:
            if len(row) != len(header):
                if not row:
                    continue
                raise _unreadable(where, f"{place()} has {len(row)} fields of {len(header)}", _AGAIN)
            try:
                if start is not None:
                    day = row[start][:10]
                    if bounded and not first <= day < end and _is_day(day):
                        continue
                    file.days.add(day)
                amount = Decimal(row[cost]) if row[cost] else ZERO
                file.accounts.add(of := _account_id(row[account]))
                key = (row[kind], of, row[code], *(tag(row) for tag in tags))
                total += amount
                cells[key] = cells.get(key, ZERO) + amount
                if not products.get(row[code]):
                    products[row[code]] = product(row)
            except decimal.DecimalException as error:
                raise _unreadable(where, f"{place()}: {row[cost]!r} is no amount of money", _AGAIN) from error
            except ValueError as error:
                next_step = error.next_step if isinstance(error, _NotAMapError) else _AGAIN
                raise _unreadable(where, f"{place()}: {error}", next_step) from error
            ledger.rows += 1
            lines.add(row)
            ledger.blank += not row[cost]
            ledger.currencies.add(row[currency])
            if named is not None and row[named]:
                names[of] = row[named]
            ledger.payers.update([] if payer is None else [_account_id(row[payer])])
        _keep(file, ledger, where)
    if not total.is_finite():
        raise _unreadable(where, f"an {METRIC} in it is {total}", _AGAIN)


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


def _keep(file: _File, ledger: Ledger, where: str) -> None:
    """Take a file that was not read before: two versions share most lines, two forms most accounts and days."""
    if again := file.lines.twice():
        raise _twice(where, "of the lines of these days, number {} and {} are one line item".format(*again))
    for name, its in ledger.files.items():
        if file.lines.repeats(its.lines):
            raise _twice(where, f"it repeats lines of {name}, as each version of a month does")
        same = _most(file.accounts, its.accounts) and _most(file.days, its.days)
        if file.form != its.form and same:
            raise _twice(where, f"it is {file.form}, and {name} is {its.form} of the same days")
    ledger.files[where] = file
    ledger.days |= file.days


def _most(one: set[str], other: set[str]) -> bool:
    return 2 * len(one & other) > min(len(one), len(other))


def _twice(where: str, why: str) -> Refusal:
    """Of one version AWS gives a line item an id that is unique in its month; FOCUS has none, and lines may be alike.

    https://docs.aws.amazon.com/cur/latest/userguide/identity-columns.html
    """
    return Refusal(
        "two versions of one report cannot be added",
        where=where,
        why=why,
        next_step="give the files of the newest version of each month only, all in one form",
    )


def _need(columns: Mapping[str, int], name: str, where: str) -> int:
    if name not in columns:
        raise _unreadable(
            where,
            f"it has no column {_SPELLED[name]} (or what CUR 2.0 calls it)",
            "give a Cost and Usage Report or CUR 2.0 export with that column, or a FOCUS export (1.0 to 1.2)",
        )
    return columns[name]


def _form(header: Row, where: str) -> tuple[str, Row]:
    """What a report with these columns is, and its columns as a legacy report or CUR 2.0 calls them."""
    if len(_FOCUS.keys() & header) > 1:
        return "FOCUS", _as_report(header, where)
    return ("a legacy report" if any("/" in name for name in header) else "CUR 2.0"), header


def _as_report(header: Row, where: str) -> Row:
    """FOCUS's columns under the names that a report has for them."""
    missing = [
        name for name in _FOCUS if name not in header and name not in ("BillingAccountId", "SubAccountName", "Tags")
    ]
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


def _tag_reader(key: str, header: Row, columns: Mapping[str, int], where: str, keys: set[str]) -> Callable[[Row], str]:
    """How to read a tag: from its own column (`resourceTags/user:KEY`), or from the map that CUR 2.0 has for all.

    In a map a key may be spelled `user_KEY`, `user:KEY`, `resourceTags/KEY` or, with a prefix that the caller gave,
    as it is; `keys` takes those that are there. See https://docs.aws.amazon.com/cur/latest/userguide/table-dictionary-cur2-tag-columns.html.
    """
    spellings = (f"resourceTags/user:{key}", f"resourceTags/{key}")
    for spelling in spellings:
        if spelling in header:
            exact = header.index(spelling)
            return lambda row: row[exact]
    alike = [name for name in header if _plain(name) in map(_plain, spellings)]
    if len(alike) > 1:
        raise _unreadable(where, f"the tag {key} could be {' or '.join(alike)}", "write the key as AWS does")
    if alike:
        similar = header.index(alike[0])
        return lambda row: row[similar]
    maps = [columns[each] for each in _TAG_MAPS if each in columns]
    if not maps:
        known = [name for name in header if _plain(name).startswith("resourcetags")]
        others = f"the tags it has columns for are {', '.join(known)}" if known else "nor for any other"
        raise _unreadable(
            where,
            f"it has no column for the tag {key}; {others}",
            "activate the key as a cost allocation tag in the billing console, or name one that is there"
            + (f", such as {near}" if (near := nearest(spellings[0], known)) else ""),
        )

    @functools.lru_cache(maxsize=65536)
    def tag_in(text: str, column: str) -> str:
        pairs = _map(text, column)
        keys.update(pairs)
        return _tag_in(pairs, key)

    return lambda row: next((value for each in maps if (value := tag_in(row[each], header[each]))), "")


def _tag_in(pairs: Mapping[str, str], key: str) -> str:
    exact = (f"user:{key}", f"user_{key}", f"resourceTags/{key}", f"resourceTags/user:{key}", key)
    for spelling in exact:
        if spelling in pairs:
            return pairs[spelling]
    plain = set(map(_plain, exact))
    return next((value for name, value in pairs.items() if _plain(name) in plain), "")


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
    except ValueError:
        pairs = None
    if not isinstance(pairs, dict):
        raise _NotAMapError(text, column)
    return {str(name): "" if value is None else str(value) for name, value in pairs.items()}


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
