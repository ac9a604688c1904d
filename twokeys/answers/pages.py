"""How pages are made: Jinja templates in which everything is escaped, with a policy that lets a page load nothing.

https://developer.mozilla.org/en-US/docs/Web/HTTP/Reference/Headers/Content-Security-Policy
"""

import base64
import hashlib
import re
from functools import cache
from importlib.resources import files
from itertools import cycle
from typing import Any

from jinja2 import Environment, FunctionLoader, StrictUndefined
from markupsafe import Markup, escape

from twokeys.shown import pieces, printable

_APART = re.compile(r"`([^`]+)`|( \(\d{12}\))|( \([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\))")
"""What is typed; the ID of an account, behind its name; that of an event: a style may make IDs small."""
_SHORT = 12
"""A word of so many letters is never parted."""


def page(package: str, template: str, **values: object) -> str:
    """The page that a template of a package makes of these values.

    Text is escaped and made printable wherever the template puts it. What the page itself is made of (style, script, a
    picture) comes in with `part`, and is trusted.
    """
    return _environment(package).get_template(template).render(**values)


def part(package: str, name: str) -> Markup:
    """A file of a package that goes into a page as it is."""
    return Markup(_source(package, name))  # noqa: S704 - files of ours, nobody else's text


def footer(text: str) -> Markup:
    """The rule that prints this text at the foot of every page, left of the page's number.

    Whatever is no ASCII letter or digit is escaped, so that no name ends the string or the style:
    https://www.w3.org/TR/css-syntax-3/#consume-escaped-code-point
    """
    escaped = "".join(one if one.isascii() and one.isalnum() else f"\\{ord(one):x} " for one in printable(text))
    rule = f'@page {{ @bottom-left {{ content: "{escaped}"; font: 7pt sans-serif; }} }}\n'
    return Markup(rule)  # noqa: S704 - escaped above


def hashed(text: str) -> str:
    """How a content security policy names an inline style or script that may be used."""
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


@cache
def _environment(package: str) -> Environment:
    made = Environment(
        loader=FunctionLoader(lambda name: _source(package, name)),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_finalized,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    made.filters["names"] = _parted
    return made


def _parted(text: str) -> Markup:
    """Text in which a long name may be parted where AWS's names can be, and nowhere else; what is typed is code.

    There each word is a span: a style may keep it whole as long as it fits into a line.
    """
    plain, account, event, code, word = map(
        Markup,
        ("{}", '<span class="id">{}</span>', '<span class="event">{}</span>', "<code>{}</code>", "<span>{}</span>"),
    )
    kinds = cycle(((plain, plain), (code, word), (account, plain), (event, plain)))
    return Markup("").join(
        whole.format(Markup(" ").join(each.format(_pieced(one)) for one in part.split(" ")))
        for (whole, each), part in zip(kinds, _APART.split(printable(text)), strict=False)
        if part
    )


def _pieced(word: str) -> Markup:
    return Markup("<wbr>").join(pieces(word)) if len(word) > _SHORT else escape(word)


def _finalized(value: Any) -> Any:  # noqa: ANN401 - whatever a template prints
    return printable(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _source(package: str, name: str) -> str:
    return files(package).joinpath(name).read_text(encoding="utf-8")
