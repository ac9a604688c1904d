"""Names are not obeyed: not by a terminal, a browser, a forge or a spreadsheet."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from twokeys.shown import cell, markdown, printable, say, spreadsheet


@pytest.mark.parametrize(
    ("hostile", "shown"),
    [
        ("a\x1b[2Jb", r"a\x1b[2Jb"),
        ("\x1b]8;;https://evil\x07x", r"\x1b]8;;https://evil\x07x"),
        ("safe\rrm", r"safe\rrm"),
        ("two\nlines", r"two\nlines"),
        ("\u202eevil", r"\u202eevil"),  # https://www.unicode.org/reports/tr9/#Explicit_Directional_Overrides
        ("\u2066x\u2069", r"\u2066x\u2069"),
        ("c1\x9b31m", r"c1\x9b31m"),
        ("\ud800", r"\ud800"),
        ("Zürich", "Zürich"),
    ],
)
def test_what_is_obeyed_is_made_visible(hostile: str, shown: str) -> None:
    assert printable(hostile) == shown


def test_a_line_on_a_terminal_has_neither_control_characters_nor_markup() -> None:
    out = io.StringIO()
    say(Console(file=out, force_terminal=True, width=200), "[bold red]x[/] \x1b]0;title\x07 :smile:")
    assert out.getvalue() == "[bold red]x[/] \\x1b]0;title\\x07 :smile:\n"


def test_a_cell_of_a_table_has_no_markup() -> None:
    out = io.StringIO()
    Console(file=out, force_terminal=True, width=200).print(cell("[red]a\x1b[0m"), highlight=False)
    assert out.getvalue() == "[red]a\\x1b[0m\n"


def test_markdown_has_no_markup_no_link_and_mentions_nobody() -> None:
    assert markdown("<img src=x> [a](b) `c` | @team") == (
        "\\<img src=x\\> \\[a\\]\\(b\\) \\`c\\` \\| \u200b@\u200bteam"
    )


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_a_cell_that_looks_like_a_formula_is_text(start: str) -> None:
    """https://owasp.org/www-community/attacks/CSV_Injection"""
    assert spreadsheet(f"{start}1+1").startswith("'")
    assert spreadsheet("plain=1") == "plain=1"
