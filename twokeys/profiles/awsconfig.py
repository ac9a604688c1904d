"""The text of an AWS config file, and the one block of it that is ours: pure, text in, text out.

Format: https://docs.aws.amazon.com/cli/latest/userguide/cli-configure-files.html (sections `[default]`,
`[profile NAME]`, `[sso-session NAME]`). The AWS CLI and boto3 read it with botocore's parser, so that parser's word is
what counts here: a text that it cannot read is refused, and nothing that it reads outside of our block may change.
"""

import configparser
import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from botocore.configloader import build_profile_map

from twokeys.errors import Refusal
from twokeys.shown import joined

_BEGIN = re.compile(r"# >>> twokeys (?P<block>\S+) >>>")
_END = re.compile(r"# <<< twokeys (?P<block>\S+) <<<")
_WHOLE = re.compile(r"^# >>> twokeys (\S+) >>>\r?$.*?^# <<< twokeys \1 <<<\r?$", re.MULTILINE | re.DOTALL)
_HOLDER = re.compile(r"^# for (.+?)\r?$", re.MULTILINE)
# What every SDK's parser takes without quotes: https://docs.aws.amazon.com/sdkref/latest/guide/file-format.html
_NAME = re.compile(r"[A-Za-z0-9_./%@:+-]+")
# A value is one printable word: then no parser sees a comment, a continued line or a section in it.
_VALUE = re.compile(r"[!-~]+")
_NOT_UTF8 = re.compile("[\udc80-\udcff]")
"""A byte that `twokeys.files` could not decode."""


@dataclass(frozen=True)
class Section:
    """One section to write: `kind` is "profile" or "sso-session", `about` a comment line above its settings."""

    kind: str
    name: str
    settings: tuple[tuple[str, str], ...]
    about: str = ""

    @property
    def header(self) -> str:
        """The section's name as it stands between the brackets."""
        return f"{self.kind} {self.name}"


@dataclass(frozen=True)
class Change:
    """What a rewrite of our block does: the new text, and the headers that it adds, changes, removes and keeps."""

    text: str
    added: tuple[str, ...]
    changed: tuple[str, ...]
    removed: tuple[str, ...]
    kept: tuple[str, ...]


def rewrite(text: str, block: str, sections: Sequence[Section], where: str, *, holder: str = "") -> Change:
    """The text with our block of this name holding exactly these sections (none: no block).

    The block has its `holder` at its top, whom `holders` reads again.
    Everything outside the block keeps every character; a new block goes to the end, with the file's own line ends.
    Refuses a text that botocore cannot read, broken markers, a section of ours that the file has elsewhere, and
    settings after the block that belong to its last section. `where` names the file.
    """
    if not _NAME.fullmatch(block):
        raise _refused(where, f"{block!r} cannot name a block", "use letters, digits and any of _ . / % @ : + -")
    end_of_line = "\r\n" if "\r\n" in text else "\n"
    before, ours, after = _parts(text, block, where)
    for section in sections:
        _check(section, where)
    new = [section.header for section in sections]
    old = _parse(ours, where)
    rendered = _render(block, holder, sections, end_of_line)
    if rendered and before and not before.endswith("\n"):
        before += end_of_line
    if rendered and before and ours[:1] in "\r\n":  # a new block, or one behind an empty line of its own
        rendered = end_of_line + rendered
    result = before + rendered + after

    outside = _parse(before + after, where)
    theirs = {kind: _sections(outside, kind) for kind in {one.kind for one in sections}}
    refuse_taken(
        [one.header for one in sections if one.name in theirs[one.kind]],
        where,
        "what was written by hand or by another block is not ours to change",
    )
    had, has = _parse(text, where), _parse(result, where)
    if outside != _without(had, list(old)) or outside != _without(has, new):
        raise _refused(
            where,
            "settings that follow our block belong to its last section",
            "put a section header ([profile NAME]) above the lines that follow the block",
        )
    return Change(
        result,
        added=tuple(each for each in new if each not in old),
        changed=tuple(each for each in old if each in new and had[each] != has[each]),
        removed=tuple(each for each in old if each not in new),
        kept=tuple(each for each in old if each in new and had[each] == has[each]),
    )


def refuse_taken(names: Sequence[str], where: str, why: str) -> None:
    """Refuse to write sections of these names, which `where` has already."""
    if names:
        raise Refusal(
            f"{joined(names)} {'is' if len(names) == 1 else 'are'} already there",
            where=where,
            why=why,
            next_step="rename or remove what is there, or give our profiles a --prefix",
        )


def profiles_in(text: str, where: str, *, credentials: bool = False) -> dict[str, Mapping[str, str]]:
    """The profiles of a config file (or, with `credentials`, of a credentials file) by name."""
    parsed = _parse(text, where)
    return dict(parsed) if credentials else _sections(parsed, "profile")


def by_hand(text: str) -> str:
    """What stands in no block of ours."""
    return _WHOLE.sub("", text)


def holders(text: str) -> dict[str, str]:
    """Whose each block of ours is that says so at its top, by its name."""
    tops = {block[1]: _HOLDER.search(block[0].partition("[")[0]) for block in _WHOLE.finditer(text)}
    return {name: said[1] for name, said in tops.items() if said}


def doors_in(text: str) -> set[str]:
    """The doors that have a profile in a block of ours, which is called by the prefix of its profiles."""
    blocks = ((block[0], re.escape(block[1].removesuffix("doors"))) for block in _WHOLE.finditer(text))
    return {name for of, prefix in blocks for name in re.findall(rf"^\[profile {prefix}(.+)\]\r?$", of, re.MULTILINE)}


def sso_sessions_in(text: str, where: str) -> dict[str, Mapping[str, str]]:
    """The sso-sessions of a config file by name."""
    return _sections(_parse(text, where), "sso-session")


def diff(old: str, new: str, block: str, where: str) -> str:
    """The change of our block as a unified diff without lines around the block: one may be somebody's secret key."""
    (before, had, _), (_, has, _) = (map(_lines, _parts(text, block, where)) for text in (old, new))
    return "".join(
        re.sub(r"(?<=[-+])\d+", lambda line: str(int(line[0]) + len(before)), each) if each.startswith("@@ ") else each
        for each in difflib.unified_diff(had, has, where, where)
    )


def _render(block: str, holder: str, sections: Sequence[Section], end_of_line: str) -> str:
    """The block in the order of names."""
    if not sections:
        return ""
    lines = [
        f"# >>> twokeys {block} >>>",
        *([f"# for {holder}"] if holder else []),
        "# Written by `twokeys profiles`, which rewrites all of this block; edit outside of it.",
    ]
    for section in sorted(sections, key=lambda one: (one.kind == "profile", one.header)):
        lines += ["", _written(section, end_of_line)]
    lines += ["", f"# <<< twokeys {block} <<<"]
    return "".join(line + end_of_line for line in lines)


def _written(section: Section, end_of_line: str) -> str:
    about = [f"# {section.about}"] if section.about else []
    return end_of_line.join([f"[{section.header}]", *about, *(f"{key} = {value}" for key, value in section.settings)])


def _parts(text: str, block: str, where: str) -> tuple[str, str, str]:
    """The text before our block, of it and after it."""
    lines = _lines(text)
    start, stop = _lines_of(lines, block, where)
    return "".join(lines[:start]), "".join(lines[start:stop]), "".join(lines[stop:])


def _lines_of(lines: Sequence[str], block: str, where: str) -> tuple[int, int]:
    """The lines of our block and an empty one before it, as a half-open range; the text's end where there is none."""
    opened: int | None = None
    opened_name = ""
    found: tuple[int, int] | None = None
    for index, line in enumerate(lines):
        begin, end = _BEGIN.fullmatch(line.rstrip("\r\n")), _END.fullmatch(line.rstrip("\r\n"))
        if begin and opened is None:
            opened, opened_name = index, begin["block"]
            if opened_name == block and found:
                raise _refused(where, f"line {index + 1} begins a second block {block}", "remove one of the two blocks")
        elif end and opened is not None and end["block"] == opened_name:
            if opened_name == block:
                found = (opened - bool(opened and not lines[opened - 1].strip("\r\n")), index + 1)
            opened = None
        elif begin or end:
            raise _refused(where, f"line {index + 1} is a marker without its other half", "mend or remove the block")
    if opened is not None:
        raise _refused(
            where,
            f"the block that begins in line {opened + 1} has no end",
            f"write the line `# <<< twokeys {opened_name} <<<` where it ends, or remove the block",
        )
    return found or (len(lines), len(lines))


def _check(section: Section, where: str) -> None:
    if not _NAME.fullmatch(section.name) or section.name == "default":
        raise _refused(
            where,
            f"{section.name!r} cannot name a {section.kind}",
            "have the door renamed, where its stack declares it: letters, digits and any of _ . / % @ : + -",
        )
    for key, value in section.settings:
        if not _VALUE.fullmatch(value):
            raise _refused(
                where,
                f"the {key} of {section.name} is {value!r}, which is not one word of printable ASCII",
                "have it corrected in the stack that exports the door",
            )


def _lines(text: str) -> list[str]:
    """The lines with their ends; only a line feed ends one (str.splitlines knows more ends than a config file)."""
    return re.findall(r"[^\n]*\n|[^\n]+", text)


def _without(parsed: Mapping[str, Mapping[str, str]], headers: Sequence[str]) -> dict[str, Mapping[str, str]]:
    return {name: settings for name, settings in parsed.items() if name not in headers}


@lru_cache(maxsize=8)
def _parse(text: str, where: str) -> Mapping[str, dict[str, str]]:
    parser = configparser.RawConfigParser()  # what botocore.configloader.raw_config_parse reads with
    if not_utf8 := next((line for line, of in enumerate(_lines(text), 1) if _NOT_UTF8.search(of)), None):
        why, step = f"the AWS CLI cannot read this file: line {not_utf8} is not UTF-8", "save it as UTF-8"
        raise _refused(where, why, step)
    try:
        parser.read_string(text.replace("\r\n", "\n").replace("\r", "\n"), where)
    except configparser.Error as error:
        raise _refused(
            where, f"the AWS CLI cannot read this file: {_reason(error)}", "mend the file; nothing was changed in it"
        ) from error
    return {name: dict(parser[name]) for name in parser.sections()}


def _reason(error: configparser.Error) -> str:
    """The parser's complaint without the line itself, which may hold a secret key."""
    match error:
        case configparser.DuplicateSectionError():
            return f"line {error.lineno} begins [{error.section}] a second time"
        case configparser.DuplicateOptionError():
            return f"line {error.lineno} sets {error.option} of [{error.section}] a second time"
        case configparser.MissingSectionHeaderError():
            mark = ": it begins with a byte order mark" if error.line.startswith("\ufeff") else ""
            return f"line {error.lineno} belongs to no section{mark}"
        case configparser.ParsingError():
            return f"line {', '.join(str(line) for line, _ in error.errors)} is not a setting"
    return type(error).__name__


def _sections(parsed: Mapping[str, Mapping[str, str]], kind: str) -> dict[str, Mapping[str, str]]:
    known = build_profile_map(dict(parsed))
    return dict(known["profiles" if kind == "profile" else "sso_sessions"])


def _refused(where: str, why: str, next_step: str) -> Refusal:
    return Refusal("the AWS config file cannot be written", where=where, why=why, next_step=next_step)
