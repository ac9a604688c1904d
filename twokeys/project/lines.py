"""Where in a stack's file a setting stands, so that a refusal can name the line."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from twokeys.errors import Refusal
from twokeys.project.config import as_full_key, load_project, read_config
from twokeys.project.stack_yaml import as_text


@dataclass(frozen=True)
class Lines:
    """Of one stack, by the values that its program was given.

    They may have come from somewhere else, such as `--config-file` or `--config`: a setting has a line where the
    stack's own file says the same value of it. With aliases that is where the text stands, not where it is used.
    """

    root: Path
    stack: str
    given: Mapping[str, object]

    def __call__(self, key: str) -> str:
        """`Pulumi.prod.yaml:23` for `accounts.prod.email`, or the line of what is nearest above it; "" for none."""
        try:
            project = load_project(self.root)
            file = project.stack_file(self.stack)
            config = read_config(file)
        except Refusal:  # the program is run by other means than these files
            return ""
        name, rest = key.partition(".")[::2]
        names = [one for one in config if as_full_key(project, one) == as_full_key(project, name)]
        if not names or not _same(config[names[0]], self.given.get(as_full_key(project, name))):
            return ""
        text: Any = yaml.compose(file.read_text(encoding="utf-8"), Loader=yaml.SafeLoader)
        pair = next((pair for pair in text.value if pair[0].value == "config"), None)  # none: it comes by a merge (<<)
        return f"{file.name}:{_line(pair[0], pair[1], f'{names[0]}.{rest}')}" if pair else ""


def _line(name: yaml.Node, node: yaml.Node, path: str) -> int:
    """The line of the last of the keys in `path` that is there; a key may have periods itself."""
    while path:
        pairs: Any = node.value if isinstance(node, yaml.MappingNode) else ()
        if isinstance(node, yaml.SequenceNode):
            pairs = [
                (yaml.ScalarNode("", str(number), item.start_mark), item) for number, item in enumerate(node.value)
            ]
        there = [pair for pair in pairs if f"{path}.".startswith(f"{pair[0].value}.")]
        if not there:
            break
        name, node = max(there, key=lambda pair: len(pair[0].value))
        path = path[len(name.value) + 1 :]
    return int(name.start_mark.line) + 1


def _same(said: object, given: object) -> bool:
    if not isinstance(said, dict | list):
        return as_text(said) == given
    try:
        return isinstance(given, str) and bool(json.loads(given) == said)
    except ValueError:
        return False
