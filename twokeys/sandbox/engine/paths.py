"""Property paths ("tags.team", "rules[0].name", "rules[*]", "*") of `ignoreChanges` and `replaceOnChanges`."""

from __future__ import annotations

import re
from typing import Final

from twokeys.sandbox.engine.values import Properties, PropertyValue

Path = tuple[str | int, ...]

_SEGMENT: Final = re.compile(r"""(?:^|\.)([^.\[\]"]+)|\[(\d+|\*)\]|\["((?:[^"\\]|\\.)*)"\]""")
_MISSING: Final = object()


def parse_path(text: str) -> Path:
    """The segments of a path; "*" stands for every property, or every element.

    Raises:
        ValueError: it is not a property path.
    """
    segments: list[str | int] = []
    position = 0
    while position < len(text):
        match = _SEGMENT.match(text, position)
        if match is None:
            raise ValueError(f"{text!r} is not a property path")
        name, index, quoted = match.groups()
        if index is not None:
            segments.append("*" if index == "*" else int(index))
        else:
            segments.append(name if name is not None else quoted.replace('\\"', '"'))
        position = match.end()
    if not segments:
        raise ValueError("an empty text is not a property path")
    return tuple(segments)


def differs_at(path: Path, old: Properties, new: Properties) -> bool:
    """Whether the values at the path differ, a missing one from every other."""
    return bool(_get(old, path) != _get(new, path))


def kept(path: Path, old: Properties, new: Properties) -> Properties:
    """The new properties with the old value (or its absence) at the path."""
    return _reset(new, old, path)  # type: ignore[no-any-return]  # a path begins in a dict


def _get(value: PropertyValue, path: Path) -> PropertyValue:
    """What is at the path; with a wildcard, what is there in each property or element."""
    if not path:
        return value
    head, rest = path[0], path[1:]
    if head == "*" and isinstance(value, dict):
        return {key: _get(inner, rest) for key, inner in value.items()}
    if head == "*" and isinstance(value, list):
        return [_get(inner, rest) for inner in value]
    try:
        return _get(value[head], rest)
    except (KeyError, IndexError, TypeError):
        return _MISSING


def _reset(new: PropertyValue, old: PropertyValue, path: Path) -> PropertyValue:
    """The new value with that of the old one at the path, as far as the path leads through both."""
    if not path:
        return old
    head, rest = path[0], path[1:]
    if isinstance(new, dict) and isinstance(old, dict) and isinstance(head, str):
        if head == "*":
            return {key: _reset(new[key], old[key], rest) for key in new if key in old} | _unmatched(new, old, rest)
        return _reset_key(new, old, head, rest)
    if isinstance(new, list) and isinstance(old, list):
        if head == "*":
            return [_reset(*pair, rest) for pair in zip(new, old, strict=False)] + new[len(old) :]
        if isinstance(head, int) and head < min(len(new), len(old)):
            return [*new[:head], _reset(new[head], old[head], rest), *new[head + 1 :]]
    return new


def _unmatched(new: Properties, old: Properties, rest: Path) -> Properties:
    """Keys that only one has: at the end of a path the old ones are put back and the new ones left out."""
    one = new if rest else old
    return {key: value for key, value in one.items() if key not in new or key not in old}


def _reset_key(new: Properties, old: Properties, key: str, rest: Path) -> Properties:
    if key in new and key in old:
        return {**new, key: _reset(new[key], old[key], rest)}
    if rest:
        return new
    if key in old:
        return {**new, key: old[key]}
    return {name: value for name, value in new.items() if name != key}
