"""When accounts had what a permission set was given. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime

from twokeys.access.model.documents import Document
from twokeys.answers.model import Answers
from twokeys.audit.changes import PROVISIONS
from twokeys.audit.stood import Stood
from twokeys.audit.trail import Change
from twokeys.audit.whom import ways_into
from twokeys.iam import PolicyDocument

_EVERYWHERE = "targetType ALL_PROVISIONED_ACCOUNTS"
"""How a call asks to provision all accounts that have a permission set."""


def in_accounts(one: Stood, done: Iterable[Change], answers: Answers) -> Iterator[Stood]:
    """What stood, and of what a permission set was given, when accounts had it: each has the set as it was when it was
    last provisioned there, by a call of that name or by an assignment.

    Those of one time are one. An account may be provisioned in the second of the call that gives or takes. Live IAM
    shows what the role has: what it has is not taken back, and what it has not is not there any more.
    https://docs.aws.amazon.com/singlesignon/latest/APIReference/API_ProvisionPermissionSet.html and
    https://docs.aws.amazon.com/singlesignon/latest/APIReference/API_CreateAccountAssignment.html
    """
    if one.permissions is None or one.change.of[0] != "set":
        yield one
        return
    given, taken, undone = one.change.use.time, one.until, one.change.undone
    of_set = [each for each in done if each.use.event in PROVISIONS and each.of[:2] == one.change.of[:2]]
    alike: dict[tuple[datetime | None, datetime | None, datetime | None], list[str]] = defaultdict(list)
    roles: dict[str, list[Document]] = defaultdict(list)
    for way in ways_into(one.change, answers):
        roles[way.account] += way.permissions.documents
    for account, has in roles.items():
        times = [each.use.time for each in of_set if account == each.use.account or _EVERYWHERE in each.parameters]
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
