"""Uses of doors, and the doors that they are of, in words."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Sequence
from itertools import chain
from operator import attrgetter
from typing import TYPE_CHECKING

from twokeys.answers.model import Answers, Step
from twokeys.audit.entries import DoorUse, Entry, Usage
from twokeys.audit.record import EARLIER, ENTERING, HIDDEN, LOGIN, SESSIONS, SIGN_INS, Use
from twokeys.audit.who_called import begun
from twokeys.shown import counted, in_utc, listed

if TYPE_CHECKING:
    from twokeys.audit.comparison import SignIns

NO_DOOR = "without a door"
SURE, PERHAPS, WITHOUT = "entry by a door", "entry perhaps by a door", f"entry {NO_DOOR}"
_OF_STACK_SETS = "stacksets-exec-"
"""https://docs.aws.amazon.com/aws-managed-policy/latest/reference/CloudFormationStackSetsOrgAdminServiceRolePolicy.html"""
STEP, PERHAPS_A_STEP = "step on the way", "step perhaps on the way"
NO_STEP = "entry on the way without a door"
FEW = 3
"""How many sessions of a door's users are named."""
_UUID = re.compile(r"([0-9a-f]{8})(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
"""As of a build in a session's name, of which the beginning is enough."""
MANY = 12
"""How many files that cannot be read, and accounts, are named on a terminal."""


def kind_of(one: Entry) -> str:
    """What an entry is."""
    if one.on_the_way:
        return PERHAPS_A_STEP if one.perhaps else STEP if one.doors else NO_STEP
    return PERHAPS if one.perhaps else SURE if one.doors else WITHOUT


def by_door(step: Step) -> str:
    """A door by its declared name, else by its ends."""
    return step.declared.name if step.declared and step.declared.name else f"{step.source.short} -> {step.target.short}"


def usage(one: DoorUse) -> str:
    """Whether a door was used, in words."""
    if one.usage is not Usage.NEVER or one.covered is None:
        return str(one.usage.value)
    first, last = one.covered
    by_logs = " in what was read of each day" if one.without_digests else ""
    return f"{one.usage.value}{by_logs}, {first:%Y-%m-%d} to {last:%Y-%m-%d}"


def sign_ins(one: SignIns, answers: Answers) -> str:
    """Who signed in at the account's own console, how often, when last, and whether with MFA, in words."""
    counts = mfa(one)
    with_mfa = ", ".join(f"{word} {count}" if len(counts) > 1 else word for word, count in counts.items())
    times = counted(len(one.uses), "time")
    last = in_utc(one.uses[-1].time)
    how = " and ".join(sorted({"by aws login" if use.event == LOGIN else "at the console" for use in one.uses}))
    return f"{answers.named(one.user)} {how}, {times}, last {last}, MFA used: {with_mfa}"


def mfa(one: SignIns) -> dict[str, int]:
    """How many sign-ins were with MFA, without it, and do not tell."""
    used = [use.mfa for use in one.uses]
    counts = {"yes": used.count(True), "no": used.count(False), "not told": used.count(None)}
    return {word: count for word, count in counts.items() if count}


def uses(found: Sequence[DoorUse], named: Callable[[Sequence[str]], str]) -> list[tuple[str, str]]:
    """Whether each door was used, and how; of many, and of those not used, what is alike but for the account once."""
    alike: dict[tuple[int | None, bool, str, str, str, str], list[DoorUse]] = defaultdict(list)
    for number, one in enumerate(found):
        source, target = one.door.source, one.door.target
        alone = number if len(found) <= MANY and (one.count or one.perhaps) else None
        whence = str(source) if one.door.crosses else f"{source.who.label} there"
        alike[alone, bool(one.door.keys), usage(one), _why(one), whence, target.who.label].append(one)
    found_alike = []
    for (_, _, words, _, whence, role), same in alike.items():
        ends = f"{whence} -> {role} of {named([one.door.target.place for one in same])}" if len(same) > 1 else ""
        found_alike.append((words, door_use(*same, ends=ends)))
    return found_alike


def door_use(*same: DoorUse, ends: str = "") -> str:
    """A door and how it was used, in words: several that are alike, for which `ends` stands, added up."""
    one = same[0]
    uses, perhaps = (sum(map(attrgetter(name), same)) for name in ("count", "perhaps"))
    begun_so = sum(len(each.begun_so) for each in same if each.usage is Usage.BEGUN_SO)
    last = f", last {in_utc(max(filter(None, (each.last for each in same))))}" if uses or perhaps or begun_so else ""
    proved = "" if one.door.keys else " (a door that is not proved)"
    count = f", {counted(uses or begun_so, 'time')}" if uses or begun_so else ""
    also = " and" if uses else ","
    count += f"{also} perhaps {counted(perhaps, 'time')}" if perhaps else ""
    names, identities = (
        [*dict.fromkeys(chain.from_iterable(map(attrgetter(name), same)))] for name in ("sessions", "identities")
    )
    sessions = f", as {said_of(names)}" if names else ""
    sessions += f", for {listed(identities, most=FEW)}" if identities else ""
    why = f": {_why(one) if ends else one.not_known}" if one.usage is Usage.NOT_KNOWN else ""
    return f"{ends or f'{one.door.source} -> {one.door.target}'}{proved}{count}{sessions}{last}{why}"


def _why(one: DoorUse) -> str:
    """Why it is not known whether a door was used, whichever account it leads into."""
    return one.not_known.replace(f"{one.door.target.place} is not covered", "the account is not covered")


def said_of(sessions: Sequence[str]) -> str:
    """The names of sessions: of builds their beginning, of many the first."""
    return listed([_UUID.sub(r"\1-…", one) for one in sessions], most=FEW)


def used(use: Use, answers: Answers) -> str:
    """A use in words."""
    unknown = f" ({use.unique_id})" if not use.names_caller and use.unique_id else ""
    stack_sets = " (named as StackSets name theirs)" if use.role.startswith(_OF_STACK_SETS) else ""
    what = f"role {use.path}{stack_sets}" if use.role else f"root user, limited to {use.task or 'an unknown task'},"
    what = SIGN_INS.get(use.event, what if use.event in ENTERING or use.role else use.event)
    who = str(answers.named(use.caller)).replace(f"user {HIDDEN}", "a user name that nobody has")
    who += f" as {use.caller_session}" if use.caller_session else ""
    if use.event in SESSIONS and use.permission_set and not use.names_caller and use.caller_session:
        who = f"Identity Center user {use.caller_session}, by the session's name"
    session = begun(use, answers) + (f" for {use.source_identity}" if use.source_identity else "")
    session += f" for product provider {use.delegate}" if use.delegate else ""
    session += " in a root session" if use.in_root else ""
    session += f", begun {in_utc(use.began)}" if use.event == EARLIER and use.began else ""
    through = use.invoked_by if use.caller.who.kind != "service" else None
    whence = " ".join(f"{how} {which}" for how, which in (("from", use.source), ("through", through)) if which)
    return (
        f"{use.time:%Y-%m-%d %H:%M:%S} UTC {who}{session}{unknown} -> {what} of "
        f"{answers.names.get(use.account, use.account)} {whence} in {use.region} ({use.id})"
    )
