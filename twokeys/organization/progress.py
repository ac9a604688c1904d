"""Progress of long reads, on the error stream so that it is in nobody's way."""

from __future__ import annotations

import time
from collections.abc import Callable

import click

Say = Callable[[str], None]

_QUIET_SECONDS = 2.0


def progress() -> Say:
    """Say something when the last words are some seconds old: a short read says nothing."""
    said = time.monotonic()

    def say(text: str) -> None:
        nonlocal said
        if time.monotonic() - said > _QUIET_SECONDS:
            said = time.monotonic()
            click.echo(f"... {text}", err=True)

    return say
