"""Which messages with a next step a test has given, of all that the code of a folder has."""

import ast
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

Place = tuple[str, int]


@contextmanager
def giving(kinds: Sequence[type], monkeypatch: pytest.MonkeyPatch) -> Iterator[set[Place]]:
    """The places (file and line) from which a message of these kinds was made, by whatever way."""
    places: set[Place] = set()

    def noting(kind: Any) -> None:
        init = kind.__init__

        def noted(self: object, *values: Any, **more: Any) -> None:
            frame = sys._getframe(1)
            while frame:
                places.add((frame.f_code.co_filename, frame.f_lineno))
                frame = frame.f_back
            init(self, *values, **more)

        patched.setattr(kind, "__init__", noted)

    with monkeypatch.context() as patched:
        for kind in kinds:
            noting(kind)
        yield places


def never_given(folder: Path, names: set[str], places: set[Place]) -> dict[str, str]:
    """The source of each call of these names that was made from none of the places, by its file and line."""
    found = {}
    for file in sorted(folder.rglob("*.py")):
        text = file.read_text()
        for call in (one for one in ast.walk(ast.parse(text)) if isinstance(one, ast.Call)):
            if {one.id for one in ast.walk(call.func) if isinstance(one, ast.Name)} & names and not any(
                (str(file), line) in places for line in range(call.lineno, (call.end_lineno or 0) + 1)
            ):
                found[f"{file.relative_to(folder)}:{call.lineno}"] = ast.get_source_segment(text, call) or ""
    return found
