"""A stack's config as the text of its file, with comments that say where it came from. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import yaml

from twokeys.organization.adoption import LeftOut, Stack
from twokeys.settings import PROJECT


class _Dumper(yaml.SafeDumper):
    """No anchors: a document that stands twice is written twice."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ANN401, ARG002 - yaml's signature
        return True


def _text(dumper: _Dumper, text: str) -> yaml.ScalarNode:
    # Whatever might be a number to some reader of YAML is none: an account's id may begin with zeros.
    style = '"' if text[:1].isdigit() else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _text)


def stack_file(stack: Stack, *, origin: str, left_out: Iterable[LeftOut] = ()) -> str:
    """The text of `Pulumi.<stack>.yaml`.

    Args:
        origin: what it was made from, as a sentence.
        left_out: what the stack does not take over; said in its head.
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
    text = yaml.dump(value, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=110)
    return [f"{' ' * indent}{line}" if line else "" for line in text.splitlines()]


def _line(text: str) -> str:
    return " ".join(text.split())
