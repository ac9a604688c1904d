"""When each shard was last seen to be as its config says, so that an unchanged shard costs no engine run."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from twokeys.files import make_folder, write_output


@dataclass(frozen=True)
class Settled:
    """A moment at which a shard was as its config says: an update succeeded, or a preview found nothing to do.

    Attributes:
        digest: of everything that hangs on it, the state included (`twokeys.fleet.inputs`).
        at: when, in UTC.
        seconds: what the run took.
        resources: how many the stack had.
    """

    digest: str
    at: str
    seconds: float
    resources: int


class Ledger:
    """One file a shard, in the fleet's folder. It may be lost: then everything is run once more."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def last(self, stack: str) -> Settled | None:
        """The last such moment; None when there was none, or the file cannot be read."""
        try:
            return Settled(**json.loads(self._path(stack).read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            return None  # a lost or damaged entry only costs a run

    def record(self, stack: str, digest: str, seconds: float, resources: int) -> None:
        """Remember such a moment. Raises Refusal when the folder cannot be written."""
        make_folder(self._folder)
        settled = Settled(digest, datetime.now(UTC).isoformat(timespec="seconds"), seconds, resources)
        write_output(self._path(stack), json.dumps(asdict(settled)))

    def _path(self, stack: str) -> Path:
        return self._folder / f"{stack}.json"
