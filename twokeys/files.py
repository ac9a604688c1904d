"""Files that are written for people: as a whole or not at all."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from twokeys.errors import Refusal


def write_whole(path: Path, text: str) -> None:
    """Replace a file as a whole: a reader sees the old one or the new one. Raises Refusal where that cannot be done."""
    temporary: Path | None = None
    try:
        descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
        temporary = Path(name)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
        temporary.chmod(0o644)
        temporary.replace(path)
    except OSError as error:
        if temporary is not None:
            temporary.unlink(missing_ok=True)
        raise Refusal(
            f"{path.name} cannot be written",
            where=str(path),
            why=error.strerror or str(error),
            next_step="name a file in a folder that exists and can be written",
        ) from error
