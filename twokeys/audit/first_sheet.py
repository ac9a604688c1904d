"""What somebody has to look at in short lines, for the first sheet of the page: when, who, into what, and why."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

from twokeys.answers.model import BOUNDARY, Answers
from twokeys.answers.permissions import Level
from twokeys.audit import to_look_at
from twokeys.audit.against_states import named
from twokeys.audit.bearing import may_deny
from twokeys.audit.changes import CONTROLS, LETS_IN, MFA_DEVICE, TRUST, trusted
from twokeys.audit.differs import NO_CALL
from twokeys.audit.record import ENTERING, SIGN_INS, Use
from twokeys.audit.shown import is_of_credentials, is_of_nobody_here
from twokeys.audit.stood import POLICIES, Stood
from twokeys.audit.strengths import strength
from twokeys.audit.trail import Change
from twokeys.audit.unusual import Word
from twokeys.audit.who_called import called, given, who_began
from twokeys.audit.whom import enter, ways_into
from twokeys.audit.words import FEW, NO_DOOR
from twokeys.doors import Who
from twokeys.iam import PolicyDocument
from twokeys.shown import counted, listed

if TYPE_CHECKING:
    from twokeys.audit.comparison import Comparison

Lines = list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Sheet:
    """When, and the rest, of what one principal did of a kind, the most important first: what the text's beginning, the
    page's first sheet and the exit code are about.

    Changes of keys are among the `lines` that the states do not have, or that were taken back, keys made for others and
    MFA devices of theirs, what took away what no state shows, and trust policies that let in more, but for those of the
    updates. `planned` is, in order of time, what changed as the states show it: what was taken away, and of what was
    given the strongest. `did` and `changes` are each use.
    """

    lines: Lines
    planned: Lines
    did: Sequence[to_look_at.Did]
    changes: Sequence[to_look_at.Alike]


def first_sheet(comparison: Comparison) -> Sheet:
    """What somebody has to look at, of the answers that were compared."""
    found: list[tuple[int, to_look_at.Rank, tuple[str, str]]] = []
    answers, planned = comparison.answers, list[tuple[str, str]]()
    of_calls: dict[tuple[int, str, tuple[str, ...]], list[Stood]] = defaultdict(list)
    for kind, stood in sorted(_changes(answers, comparison), key=lambda one: -strength(one[1].change, answers)):
        call = stood.change
        whom = call.of[: 3 if call.gives in LETS_IN else 2]  # of a group each member is a line
        of_calls[kind, who_began(call.use, answers), (*whom, stood.not_provisioned)].append(stood)
    said = {each.change.use.id for calls in of_calls.values() for each in calls}
    each_did, changes = to_look_at.did_and_changed(answers, comparison)
    for did in each_did:
        if same := [one for one in did.same if not said.issuperset(use.id for use in one.uses)]:
            found.append((did.kind, did.rank, _line(replace(did, same=same), answers)))
    for (kind, who, _), calls in of_calls.items():
        line = _changed(who, calls, answers)
        if kind == to_look_at.PLANNED:
            planned.append(line)
        else:
            over = all(each.since and each.until for each in calls)
            found.append((kind, (over, False, -strength(calls[0].change, answers)), line))
    for one in comparison.unexplained:
        may = f", which {listed(one.who, most=FEW)} may enter" if one.who else ""
        line = f"{one.first:%Y-%m-%d %H:%M} to {one.last:%Y-%m-%d %H:%M}", f"{one.words(answers)}{may}: {NO_CALL}"
        found.append((to_look_at.CHANGE, (False, False, -len(Level)), line))
    return Sheet(to_look_at.in_order(found), sorted(planned), each_did, changes)


def _changes(answers: Answers, comparison: Comparison) -> Iterator[tuple[int, Stood]]:
    """The changes of keys that did something, each with its kind."""
    stood, unusual = (*comparison.not_in_states, *comparison.taken_back), {one.use.id for one in comparison.unusual}
    for each in stood:
        control, by_root = each.change.gives in CONTROLS, each.change.use.caller.who.kind == "root-user"
        if _is_planned(each, answers):
            yield to_look_at.PLANNED, each
        elif each.was_there and not (is_not_known(each) and each.change.use.id in unusual):
            kind = to_look_at.ROOT_USER if by_root else to_look_at.CONTROL if control else to_look_at.CHANGE
            yield to_look_at.OF_ALL if control and answers.person else kind, each
    told = {(each.change.key, id) for each in stood for id in each.calls}
    more: dict[Level, list[Change]] = defaultdict(list)
    for one in (one for one in comparison.changes if not one.use.failed and (one.key, one.use.id) not in told):
        if one.gives == MFA_DEVICE and one.undone and not (one.is_own or is_of_nobody_here(one, answers)):
            yield to_look_at.CHANGE, Stood(one, one.use.time, None)
        elif one.undone or not ways_into(one, answers):
            continue
        elif (more_let_in := _more_let_in(one, answers)) and not _is_by_update(one, answers):
            yield to_look_at.CHANGE, Stood(one, one.use.time, None, lost=more_let_in)
        else:
            there = answers.before and one.held in answers.before.holds and not one.call.writes
            more[Level.NONE if there else strength(one, answers)].append(one)
    strongest = max(more, default=Level.NONE)
    yield from ((to_look_at.PLANNED, Stood(one, one.use.time, None)) for one in more[strongest] if strongest)


def is_not_known(one: Stood) -> bool:
    """Whether a call took away what no state shows, nor the call."""
    return not (one.since or one.permissions or one.accounts or one.is_shown or _is_named(one))


def _is_named(one: Stood) -> bool:
    return one.change.gives in LETS_IN and one.change.undone and bool(one.change.of[1])


def _is_planned(one: Stood, answers: Answers) -> bool:
    """Whether a call only took away what older states show, or whom it names; of control policies, boundaries and what
    may have denied something, whether who ran the updates called.
    """
    call = one.change
    if one.since or one.may_stand or (one.accounts and not one.until) or not (one.is_shown or _is_named(one)):
        return False
    lets_in = call.gives in CONTROLS or call.of[2] == BOUNDARY
    if call.undone and call.gives not in (*LETS_IN, "AddUserToGroup"):
        lets_in = lets_in or may_deny(call, (), {}, answers.before or answers)
    return not lets_in or _is_by_update(call, answers)


def _is_by_update(call: Change, answers: Answers) -> bool:
    began = (call.use.begun_by or call.use).caller.who
    return not {began, call.use.caller.who}.isdisjoint(map(Who.named, answers.updated_by))


def _more_let_in(call: Change, answers: Answers) -> str:
    """Whom a trust policy lets in whom that of older states did not, or only under more conditions."""
    said = answers.before and call.gives == TRUST and answers.before.holds.get(call.held)
    then, now = said.policy if said else None, call.policy
    if now is None or not isinstance(then, PolicyDocument) or now.within(then):
        return ""
    return trusted(now, then.statements, partial(named, answers), "before")


def _line(did: to_look_at.Did, answers: Answers) -> tuple[str, str]:
    uses = sorted((use for one in did.same for use in one.uses), key=lambda use: (use.time, use.id))
    where: dict[str, dict[str, None]] = defaultdict(dict)
    for use in uses:
        where[_what(use)][answers.account_name(use.account)] = None
    into = listed([f"{what} of {listed([*places], most=FEW)}" for what, places in where.items()], most=2)
    known = did.levels - {Level.UNKNOWN}
    words = [level.word for level in (max(known, default=None), *(did.levels - known)) if level is not None]
    strong = f" ({', '.join(words)})" if words else ""
    return _when(uses), f"{did.who} -> {into}{strong}{_whence(uses)}{_why(did.same, uses)}"


def _why(same: Sequence[to_look_at.Alike], uses: Sequence[Use]) -> str:
    """Why, in few words: of what no door explains what else it was."""
    plain = {to_look_at.UNUSUAL, to_look_at.CHANGED}
    labels = dict.fromkeys(label for one in same for label in sorted(one.labels.keys() - plain))
    meanwhile = dict.fromkeys(why for one in same for why in one.while_what)
    once = (Word.ROOT, Word.IN_ROOT, Word.DELEGATED) if len(uses) > 1 else ()  # with how often, of each name
    surprises = [why.partition(", ")[0] if why.startswith(once) else why for one in same for why in one.surprises]
    after = dict.fromkeys(why for why in surprises if why.startswith((Word.AFTER, Word.BY_KEY)))
    failed = sum(use.failed is not None for use in uses)
    some = 0 < failed < len(uses)
    others = dict.fromkeys(why for why in surprises if not (some and why.startswith(Word.FAILED)) and why not in after)
    said = [] if NO_DOOR in labels else sorted(others, key=lambda why: why.startswith(Word.FIRST_ENTRY))[:2]
    why = [*labels, *meanwhile, *after, *said, *([f"{failed} failed"] if some else [])]
    return f": {', '.join(dict.fromkeys(why))}" if why else ""


def _what(use: Use) -> str:
    if use.role:
        return f"permission set {use.permission_set}" if use.permission_set else f"role {use.path}"
    root = f"root user limited to {use.task}" if use.task else "root user"
    return SIGN_INS.get(use.event, root if use.event in ENTERING else use.event)


def _changed(who: str, calls: Sequence[Stood], answers: Answers) -> tuple[str, str]:
    """Calls that changed one thing: until when it stood if it was taken back, whom it let in, and who may enter it."""
    one, uses = calls[0].change, [each.change.use for each in calls]
    said = []
    for each in calls:
        end = each.until if each.since else each.taken if each.not_provisioned else None
        until = f" until {end:%m-%d %H:%M}" if end else ""
        said.append(f"{each.change.use.event}{given(each.change, answers)}{until}")
    kind = "organization policy " * (one.gives in CONTROLS[:2])
    whose = f" of {kind}{called(one.of[1], answers)}" if one.of[1] else ""
    lost = "; ".join(dict.fromkeys(each.lost for each in calls if each.lost))
    level = max(strength(each.change, answers) for each in calls)
    of_role = enter(one, answers) if one.gives in POLICIES and not one.undone and calls[0].since else ()
    may = f", which {listed(of_role, most=FEW)} may enter" if of_role else ""
    strong = f" ({level.word})" if (lost or may or one.gives in LETS_IN or one.of[0] == "user") and level else ""
    lets = "no longer lets in" if not calls[0].since else "let in" if calls[0].until else "lets in"
    let_in = f"{f', which {lets} {lost}' if lost else may}{strong}"
    place = listed([answers.account_name(use.account) for use in uses], most=FEW)
    in_root = " in a root session" * one.use.in_root
    text = f"{who} -> {listed(said, most=FEW)}{whose} in {place}{in_root}{let_in}{_whence(uses)}"
    came = (
        (each.came if each.since and not is_of_credentials(each.change) else each.lasted)(answers) for each in calls
    )
    return _when(uses), text + calls[0].not_provisioned + "".join(dict.fromkeys(came))


def _whence(uses: Sequence[Use]) -> str:
    return f" from {listed([*dict.fromkeys(use.source for use in uses)], most=2)}"


def _when(uses: Sequence[Use]) -> str:
    first, last = (pick(use.time for use in uses) for pick in (min, max))
    until = (
        f" to {last:{'%m-%d ' * (first.date() != last.date())}%H:%M}" if last - first >= timedelta(minutes=1) else ""
    )
    return f"{first:%Y-%m-%d %H:%M}{until}" + (f", {counted(len(uses), 'time')}" if len(uses) > 1 else "")
