"""YAML of project and stack files as the pulumi CLI reads it, and as people keep it.

PyYAML parses the text; what a scalar means is decided here, because the CLI's parser (gopkg.in/yaml.v3, `resolve.go`)
and PyYAML disagree: to the CLI `yes` is text, `0777` and `0o777` are 511, `012345678901` loses its zero, and a date
without quotes is a moment that reaches the program as "2012-10-17 00:00:00 +0000 UTC". A stack file means one thing.
"""

import re
from base64 import b64decode
from collections.abc import Mapping
from dataclasses import dataclass, field
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
    try:
        return _Reading().document(text)
    except RecursionError as error:  # PyYAML's parser without libyaml
        raise yaml.YAMLError(f"it is nested deeper than {DEPTH} levels") from error


@dataclass(slots=True)
class _Node:
    """A mapping or list that is being read.

    Attributes:
        key: of a mapping, the key whose value comes next.
        merged: what `<<` brings, the first one wins.
        size: the values in it, those behind aliases included.
    """

    value: dict[str, Any] | list[Any]
    anchor: str | None
    key: str | None = None
    merged: list[dict[str, Any]] = field(default_factory=list)
    size: int = 1


_MERGE: Final = "<<"


class _Reading:
    """One document, event by event, so that no depth of it is a depth of calls."""

    def __init__(self) -> None:
        self._open: list[_Node] = []
        self._anchored: dict[str, tuple[Any, int]] = {}
        self._aliased = 0
        self._result: Any = None

    def document(self, text: str) -> Any:  # noqa: ANN401 - any YAML
        documents = 0
        for event in yaml.parse(text, Loader=_PARSER):
            match event:
                case yaml.DocumentStartEvent():
                    documents += 1
                    if documents > 1:
                        raise _wrong("a second document begins", event)
                case yaml.ScalarEvent():
                    value = _scalar(event)
                    self._anchor(event.anchor, value, 1)
                    self._take(value, 1, event)
                case yaml.AliasEvent():
                    self._alias(event)
                case yaml.MappingStartEvent() | yaml.SequenceStartEvent():
                    self._begin(event)
                case yaml.MappingEndEvent() | yaml.SequenceEndEvent():
                    self._end(event)
        return self._result

    def _begin(self, event: Any) -> None:  # noqa: ANN401 - PyYAML's events have no types
        if len(self._open) >= DEPTH:
            raise _wrong(f"it is nested deeper than {DEPTH} levels", event)
        mapping = isinstance(event, yaml.MappingStartEvent)
        if event.tag not in (None, "!", f"{_TAG}{'map' if mapping else 'seq'}"):
            raise _wrong(f"the tag {event.tag} means nothing here", event)
        if event.anchor is not None:
            self._anchored.pop(event.anchor, None)
        self._open.append(_Node({} if mapping else [], event.anchor))

    def _end(self, event: Any) -> None:  # noqa: ANN401 - as above
        node = self._open.pop()
        if isinstance(node.value, dict):
            for other in node.merged:
                for key, value in other.items():
                    node.value.setdefault(key, value)
        self._anchor(node.anchor, node.value, node.size)
        self._take(node.value, node.size, event)

    def _anchor(self, anchor: str | None, value: Any, size: int) -> None:  # noqa: ANN401 - any YAML
        if anchor is not None:
            self._anchored[anchor] = (value, size)

    def _alias(self, event: Any) -> None:  # noqa: ANN401 - as above
        if any(node.anchor == event.anchor for node in self._open) and event.anchor not in self._anchored:
            raise _wrong(f"the value of &{event.anchor} contains itself", event)
        if event.anchor not in self._anchored:
            raise _wrong(f"no &{event.anchor} stands before *{event.anchor}", event)
        value, size = self._anchored[event.anchor]
        self._aliased += size
        if self._aliased > _ALIASED:
            raise _wrong(f"its aliases stand for more than {_ALIASED:,} values", event)
        self._take(value, size, event)

    def _take(self, value: Any, size: int, event: Any) -> None:  # noqa: ANN401 - as above
        """Put a value where it belongs: the document, a list, or a mapping as a key or for a key."""
        if not self._open:
            self._result = value
            return
        node = self._open[-1]
        node.size += size
        if isinstance(node.value, list):
            node.value.append(value)
        elif node.key is None:
            node.key = self._key(node.value, value, event)
        elif node.key == _MERGE and not _quoted(event):
            node.merged.extend(_mergeable(value, event))
            node.key = None
        else:
            node.value[node.key] = value
            node.key = None

    def _key(self, mapping: dict[str, Any], value: Any, event: Any) -> str:  # noqa: ANN401 - as above
        if isinstance(value, dict | list):
            raise _wrong("a key is a mapping or a list", event)
        key = "<nil>" if value is None else as_text(value)
        if key in mapping:
            raise _wrong(f"the key {key!r} stands twice in one mapping, and only one of them would count", event)
        return key


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
