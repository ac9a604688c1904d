"""Names are not obeyed: not by a terminal, a browser, a forge or a spreadsheet."""

import io

import pytest
from rich.console import Console
from rich.table import Table

from twokeys.shown import cell, folded, markdown, pieces, printable, say, show_table, spreadsheet


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
    assert markdown("<img src=x> ![a](b) `c | @team") == "\\<img src=x> ![a\\]\\(b) \\`c \\| \u200b@\u200bteam"
    assert markdown("``*c*`` <a> *") == "\\``*c*`\\` \\<a> \\*", "code is"
    assert markdown("`b|c`") == "\\`b\\|c\\`", "as long as it ends in its cell"
    assert markdown("a_b_c [urn:x] _d_ [e][f] [g]: h [^i]") == "a_b_c [urn:x] \\_d\\_ [e\\][f] [g\\]: h \\[^i]"
    assert markdown("> a -> b") == "\\> a -> b", "only at the beginning of a line it is a quotation"


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_a_cell_that_looks_like_a_formula_is_text(start: str) -> None:
    """https://owasp.org/www-community/attacks/CSV_Injection"""
    assert spreadsheet(f"{start}1+1").startswith("'")
    assert spreadsheet("plain=1") == "plain=1"


@pytest.mark.parametrize(
    ("word", "parts"),
    [
        ("arn:aws:iam::123456789012:role/ci-x", ["arn:", "aws:", "iam::", "123456789012:", "role/", "ci-", "x"]),
        ("OrganizationAccountAccessRole", ["Organization", "Account", "Access", "Role"]),
        ("repo:acme/app_one.two", ["repo:", "acme/", "app_", "one.", "two"]),
        ("203.0.113.0/24", ["203.0.113.0/", "24"]),
        ("y" * 30, ["y" * 24, "y" * 6]),
    ],
)
def test_a_long_name_is_parted_where_aws_has_separators(word: str, parts: list[str]) -> None:
    assert pieces(word) == parts


def test_a_line_in_a_narrow_terminal_is_parted_at_spaces_and_a_longer_word_at_its_separators() -> None:
    line = "  role ci -> arn:aws:iam::123456789012:role/OrganizationAccountAccessRole of prod"
    assert folded(line, 40) == [
        "  role ci -> arn:aws:iam::123456789012:",
        "    role/OrganizationAccountAccessRole",
        "    of prod",
    ]
    assert folded("  the accounts stage\xa0222222222222", 24) == ["  the accounts", "    stage\xa0222222222222"]
    assert folded(line, None) == [line]
    address = "https://signin.aws.amazon.com/switchrole?account=222222222222&roleName=developer"
    assert folded(f"stage: {address} for alice", 40) == ["stage:", f"  {address}", "  for alice"]


@pytest.mark.parametrize("width", [1, 2, 7, 40])
def test_no_line_is_ever_wider_than_asked_and_no_letter_is_lost(width: int) -> None:
    line = f"    a {'b' * 50} urn:pulumi:stage::twokeys:access$aws:iam/role:Role::x\u202e"
    lines = folded(line, width)
    assert all(len(one) <= width for one in lines)
    assert "".join("".join(lines).split()) == "".join(line.split())


@pytest.mark.parametrize(("width", "rows"), [(60, 7), (24, 5)])
def test_a_table_that_does_not_fit_is_a_list(width: int, rows: int) -> None:
    out = io.StringIO()
    table = Table("role", "next step", "", title="Roles")
    table.add_row("OrganizationAccountAccessRole", "[dim]wait[/]\nthen go", "ok")
    show_table(Console(file=out, width=width), table)
    shown = out.getvalue()
    assert len(shown.splitlines()) == rows
    assert "[dim]" not in shown
    if width == 24:
        assert shown == "Roles\nOrganizationAccountAccessRole\n  next step: wait\n  next step: then go\n  ok\n"
