"""What a preview does to who can enter which account, as one piece of advice."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from twokeys.access.diff import changes
from twokeys.access.findings import Finding
from twokeys.access.graph import Graph, build
from twokeys.access.report import Judged
from twokeys.access.snapshot import Snapshot
from twokeys.errors import Refusal

DOORS_CHANGED: Final = "doors-changed"
_NAME_A_STATE = f"name a state in the configuration of {DOORS_CHANGED}, or correct it"
_READ_IT = "read the list; nothing has to be done if this is what the change is for"


def doors_changed(graph: Graph, before: Callable[[], Snapshot | None]) -> list[Judged]:
    """The doors gained, lost and changed; nothing for a new stack, and without a state to compare with."""
    try:
        state = before()
    except Refusal as refusal:  # a difference that cannot be told must not look like none
        about = f"The doors gained and lost cannot be told ({refusal.where}: {refusal.why})"
        return [Judged(Finding(DOORS_CHANGED, about, _NAME_A_STATE), mandatory=False)]
    found = changes(build(state), graph) if state is not None and state.resources else None
    if not found:
        return []
    lines = [f"+ {way}" for way in found.gained] + [f"- {way}" for way in found.lost]
    lines += [f"~ {old}  is now  {new}" for old, new in found.changed]
    about = "Doors gained (+), lost (-) and changed (~):\n" + "\n".join(lines) + "\n"
    return [Judged(Finding(DOORS_CHANGED, about, _READ_IT), mandatory=False)]
