"""A stack's config as the text of its file, with comments that say where it came from. Pure."""

from collections.abc import Iterable, Mapping
from typing import Any

from twokeys.organization.adoption import LeftOut, Stack
from twokeys.project.stack_yaml import dumped
from twokeys.settings import PROJECT


def stack_file(stack: Stack, *, origin: str, left_out: Iterable[LeftOut] = ()) -> str:
    """The text of `Pulumi.<stack>.yaml`.

    `origin` says in a sentence what it was made from; `left_out`, what it does not take over, is said in its head.
    """
    lines = [
        f"# {origin}",
        "# Whatever says `adopt` exists and is imported by the first update; afterwards `adopt` may stay or go.",
        "# AWS's own policies (FullAWSAccess) and their attachments are not here: nobody changes them.",
    ]
    for one in left_out:
        lines.append(f"# Not taken over: {_line(one.what)}: {_line(one.why)}")
    lines.append("config:")
    for key, value in stack.config.items():
        if key == "accounts":
            lines += ["", f"  {PROJECT}:accounts:", *_accounts(stack, value)]
        else:
            lines += [*([""] if isinstance(value, dict) else []), *_yaml({f"{PROJECT}:{key}": value}, 2)]
    return "\n".join(lines) + "\n"


def _accounts(stack: Stack, accounts: Mapping[str, Any]) -> list[str]:
    lines: list[str] = []
    for key, account in accounts.items():
        if account.get("organizationalUnit") != stack.paths[key]:
            lines.append(f"    # in {_line(stack.paths[key])}")
        lines += _yaml({key: account}, 4)
    return lines


def _yaml(value: Any, indent: int) -> list[str]:  # noqa: ANN401 - any config value
    return [f"{' ' * indent}{line}" if line else "" for line in dumped(value, width=110).splitlines()]


def _line(text: str) -> str:
    return " ".join(text.split())
