"""What a run works with, whatever it does."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from twokeys.sandbox.engine.events import Report
from twokeys.sandbox.engine.plugin import Plugin
from twokeys.sandbox.engine.state import Snapshot
from twokeys.sandbox.engine.values import Properties


@dataclass(frozen=True)
class Surroundings:
    """What a run works with.

    Attributes:
        plugins: package name to plugin.
        stack_outputs: the outputs of another stack by its full name, None for an unknown one.
        report: told every event, from any thread.
        save: given the whole state whenever it changed; never in a preview.
        environment: the whole environment of the program and the policy packs.
    """

    plugins: Mapping[str, Plugin]
    stack_outputs: Callable[[str], Properties | None]
    report: Report
    save: Callable[[Snapshot], None]
    environment: Mapping[str, str]
