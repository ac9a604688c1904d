"""What somebody has to look at in short lines, for the first sheet of the page: when, who, into what, and why."""

from collections import defaultdict
from collections.abc import Sequence

from twokeys.answers.model import Answers
from twokeys.answers.permissions import Level
from twokeys.audit.changes import MFA_DEVICE
from twokeys.audit.comparison import Comparison
from twokeys.audit.record import ENTERING, SESSIONS, SIGN_INS, Use
from twokeys.audit.strengths import strongest_first
from twokeys.audit.to_look_at import UNUSUAL, Alike, in_order, is_nobody_s
from twokeys.audit.trail import LOGGING, Change
from twokeys.audit.unusual import Word
from twokeys.audit.who_called import called, given, who_began
from twokeys.audit.words import FEW, NO_DOOR
from twokeys.shown import counted, listed

_NO_DOOR, _ROOT, _BREAK_GLASS, _LOGGING, _SIGN_IN, _CHANGE, _PERHAPS, _UNUSUAL, _FAILED, _NOBODY = range(10)
"""The kinds of what is to be looked at, the most important first."""

Lines = list[tuple[str, str]]


def lines(answers: Answers, comparison: Comparison) -> Lines:
    """When, and the rest, of what one principal did of a kind: first a line of each kind, and all without a door.

    Changes of keys are among them that the states do not have, the strongest first, and MFA devices of others.
    """
    found: dict[tuple[int, str], Lines] = defaultdict(list)
    own: dict[tuple[int, str, str], list[Alike]] = defaultdict(list)
    for one in in_order(answers, comparison)[0]:
        use = one.uses[0]
        kind = _kind(one)
        own[kind, who_began(use, answers), use.target.name if kind == _UNUSUAL else ""].append(one)
    for (kind, who, _), same in own.items():
        every = kind == _SIGN_IN and all(one.uses[0].failed is not None for one in same)
        found[_FAILED if every else kind, who].append(_line(who, same, answers, comparison))
    changes = [one.change for one in comparison.not_in_states]
    changes += [one for one in comparison.changes if one.gives == MFA_DEVICE and one.undone and not _is_own(one)]
    of_changes: dict[tuple[str, str, str], list[Change]] = defaultdict(list)
    for change in strongest_first([one for one in changes if not one.use.failed], answers):
        of_changes[who_began(change.use, answers), change.of[1], change.use.account].append(change)
    for (who, _, _), calls in of_changes.items():
        found[_CHANGE, who].append(_changed(who, calls, answers))
    of_kinds: dict[int, Lines] = defaultdict(list)
    for kind, who in sorted(found, key=lambda of: of[0]):
        of_kinds[kind] += found[kind, who]
    number = {kind: len(each) if kind == _NO_DOOR else kind < _FAILED for kind, each in of_kinds.items()}
    first = [line for kind, each in of_kinds.items() for line in each[: number[kind]]]
    return first + [line for kind, each in of_kinds.items() for line in each[number[kind] :]]


def _is_own(one: Change) -> bool:
    return one.use.caller.who.name == one.of[1]


def _kind(one: Alike) -> int:
    use, why = one.uses[0], [*one.surprises]
    failed, root = use.failed is not None, use.caller.who.kind == "root-user"
    by_root = root or use.in_root or (use.event in ENTERING and not use.role and use.event not in SIGN_INS)
    kinds = (
        (_NOBODY, use.event in SESSIONS and is_nobody_s(use)),
        (_NO_DOOR, NO_DOOR in one.labels),
        (_SIGN_IN, use.event in SIGN_INS and not root),
        (_FAILED, failed),
        (_ROOT, by_root),
        (_BREAK_GLASS, Word.BREAK_GLASS in why),
        (_LOGGING, use.event in LOGGING),
        (_PERHAPS, any(label.startswith("perhaps") for label in one.labels)),
    )
    return next((kind for kind, is_it in kinds if is_it), _UNUSUAL)


def _line(who: str, same: Sequence[Alike], answers: Answers, comparison: Comparison) -> tuple[str, str]:
    uses = sorted((use for one in same for use in one.uses), key=lambda use: (use.time, use.id))
    where: dict[str, dict[str, None]] = defaultdict(dict)
    for use in uses:
        where[_what(use)][answers.account_name(use.account)] = None
    into = listed([f"{what} of {listed([*places], most=FEW)}" for what, places in where.items()], most=2)
    levels = {comparison.strengths[use.id] for use in uses if use.id in comparison.strengths}
    known = levels - {Level.UNKNOWN}
    words = [level.word for level in (max(known, default=None), *(levels - known)) if level is not None]
    strong = f" ({', '.join(words)})" if words else ""
    return _when(uses), f"{who} -> {into}{strong}{_why(same, uses)}"


def _why(same: Sequence[Alike], uses: Sequence[Use]) -> str:
    """Why, in few words: of what no door explains, and of logging, which the call's name tells, what else it was."""
    labels = dict.fromkeys(label for one in same for label in sorted(one.labels) if label != UNUSUAL)
    meanwhile = dict.fromkeys(why for one in same for why in one.while_what)
    surprises = [why for one in same for why in one.surprises]
    after = dict.fromkeys(why for why in surprises if why.startswith(Word.AFTER))
    failed = sum(use.failed is not None for use in uses)
    some = 0 < failed < len(uses)
    others = [why for why in surprises if not (some and why.startswith(Word.FAILED))]
    said = [] if labels or uses[0].event in LOGGING else others[:1]
    why = [*labels, *meanwhile, *after, *said, *([f"{failed} failed"] if some else [])]
    return f": {', '.join(dict.fromkeys(why))}" if why else ""


def _what(use: Use) -> str:
    if use.role:
        return f"permission set {use.permission_set}" if use.permission_set else f"role {use.path}"
    return SIGN_INS.get(use.event, "root user" if use.event in ENTERING else use.event)


def _changed(who: str, calls: Sequence[Change], answers: Answers) -> tuple[str, str]:
    one = calls[0]
    each = listed([f"{call.use.event}{given(call, answers)}" for call in calls], most=FEW)
    whose = f" of {called(one.of[1], answers)}" if one.of[1] else ""
    return _when([call.use for call in calls]), f"{who} -> {each}{whose} in {answers.account_name(one.use.account)}"


def _when(uses: Sequence[Use]) -> str:
    first, last = (pick(use.time for use in uses) for pick in (min, max))
    since = f" since {first:%m-%d}" if first.date() != last.date() else ""
    return f"{last:%Y-%m-%d %H:%M}" + (f", {counted(len(uses), 'time')}{since}" if len(uses) > 1 else "")
