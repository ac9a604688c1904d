"""boto3 clients of one set of credentials, on loopback, and what an API refusal is called."""

import contextlib
import threading
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, ConnectionError, HTTPClientError

_session_lock = threading.Lock()
_session: boto3.Session | None = None

_ATTEMPTS = 4
"""A local AWS that ended does not come back: a call is not tried for minutes as on AWS, whatever `maxRetries` says."""
_GONE = ("AWSOrganizationsNotInUseException", "PolicyNotAttachedException")


class ProviderError(Exception):
    """An API refused, or an object cannot be handled: one sentence, and further lines with causes and next steps."""

    def __init__(self, message: str, reasons: tuple[str, ...] = ()) -> None:
        self.message, self.reasons = message, reasons
        super().__init__("\n".join((message, *reasons)))


Keys = tuple[str, str, str | None]
"""What signs requests: access key, secret key and, for a session, its token."""


class Aws:
    """The APIs as one set of credentials sees them. Clients are made once each and may be used by many threads."""

    def __init__(self, endpoint: str, region: str, keys: Keys, default_tags: Mapping[str, str]) -> None:
        self.endpoint, self.region, self.account = endpoint, region, ""
        self.default_tags = dict(default_tags)
        self._keys = keys
        self._clients: dict[str, Any] = {}
        self._lock = threading.Lock()

    # boto3's clients are generated at run time; `Any` is what boto3 itself declares without its stubs.
    def client(self, service: str) -> Any:  # noqa: ANN401
        """The client of one service ("iam")."""
        with self._lock:
            if service not in self._clients:
                self._clients[service] = make_client(service, self.endpoint, self.region, self._keys)
            return self._clients[service]

    def pages(self, service: str, operation: str, key: str, **arguments: Any) -> list[Any]:  # noqa: ANN401
        """All items of a listing, page after page."""
        paginator = self.client(service).get_paginator(operation)
        return [item for page in paginator.paginate(**arguments) for item in page[key]]

    def close(self) -> None:
        """Close the connections; a client asked for later is made anew."""
        with self._lock:
            while self._clients:
                self._clients.popitem()[1].close()


def make_client(service: str, endpoint: str, region: str, keys: Keys) -> Any:  # noqa: ANN401 - as above
    """A client of the one shared session: a session per client costs 38 ms and 10 MB (measured)."""
    global _session  # noqa: PLW0603 - boto3's loaders and models are worth having once in a process
    config = Config(
        retries={"mode": "standard", "total_max_attempts": _ATTEMPTS}, connect_timeout=5, read_timeout=60, proxies={}
    )
    with _session_lock:
        _session = _session or boto3.Session()
        return _session.client(  # type: ignore[call-overload]
            service,
            endpoint_url=endpoint,
            region_name=region,
            aws_access_key_id=keys[0],
            aws_secret_access_key=keys[1],
            aws_session_token=keys[2],
            config=config,
        )


@contextlib.contextmanager
def refusals(doing: str, endpoint: str) -> Iterator[None]:
    """Raise ProviderError for every error of boto3: what was being done, and what the API said."""
    try:
        yield
    except ClientError as error:
        said = error.response["Error"]
        reason = f"{error.operation_name}: {said.get('Code')}: {said.get('Message')}"
        raise ProviderError(f"{doing} was refused by the local AWS", (reason,)) from error
    except (ConnectionError, HTTPClientError) as error:
        raise ProviderError(
            f"{doing} did not finish: the local AWS at {endpoint} ended or does not answer",
            (str(error), "It keeps its accounts at an orderly end only: run the command again, which starts anew."),
        ) from error
    except BotoCoreError as error:
        raise ProviderError(f"{doing} failed", (str(error),)) from error


def absent(error: ClientError) -> bool:
    """Whether an API says that the object does not exist."""
    said = str(error.response["Error"].get("Code", ""))
    return said.startswith("NoSuch") or "NotFound" in said or said in _GONE


def or_none(call: Callable[..., Any], **arguments: Any) -> Any:  # noqa: ANN401 - as above
    """The answer, or None when the object does not exist."""
    try:
        return call(**arguments)
    except ClientError as error:
        if absent(error):
            return None
        raise


def timestamp(value: datetime | None) -> str | None:
    """A time as the provider writes it: RFC 3339 in UTC, whole seconds."""
    return None if value is None else value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
