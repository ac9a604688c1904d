"""Condition operators: how each compares a value of a request with one of a policy, not yet negated.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
"""

import base64
import binascii
import ipaddress
import operator
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal, InvalidOperation
from functools import lru_cache, partial
from typing import Literal, NamedTuple, TypeAlias

from twokeys.iam.matching import ArnPattern, TextPattern, is_symbolic
from twokeys.iam.truth import FALSE, Lookup, Truth, absent, truth

Family: TypeAlias = Literal["string", "numeric", "date", "bool", "binary", "ip", "arn", "null"]
Test: TypeAlias = Callable[[str, Lookup], Truth]
_Pattern: TypeAlias = Callable[..., TextPattern | ArnPattern]


@dataclass(frozen=True, slots=True)
class Operator:
    """A condition operator without its set prefix and its IfExists.

    `negated` operators are the exact opposite of `positive`, the operator they negate. `pattern` compiles a value of a
    policy; where there is none, `test` makes its test, but for Null, which compares no values. With `takes_patterns`,
    `*` and `?` in its values stand for any text; under the others they are what is written.
    """

    name: str
    family: Family
    positive: str
    pattern: _Pattern | None = field(compare=False)
    takes_patterns: bool
    ignore_case: bool
    test: Callable[[str], Test] | None = field(compare=False)
    negated: bool = False

    @property
    def names_values(self) -> bool:
        """Whether it matches the texts that its values name, and no others."""
        return self.family in ("string", "arn") and not self.negated


class _Boolean(TextPattern):
    def __init__(self, text: str, *, variables: bool) -> None:
        super().__init__(text, wildcards=False, variables=variables, ignore_case=True)

    def matches(self, text: str, lookup: Lookup = absent) -> Truth:
        return super().matches(text, lookup) if text.lower() in ("true", "false") else FALSE


_NUMBER = re.compile(r"[+-]?(?:[0-9]{1,40}(?:\.[0-9]{0,40})?|\.[0-9]{1,40})")


@lru_cache(maxsize=4096)
def parse_number(text: str) -> Decimal | None:
    """An integer or decimal number, or None."""
    try:
        return Decimal(text) if _NUMBER.fullmatch(text) else None
    except InvalidOperation:
        return None


_DATE = re.compile(
    r"(?P<year>[0-9]{4})(?:-(?P<month>[0-9]{2})(?:-(?P<day>[0-9]{2})"
    r"(?:T(?P<hour>[0-9]{2}):(?P<minute>[0-9]{2})(?::(?P<second>[0-9]{2})(?P<fraction>\.[0-9]{1,9})?)?"
    r"(?P<zone>Z|[+-][0-9]{2}:[0-9]{2}))?)?)?"
)


@lru_cache(maxsize=4096)
def parse_date(text: str) -> Decimal | None:
    """Seconds since 1970 of a W3C ISO 8601 date (`2026`, `2026-11-30`, `2026-11-30T12:00:00Z`) or of epoch time.

    Four digits are a year, every other number is epoch time. None when it is neither.
    """
    found = _DATE.fullmatch(text)
    if found is None:
        return parse_number(text)
    hours, minutes = 0, 0
    zone = found["zone"]
    if zone not in (None, "Z"):
        sign = -1 if zone[0] == "-" else 1
        hours, minutes = sign * int(zone[1:3]), sign * int(zone[4:6])
    try:
        moment = datetime(
            int(found["year"]),
            int(found["month"] or 1),
            int(found["day"] or 1),
            int(found["hour"] or 0),
            int(found["minute"] or 0),
            int(found["second"] or 0),
            tzinfo=timezone(timedelta(hours=hours, minutes=minutes)),
        )
    except ValueError:
        return None
    passed = moment - datetime(1970, 1, 1, tzinfo=UTC)
    return Decimal(passed.days * 86400 + passed.seconds) + Decimal("0" + (found["fraction"] or ".0"))


@lru_cache(maxsize=4096)
def parse_network(text: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
    """An address (as the network of it alone) or a CIDR range; host bits may be set. None when it is neither."""
    try:
        return ipaddress.ip_network(text, strict=False)
    except ValueError:
        return None


def _ordered(parse: Callable[[str], Decimal | None], compare: Callable[[Decimal, Decimal], bool], text: str) -> Test:
    right = parse(text)

    def test(value: str, _lookup: Lookup) -> Truth:
        if is_symbolic(value):
            return Truth.UNKNOWN
        left = parse(value)
        return truth(left is not None and right is not None and compare(left, right))

    return test


def _binary_test(text: str) -> Test:
    """Equal bytes; the request's value is given as base64 or as the bytes' own UTF-8 text."""
    try:
        decoded: bytes | None = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        decoded = None

    def test(value: str, _lookup: Lookup) -> Truth:
        return truth(value == text or (decoded is not None and value.encode("utf-8", "surrogatepass") == decoded))

    return test


def _ip_test(text: str) -> Test:
    network = parse_network(text)

    def test(value: str, _lookup: Lookup) -> Truth:
        address = parse_network(value)
        if network is None or address is None or network.version != address.version:
            return FALSE
        return truth(address.network_address in network and address.prefixlen >= network.prefixlen)

    return test


class _Texts(NamedTuple):
    pattern: _Pattern | None = None
    takes_patterns: bool = False
    ignore_case: bool = False


_none, _boolean = _Texts(), _Texts(_Boolean, ignore_case=True)
_equal = _Texts(partial(TextPattern, wildcards=False))
_any_case = _Texts(partial(TextPattern, wildcards=False, ignore_case=True), ignore_case=True)
_like = _Texts(partial(TextPattern, wildcards=True), takes_patterns=True)
_arn = _Texts(partial(ArnPattern, resource=False), takes_patterns=True)
_number, _date = partial(_ordered, parse_number), partial(_ordered, parse_date)
_ROWS: tuple[tuple[Family, str, str | None, _Texts, Callable[[str], Test] | None], ...] = (
    ("string", "StringEquals", "StringNotEquals", _equal, None),
    ("string", "StringEqualsIgnoreCase", "StringNotEqualsIgnoreCase", _any_case, None),
    ("string", "StringLike", "StringNotLike", _like, None),
    ("numeric", "NumericEquals", "NumericNotEquals", _none, partial(_number, operator.eq)),
    ("numeric", "NumericLessThan", None, _none, partial(_number, operator.lt)),
    ("numeric", "NumericLessThanEquals", None, _none, partial(_number, operator.le)),
    ("numeric", "NumericGreaterThan", None, _none, partial(_number, operator.gt)),
    ("numeric", "NumericGreaterThanEquals", None, _none, partial(_number, operator.ge)),
    ("date", "DateEquals", "DateNotEquals", _none, partial(_date, operator.eq)),
    ("date", "DateLessThan", None, _none, partial(_date, operator.lt)),
    ("date", "DateLessThanEquals", None, _none, partial(_date, operator.le)),
    ("date", "DateGreaterThan", None, _none, partial(_date, operator.gt)),
    ("date", "DateGreaterThanEquals", None, _none, partial(_date, operator.ge)),
    ("bool", "Bool", None, _boolean, None),
    ("binary", "BinaryEquals", None, _none, _binary_test),
    ("ip", "IpAddress", "NotIpAddress", _none, _ip_test),
    ("arn", "ArnEquals", "ArnNotEquals", _arn, None),
    ("arn", "ArnLike", "ArnNotLike", _arn, None),
    ("null", "Null", None, _none, None),
)
OPERATORS = {
    name: Operator(name, family, positive, *texts, test, negated=name != positive)
    for family, positive, negative, texts, test in _ROWS
    for name in (positive, negative)
    if name is not None
}
_SETS = ("ForAllValues", "ForAnyValue")


def operator_named(text: str) -> Operator | None:
    """The operator of a condition as a policy spells it, or None when IAM has no such operator.

    Names are compared exactly; a set prefix and `IfExists` may surround every operator but Null, which takes no
    IfExists.
    """
    name = text
    prefix, colon, rest = text.partition(":")
    if colon:
        if prefix not in _SETS:
            return None
        name = rest
    base = OPERATORS.get(name.removesuffix("IfExists"))
    return None if base is None or (base.family == "null" and name != "Null") else base
