"""The states of other stacks that the pack's configuration names: what a door of this stack has its other key in.

Nothing but that other key is taken from them. What a rule finds in this stack alone stands, unless it is about a key
and both stacks together show that key; and what is found only in the others is theirs.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, TypeAlias

from twokeys.access.configuration import LEVEL, OTHER_STACKS
from twokeys.access.findings import Finding, Rule
from twokeys.access.graph import Graph
from twokeys.access.model.accounts import Accounts, entry
from twokeys.access.reading.snapshot import PROVIDER, Resource, Snapshot, project_of, stack_of
from twokeys.access.report import Judged
from twokeys.access.rules import BY_NAME
from twokeys.errors import Refusal
from twokeys.iam import UNKNOWN

_STATES: Final = "states"
Judge: TypeAlias = Callable[[Snapshot], tuple[list[Judged], Graph]]
"""Gives what the rules find in a snapshot, and its graph."""
_NOTHING = "nothing has to be done, unless they have changed since: then export them again"


def other_states(settings: Mapping[str, object], own: str, folder: Path = Path()) -> Snapshot | None:
    """What the named states show together; None where none is named.

    Args:
        settings: what the pack's configuration says of `other-stacks`.
        own: what the URNs of this stack begin with, as `project_of` has it.
        folder: what a relative name starts from. The engine runs a pack in the program's folder.

    Raises:
        Refusal: a state cannot be read, shows nothing or is of this very stack, or what is set is no list of files.
    """
    named = settings.get(_STATES, [])
    if settings.keys() - {_STATES, LEVEL} or not isinstance(named, list) or not all(isinstance(n, str) for n in named):
        raise Refusal(
            "the states of other stacks are not named as they have to be",
            where=f"the policy pack's configuration, {OTHER_STACKS}",
            why=f"it takes a list of files, {_STATES}, and nothing else",
            next_step=f'write it as {{"{OTHER_STACKS}": {{"{_STATES}": ["FILE"]}}}}',
        )
    if not named:
        return None
    # A pack starts with every operation, and few name states.
    from twokeys.answers.sources import together  # noqa: PLC0415

    found = together([folder / name for name in named])
    if any(project_of(one.urn) == own for one in found.resources):
        files = [one.name for one in found.evidence if one.stack == own] or named
        raise Refusal(
            "a state of this very stack is named among those of other stacks",
            where=", ".join(files),
            why="it says what was, and this operation says what is to come",
            next_step=f"take it out of `{_STATES}` of {OTHER_STACKS} in the policy pack's configuration",
        )
    return replace(found, resources=tuple(_apart(found)))


def _apart(found: Snapshot) -> Iterable[Resource]:
    """The resources, none of whose providers is taken for one of this stack, or works with its credentials."""
    accounts = Accounts(found)
    for one in found.resources:
        if one.type != PROVIDER or not entry(one).tells_none:
            yield one
        else:
            account = accounts.of_provider(one.urn)
            allowed = [account] if accounts.pinned(account) else UNKNOWN
            values = {**(one.inputs or {}), "allowedAccountIds": allowed}
            yield replace(one, name=f"{one.name} of stack {stack_of(one.urn)}", inputs=values, outputs={})


def as_of(others: Snapshot) -> Judged:
    """Which states were read, and of when each is: a key in one may have been taken away since."""
    states = ", ".join(f"{one.name} as of {one.time or 'a time that it does not tell'}" for one in others.evidence)
    return Judged(Finding(f"Judged together with {states}", _NOTHING, rule=OTHER_STACKS), mandatory=False)


def still_refused(found: list[Finding], graph: Graph, others: Snapshot | None, judge: Judge) -> list[Finding]:
    """What stands of findings that would stop an update once the other stacks are there too, where any are named."""
    refused = [Judged(one, mandatory=True) for one in found]
    if others is None or not any(map(_is_about_key, refused)):
        return found
    stands, theirs = with_others(refused, judge(graph.snapshot)[0], graph, others, judge)
    return [one.finding for one in (*stands, *theirs) if one.mandatory]


def with_others(
    found: Collection[Judged], alone: Iterable[Judged], graph: Graph, others: Snapshot, judge: Judge
) -> tuple[list[Judged], list[Judged]]:
    """What stands of findings in this stack once the other stacks are there too; and what of those is not proved.

    `graph` is this stack's and `alone` all that is found in it: only doors that `found` is about are looked at, and
    what is new at the same resources. A key that cannot be read in a state is none, and refused with its file.
    """
    keys = [one.finding for one in found if _is_about_key(one)]
    if not keys:
        return list(found), []
    own = graph.snapshot
    ours = {one.arn for one in graph.principals if one.urn is not None}
    there = [one for one in others.resources if one.text("arn") not in ours]  # as this stack makes them, they are its
    pending = (*own.pending, *others.pending)
    together, joined = judge(replace(own, resources=(*own.resources, *there), pending=pending))
    said = {_place(one) for one in alone}
    doors, urns = {one.door for one in keys}, {one.finding.urn for one in found} - {None}
    holders = {one.arn for one in joined.principals if any(each.urn in own.by_urn for each in one.all_documents)}
    stands = [one for one in found if not _rule(one).another_stack_answers or one.finding.urn is None]
    files = {one.stack: one.name for one in others.evidence}
    theirs = []
    for one in together:
        finding = one.finding
        of_others = finding.urn is not None and finding.urn not in own.by_urn
        if one.failed or (_rule(one).another_stack_answers and finding.door in doors and finding.urn is not None):
            stands.append(one)
        elif _place(one) in said:
            continue
        elif finding.urn in urns or (_of_a_grant(one) and finding.sides[0] in holders & ours):
            stands.append(one)
        elif of_others and _rule(one).may_follow == "proof" and "*" in finding.sides:
            where = files.get(project_of(finding.urn or ""), others.origin)
            theirs.append(replace(one, finding=replace(finding, source=where)))
    return stands, theirs


def _is_about_key(judged: Judged) -> bool:
    return _rule(judged).another_stack_answers and judged.finding.door is not None


def _rule(judged: Judged) -> Rule[Any]:
    return BY_NAME[judged.finding.rule]


def _of_a_grant(judged: Judged) -> bool:
    rule = _rule(judged)
    return rule.another_stack_answers and rule.keys != "trust"


def _place(judged: Judged) -> tuple[object, ...]:
    return judged.finding.rule, judged.finding.urn, judged.finding.door
