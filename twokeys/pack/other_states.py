"""The states of other stacks that the pack's configuration names: what a door of this stack has its other key in.

Nothing but that other key is taken from them. What a rule finds in this stack alone stands, unless it is about a key:
then both stacks together are asked, under the exceptions that there are for that rule. What is found only in the others
is theirs, but for the half of a door that this stack leaves there. A way that all together open is everybody's.

Of a new door the grant is made first: alone it opens nothing, and IAM takes no trust in a role that is not there. Of
one that goes, the trust goes first, which closes it.
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, TypeAlias

from twokeys.access.configuration import LEVEL, OTHER_STACKS
from twokeys.access.findings import Finding, Rule
from twokeys.access.graph import Graph
from twokeys.access.model.accounts import Accounts, entry
from twokeys.access.reading.snapshot import PROVIDER, Resource, Snapshot, project_of, stack_of
from twokeys.access.report import MANDATORY, Judged, level_of
from twokeys.access.report import judge as judged_by
from twokeys.access.rules import BY_NAME, RULES
from twokeys.errors import Refusal
from twokeys.iam import UNKNOWN
from twokeys.pack.own_account import graph_of

Judge: TypeAlias = Callable[[Snapshot], tuple[list[Judged], Graph]]
"""Gives what the rules find in a snapshot, and its graph."""
_STATES: Final = "states"
_EXCEPTIONS: Final = "exceptions"
_NOTHING = "nothing has to be done, unless they have changed since: then export them again"


def other_states(settings: Mapping[str, object], own: str, folder: Path = Path()) -> Snapshot | None:
    """What the named states show together, of which one may be empty; None where none is named.

    Args:
        settings: what the pack's configuration says of `other-stacks`.
        own: what the URNs of this stack begin with, as `project_of` has it.
        folder: what a relative name starts from. The engine runs a pack in the program's folder.

    Raises:
        Refusal: a state cannot be read or is of this very stack, or what is set is no list of files.
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

    files = [folder / name for name in named]
    found = together(files, may_be_empty=files)
    if any(project_of(one.urn) == own for one in found.resources):
        mine = [one.name for one in found.evidence if one.stack == own] or named
        raise Refusal(
            "a state of this very stack is named among those of other stacks",
            where=", ".join(mine),
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


def settings_alone(config: Mapping[str, Mapping[str, object]]) -> Mapping[str, Mapping[str, object]]:
    """The configuration by which this stack alone is judged: where states are named, exceptions for keys come later.

    Which rule refuses a key that is missing here is said once the states are read.
    """
    if not config.get(OTHER_STACKS, {}).get(_STATES):
        return config
    later = {rule.name for rule in RULES if rule.another_stack_answers}
    return {
        name: {key: value for key, value in one.items() if key != _EXCEPTIONS or name not in later}
        for name, one in config.items()
    }


def beside(graph: Graph, others: Snapshot) -> Snapshot:
    """A stack with the others beside it; what it makes itself is as it says, whatever they once read of that."""
    own = graph.snapshot
    ours = {one.arn for one in graph.principals if one.urn is not None}
    there = [one for one in others.resources if one.text("arn") not in ours]
    return replace(
        own,
        resources=(*own.resources, *there),
        pending=(*own.pending, *others.pending),
        beside=frozenset(project_of(one.urn) for one in there),
    )


@dataclass(frozen=True)
class Beside:
    """The other stacks that a change is judged beside, by rules under the pack's configuration.

    Of `before`, `after` and a graph, each is of what the change bears on, or of everything. `own` is the account of
    providers that tell none.
    """

    others: Snapshot
    config: Mapping[str, Mapping[str, object]]
    rules: Sequence[Rule[Any]] = RULES

    def still_refused(self, found: list[Finding], graph: Graph, after: Snapshot, own: str | None) -> list[Finding]:
        """What stands of findings on the graph of this stack that would stop an update."""

        def judge(shown: Snapshot) -> tuple[list[Judged], Graph]:
            both = graph_of(shown, own)
            return list(judged_by(both, self.rules, self.config, datetime.now(UTC))), both

        alone = [Judged(one, mandatory=True) for one in found]
        if not any(map(_is_about_key, alone)):
            return found
        stands, theirs, _ = with_others(alone, judge(graph.snapshot)[0], graph, self._of(after), judge)
        stands += [one for one in theirs if not _is_way(one)]  # a way is refused where it is completed
        return [one.finding for one in stands if one.mandatory and not one.finding.about_exception]

    def completed(self, before: Snapshot, after: Snapshot, own: str | None) -> list[Finding]:
        """The ways that are refused and that a change opens together with the others, whichever stack they end in."""
        found = self._ways(after, own)
        known = set(map(_place, self._ways(before, own))) if found else set()
        return [_at(one, self.others).finding for one in found if _place(one) not in known]

    def _ways(self, shown: Snapshot, own: str | None) -> list[Judged]:
        """What stops an update of the ways that are found in a snapshot of all, but for keys that may still come."""
        ours = replace(shown, resources=tuple(one for one in shown.resources if one.urn not in self.others.by_urn))
        both = graph_of(beside(graph_of(ours, own), self._of(shown)), own)
        rules = [
            rule
            for rule in self.rules
            if level_of(rule, self.config) in MANDATORY and not (rule.may_follow or rule.another_stack_answers)
        ]
        found = judged_by(both, rules, self.config, datetime.now(UTC))
        return [one for one in found if one.mandatory and (one.failed or _is_way(one))]

    def _of(self, shown: Snapshot) -> Snapshot:
        """What there is of the others in a snapshot of all."""
        return replace(self.others, resources=tuple(one for one in shown.resources if one.urn in self.others.by_urn))


def with_others(  # noqa: PLR0913 - what is found, and the stacks that it is found in
    found: Collection[Judged],
    alone: Iterable[Judged],
    graph: Graph,
    others: Snapshot,
    judge: Judge,
    *,
    before: Callable[[], Graph | None] | None = None,
) -> tuple[list[Judged], list[Judged], Graph]:
    """What stands of findings in this stack once the others are there too; what is about these; and the graph of all.

    `graph` is this stack's and `alone` all that is found in it: only doors that `found` is about are looked at, and
    what is new at the same resources. A key that cannot be read in a state is none, and refused with its file. A way
    that the others open by themselves is theirs, unless this stack closed it before. `before` gives the graph of all
    as it was, None where that is not known; without it, nothing is said of what goes.
    """
    together, joined = judge(beside(graph, others))
    try:
        was = before() if before else None
    except Refusal:  # `doors-changed` says so
        was = None
    known = judge(was.snapshot)[0] if was else None
    said, apart = ({_place(one) for one in each} for each in (alone, judge(others)[0]))
    if known is not None:
        apart &= set(map(_place, known))
    own = {one.finding.message for one in alone if one.finding.about_exception}
    keys = [one.finding for one in found if _is_about_key(one)]
    doors, urns = {one.door for one in keys}, {one.finding.urn for one in found} - {None}
    ours = {one.arn for one in graph.principals if one.urn is not None}
    by_urn = graph.snapshot.by_urn
    holders = {one.arn for one in joined.principals if any(each.urn in by_urn for each in one.all_documents)}
    stands = [
        one
        for one in found
        if not one.finding.about_exception and not (_rule(one).another_stack_answers and one.finding.urn)
    ]
    theirs: list[Judged] = []
    halves = []
    for one in together:
        finding, answered = one.finding, _rule(one).another_stack_answers
        if finding.about_exception:
            stands += [one] if answered or finding.message in own else []
        elif one.failed or (answered and finding.door in doors and finding.urn is not None):
            stands.append(one)
        elif _place(one) in said:
            continue
        elif finding.urn in urns or (_rule(one).of_a_grant and finding.sides[0] in holders & ours):
            stands.append(one)
        elif _is_way(one) and (finding.sides[0] in ours or _place(one) not in apart):
            (theirs if joined.snapshot.is_beside(finding.urn) else stands).append(one)
        elif not joined.snapshot.is_beside(finding.urn):
            continue
        elif answered and "*" not in finding.sides:
            halves.append(one)
        elif keys and _rule(one).may_follow == "proof":
            theirs.append(one)
    if before is not None and halves:
        theirs += _left(halves, joined, known)
    return stands, [_at(one, others) for one in theirs], joined


def _at(judged: Judged, others: Snapshot) -> Judged:
    """A finding with the file that it is about, if it is about one of the others."""
    urn = judged.finding.urn
    if urn is None or urn not in others.by_urn:
        return judged
    files = {one.stack: one.name for one in others.evidence}
    return replace(judged, finding=replace(judged.finding, source=files.get(project_of(urn), others.origin)))


def _left(halves: Iterable[Judged], joined: Graph, before: Iterable[Judged] | None) -> Iterator[Judged]:
    """The halves in other stacks whose other half this change takes away or, where nobody tells what was, lacks.

    A trust that would be left is refused: its own stack goes first. A grant that is left opens nothing and is said.
    """
    known = set(map(_ends, before or ()))
    ours = {one.arn for one in joined.principals if one.urn and not joined.snapshot.is_beside(one.urn)}
    for one in halves:
        finding = one.finding
        if _ends(one) in known or (before is None and not (_rule(one).may_follow and ours.intersection(finding.sides))):
            continue
        if _rule(one).keys == "trust":
            excuse = {"door": str(finding.door), "reason": "...", "owner": "...", "expires": "YYYY-MM-DD"}
            excepted = {_rule(one).name: {_EXCEPTIONS: [{**excuse, "stack": joined.snapshot.names[1]}]}}
            step = (
                "to keep the door, leave the grant here, or make it again if this update took it away; to close it, "
                "take that trust away first, in its stack, and export its state again; where the grant has to go first,"
                f" make an exception: {json.dumps(excepted)}"
            )
            yield replace(one, finding=replace(finding, next_step=step))
        else:
            step = "take that grant away in its stack too, and export its state again: alone it opens nothing"
            yield Judged(replace(finding, next_step=step, severity="high"), mandatory=False)


def _ends(judged: Judged) -> tuple[object, ...]:
    return judged.finding.urn, judged.finding.door


def _is_about_key(judged: Judged) -> bool:
    return _rule(judged).another_stack_answers and judged.finding.door is not None


def _is_way(judged: Judged) -> bool:
    """Whether it is about a way that is open by its keys."""
    finding = judged.finding
    return finding.door is not None and not finding.about_exception and not _rule(judged).another_stack_answers


def _rule(judged: Judged) -> Rule[Any]:
    return BY_NAME[judged.finding.rule]


def _place(judged: Judged) -> tuple[object, ...]:
    return judged.finding.rule, judged.finding.urn, judged.finding.door
