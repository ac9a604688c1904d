"""What opening a door changes in a stack's file, as data and as text: pure, nothing is written here."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import yaml

from twokeys.doors.expiry import until
from twokeys.errors import Refusal
from twokeys.project.stack_edit import NotEditableError, with_entry, with_scalar, without_entry
from twokeys.project.stack_yaml import loaded
from twokeys.settings import PROJECT
from twokeys.shown import listed

DOORS: Final = f"{PROJECT}:doors"
_LASTING: Final = re.compile(r"(?:(?P<days>\d{1,4})d)?(?:(?P<hours>\d{1,4})h)?(?:(?P<minutes>\d{1,4})m)?")
_PATH: Final = ("config", DOORS)


@dataclass(frozen=True)
class Opening:
    """The wish: which door, until when and why; of a new one, which door it is a copy of.

    `user` comes through a copy instead of those who come through the original; `role` is what its role is called.
    `outside` is whether it is a door of another company, whose key we do not make.
    """

    door: str
    closes: datetime
    reason: str
    copy_of: str | None = None
    user: str | None = None
    role: str | None = None
    outside: bool = False


def lasting(text: str) -> timedelta:
    """How long `2h`, `90m`, `3d` or `1d12h` is. Raises ValueError for anything else, and for no time at all."""
    found = _LASTING.fullmatch(text.strip().lower())
    time = timedelta(**{unit: int(number) for unit, number in found.groupdict("0").items()}) if found else timedelta()
    if not time:
        raise ValueError(text)
    return time


def closing_minute(moment: datetime) -> datetime:
    """The moment itself or the next full minute, in UTC: config says it to the minute."""
    whole = moment.astimezone(UTC).replace(second=0, microsecond=0)
    return whole if whole == moment else whole + timedelta(minutes=1)


def opened(doors: Mapping[str, Any], opening: Opening, where: Path, longest: int) -> dict[str, Any]:
    """The door as it is to stand among the doors of a stack.

    A copy has everything that its original says, also who owns it, but what the wish says and what is said of others
    than who comes by it; both its keys are made, as nobody else has granted or trusted its role.
    `longest` is how many seconds a session of a copy may last; the original's may be longer than the copy is open.
    Raises Refusal where there is no such door, or where it is open for good.
    """
    said = {"reason": opening.reason, "expires": opening.closes.strftime("%Y-%m-%dT%H:%MZ")}
    if opening.copy_of is None:
        entry = doors[opening.door]
        if not isinstance(entry, Mapping) or "expires" not in entry:
            raise Refusal(
                f"the door {opening.door} is open for good",
                where=str(where),
                why="it has no `expires`, so a temporary one would take it away when its time is over",
                next_step=f"open a copy of it: twokeys access open NAME --from {opening.door} --user WHO --for 2h "
                "--reason TEXT",
            )
        return {**entry, **said}
    source = doors[opening.copy_of]
    target = source["to"]
    path, slash, _ = str(target["role"]).rpartition("/")
    entry = {**source, "to": {**target, "role": opening.role or f"{path}{slash}{opening.door}"}}
    if opening.user is not None:
        place = {key: value for key, value in source["from"].items() if key in ("account", "stack")}
        entry["from"] = {"user": opening.user, **place}
        entry.pop("mfa", None)  # what was said of others: people come with MFA
    if not opening.outside:
        entry.pop("keys", None)
    if "sessionSeconds" in entry:
        entry["sessionSeconds"] = min(int(entry["sessionSeconds"]), longest)
    return {**{key: value for key, value in entry.items() if key not in said}, **said}


def written(text: str, opening: Opening, entry: Mapping[str, Any], over: Sequence[str], where: Path) -> str:
    """The file's text with the door in it, and without those that are `over`.

    Raises Refusal where its layout does not let one place be changed: it then says what to write.
    """
    try:
        if opening.copy_of is not None:
            new = with_entry(text, (*_PATH, opening.copy_of), opening.door, entry)
        else:
            new = text
            for key in ("reason", "expires"):
                new = with_scalar(new, (*_PATH, opening.door, key), entry[key])
        before = loaded(text)
        doors = before["config"][DOORS]
        doors[opening.door] = dict(entry)
        for door in over:
            new = without_entry(new, (*_PATH, door))
            del doors[door]
        after = loaded(new)
        if before != after:
            raise NotEditableError
    except (NotEditableError, yaml.YAMLError) as error:
        raise Refusal(
            "the file cannot be changed in one place",
            where=str(where),
            why=f"{listed([opening.copy_of or opening.door, *over])}: a door there is written with an alias, a merge or"
            " as JSON in a text",
            next_step=f"write it by hand: reason: {entry['reason']}, expires: {entry['expires']} "
            f"(open until {until(opening.closes)}){f', without {listed(over)}, which is over' if over else ''}",
        ) from error
    return new
