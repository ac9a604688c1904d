"""The local AWS as an HTTP proxy of itself, for names of hosts that no resolver knows.

The vendor's plugin calls S3 Control at `ACCOUNT.HOST`, and `111111111111.127.0.0.1` is nobody's name. With `HTTP_PROXY`
set to the local AWS such a request comes here with its whole URL, signed for the host that it names
(https://www.rfc-editor.org/rfc/rfc9112#section-3.2.2). Nothing is passed on: every host is this one.
"""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, TypeAlias
from urllib.parse import unquote, urlsplit

Message: TypeAlias = MutableMapping[str, Any]
App: TypeAlias = Callable[[Message, Any, Any], Awaitable[None]]


def forwarded(app: App) -> App:
    """`app`, which then also answers requests that name it by a whole URL."""

    async def answer(scope: Message, receive: Any, send: Any) -> None:  # noqa: ANN401 - ASGI's callables
        if scope["type"] == "http" and scope["raw_path"].startswith(b"http://"):
            raw = urlsplit(scope["raw_path"].decode("ascii")).path or "/"
            scope = {**scope, "raw_path": raw.encode("ascii"), "path": unquote(raw)}
        await app(scope, receive, send)

    return answer
