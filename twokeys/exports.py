"""What a stack tells others, read from a file: its outputs, and its resources where the file has them.

One reader for what `pulumi stack export` and the sandbox write (a deployment), for the checkpoint that a self-managed
backend keeps, and for `pulumi stack output --json`. A value is `UNKNOWN` where the file hides a secret.
"""

import json
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from http.client import HTTPException
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import url2pathname, urlopen

from twokeys.access.model.accounts import Accounts
from twokeys.access.reading.snapshot import Snapshot
from twokeys.access.reading.state import parse_state
from twokeys.access.reading.type_names import ACCOUNT
from twokeys.access.reading.wire import properties
from twokeys.errors import Refusal
from twokeys.iam import UNKNOWN, is_account_id
from twokeys.loopback import is_loopback
from twokeys.options import is_named_pipe

# What `pulumi stack output --json` shows of a secret: https://www.pulumi.com/docs/iac/cli/commands/pulumi_stack_output/
_MASKED = "[secret]"
_SECONDS = 15
_MOST_BYTES = 32 << 20
ASK = "ask whoever publishes it (they make it with `twokeys access export FILE`)"
"""The next step where a file of doors is wrong."""


@dataclass(frozen=True)
class Exports:
    """The outputs of one stack and, when they come from a deployment, its resources; `where` names the file."""

    where: str
    outputs: Mapping[str, object]
    snapshot: Snapshot = field(default_factory=lambda: Snapshot(()))


def read_exports(path: str) -> Exports:
    """Read the exports in a file or at an address; `-` is the standard input. Refuses what is not there or unclear."""
    if path.lower().startswith("file://"):
        path = url2pathname(path[len("file://") :])
    elif "://" in path:
        return parse_exports(_fetched(path), path)
    if path == "-":
        return parse_exports(sys.stdin.buffer.read(), "the standard input")
    file = Path(path).expanduser() if path.startswith("~/") else Path(path)  # a shell leaves it as it is in quotes
    try:
        if is_named_pipe(file):
            raise OSError(None, "it is a pipe, and a file is needed")
        return parse_exports(file.read_bytes(), path)
    except OSError as error:
        raise Refusal(
            "the exports cannot be read",
            where=path,
            why=error.strerror or str(error),
            next_step="give a file that `twokeys access export FILE` or `pulumi stack export --file FILE` wrote",
        ) from error


def _fetched(address: str) -> bytes:
    """What is published at an address: over https, or on this machine; at most 32 MiB."""
    try:
        _refuse_open(address)
        with urlopen(address, timeout=_SECONDS) as answer:  # noqa: S310 - https, or this machine
            _refuse_open(answer.url)  # where it was sent on to
            text: bytes = answer.read(_MOST_BYTES + 1)
    except HTTPError as error:
        with error:
            raise _not_there(address, " ".join(f"{error.code} {error.reason}".split()), error.code) from error
    except URLError as error:
        step = "look at the network, and at HTTPS_PROXY where a proxy is in between, or download it and give that file"
        raise _not_there(address, str(error.reason), step=step) from error
    except (OSError, ValueError, HTTPException) as error:
        raise _not_there(address, str(error)) from error
    if len(text) > _MOST_BYTES:
        raise _not_there(address, f"it is larger than {_MOST_BYTES >> 20} MiB")
    return text


def _refuse_open(address: str) -> None:
    scheme = urlsplit(address).scheme
    if scheme != "https" and not (scheme == "http" and is_loopback(address)):
        raise OSError(f"{address} is not https, and over http anybody on the way could change it; nothing else is read")


def _not_there(address: str, why: str, code: int = 0, step: str = "") -> Refusal:
    step = step or "give the https address, or a file, of what `twokeys access export FILE` wrote"
    if code in (401, 403):
        step = "it asks for a sign-in, which this does not do: download it in your browser, and give that file"
    elif code:
        step = "run this again in some minutes" if code >= 500 else "ask whoever publishes it for its address"
    return Refusal("the published doors cannot be read", where=address, why=why, next_step=step)


def parse_exports(text: bytes, where: str) -> Exports:
    """The exports in the text of a deployment, a checkpoint or `pulumi stack output --json`. Refuses anything else."""
    try:
        decoded = text.decode("utf-8-sig")
        read = json.loads(decoded)
    except (ValueError, RecursionError) as error:
        page = " but a page, such as one to sign in" if text.lstrip().startswith(b"<") else f": {error}"
        raise _not_exports(where, f"it is not JSON{page}") from error
    if not isinstance(read, dict):
        raise _not_exports(where, "it is JSON, but not an object")
    if "terraform_version" not in read and ("version" not in read or not {"deployment", "checkpoint"} & set(read)):
        shown = {name: UNKNOWN if value == _MASKED else value for name, value in read.items()}
        return Exports(where, properties(shown))
    snapshot = parse_state(decoded, where)
    stack = next(iter(snapshot.of_type("pulumi:pulumi:Stack")), None)
    return Exports(where, stack.outputs if stack else {}, snapshot)


def account_names(exports: Iterable[Exports]) -> dict[str, str]:
    """The name of each account by its 12-digit id.

    Known from Account resources (their Organizations name), else from the output `member_account_ids` (by name); the
    account in `parent_account_id`, and the one that a stack manages its organization from, is "management".
    """
    names: dict[str, str] = {}
    for each in exports:
        accounts = Accounts(each.snapshot)
        for resource in each.snapshot.of_type(ACCOUNT):
            account = accounts.named_by(resource)
            if is_account_id(account):
                names[account] = resource.text("name") or resource.name
        members = each.outputs.get("member_account_ids")
        for name, account in members.items() if isinstance(members, Mapping) else ():
            if is_account_id(account):
                names.setdefault(account, name)
        for parent in (each.outputs.get("parent_account_id"), accounts.management):
            if is_account_id(parent):
                names.setdefault(parent, "management")
    return names


def _not_exports(where: str, why: str) -> Refusal:
    return Refusal(
        "this is neither a file of doors nor what a stack exports",
        where=where,
        why=why,
        next_step=f"download it again, or {ASK}",
    )
