"""The page of the documentation that lists what the sandbox's AWS provider knows, written from its tables.

`python -m twokeys.sandbox.aws.types_page > docs/sandbox-types.md`
"""

from __future__ import annotations

import sys

from twokeys.sandbox.aws.catalogue import INVOKES, RECORDED, RESOURCE_TYPES

_INTRODUCTION = f"""\
# What the sandbox knows of AWS

The sandbox has its own AWS provider. Names, defaults and what replaces an object are those of the Pulumi AWS provider
7; a resource type or a property that is not in this table is refused in the preview, by its name.

Most objects are really made in the local AWS (ministack). Where it lacks the API, TwoKeys answers in its place: the
request is signed and authorized by IAM policies, what it says is told again to whoever asks, and nothing acts on it.
Such an object is {RECORDED}. Every operation on one says so, and every answer
about one has the header `x-twokeys-record`.

This page is written by `python -m twokeys.sandbox.aws.types_page`.
"""


def page() -> str:
    """The page, in Markdown."""
    rows = [
        f"| `{known.type}` | {'record' if known.record else 'local AWS'} | {', '.join(sorted(known.inputs))} |"
        for known in sorted(RESOURCE_TYPES.values(), key=lambda known: known.type)
    ]
    return "\n".join(
        (
            _INTRODUCTION,
            f"## Resource types ({len(rows)})",
            "",
            "| Type | Kept in | Properties |",
            "| --- | --- | --- |",
            *rows,
            "",
            f"## Functions ({len(INVOKES)})",
            "",
            *(f"- `{token}`" for token in sorted(INVOKES)),
            "",
        )
    )


if __name__ == "__main__":
    sys.stdout.write(page())
