"""The one place where text that comes from names, documents and logs is made fit for what shows it.

Whoever can name a role, tag an account or write a policy writes into our answers. A terminal obeys control characters
(ESC begins colours, titles and links; CR hides what a line said before), any reader obeys the marks that turn the
direction of text (https://www.unicode.org/reports/tr9/), Markdown and HTML have markup, and a spreadsheet runs a cell
that looks like a formula (https://owasp.org/www-community/attacks/CSV_Injection).
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
from datetime import UTC
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from rich.console import Console
    from rich.table import Table


_OBEYED = re.compile(
    r"(?P<code>`[^`|]+`)|(?P<linked>@|(?<=:)//|(?<=www)\.)"
    r"|[\\`*<#|~&]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])|\[(?=\^)|\](?=[(\[:])|^[>+-]|(?<=\])\(",
    re.IGNORECASE,
)
_PIECES = re.compile(r".+?(?:(?:[-/_:,|$@]|\.(?!\d))+|(?<=[a-z0-9])(?=[A-Z])|$)")
"""AWS's names are parted after their separators, OrganizationAccountAccessRole at its words, an address at its /."""
_LONGEST_PIECE = 24
_WIDEST = 10_000
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
PLAIN: dict[str, Any] = {"soft_wrap": True, "highlight": False, "markup": False, "emoji": False}
"""How a console prints a line as it is: not wrapped, not coloured, no markup."""


def printable(text: str) -> str:
    r"""Text in one line, each character that is not printed but obeyed made visible: ESC as `\x1b`, CR as `\r`."""
    return "".join(letter if letter.isprintable() else _visible(letter) for letter in text)


def in_utc(moment: datetime) -> str:
    """A moment for people."""
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def counted(number: int, thing: str) -> str:
    """A number of things in words: "1 door", "2 doors"."""
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"


def listed(names: Sequence[str], most: int = 4) -> str:
    """Names in a sentence: "stage, prod", or "a, b, c and 197 more"."""
    shown = list(dict.fromkeys(names))
    if len(shown) <= most:
        return ", ".join(shown)
    return f"{', '.join(shown[: most - 1])} and {len(shown) - most + 1} more"


def joined(names: Sequence[str], last: str = "and") -> str:
    """All names in a sentence: "CNY, EUR and USD"."""
    return f" {last} ".join([*filter(None, [", ".join(names[:-1])]), *names[-1:]])


def for_shell(variables: Mapping[str, str], without: Sequence[str] = ()) -> str:
    """Lines that set these variables, and unset others, for `eval "$(...)"` in any shell and `eval (...)` in fish.

    That puts the lines into one, and knows no `unset`: https://fishshell.com/docs/current/fish_for_bash_users.html
    """
    names = " ".join(without)
    lines = [f"command -v unset >/dev/null && unset {names} || set -e {names};"] if names else []
    return "\n".join([*lines, *(f"export {name}={shlex.quote(value)};" for name, value in variables.items())])


def short(value: object) -> str:
    """A value of a config in a message: text as it is where that is clear, else as JSON; at most 80 characters."""
    plain = isinstance(value, str) and value.isprintable() and value.strip() == value != ""
    text = str(value) if plain else json.dumps(value, default=str, ensure_ascii=False)
    if len(text) > 80 and isinstance(value, dict | list):
        text = f"(an object with {', '.join(value)})" if isinstance(value, dict) else f"(a list of {len(value)})"
    return text if len(text) <= 80 else text[:77] + "..."


def say(console: Console, line: str, style: str | None = None) -> None:
    """Print one line for people, fit for a terminal: also for a narrow one."""
    width = console.width if columns(terminal=console.is_terminal) else None
    console.print("\n".join(folded(printable(line), width)), style=style, **PLAIN)


def columns(*, terminal: bool) -> int | None:
    """How wide the lines may be; None where nobody says it, as in a file or a pipe."""
    return shutil.get_terminal_size().columns if terminal or "COLUMNS" in os.environ else None


def folded(line: str, width: int | None, indent: int | None = None) -> list[str]:
    """A line as lines of at most `width` columns: parted at spaces, and a word that is longer than one where AWS's
    names can be parted; a no-break space parts nothing, and an address stays whole. What follows the first stands
    `indent` columns in, by default two more than the first.
    """
    if width is None or len(line) <= width:
        return [line]
    start = len(line) - len(line.lstrip(" "))
    margin = " " * min(start + 2 if indent is None else indent, width // 2)
    lines, empty = [" " * min(start, width // 2)], True
    for word, spaces in re.findall("([^ ]+)( *)", line):
        whole = len(word) <= width - len(margin) or "://" in word
        for piece in [word] if whole else pieces(word, width - len(margin)):
            if not empty and len(lines[-1]) + len(piece) > width:
                lines[-1] = lines[-1].rstrip()
                lines.append(margin)
            lines[-1], empty = lines[-1] + piece, False
        lines[-1] += spaces
    return [*lines[:-1], lines[-1].rstrip()]


def pieces(word: str, longest: int = _LONGEST_PIECE) -> list[str]:
    """A long word where it can be parted; a piece that is longer still is cut."""
    return [piece[at : at + longest] for piece in _PIECES.findall(word) for at in range(0, max(len(piece), 1), longest)]


def show_table(console: Console, table: Table) -> None:
    """Print a table; where its longest words do not fit side by side, as a list: a row a paragraph, a cell a line."""
    from rich.text import Text  # noqa: PLC0415 - the command line starts without rich

    if console.measure(table, options=console.options.update(width=_WIDEST)).minimum <= console.width:
        console.print(table)
        return

    def plain(cell: Any) -> str:  # noqa: ANN401 - whatever rich can print
        return cell.plain if isinstance(cell, Text) else Text.from_markup(str(cell)).plain

    heads = [plain(column.header) for column in table.columns]
    rows = list(zip(*(column.cells for column in table.columns), strict=True))
    if table.show_footer:
        rows.append(tuple(column.footer for column in table.columns))
    if table.title:
        say(console, plain(table.title), "bold")
    for row in rows:
        for index, (head, cell) in enumerate(zip(heads, map(plain, row), strict=True)):
            for line in cell.split("\n") if cell else ():
                label = f"{head}: " if head and not line.startswith("Next step: ") else ""
                say(console, f"  {label}{line}" if index else line)


def cell(text: str) -> str:
    """Text for a cell of a table of rich, fit for a terminal."""
    from rich.markup import escape  # noqa: PLC0415 - the command line starts without rich

    return escape(printable(text))


def markdown(text: str) -> str:
    """Text for Markdown inside a line, with its code, in which nothing else is markup, a link, a mention or HTML."""
    return _OBEYED.sub(_inert, printable(text))


def _inert(found: re.Match[str]) -> str:
    if found["code"]:
        return found[0]
    return f"\u200b{found[0]}\u200b" if found["linked"] else f"\\{found[0]}"


def spreadsheet(text: str) -> str:
    """Text for a cell of a CSV file: one that begins like a formula gets an apostrophe in front, and is text."""
    shown = printable(text)
    return f"'{shown}" if text.startswith(_FORMULA) else shown


def _visible(letter: str) -> str:
    if letter == "\u00a0":
        return " "
    return letter.encode("unicode_escape", "surrogatepass").decode("ascii")
