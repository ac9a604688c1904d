"""`python -m twokeys.sandbox.local_server FD`: serve on an inherited socket until told to stop."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import threading
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import unquote, urlsplit

import hypercorn.asyncio
import hypercorn.config

from twokeys.sandbox.local_aws import DETACH
from twokeys.sandbox.local_server import (
    account,
    amendments,
    iam,
    identity_center,
    mfa,
    organizations,
    quotas,
    recorded_services,
    records,
    s3_account,
)
from twokeys.sandbox.local_server.inside import app as ministack

_SUPPLEMENTS = (
    organizations,
    account,
    iam,
    mfa,
    records,
    recorded_services,
    identity_center,
    s3_account,
    amendments,
    quotas,
)
_FORCED_EXIT_SECONDS = 5.0


def main(listener: int) -> None:
    """Run until SIGTERM, or until whoever started us is gone (`_end_with_parent`)."""
    for supplement in _SUPPLEMENTS:
        supplement.install()
    config = hypercorn.config.Config()
    config.bind = [f"fd://{listener}"]
    config.loglevel = "WARNING"
    config.graceful_timeout = 1.0
    asyncio.run(_serve(_forwarded(ministack.app), config))


def _forwarded(app: Callable[..., Awaitable[None]]) -> Callable[..., Awaitable[None]]:
    """The local AWS, which also answers requests that name it by a whole URL: as a proxy of itself.

    The vendor's plugin calls S3 Control at `ACCOUNT.HOST`, and no resolver knows `111111111111.127.0.0.1`. With
    `HTTP_PROXY` set to the local AWS such a request comes here with its whole URL, signed for the host that it names
    (https://www.rfc-editor.org/rfc/rfc9112#section-3.2.2). Nothing is passed on: every host is this one.
    """

    async def answer(scope: dict[str, Any], receive: object, send: object) -> None:
        if scope["type"] == "http" and scope["raw_path"].startswith(b"http://"):
            raw = urlsplit(scope["raw_path"].decode("ascii")).path or "/"
            scope = {**scope, "raw_path": raw.encode("ascii"), "path": unquote(raw)}
        await app(scope, receive, send)

    return answer


async def _serve(app: object, config: hypercorn.config.Config) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, stop.set)
    loop.add_signal_handler(signal.SIGINT, stop.set)
    threading.Thread(target=_end_with_parent, args=(loop, stop), daemon=True).start()
    await hypercorn.asyncio.serve(app, config, shutdown_trigger=stop.wait)  # type: ignore[arg-type]


def _end_with_parent(loop: asyncio.AbstractEventLoop, stop: asyncio.Event) -> None:
    """Standard input is a pipe that only our parent holds: it ends when the parent does, however that happens."""
    if os.read(sys.stdin.fileno(), 1) == DETACH:
        return
    threading.Timer(_FORCED_EXIT_SECONDS, os._exit, args=(1,)).start()
    loop.call_soon_threadsafe(stop.set)


if __name__ == "__main__":
    main(int(sys.argv[1]))
