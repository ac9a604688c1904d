"""How the shards of an environment are named: the one place that knows a shard's file when it sees it."""

import re
from pathlib import Path
from typing import Final

SHARDS: Final = "shards"
"""The folder of the shards' files; it is a Pulumi project of the same name, whose program is the one above."""
_DIGITS: Final = 3
NUMBERED: Final = re.compile(rf"(?P<environment>.+)-(?P<number>[0-9]{{{_DIGITS},}})")


def shard_files(root: Path, environment: str) -> dict[int, Path]:
    """The files of an environment's shards by number, in that order."""
    found = {}
    for path in (root / SHARDS).glob("Pulumi.*.yaml"):
        number = shard_number(environment, path.name.removeprefix("Pulumi.").removesuffix(".yaml"))
        if number is not None:
            found[number] = path
    return dict(sorted(found.items()))


def shard_name(environment: str, number: int) -> str:
    """The stack of a shard: `prod-001`."""
    return f"{environment}-{number:0{_DIGITS}d}"


def shard_number(environment: str, stack: str) -> int | None:
    """The number of a shard by its stack's name; None for a name that no shard of the environment has."""
    numbered = NUMBERED.fullmatch(stack)
    number = int(numbered["number"]) if numbered else 0
    return number if number and shard_name(environment, number) == stack else None
