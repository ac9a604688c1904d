"""Since when keys are there, where CloudTrail's records of changes tell more of it than IAM or a state does."""

from dataclasses import replace

from twokeys.access.model.documents import Document
from twokeys.access.reading.since import Since
from twokeys.answers.model import Answers, KeyPlace, Way
from twokeys.audit.changes import ROOT_SESSIONS
from twokeys.audit.history import History
from twokeys.audit.known import Records
from twokeys.audit.trail import Change
from twokeys.iam import PolicyDocument


def dated(answers: Answers, records: Records, history: History) -> Answers:
    """The answers with their keys dated by the last recorded change of each.

    IAM dates no change of a trust policy, an inline policy, an attachment or a membership. Where the records of the
    account are whole, the last of them is the last that there was; else it is a key's if it wrote what the key says.
    Root sessions the delegated administrator for IAM may have enabled, too.
    """
    of_root = [one for one in history.done if one.gives == ROOT_SESSIONS]
    found: dict[KeyPlace, KeyPlace] = {}

    def date(key: KeyPlace) -> KeyPlace:
        if key not in found:
            calls = of_root if key.held[1:] == ("", "", "") else history.of.get(key.held, ())
            last = next((one for one in reversed(calls) if one.call.gives), None)
            since = key.since and _since(key, key.since, last, answers.holds.get(key.held), records)
            found[key] = replace(key, since=since)
        return found[key]

    def of(way: Way) -> Way:
        steps = (
            replace(step, trust=step.trust and date(step.trust), grants=tuple(map(date, step.grants)))
            for step in way.steps
        )
        return replace(way, steps=tuple(steps))

    return replace(answers, ways=tuple(map(of, answers.ways)), within=tuple(map(of, answers.within)))


def _since(key: KeyPlace, since: Since, change: Change | None, said: Document | None, records: Records) -> Since:
    if not key.held or (change and change.undone):  # taken away, and there: somebody gave it again
        return since
    time = change.use.time if change else None
    if since.last is None and records.whole(key):
        return replace(since, last=max(filter(None, (records.start, since.first, time))))
    if change is None or time is None or (since.first and time < since.first):
        return since
    if change.call.writes is None or _wrote(change.policy, said):
        return replace(since, last=max(time, since.last or time))
    return since if since.last else replace(since, changed=time)


def _wrote(policy: PolicyDocument | None, said: Document | None) -> bool:
    now = said.policy if said else None
    return policy is not None and isinstance(now, PolicyDocument) and now.within(policy)
