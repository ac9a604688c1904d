"""The one place where text that comes from names, documents and logs is made fit for what shows it.

Whoever can name a role, tag an account or write a policy writes into our answers. A terminal obeys control characters
(ESC begins colours, titles and links; CR hides what a line said before), any reader obeys the marks that turn the
direction of text (https://www.unicode.org/reports/tr9/), Markdown and HTML have markup, and a spreadsheet runs a cell
that looks like a formula (https://owasp.org/www-community/attacks/CSV_Injection).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console


_MARKUP = re.compile(r"([\\`*_{}\[\]<>()#!|~&])")
_LINKED = re.compile(r"@|(?<=:)//|(?<=www)\.", re.IGNORECASE)
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
PLAIN: dict[str, Any] = {"soft_wrap": True, "highlight": False, "markup": False, "emoji": False}
"""How a console prints a line as it is: not wrapped, not coloured, no markup."""


def printable(text: str) -> str:
    r"""Text in one line, each character that is not printed but obeyed made visible: ESC as `\x1b`, CR as `\r`."""
    return "".join(letter if letter.isprintable() else _visible(letter) for letter in text)


def say(console: Console, line: str) -> None:
    """Print one line for people, fit for a terminal."""
    console.print(printable(line), **PLAIN)


def cell(text: str) -> str:
    """Text for a cell of a table of rich, fit for a terminal."""
    from rich.markup import escape  # noqa: PLC0415 - the command line starts without rich

    return escape(printable(text))


def markdown(text: str) -> str:
    """Text for Markdown inside a line, in which nothing is markup, a link (also a bare one), a mention or HTML."""
    return _LINKED.sub("\u200b\\g<0>\u200b", _MARKUP.sub(r"\\\1", printable(text)))


def spreadsheet(text: str) -> str:
    """Text for a cell of a CSV file: one that begins like a formula gets an apostrophe in front, and is text."""
    shown = printable(text)
    return f"'{shown}" if text.startswith(_FORMULA) else shown


def _visible(letter: str) -> str:
    if letter == "\u00a0":
        return " "
    return letter.encode("unicode_escape", "surrogatepass").decode("ascii")
