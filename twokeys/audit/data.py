"""What CloudTrail saw, as JSON-ready data."""

from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from twokeys.answers.data import party_data
from twokeys.answers.model import Answers, Step, Way
from twokeys.audit.comparison import Comparison, SignIns
from twokeys.audit.coverage import Covered
from twokeys.audit.entries import DoorUse
from twokeys.audit.events import headline, not_in_the_events
from twokeys.audit.logs import Source
from twokeys.audit.record import ROOT_SESSION, Use
from twokeys.audit.stood import Stood
from twokeys.audit.who_called import begun
from twokeys.audit.words import by_door, kind_of, mfa

POPULATION = '"population": []'
"""How `as_data` ends in JSON, but for brackets."""


def as_data(answers: Answers, comparison: Comparison) -> dict[str, Any]:
    """What the events say as JSON-ready data; `population` gives the rows of its last key, which may be many."""
    first, last = comparison.asked
    return {
        "asked": {"from": _iso(first), "until": _iso(last), "regions": list(comparison.regions) or None},
        "from": _iso(comparison.start),
        "until": _iso(comparison.end),
        "learnedUntil": _iso(comparison.learned_until),
        "summary": headline(answers, comparison),
        "mayBeMore": comparison.may_be_more,
        "entries": comparison.entries,
        "entriesAndSteps": dict(Counter(map(kind_of, comparison.population))),
        "askedForAndNotShown": comparison.not_shown,
        "apart": comparison.apart,
        "filesNotReadable": list(comparison.was_read.not_readable),
        "unreadable": len(comparison.was_read.unreadable),
        "unreadableRecords": list(comparison.was_read.unreadable),
        "sources": [_source(one) for one in comparison.was_read.sources],
        "coverage": [_coverage(one, answers) for one in comparison.was_read.accounts],
        "doors": [_door(one) for one in comparison.doors],
        "steps": [_door(one) for one in comparison.steps],
        "ways": [
            {**_door(use), **_ends(way), "through": [*map(party_data, way.through)]} for way, use in comparison.ways
        ],
        "signIns": [_sign_in(one, answers) for one in comparison.sign_ins],
        "undeclared": [_use(use, answers) for use in comparison.undeclared],
        "unusual": [{**_use(one.use, answers), "why": list(one.why)} for one in comparison.unusual],
        "takenBack": [_taken_back(one, where, answers) for one in comparison.taken_back for where in one.places],
        "unexplained": [one.words(answers) for one in comparison.unexplained],
        "changes": [
            {**_use(one.use, answers), "changed": one.parameters, "trusts": one.trusts or None}
            for one in comparison.changes
        ],
        "notLookedAt": not_in_the_events(comparison),
        "population": [],
    }


def population(answers: Answers, comparison: Comparison) -> Iterator[dict[str, Any]]:
    """Every entry, and every use of a step on the way, in order of time, with the doors that explain it."""
    meanwhile = comparison.meanwhile(answers)
    for one in comparison.population:
        yield {
            "what": kind_of(one),
            "doors": [by_door(step) for step in one.doors],
            "whyPerhaps": one.perhaps or None,
            "meanwhile": meanwhile.get(one.use.id, []),
            **_use(one.use, answers),
        }


def _source(one: Source) -> dict[str, Any]:
    return {
        "name": one.name,
        "sha256": one.sha256 or None,
        "caller": one.caller or None,
        "filesRead": one.read,
        "passedOver": dict(one.passed_over),
        "noLogs": one.no_logs,
        "notReadable": one.not_readable,
        "heldAgainstDigests": one.held,
        "notAsDigest": one.not_as_digest,
        "inNoDigest": one.in_no_digest,
        "trailsWithoutDigests": dict(one.without_digests),
        "from": _iso(one.start),
        "until": _iso(one.end),
    }


def _coverage(one: Covered, answers: Answers) -> dict[str, Any]:
    return {
        "account": one.account,
        "accountName": answers.account_name(one.account),
        "records": one.recorded.records,
        "recordsFromElsewhere": one.recorded.elsewhere,
        "files": one.recorded.files,
        "filesMissing": list(one.not_given),
        "first": _iso(one.recorded.first),
        "last": _iso(one.recorded.last),
        "regions": list(one.regions),
        "days": one.total,
        "daysByRegion": one.there,
        "covered": one.lacks is None,
        "notCovered": one.lacks,
        "withoutDigests": list(one.without_digests),
        "daysNotCovered": {region: [f"{day}" for day in days] for region, days in one.days.items()},
    }


def _taken_back(one: Stood, account: str, answers: Answers) -> dict[str, Any]:
    level, names = one.permissions or (None, ())
    return {
        **_use(one.change.use, answers),
        "account": account,
        "accountName": answers.account_name(account),
        "what": one.words(answers),
        "judged": one.permissions is not None,
        "who": ("; ".join(one.who(answers)) or None) if one.permissions else None,
        "into": one.into(answers).removeprefix("role "),
        "permissions": level.word if level is not None else None,
        "policies": list(names),
        "entered": [use.id for use in one.entered],
        "from": _iso(one.since),
        "until": _iso(one.until),
    }


def _sign_in(one: SignIns, answers: Answers) -> dict[str, Any]:
    return {
        "user": party_data(answers.named(one.user)),
        "account": one.uses[-1].account,
        "accountName": answers.account_name(one.uses[-1].account),
        "count": len(one.uses),
        "last": _iso(one.uses[-1].time),
        "mfaUsed": mfa(one),
    }


def _door(one: DoorUse) -> dict[str, Any]:
    first, last = one.covered or (None, None)
    return {
        **_ends(one.door),
        "proved": bool(one.door.keys),
        "usage": one.usage.value,
        "whyNotKnown": one.not_known or None,
        "coveredFrom": _iso(first),
        "coveredUntil": _iso(last),
        "withoutDigests": one.without_digests,
        "count": one.count,
        "perhaps": one.perhaps,
        "last": _iso(one.last),
        "sessions": one.sessions,
        "sourceIdentities": one.identities,
    }


def _ends(one: Step | Way) -> dict[str, Any]:
    return {"source": party_data(one.source), "target": party_data(one.target)}


def _use(use: Use, answers: Answers) -> dict[str, Any]:
    return {
        "id": use.id,
        "time": _iso(use.time),
        "event": use.event,
        "caller": party_data(answers.named(use.caller)),
        "uniqueId": use.unique_id,
        "account": use.account,
        "accountName": answers.account_name(use.account),
        "callerSession": use.caller_session,
        "begunBy": begun(use, answers).removeprefix(", begun by ") or None,
        "sourceIdentity": use.source_identity,
        "role": use.role or None,
        "roleArn": use.arn or None,
        "task": use.task,
        "region": use.region,
        "source": use.source,
        "invokedBy": use.invoked_by,
        "invokedByDelegate": use.delegate,
        "inRootSession": use.in_root or use.caller.who.name == ROOT_SESSION,
        "session": use.session,
        "failed": use.failed,
        "mfaUsed": use.mfa,
    }


def _iso(time: datetime | None) -> str | None:
    return time.isoformat() if time else None
