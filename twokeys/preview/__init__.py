"""`twokeys preview`: the unmodified program on the SDK's mock monitor, then the rules.

`preview` gives the snapshot of a program, `judge` what the rules find in it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from twokeys.preview.program import judge, preview

__all__ = ["judge", "preview"]


def __getattr__(name: str) -> Any:  # noqa: ANN401 - whichever of the two
    """Imported when it is used, so that the help of the command stays quick."""
    if name not in __all__:
        raise AttributeError(name)
    from twokeys.preview import program  # noqa: PLC0415

    return getattr(program, name)
