"""YAML of project and stack files as the pulumi CLI reads it, and as people keep it.

PyYAML parses the text; what a scalar means is decided here, because the CLI's parser (gopkg.in/yaml.v3, `resolve.go`)
and PyYAML disagree: to the CLI `yes` is text, `0777` and `0o777` are 511, `012345678901` loses its zero, and a date
without quotes is a moment that reaches the program as "2012-10-17 00:00:00 +0000 UTC". A stack file means one thing.
"""

import re
from base64 import b64decode
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta, timezone
from typing import Any, Final

import yaml

DEPTH: Final = 100
"""Mappings and lists within each other at most: the settings of an organization need ten."""
_ALIASED: Final = 100_000
"""Values that aliases and merges may stand for, all together: an alias of aliases grows without end."""
_PARSER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_DUMPER: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
_TAG: Final = "tag:yaml.org,2002:"
_WORDS: Final[Mapping[str, bool | None]] = {
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
}
_WHOLE: Final = re.compile(
    r"(?P<sign>[-+]?)(?:0[xX](?P<hex>[0-9a-fA-F]+)|0[oO]?(?P<octal>[0-7]+)|0[bB](?P<binary>[01]+)|(?P<ten>0|[1-9][0-9]*))"
)
_BASES: Final = {"hex": 16, "octal": 8, "binary": 2, "ten": 10}
_FLOAT: Final = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_NO_NUMBER: Final = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")
_MOMENT: Final = re.compile(
    r"(?P<day>\d{4}-\d{1,2}-\d{1,2})"
    r"(?:[Tt](?P<time>\d{1,2}:\d{1,2}:\d{1,2})(?:\.(?P<fraction>\d+))?(?P<zone>Z|[-+]\d\d:\d\d)"
    r"| (?P<bare>\d{1,2}:\d{1,2}:\d{1,2})(?:\.(?P<part>\d+))?)?"
)


def loaded(text: str) -> Any:  # noqa: ANN401 - any YAML
    """What a YAML text says to the pulumi CLI, as JSON-ready data: dates are text, every key is text.

    Raises yaml.YAMLError when it is no YAML; a key stands twice in a mapping; it is nested deeper than `DEPTH`; its
    aliases stand for more than any program needs, or for themselves; a number is not finite; or a tag is unknown.
    """
    return _Reading(text).document()


class _Reading:
    """One document, event by event."""

    def __init__(self, text: str) -> None:
        self._events = yaml.parse(text, Loader=_PARSER)
        self._anchored: dict[str, tuple[Any, int]] = {}
        """By anchor the value, and how many values are in it, those behind aliases included."""
        self._size = self._aliased = 0

    def document(self) -> Any:  # noqa: ANN401 - any YAML
        documents, value = 0, None
        for event in self._events:
            documents += isinstance(event, yaml.DocumentStartEvent)
            if documents > 1:
                raise _wrong("a second document begins", event)
            if isinstance(event, yaml.NodeEvent):
                value = self._value(event, DEPTH)
        return value

    def _value(self, event: Any, deeper: int) -> Any:  # noqa: ANN401 - PyYAML's events have no types
        if isinstance(event, yaml.AliasEvent):
            return self._alias(event)
        self._anchored.pop(event.anchor, None)
        before = self._size
        self._size += 1
        if isinstance(event, yaml.ScalarEvent):
            value: Any = _scalar(event)
        elif not deeper:
            raise _wrong(f"it is nested deeper than {DEPTH} levels", event)
        elif event.tag not in (None, "!", f"{_TAG}{'map' if isinstance(event, yaml.MappingStartEvent) else 'seq'}"):
            raise _wrong(f"the tag {event.tag} means nothing here", event)
        elif isinstance(event, yaml.SequenceStartEvent):
            value = [self._value(one, deeper - 1) for one in self._within()]
        else:
            value = self._mapping(deeper - 1)
        if event.anchor is not None:
            self._anchored[event.anchor] = value, self._size - before
        return value

    def _within(self) -> Iterator[Any]:
        """The events at which the keys and values of a mapping or list begin."""
        for event in self._events:
            if isinstance(event, yaml.CollectionEndEvent):
                return
            yield event

    def _alias(self, event: Any) -> Any:  # noqa: ANN401 - as above
        if event.anchor not in self._anchored:
            raise _wrong(f"no &{event.anchor} ends before *{event.anchor}", event)
        value, size = self._anchored[event.anchor]
        self._size += size
        self._aliased += size
        if self._aliased > _ALIASED:
            raise _wrong(f"its aliases stand for more than {_ALIASED:,} values", event)
        return value

    def _mapping(self, deeper: int) -> dict[str, Any]:
        found: dict[str, Any] = {}
        merged: list[dict[str, Any]] = []
        for begins in self._within():
            key, value = self._value(begins, deeper), self._value(next(self._events), deeper)
            if key == "<<" and not _quoted(begins):
                merged.extend(_mergeable(value, begins))
            elif isinstance(key, dict | list):
                raise _wrong("a key is a mapping or a list", begins)
            elif (key := "<nil>" if key is None else as_text(key)) in found:
                why = f"the key {key!r} stands twice in one mapping, and only one of them would count"
                raise _wrong(why, begins)
            else:
                found[key] = value
        # The first mapping that is merged wins over the others, and what stands here over all of them.
        for one in merged:
            found |= {key: value for key, value in one.items() if key not in found}
        return found


def _mergeable(value: Any, event: Any) -> list[dict[str, Any]]:  # noqa: ANN401 - as above
    listed = value if isinstance(value, list) else [value]
    if not all(isinstance(one, dict) for one in listed):
        raise _wrong("`<<` merges mappings only", event)
    return listed


def _quoted(event: Any) -> bool:  # noqa: ANN401 - as above
    return isinstance(event, yaml.ScalarEvent) and not event.implicit[0]


def as_text(value: object) -> str:
    """A scalar as the CLI hands it to a program: `true`, `3`, `1.5`, and "" for nothing."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)


def _scalar(event: Any) -> str | int | float | bool | None:  # noqa: ANN401 - as above
    text: str = event.value
    tag = event.tag.removeprefix(_TAG) if event.tag and event.tag != "!" else ""
    if tag == "str" or event.tag == "!" or (not tag and not event.implicit[0]):
        return text
    if tag == "binary":
        try:
            return b64decode(text, validate=False).decode()
        except ValueError as error:
            raise _wrong(f"!!binary is not the text of anything: {error}", event) from error
    if tag not in ("", "int", "float", "bool", "null", "timestamp"):
        raise _wrong(f"the tag {event.tag} means nothing here", event)
    value = _resolved(text, event)
    if tag == "float" and isinstance(value, int):
        return value  # the CLI writes a whole one without its point
    kinds = {"int": int, "float": float, "bool": bool, "null": type(None), "timestamp": str}
    if tag and type(value) is not kinds[tag]:
        raise _wrong(f"{text!r} is no !!{tag}", event)
    return value


def _resolved(text: str, event: Any) -> str | int | float | bool | None:  # noqa: ANN401 - as above
    """What a scalar without quotes means."""
    if text in _WORDS:
        return _WORDS[text]
    if _NO_NUMBER.fullmatch(text):
        raise _wrong(f"{text} is no number that a program can be given", event)
    if text[0] not in "+-.0123456789":
        return text
    if (moment := _moment(text)) is not None:
        return moment
    plain = text.replace("_", "") if text[0] != "." else text
    if (whole := _WHOLE.fullmatch(plain)) is not None:
        kind = str(whole.lastgroup)
        number = int(f"{whole['sign']}{whole[kind]}", _BASES[kind])
        if -(2**63) <= number < 2**64:
            return number
    if _FLOAT.fullmatch(plain):
        real = float(plain)
        if real in (float("inf"), float("-inf")):
            return text
        return int(real) if real.is_integer() and abs(real) < 1e21 else real
    return text


def _moment(text: str) -> str | None:
    """A date or time as Go prints it; None for what is neither."""
    found = _MOMENT.fullmatch(text)
    if found is None:
        return None
    year, month, day = map(int, found["day"].split("-"))
    hour, minute, second = map(int, (found["time"] or found["bare"] or "0:0:0").split(":"))
    zone, shown = UTC, "+0000 UTC"
    if found["zone"] not in (None, "Z", "+00:00", "-00:00"):
        sign, hours, minutes = found["zone"][0], int(found["zone"][1:3]), int(found["zone"][4:])
        zone, shown = timezone(timedelta(hours=hours, minutes=minutes)), f"{sign}{hours:02}{minutes:02}"
        shown = f"{shown} {shown}"
    try:
        at = datetime(year, month, day, hour, minute, second, tzinfo=zone)
    except ValueError:
        return None
    fraction = (found["fraction"] or found["part"] or "")[:9].rstrip("0")
    return f"{at:%Y-%m-%d %H:%M:%S}{'.' if fraction else ''}{fraction} {shown}"


def _wrong(problem: str, event: Any) -> yaml.YAMLError:  # noqa: ANN401 - as above
    mark = event.start_mark
    return yaml.YAMLError(f"{problem} (line {mark.line + 1}, column {mark.column + 1})")


class _Dumper(_DUMPER):  # type: ignore[misc] # which base it is depends on libyaml
    """No anchors: what stands twice is written twice."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ANN401, ARG002 - PyYAML's signature
        return True


def _text(dumper: Any, text: str) -> yaml.ScalarNode:  # noqa: ANN401 - as above
    # Whatever might be a number to some reader of YAML is none: an account's id may begin with zeros.
    style = '"' if text[:1] in {*"0123456789+-."} else None
    node: yaml.ScalarNode = dumper.represent_scalar(f"{_TAG}str", text, style=style)
    return node


_Dumper.add_representer(str, _text)


def dumped(value: Mapping[str, Any], *, width: int = 120, compact: bool = False) -> str:
    """The YAML of a mapping in the order given, with lines of about that width; every reader reads text as text.

    `compact` writes what holds only scalars in one line, as people do: `from: {role: ci}`.
    """
    flow = None if compact else False
    text: str = yaml.dump(
        dict(value), Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=width, default_flow_style=flow
    )
    return text
