"""The uses of a trail, sorted: entries and steps with the doors that explain them, what is apart, what may be unusual.

docs/audit-events-words.md says what counts as an entry.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace

from twokeys.answers.model import Answers, Step
from twokeys.audit.ended import Ended
from twokeys.audit.entries import Doors, Entry
from twokeys.audit.history import History
from twokeys.audit.record import EARLIER, SESSIONS, SIGN_INS, Use, resolved
from twokeys.doors import Who
from twokeys.doors.who import CARRIERS

_BEFORE = "sessions that began before the period, of roles without a door"
_BEGUN_SO = "session begun without a door"
"""Of whoever called, which is said with it."""


class Sorting:
    """`uses`, sorted. `doors` cross into the accounts that are asked for, and `steps` lead to them or on.

    `population` is every entry and every use of a step, and `apart` counts the others, in words.
    """

    def __init__(self, answers: Answers, uses: Iterable[Use], history: History) -> None:
        self._answers = answers
        unproved = ((one.source, one.target) for one in answers.not_proved if one.source and one.target)
        now = [*(Step(source, target, (), None, ()) for source, target in unproved), *answers.steps]
        self.doors, self.steps = _doors(answers, now)
        ended = Ended(history)
        then = _doors(answers, ended.doors)
        self._entered, self._on_the_way = (
            Doors([*now, *before], answers, ended) for now, before in zip((self.doors, self.steps), then, strict=True)
        )
        self._known = answers.shown | {*answers.accounts}
        self._led_through = set(_led_through(answers))
        self._found: dict[tuple[str, str], tuple[list[Entry], str | None]] = {}
        self.apart: Counter[str] = Counter()
        self.population: list[Entry] = []
        for use in uses:
            entries, apart = self._sorted(use)
            self.population += entries
            self.apart += Counter([apart] if apart else ())

    def _sorted(self, use: Use) -> tuple[list[Entry], str | None]:
        """The entry or the use of a step that a use is, or what it is apart, in words; from a session that was itself
        begun without a door no door explains it. That is not known of an account whose users and roles are not shown.
        """
        of = use.id, use.event
        if of not in self._found:
            step = None if use.failed is not None or use.event in SIGN_INS else self._step_of(use)
            entry, apart = self._entry_of(use) if use.account in self._answers.accounts else (None, None)
            entries = [one for one in (step, entry) if one]
            before = (each for each in use.entries_before if each.account in self._known)
            if any(not one.doors for each in before for one in self._sorted(each)[0]):
                so = ((one, (*one.unmet, _BEGUN_SO)) for one in entries)
                entries = [replace(one, doors=(), begun_so=one.doors, perhaps="", unmet=unmet) for one, unmet in so]
            self._found[of] = entries, None if step else apart
        return self._found[of]

    def _entry_of(self, use: Use) -> tuple[Entry | None, str | None]:
        """A use of an account that is asked for: an entry, or what it is apart, in words."""
        apart = _why_no_entry(use)
        if apart and (use.failed is not None or not self._hands_on(use)):
            return None, apart
        entry = self._entered.explain(resolved(use, self._answers.principals))
        return (None, _BEFORE) if use.event == EARLIER and not entry.doors else (entry, None)

    def _step_of(self, use: Use) -> Entry | None:
        """A use of a step, or one by which somebody comes, from outside or within, where a way leads through."""
        step = self._on_the_way.explain(resolved(use, self._answers.principals), on_the_way=True)
        begins = use.target in self._led_through and use.event not in SESSIONS
        if use.account not in self._answers.accounts:
            begins = begins and (self._hands_on(use) or not _by_service(use))
        else:
            begins = begins and not _by_service(use) and _needs_no_door(use)
        return step if step.doors or begins else None

    def _hands_on(self, use: Use) -> bool:
        """Whether it is a service's call that needs a door: it hands roles to others, or the role does not trust it.

        A service may be named with its region (`states.us-east-1.amazonaws.com`).
        """
        service, trusted = use.caller.who.name, self._answers.services.get(use.target)
        first = {one.partition(".")[0] for one in trusted or ()}
        others = service in CARRIERS or (trusted is not None and service.partition(".")[0] not in first)
        return use.caller.who.kind == "service" and others


def may_be_unusual(use: Use) -> bool:
    """Whether it is not of a service, or from within the account, nor of a session whose beginning is not there."""
    return bool(use.delegate) or not (_needs_no_door(use) or use.event == EARLIER)


def _why_no_entry(use: Use) -> str | None:
    """Why a use is no entry, in words."""
    failed = "failed " if use.failed is not None else ""
    if use.event in SIGN_INS:
        whose = "the root user" if use.caller.who.kind == "root-user" else "IAM users"
        return f"{failed}sign-ins of {whose} within the account"
    if _needs_no_door(use):
        inside = use.caller.who.kind != "service" and use.caller.who.account == use.account
        whence = "within the account" if inside else "by AWS services"
        return f"{failed}calls {whence}"
    return "failed attempts" if failed else None


def _by_service(use: Use) -> bool:
    return use.caller.who.kind == "service" or ":role/aws-service-role/" in use.caller.arn


def _needs_no_door(use: Use) -> bool:
    """Whether a call, other than a sign-in, comes from an AWS service or from within the account."""
    inside = _by_service(use) or use.caller.who.account == use.account
    return inside and use.event not in SIGN_INS


def _led_through(answers: Answers) -> Iterator[Who]:
    """The roles from which ways lead on into another account."""
    for way in answers.ways:
        crossing = [number for number, step in enumerate(way.steps) if step.crosses]
        yield from (step.source.who for step in way.steps[: max(crossing, default=-1) + 1])


def _doors(answers: Answers, steps: Iterable[Step]) -> tuple[list[Step], list[Step]]:
    """Of these the doors that cross into the audited accounts, each once; and the others."""
    crossing, others = list[Step](), list[Step]()
    for step in {step.ends: step for step in steps}.values():
        (crossing if step.crosses and step.target.who.account in answers.accounts else others).append(step)
    return crossing, others
