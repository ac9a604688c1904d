"""Changing one place in a stack's file: every other character of it, its comments and its layout stay as they are."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

import yaml

from twokeys.project.stack_yaml import dumped

_WIDE: Final = 1_000_000


class NotEditableError(ValueError):
    """The place is written in a way (an alias, a merge, JSON in a text) that cannot be changed where it stands."""


def with_scalar(text: str, path: Sequence[str], value: str) -> str:
    """The text with another scalar at a path of keys, at which there is one already. Raises NotEditableError."""
    _, node, into = _found(text, path)
    if not isinstance(node, yaml.ScalarNode):
        raise NotEditableError
    start, end = node.start_mark.index, node.end_mark.index
    old = text[start:end]
    block = dumped({"key": value}, width=_WIDE)[len("key: ") :].strip()
    new = json.dumps(value, ensure_ascii=False) if into.flow_style else block
    return text[:start] + new + old[len(old.rstrip()) :] + text[end:]


def with_entry(text: str, after: Sequence[str], name: str, value: Mapping[str, Any]) -> str:
    """The text with another entry of a mapping, behind the one at a path of keys. Raises NotEditableError."""
    key, node, into = _found(text, after)
    end = _end(node, text)
    if into.flow_style:
        return f"{text[:end]}, {name}: {json.dumps(value, ensure_ascii=False)}{text[end:]}"
    newline = "\r\n" if "\r\n" in text else "\n"
    indent = key.start_mark.column
    block = dumped({name: value}, width=120 - indent, compact=True).splitlines()
    line = text.find("\n", end)
    head, tail = (text[: line + 1], text[line + 1 :]) if line >= 0 else (text + newline, "")
    return head + "".join(f"{' ' * indent}{one}{newline}" for one in block) + tail


def without_entry(text: str, path: Sequence[str]) -> str:
    """The text without the entry at a path of keys, beside which there are others. Raises NotEditableError."""
    key, node, into = _found(text, path)
    start, end = key.start_mark.index, _end(node, text)
    if not into.flow_style:
        line = text.find("\n", end)
        return text[: text.rfind("\n", 0, start) + 1] + (text[line + 1 :] if line >= 0 else "")
    place = [one for one, _ in into.value].index(key)
    if place:
        return text[: _end(into.value[place - 1][1], text)] + text[end:]
    return text[:start] + text[into.value[1][0].start_mark.index :]


def _found(text: str, path: Sequence[str]) -> tuple[yaml.Node, yaml.Node, yaml.MappingNode]:
    """The key and the value at a path, and the mapping that they stand in."""
    node: Any = yaml.compose(text, Loader=yaml.SafeLoader)
    key = into = node
    for name in path:
        if not isinstance(node, yaml.MappingNode):
            raise NotEditableError
        entry = next((pair for pair in node.value if pair[0].value == name), None)
        if entry is None or entry[1].start_mark.index < entry[0].end_mark.index:  # an alias points back to its anchor
            raise NotEditableError
        into, (key, node) = node, entry
    return key, node, into


def _end(node: yaml.Node, text: str) -> int:
    """Where a node's own text ends: a block's mark lies behind the comments that follow it."""
    if isinstance(node, yaml.CollectionNode) and not node.flow_style:
        last = node.value[-1]
        return _end(last[1] if isinstance(node, yaml.MappingNode) else last, text)
    return len(text[: node.end_mark.index].rstrip())
