"""Where in a stack's file a setting stands, so that a refusal can name the line."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from twokeys.errors import Refusal
from twokeys.project.config import as_full_key, load_project, place_of, read_config
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
        return place_of(file, f"{names[0]}.{rest}")


def _same(said: object, given: object) -> bool:
    if not isinstance(said, dict | list):
        return as_text(said) == given
    try:
        return isinstance(given, str) and bool(json.loads(given) == said)
    except ValueError:
        return False
