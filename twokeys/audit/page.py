"""The report as one HTML file for auditors: no script, nothing loaded, printable.

The document is built as a tree and written out by the standard library, which escapes every text and attribute.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Sequence
from importlib.resources import files
from xml.etree.ElementTree import Element, SubElement, tostring

from twokeys.audit.comparison import Comparison
from twokeys.audit.model import Entry, Picture
from twokeys.audit.report import door_use, granted, period, reasons, row, title, used

_COLUMNS = ("Who", "Into", "If", "Up to", "Since", "Why")


def page(picture: Picture, comparison: Comparison | None, made: str) -> str:
    """The report as HTML text; `made` is when, in words. A content security policy in it lets it load nothing."""
    root = Element("html", lang="en")
    _head(SubElement(root, "head"), title(picture))
    body = SubElement(root, "body")
    header = SubElement(body, "header")
    _text(header, "h1", f"Who can enter {picture.target}")
    _text(header, "p", f"From {picture.origin}; made {made}. Accounts: {', '.join(picture.accounts.values())}.")
    main = SubElement(body, "main")
    _entries(main, picture)
    _keys(main, picture.entries)
    _list(
        main,
        "Not proved",
        "What may let somebody in, and what to do about it.",
        (f"{one.message}. Next step: {one.next_step}." for one in picture.not_proved),
    )
    _list(
        main,
        "Identity providers",
        "Roles trust them; whom they let in, they say themselves.",
        (str(one.name) for one in picture.federated),
    )
    if comparison is not None:
        _events(main, picture, comparison)
    return "<!doctype html>\n" + tostring(root, encoding="unicode", method="html") + "\n"


def _head(head: Element, name: str) -> None:
    style = files("twokeys.audit").joinpath("page.css").read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    SubElement(head, "meta", charset="utf-8")
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    SubElement(head, "meta", {"http-equiv": "Content-Security-Policy", "content": policy})
    SubElement(head, "meta", name="viewport", content="width=device-width, initial-scale=1")
    SubElement(head, "meta", {"name": "color-scheme", "content": "light dark"})
    _text(head, "title", name)
    _text(head, "style", style)


def _entries(main: Element, picture: Picture) -> None:
    section = _section(main, "Entries")
    if not picture.entries:
        _text(section, "p", "Nobody can enter, as far as is known.")
        return
    rows = [(str(number), *row(entry)) for number, entry in enumerate(picture.entries, 1)]
    _table(section, "Each way in, with what it asks for", ("No.", *_COLUMNS), rows)


def _keys(main: Element, entries: Sequence[Entry]) -> None:
    if not entries:
        return
    section = _section(main, "Granted where")
    _text(section, "p", "The statements that are the keys of each way in, and the resources that hold them.")
    listed = SubElement(section, "ol")
    for entry in entries:
        item = SubElement(listed, "li")
        _text(item, "strong", f"{entry.who} into role {entry.role} of {entry.account_name}")
        keys = SubElement(item, "ul")
        for line in granted(entry):
            _text(keys, "li", line)


def _events(main: Element, picture: Picture, found: Comparison) -> None:
    section = _section(main, "What CloudTrail saw")
    _text(section, "p", period(found) + ".")
    rows = [(one.usage.value, door_use(one)) for one in found.doors]
    _table(section, "Use of each door", ("Use", "Door"), rows)
    _list(section, "Entries without a declared door", None, (used(use, picture) for use in found.undeclared))
    unusual = [(reasons(one), used(one.use, picture)) for one in found.unusual]
    if unusual:
        _table(section, "Unusual entries and failed attempts", ("Why", "Entry"), unusual)
    else:
        _text(section, "p", "No unusual entry and no failed attempt.")


def _section(parent: Element, heading: str) -> Element:
    section = SubElement(parent, "section")
    _text(section, "h2" if parent.tag == "main" else "h3", heading)
    return section


def _list(parent: Element, heading: str, lead: str | None, lines: Iterable[str]) -> None:
    """A section with a list; it says so where there is nothing."""
    section, found = _section(parent, heading), list(lines)
    if not found:
        _text(section, "p", "None.")
        return
    if lead is not None:
        _text(section, "p", lead)
    listed = SubElement(section, "ul")
    for line in found:
        _text(listed, "li", line)


def _table(parent: Element, caption: str, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    scroll = SubElement(parent, "div", {"class": "scroll", "tabindex": "0", "role": "region", "aria-label": caption})
    table = SubElement(scroll, "table")
    _text(table, "caption", caption)
    head = SubElement(SubElement(table, "thead"), "tr")
    for column in columns:
        _text(head, "th", column, scope="col")
    body = SubElement(table, "tbody")
    for cells in rows:
        line = SubElement(body, "tr")
        for number, cell in enumerate(cells):
            if number == 0:
                _text(line, "th", cell, scope="row")
            else:
                _text(line, "td", cell)


def _text(parent: Element, tag: str, text: str, **attributes: str) -> None:
    SubElement(parent, tag, attributes).text = text
