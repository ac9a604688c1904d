"""Property paths ("tags.team", "rules[0].name", "*") as `ignoreChanges` and `replaceOnChanges` write them."""

from __future__ import annotations

import re
from typing import Final

from twokeys.sandbox.engine.values import Properties, PropertyValue

Path = tuple[str | int, ...]

_SEGMENT: Final = re.compile(r"""(?:^|\.)([^.\[\]"]+)|\[(\d+)\]|\["((?:[^"\\]|\\.)*)"\]""")
_MISSING: Final = object()


def parse_path(text: str) -> Path:
    """The segments of a path; "*" stands for every property.

    Raises:
        ValueError: it is not a property path that the sandbox reads (a wildcard below the top is not).
    """
    segments: list[str | int] = []
    position = 0
    while position < len(text):
        match = _SEGMENT.match(text, position)
        if match is None:
            raise ValueError(f"{text!r} is not a property path")
        name, index, quoted = match.groups()
        segments.append(int(index) if index is not None else name if name is not None else quoted.replace('\\"', '"'))
        position = match.end()
    if not segments or ("*" in segments and segments != ["*"]):
        raise ValueError(f"{text!r} is not a property path that the sandbox reads")
    return tuple(segments)


def differs_at(path: Path, old: Properties, new: Properties) -> bool:
    """Whether the values at the path differ, a missing one from every other."""
    return old != new if path == ("*",) else _get(old, path) != _get(new, path)


def kept(path: Path, old: Properties, new: Properties) -> Properties:
    """The new properties with the old value (or its absence) at the path."""
    if path == ("*",):
        return old
    return _put(new, path, _get(old, path))  # type: ignore[no-any-return]  # a path begins in a dict


def _get(value: PropertyValue, path: Path) -> PropertyValue:
    for segment in path:
        try:
            value = value[segment]
        except (KeyError, IndexError, TypeError):
            return _MISSING
    return value


def _put(container: PropertyValue, path: Path, value: PropertyValue) -> PropertyValue:
    head, rest = path[0], path[1:]
    if isinstance(container, dict) and isinstance(head, str):
        copy = dict(container)
        if rest:
            if head in copy:
                copy[head] = _put(copy[head], rest, value)
        elif value is _MISSING:
            copy.pop(head, None)
        else:
            copy[head] = value
        return copy
    if isinstance(container, list) and isinstance(head, int) and head < len(container) and value is not _MISSING:
        replaced = _put(container[head], rest, value) if rest else value
        return [*container[:head], replaced, *container[head + 1 :]]
    return container
