"""What a reader of the demo sees at a glance: what a line is about, what went well and what was refused."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from twokeys.sandbox.report import Report, Verdicts


@pytest.mark.parametrize(
    ("line", "marked"),
    [
        ("stage       preview  23 resources, 23 rules: nothing refused", {"stage": "bold", "nothing refused": "green"}),
        ("stage       refused  door ci without its grant", {"stage": "bold", "refused": "red"}),
        ("stage       preview  9 resources, 23 rules: 2 refused", {"stage": "bold"}),
        ("probes: 47 of 47 as expected: 9 assumed, 38 refused", {"probes": "bold", "as expected": "green"}),
        ("  assumed  role ci enters by door ci", {"assumed": "green"}),
        ("  refused  a user without a grant", {"refused": "red"}),
        ("who can enter prod: 12 ways", {"who can enter prod": "bold"}),
        ("  role refused of identity -> assumed: write", {}),
    ],
)
def test_a_verdict_has_its_colour_and_nothing_else_has(line: str, marked: dict[str, str]) -> None:
    text = Verdicts()(line)
    assert {text.plain[one.start : one.end].strip(): one.style for one in text.spans} == marked


def test_a_message_in_a_narrow_terminal_parts_no_word() -> None:
    out = io.StringIO()
    message = "role ci trusts arn:aws:iam::123456789012:role/OrganizationAccountAccessRole"
    Report(Console(file=out, width=40, force_terminal=True, no_color=True)).say("warning", message)
    lines = Console(file=io.StringIO()).render_str(out.getvalue(), markup=False).plain.splitlines()
    assert [line.removesuffix("\x1b[0m").removeprefix("\x1b[2m") for line in lines] == [
        "warning: role ci trusts arn:aws:iam::",
        "  123456789012:role/OrganizationAccount",
        "  AccessRole",
    ]
