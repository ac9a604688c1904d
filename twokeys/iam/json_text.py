"""JSON text, refusing duplicate keys as IAM does; where something is wrong, with the place of every element.

The standard library's reader is quick but keeps no places: a text is read again, with places, to say where it is wrong.
"""

import json
import re
from bisect import bisect_right
from dataclasses import dataclass
from json import JSONDecodeError, JSONDecoder
from typing import TypeAlias

Path: TypeAlias = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Position:
    """A place in a text; line and column count from 1, the column in characters."""

    line: int
    column: int


Positions: TypeAlias = dict[Path, tuple[Position | None, Position]]
"""For every path the place of its key (None for a list item and the whole) and of its value."""


@dataclass(frozen=True, slots=True)
class JsonNumber:
    """A number as the text has it."""

    text: str

    def __str__(self) -> str:
        return self.text


class JsonError(ValueError):
    """The text is not JSON, or an object has a key twice."""

    def __init__(self, message: str, path: Path, rule: str, position: Position) -> None:
        self.message = message
        self.path = path
        self.rule = rule
        self.position = position


def render(path: Path) -> str:
    """A path as messages show it: `Statement[0].Principal.AWS[1]`."""
    text = ""
    for step in path:
        text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else step
    return text


def read_quickly(text: str) -> object:
    """The value of a JSON text; numbers become `JsonNumber`.

    Raises:
        ValueError: the text is not JSON or repeats a key; `read_json` says where.
        RecursionError: it nests too deep for the standard library.
    """
    return _QUICK.decode(text)


def unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """An object of a JSON text, as a hook of the standard library; ValueError if it repeats a key."""
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError
    return found


def _no_constant(_name: str) -> object:
    raise ValueError


_QUICK = JSONDecoder(
    object_pairs_hook=unique, parse_int=JsonNumber, parse_float=JsonNumber, parse_constant=_no_constant
)


def read_json(source: str | bytes) -> tuple[object, Positions]:
    """The value of a JSON text and the places of its elements; numbers become `JsonNumber`.

    Raises:
        JsonError: the text is not UTF-8 or not JSON, nests too deep for Python, or repeats a key in an object.
    """
    start = Position(1, 1)
    try:
        text = source if isinstance(source, str) else source.decode()
        value = _LENIENT.decode(text)
        places = _Places(text)
        places.note(next(places.tokens), ())
    except UnicodeDecodeError as error:
        raise JsonError(f"the document is not UTF-8 at byte {error.start}", (), "not-json", start) from None
    except JSONDecodeError as error:
        raise JsonError(f"it is not JSON: {error.msg}", (), "not-json", Position(error.lineno, error.colno)) from None
    except RecursionError:
        raise JsonError("the document nests too deep", (), "not-json", start) from None
    return value, places.positions


_LENIENT = JSONDecoder(parse_int=JsonNumber, parse_float=JsonNumber)
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\]]|[^\s{}\[\]:,"]+')
"""All of a JSON text that is not white space, a comma or a colon."""


class _Places:
    """The places of the elements of a text that the standard library has read."""

    def __init__(self, text: str) -> None:
        self.tokens = _TOKEN.finditer(text)
        self._line_starts = [0, *(found.end() for found in re.finditer("\n", text))]
        self.positions: Positions = {}

    def note(self, token: re.Match[str], path: Path, key: Position | None = None) -> None:
        """Note the value that begins with this token, and all in it."""
        at = self._position(token)
        self.positions[path] = (key, at)
        if token[0] in ("NaN", "Infinity", "-Infinity"):
            raise JsonError(f"{token[0]} is no value of JSON", (), "not-json", at)
        if token[0] not in ("{", "["):
            return
        for number, each in enumerate(self.tokens):
            if each[0] in ("}", "]"):
                return
            if token[0] == "[":
                self.note(each, (*path, number))
                continue
            name, begins = json.loads(each[0]), self._position(each)
            if (*path, name) in self.positions:
                raise JsonError(f"{name!r} is there twice in one object", (*path, name), "duplicate-key", begins)
            self.note(next(self.tokens), (*path, name), begins)

    def _position(self, token: re.Match[str]) -> Position:
        line = bisect_right(self._line_starts, token.start())
        return Position(line, token.start() - self._line_starts[line - 1] + 1)
