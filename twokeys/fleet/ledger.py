"""What each shard was last seen to be as its config says, so that an unchanged shard costs no engine run."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from twokeys.files import make_folder, write_output


@dataclass(frozen=True)
class Settled:
    """What a shard was like when an update of it succeeded, or a preview found nothing to do.

    Attributes:
        digest: of everything that hangs on it, the state included (`twokeys.fleet.inputs`).
    """

    digest: str
    resources: int


class Ledger:
    """One file a shard, in the fleet's folder. It may be lost: then everything is run once more."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def last(self, stack: str) -> Settled | None:
        """The last of a stack; None when there was none, or the file cannot be read."""
        try:
            return Settled(**json.loads((self._folder / f"{stack}.json").read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            return None  # a lost or damaged entry only costs a run

    def record(self, stack: str, settled: Settled) -> None:
        """Remember it. Raises Refusal when the folder cannot be written."""
        make_folder(self._folder)
        write_output(self._folder / f"{stack}.json", json.dumps(asdict(settled)))
