"""What the records of changes say of the answers' time: what came since, what was taken back, and what nothing tells.

Pure. docs/audit-events-words.md says what counts.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime
from functools import partial
from itertools import chain
from operator import attrgetter
from typing import TYPE_CHECKING

from twokeys.access.model.documents import Document
from twokeys.answers.model import Answers, Party
from twokeys.answers.permissions import Level
from twokeys.answers.summary import APART
from twokeys.audit.changes import CONTROLS, in_trust, trusted
from twokeys.audit.held import Held
from twokeys.audit.history import History
from twokeys.audit.record import Use
from twokeys.audit.shown import is_of_credentials, is_shown, stands_anyway
from twokeys.audit.stood import POLICIES, Stood
from twokeys.audit.strengths import permissions_meanwhile, strength
from twokeys.audit.trail import Change
from twokeys.audit.who_called import about, actor
from twokeys.audit.whom import enter, is_by, still, ways_into, whom_entered
from twokeys.doors import Who
from twokeys.iam import PolicyDocument
from twokeys.shown import in_utc

if TYPE_CHECKING:
    from twokeys.audit.comparison import Comparison


def against_states(answers: Answers, comparison: Comparison) -> Answers:
    """The answers with what the records say of their time: changes of keys that the states do not have, so that more
    may come in now; and the times of which nothing tells, between what was read and the records.
    """
    since = {
        f"{about(each.change, answers)} on {in_utc(each.change.use.time)} by {actor(each.change.use, answers)}"
        f"{each.not_provisioned}": each.change.of[1] * (each.change.of[0] == "user")
        for each in sorted(comparison.not_in_states, key=lambda one: -strength(one.change, answers))
    }
    times = sorted(moment for one in answers.evidence if (answers.from_states or one.caller) and (moment := one.moment))
    first, last = comparison.asked
    start, end = comparison.start or first, comparison.end or last
    before = f"{in_utc(times[0])} and {in_utc(start)}" if times and start and start - times[0] > APART else ""
    after = f"{in_utc(end)} and {in_utc(times[-1])}" if times and end and times[-1] - end > APART else ""
    return replace(answers, changed_since=since, not_recorded=before, not_recorded_after=after)


def not_in_states(answers: Answers, changes: Iterable[Change], held: Held | None = None) -> tuple[Stood, ...]:
    """What a call gave that may yet stand, and that the states do not have."""
    held = held or Held(History(changes, answers))
    return tuple(
        each
        for one, _, stands in (held.history.fates() if answers.from_states else ())
        if stands and not is_shown(one, answers)
        for each in _in_accounts(_stood(one, one.use.time, None, held), held)
    )


def _stood(one: Change, since: datetime | None, until: datetime | None, held: Held) -> Stood:
    """What a call gave; of one that takes away, with which a Deny may go, it is not judged whom it made stronger."""
    answers, may = held.answers, None if one.undone else permissions_meanwhile(one, since, until, held)
    return Stood(one, since, until, may, trusted(one.policy, still(one, answers), partial(named, answers)))


def taken_back(answers: Answers, changes: Iterable[Change], held: Held | None = None) -> tuple[Stood, ...]:
    """What let somebody in during the period, or may have, and is not in the answers any more.

    Whom a trust policy let in, it says itself. What a grant, a membership or an assignment let in is not judged, nor is
    what was there before the records, where no state of then shows it.
    """
    held = held or Held(History(changes, answers))
    history, last = held.history, held.history.last
    found = [
        _stood(one, one.use.time, until, held)
        for one, until, _ in history.fates()
        if not stands_anyway(one, last, answers)
        and not _has_all(one, answers)
        and (until or not (answers.from_states or is_shown(one, answers) or is_of_credentials(one)))
    ]
    told = {one.change.key for one in found if one.change.gives in CONTROLS}
    then = answers.before.holds if answers.before else {}
    for one, was in history.before():
        if one.key in told or _has_all(one, answers):
            continue
        before = Stood(one, None, one.use.time)
        if was:
            before = _stood(was, None, one.use.time, held)
        elif one.undone:
            before = replace(before, permissions=permissions_meanwhile(one, None, one.use.time, held))
        found.append(replace(before, is_shown=history.shows(one) and (one.call.deletes or one.held in then)))
    judged: dict[tuple[str, ...], list[Stood]] = defaultdict(list)
    for each in found:
        if each.permissions and each.lost:
            judged[each.change.whom].append(each)
    found = [one for one in found if enter(one.change, answers) or not _is_said(one, judged[one.change.whom])]
    found = [each for one in found for each in _in_accounts(one, held)]
    found.sort(key=lambda one: (one.permissions is None, one.change.use.time, one.change.use.id))
    ends = (history.at(one.change.whom, (one.until, one.taken)) for one in found)
    return tuple(
        replace(one, ended=tuple(each.use for each in by if each.use.id != one.change.use.id))
        for one, by in zip(found, ends, strict=True)
    )


def _in_accounts(one: Stood, held: Held) -> Iterator[Stood]:
    """What stood, and of what a permission set was given, when accounts had it: each has the set as it was when it was
    last provisioned there.

    Those of one time are one. An account may be provisioned in the second of the call that gives or takes. Live IAM
    shows what the role has: what it has is not taken back, and what it has not is not there any more.
    """
    ways = ways_into(one.change, held.answers) if one.change.gives in POLICIES else ()
    given = one.since or (one.change.undone and one.permissions)
    if one.change.of[0] != "set" or not ways or not given:
        yield one
        return
    given, taken, undone, answers = one.change.use.time, one.until, one.change.undone, held.answers
    alike: dict[tuple[datetime | None, datetime | None, datetime | None], list[str]] = defaultdict(list)
    roles: dict[str, list[Document]] = defaultdict(list)
    for way in ways:
        roles[way.account] += way.permissions.documents
    for account, has in roles.items():
        times = held.provisioned(one.change.of[1], account)
        since = next((time for time in times if not undone and given <= time <= (taken or time)), None)
        until = next((time for time in times if (since or undone) and taken and taken <= time != since), None)
        there = answers.from_states or any(_has(one.change, each) for each in has)
        if answers.from_states or taken or not there:
            alike[since, until, taken if there or until or not (since or undone) else None].append(account)
    for (since, until, told), accounts in alike.items():
        found = replace(one, since=since, until=until, accounts=tuple(accounts), taken=told)
        went = undone and (until or not told)  # what was there before the records
        yield replace(found, permissions=None, until=until or taken) if went else found


def _has(one: Change, said: Document) -> bool:
    """Whether a policy is what a call gives."""
    same = isinstance(said.policy, PolicyDocument) and one.policy is not None and one.policy.within(said.policy)
    return same or (bool(one.of[2]) and one.of[2] in (said.arn, said.name))


def _has_all(one: Change, answers: Answers) -> bool:
    """Whether a call is of a policy of a role that is administrator now: nothing made it stronger before."""
    ways = ways_into(one, answers) if one.gives in POLICIES and one.of[0] == "role" else ()
    return bool(ways) and all(way.permissions.level is Level.ADMINISTRATOR for way in ways)


def _is_said(one: Stood, judged: Iterable[Stood]) -> bool:
    """Whether it is a policy that a role had while somebody could enter it, of whom it is said how strong."""
    if one.change.gives not in POLICIES or not (since := one.since):
        return False
    own = (by for by in judged if by.since and by.since <= since)
    return any(by.until is None or (one.until is not None and one.until <= by.until) for by in own)


def named(answers: Answers, principal: str) -> str:
    """Whom a name in a Principal element means, as people call it; a session by its ARN."""
    who = None if ":assumed-role/" in principal else Who.named(principal)
    return answers.named(Party(who)).short if who else in_trust(principal)


_time = attrgetter("time")


def with_entries(found: Iterable[Stood], uses: Iterable[Use], answers: Answers) -> tuple[Stood, ...]:
    """Each with the entries, which are in order of time, that there were while it stood."""
    of: dict[Who | None, list[Use]] = defaultdict(list)
    for use in uses:
        for where in (use.target, use.caller.who, use.entered_set, use.caller.permission_set):
            of[where].append(use)
    members: dict[Who | None, list[Who]] = defaultdict(list)
    for user, group in answers.memberships:
        members[group.who].append(user.who)

    def came(one: Stood) -> Iterator[Use]:
        entered = whom_entered(one.change, one.accounts or answers.accounts, answers)
        known = one.since or one.may_stand or one.change.undone or one.lost
        whom = {*entered, *chain.from_iterable(members[each] for each in entered)} if known else ()
        for own in (of[where] for where in whom):
            first = bisect_left(own, one.since, key=_time) if one.since else 0
            last = bisect_right(own, one.until, key=_time) if one.until else len(own)
            yield from (use for use in own[first:last] if is_by(one.change, use, answers))

    return tuple(replace(one, entered=tuple(sorted({*came(one)}, key=attrgetter("time", "id")))) for one in found)
