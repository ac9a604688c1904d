"""JSON text, refusing duplicate keys as IAM does; where something is wrong, with the place of every element.

The standard library's reader is quick but keeps no places: a text is read again, with places, to say where it is wrong.
"""

import re
from bisect import bisect_right
from dataclasses import dataclass
from json import JSONDecodeError, JSONDecoder
from typing import TypeAlias

Path: TypeAlias = tuple[str | int, ...]
_DEEPEST = 64


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
        JsonError: the text is not UTF-8 or not JSON, nests deeper than 64, or repeats a key in an object.
    """
    if isinstance(source, bytes):
        try:
            source = source.decode("utf-8")
        except UnicodeDecodeError as error:
            message = f"the document is not UTF-8 at byte {error.start}"
            raise JsonError(message, (), "not-json", Position(1, 1)) from None
    reader = _JsonReader(source)
    return reader.whole(), reader.positions


_SPACE = re.compile(r"[ \t\n\r]*")
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_WORDS: tuple[tuple[str, object], ...] = (("true", True), ("false", False), ("null", None))


class _JsonReader:
    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._decoder = JSONDecoder()
        self._line_starts = [0, *(found.end() for found in re.finditer("\n", text))]
        self.positions: Positions = {}

    def whole(self) -> object:
        self._skip_space()
        value = self._value((), None)
        self._skip_space()
        if self._at < len(self._text):
            raise self._error("there is more text after the end of the document")
        return value

    def _position(self, at: int) -> Position:
        line = bisect_right(self._line_starts, at)
        return Position(line, at - self._line_starts[line - 1] + 1)

    def _error(self, message: str, at: int | None = None) -> JsonError:
        """Text that is not JSON has no elements, so the error has a place but no path."""
        return JsonError(message, (), "not-json", self._position(self._at if at is None else at))

    def _skip_space(self) -> None:
        found = _SPACE.match(self._text, self._at)
        self._at = self._at if found is None else found.end()

    def _next(self) -> str:
        return self._text[self._at : self._at + 1]

    def _value(self, path: Path, key_position: Position | None) -> object:
        self.positions[path] = (key_position, self._position(self._at))
        if len(path) > _DEEPEST:
            raise self._error(f"the document nests deeper than {_DEEPEST} levels")
        character = self._next()
        if character == "{":
            return self._object(path)
        if character == "[":
            return self._list(path)
        if character == '"':
            return self._string()
        for word, value in _WORDS:
            if self._text.startswith(word, self._at):
                self._at += len(word)
                return value
        number = _NUMBER.match(self._text, self._at)
        if number is None:
            raise self._error("a value is missing here" if character else "the document ends too early")
        self._at = number.end()
        return JsonNumber(number[0])

    def _string(self) -> str:
        try:
            text, self._at = self._decoder.raw_decode(self._text, self._at)
        except JSONDecodeError as error:
            raise self._error("the string is not valid JSON", at=min(error.pos, len(self._text))) from None
        return str(text)

    def _object(self, path: Path) -> dict[str, object]:
        found: dict[str, object] = {}
        self._at += 1
        self._skip_space()
        if self._next() == "}":
            self._at += 1
            return found
        while True:
            if self._next() != '"':
                raise self._error("the name of an element is missing here")
            key_at = self._at
            key_position = self._position(key_at)
            key = self._string()
            if key in found:
                raise JsonError(f"{key!r} is there twice in one object", (*path, key), "duplicate-key", key_position)
            self._skip_space()
            self._expect(":")
            found[key] = self._value((*path, key), key_position)
            if self._ends("}"):
                return found

    def _list(self, path: Path) -> list[object]:
        found: list[object] = []
        self._at += 1
        self._skip_space()
        if self._next() == "]":
            self._at += 1
            return found
        while True:
            found.append(self._value((*path, len(found)), None))
            if self._ends("]"):
                return found

    def _expect(self, character: str) -> None:
        if self._next() != character:
            raise self._error(f"{character!r} is missing here")
        self._at += 1
        self._skip_space()

    def _ends(self, closing: str) -> bool:
        """Steps over what follows a member; true at the end of the object or list."""
        self._skip_space()
        if self._next() == closing:
            self._at += 1
            return True
        if self._next() != ",":
            raise self._error(f"',' or {closing!r} is missing here")
        self._at += 1
        self._skip_space()
        return False
