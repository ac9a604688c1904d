"""What somebody has to look at in short lines, for the first sheet of the page: when, who, into what, and why."""

from collections import defaultdict
from collections.abc import Sequence
from operator import itemgetter

from twokeys.answers.model import Answers
from twokeys.answers.permissions import Level
from twokeys.audit.changes import CONTROLS, LETS_IN, MFA_DEVICE
from twokeys.audit.comparison import Comparison
from twokeys.audit.record import ENTERING, SESSIONS, SIGN_INS, Use
from twokeys.audit.stood import Stood
from twokeys.audit.strengths import strength
from twokeys.audit.to_look_at import UNUSUAL, Alike, in_order, is_nobody_s
from twokeys.audit.trail import LOGGING, Change
from twokeys.audit.unusual import Word
from twokeys.audit.who_called import called, given, who_began
from twokeys.audit.words import FEW, NO_DOOR
from twokeys.shown import counted, listed

_NO_DOOR, _ROOT, _BREAK_GLASS, _LOGGING, _CONTROL, _CHANGE, _SIGN_IN, _PERHAPS, _UNUSUAL, _FAILED, _NOBODY = range(11)
"""The kinds of what is to be looked at, the most important first."""

Lines = list[tuple[str, str]]
_Rank = tuple[bool, bool, int]
"""How a line is sorted among its kind: what was let in for a while, and what is not known how strong, are last."""


def lines(answers: Answers, comparison: Comparison) -> Lines:
    """When, and the rest, of what one principal did of a kind: first a line of each kind, and all without a door; of a
    kind the strongest first.

    Changes of keys are among them that the states do not have, or that were taken back, and MFA devices of others.
    """
    found: dict[int, list[tuple[_Rank, tuple[str, str]]]] = defaultdict(list)
    own: dict[tuple[int, str, str], list[Alike]] = defaultdict(list)
    for one in in_order(answers, comparison)[0]:
        use = one.uses[0]
        kind = _kind(one)
        own[kind, who_began(use, answers), use.target.name if kind == _UNUSUAL else ""].append(one)
    for (kind, who, _), same in own.items():
        every = kind == _SIGN_IN and all(one.uses[0].failed is not None for one in same)
        levels = {of for one in same for use in one.uses if (of := comparison.strengths.get(use.id)) is not None}
        rank = all(one.while_what for one in same), levels == {Level.UNKNOWN}, -max(levels, default=Level.NONE)
        found[_FAILED if every else kind].append((rank, _line(who, same, levels, answers)))
    devices = [one for one in comparison.changes if one.gives == MFA_DEVICE and one.undone and not _is_own(one)]
    of_calls: dict[tuple[int, str, str, str], list[Stood]] = defaultdict(list)
    for stood in (
        *comparison.not_in_states,
        *(one for one in comparison.taken_back if one.since),
        *(Stood(one, one.use.time, None) for one in devices),
    ):
        use, kind = stood.change.use, _CONTROL if stood.change.gives in CONTROLS else _CHANGE
        if not use.failed:
            of_calls[kind, who_began(use, answers), stood.change.of[1], use.account].append(stood)
    for (kind, who, _, _), calls in of_calls.items():
        calls.sort(key=lambda one: -strength(one.change, answers))
        found[kind].append(((False, False, -strength(calls[0].change, answers)), _changed(who, calls, answers)))
    each = [(kind, [line for _, line in sorted(of, key=itemgetter(0))]) for kind, of in sorted(found.items())]
    first = {kind: len(of) if kind == _NO_DOOR else kind < _FAILED for kind, of in each}
    return [line for kind, of in each for line in of[: first[kind]]] + [
        line for kind, of in each for line in of[first[kind] :]
    ]


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


def _line(who: str, same: Sequence[Alike], levels: set[Level], answers: Answers) -> tuple[str, str]:
    uses = sorted((use for one in same for use in one.uses), key=lambda use: (use.time, use.id))
    where: dict[str, dict[str, None]] = defaultdict(dict)
    for use in uses:
        where[_what(use)][answers.account_name(use.account)] = None
    into = listed([f"{what} of {listed([*places], most=FEW)}" for what, places in where.items()], most=2)
    known = levels - {Level.UNKNOWN}
    words = [level.word for level in (max(known, default=None), *(levels - known)) if level is not None]
    strong = f" ({', '.join(words)})" if words else ""
    return _when(uses), f"{who} -> {into}{strong}{_whence(uses)}{_why(same, uses)}"


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
    root = f"root user limited to {use.task}" if use.task else "root user"
    return SIGN_INS.get(use.event, root if use.event in ENTERING else use.event)


def _changed(who: str, calls: Sequence[Stood], answers: Answers) -> tuple[str, str]:
    """Calls that changed one thing: of what was taken back until when it stood, and whom it let in."""
    one, uses = calls[0].change, [each.change.use for each in calls]
    said = []
    for each in calls:
        until = f" until {each.until:%m-%d %H:%M}" if each.until else ""
        said.append(f"{each.change.use.event}{given(each.change, answers)}{until}")
    whose = f" of {called(one.of[1], answers)}" if one.of[1] else ""
    lost = "; ".join(dict.fromkeys(each.lost for each in calls if each.lost))
    level = max(strength(each.change, answers) for each in calls)
    let_in = lost or one.gives in LETS_IN
    strong = f" ({level.word})" if let_in and level else ""
    place = answers.account_name(one.use.account)
    text = f"{who} -> {listed(said, most=FEW)}{whose} in {place}{f', which let in {lost}' if lost else ''}{strong}"
    return _when(uses), text + _whence(uses)


def _whence(uses: Sequence[Use]) -> str:
    return f" from {listed([*dict.fromkeys(use.source for use in uses)], most=2)}"


def _when(uses: Sequence[Use]) -> str:
    first, last = (pick(use.time for use in uses) for pick in (min, max))
    since = f" since {first:%m-%d}" if first.date() != last.date() else ""
    return f"{last:%Y-%m-%d %H:%M}" + (f", {counted(len(uses), 'time')}{since}" if len(uses) > 1 else "")
