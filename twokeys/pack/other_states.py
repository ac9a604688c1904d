"""The states of other stacks that the pack's configuration names: what a door of this stack has its other key in.

Nothing but that other key is taken from them. What a rule finds in this stack alone stands, unless it is about a key:
then both stacks together are asked, under the exceptions that there are for that rule. What is found only in the others
is theirs, but for the half of a door that this stack leaves there. A way that all together open is everybody's.

Of a new door the grant is made first: alone it opens nothing, and IAM takes no trust in a role that is not there. Of
one that goes, the trust goes first, which closes it.
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from twokeys.access.configuration import LEVEL, OTHER_STACKS
from twokeys.access.findings import Finding, Rule, Subject
from twokeys.access.graph import Graph, build
from twokeys.access.model.accounts import Accounts
from twokeys.access.model.door_name import exception_text
from twokeys.access.model.providers import entry
from twokeys.access.reading.snapshot import PROVIDER, Resource, Snapshot, project_of, stack_of
from twokeys.access.rules import BY_NAME, RULES
from twokeys.access.verdicts import MANDATORY, Judged, in_one, judge, level_of
from twokeys.errors import Refusal
from twokeys.iam import UNKNOWN, Arn
from twokeys.pack.own_account import graph_of
from twokeys.shown import listed

_STATES: Final = "states"
_EXCEPTIONS: Final = "exceptions"
_AGAIN = "export again those that have changed since"


def other_states(
    config: Mapping[str, Mapping[str, object]],
    own: str,
    folder: Path = Path(),
    rules: Sequence[Rule[Any]] = RULES,
    shown: Iterable[Snapshot] = (),
) -> Beside | None:
    """The named states, of which one may be empty, to judge a change beside; None where there is nothing beside it.

    Args:
        config: the pack's configuration.
        own: what the URNs of this stack begin with, as `project_of` has it.
        folder: what a relative name starts from. The engine runs a pack in the program's folder.
        rules: those that judge.
        shown: previews of other stacks, which say more than a state of one.

    Raises:
        Refusal: a state cannot be read or is of this very stack, or what is set is no list of files.
    """
    settings = config.get(OTHER_STACKS, {})
    named = settings.get(_STATES, [])
    if settings.keys() - {_STATES, LEVEL} or not isinstance(named, list) or not all(isinstance(n, str) for n in named):
        raise Refusal(
            "the states of other stacks are not named as they have to be",
            where=f"the policy pack's configuration, {OTHER_STACKS}",
            why=f"it takes a list of files, {_STATES}, and nothing else",
            next_step=f'write it as {{"{OTHER_STACKS}": {{"{_STATES}": ["FILE"]}}}}',
        )
    previews = Snapshot.together(shown, "the previews of other stacks")
    if not (named or previews.resources):
        return None
    # A pack starts with every operation, and few name states.
    from twokeys.answers.sources import together  # noqa: PLC0415

    files = [folder / name for name in named]
    found = together(files, may_be_empty=files) if files else replace(previews, resources=())
    if any(project_of(one.urn) == own for one in found.resources):
        mine = [one.name for one in found.evidence if one.stack == own] or named
        raise Refusal(
            "a state of this very stack is named among those of other stacks",
            where=", ".join(mine),
            why="it says what was, and this operation says what is to come",
            next_step=f"take it out of `{_STATES}` of {OTHER_STACKS} in the policy pack's configuration",
        )
    anew = {project_of(one.urn) for one in previews.resources}
    there = (one for one in found.resources if project_of(one.urn) not in anew)
    found = replace(found, resources=(*there, *previews.resources))
    return Beside(replace(found, resources=tuple(_apart(found))), config, rules)


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
    return Judged(Finding(f"Judged together with {states}", _AGAIN, rule=OTHER_STACKS), mandatory=False)


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


@dataclass(frozen=True)
class Beside:
    """The other stacks that a change is judged beside, by rules under the pack's configuration.

    Of `before`, `after` and a graph, each is of what the change bears on, or of everything. `own` is the account of
    providers that tell none.
    """

    others: Snapshot
    config: Mapping[str, Mapping[str, object]]
    rules: Sequence[Rule[Any]] = RULES

    def joined(self, graph: Graph, own: str | None, before: Callable[[], Graph | None] | None = None) -> Graph:
        """A stack with the others beside it; what it makes itself is as it says, whatever they once read of that.

        What they gave to whom it takes away, as `before` shows, is gone too.
        """
        made, was = _made(graph), known_graph(before)
        there = [one for one in self.others.resources if one.text("arn") not in made]
        both = replace(
            graph.snapshot,
            resources=(*graph.snapshot.resources, *there),
            pending=(*graph.snapshot.pending, *self.others.pending),
            beside=frozenset(project_of(one.urn) for one in there),
        )
        gone = {(one.account, one.kind, one.name) for one in was.principals if one.urn} if was else ()
        return build(both, own_account=own, gone=gone)

    def judged(
        self,
        found: Collection[Judged],
        alone: Iterable[Judged],
        graph: Graph,
        own: str | None,
        before: Callable[[], Graph | None] | None = None,
    ) -> tuple[list[Judged], list[Judged], Graph]:
        """What stands of findings in this stack once the others are there too; what is about these; the graph of all.

        `graph` is this stack's and `alone` all that is found in it: only doors that `found` is about are looked at, and
        what is new at the same resources. A key that cannot be read in a state is none, and refused with its file. A
        way that the others open by themselves is theirs, unless this stack closed it before. `before` gives the graph
        of all as it was, None where that is not known; without it, nothing is said of what goes.
        """
        joined = self.joined(graph, own, before)
        this, together = _ThisStack(found, alone, graph, joined), self._found(joined)
        new = [one for one in together if this.is_new(one)]
        stands = [one for one in found if not _waits_for_others(one)]
        stands += [one for one in together if this.asks_again(one)]
        stands += [one for one in new if this.is_about(one)]
        more = [one for one in new if not this.is_about(one)]
        ways = [one for one in more if _is_way(one)]
        of_others = any(one.finding.sides[0] not in this.principals for one in ways)
        keys = [one for one in more if _rule(one).another_stack_answers and joined.snapshot.is_beside(one.finding.urn)]
        halves = [one for one in more if one.finding.denied or (one in keys and "*" not in one.finding.sides)]
        halves = halves if before is not None else []
        was = self._found_before(before) if halves or of_others else None
        open_alone = self._open_alone(own, was) if of_others else set()
        ways = [one for one in ways if one.finding.sides[0] in this.principals or one.finding.subject not in open_alone]
        stands += [one for one in ways if not joined.snapshot.is_beside(one.finding.urn)]
        theirs = [one for one in ways if joined.snapshot.is_beside(one.finding.urn)]
        theirs += [one for one in keys if this.doors and "*" in one.finding.sides and _rule(one).may_follow == "proof"]
        theirs = [self._at(one) for one in (*theirs, *_left(halves, joined, was, known_graph(before)))]
        return stands, in_one(theirs, _denial, _in_one), joined

    def still_refused(self, found: list[Finding], graph: Graph, after: Snapshot, own: str | None) -> list[Finding]:
        """What stands of findings on the graph of this stack that would stop an update."""
        alone = [Judged(one, mandatory=True) for one in found]
        if not any(map(is_about_key, found)):
            return found
        stands, theirs, _ = self._with(after).judged(
            alone, self._found(build(graph.snapshot, own_account=own)), graph, own
        )
        stands += [one for one in theirs if not _is_way(one)]  # a way is refused where it is completed
        return [one.finding for one in stands if one.mandatory and not one.finding.about_exception]

    def completed(
        self, before: Snapshot, after: Snapshot, own: str | None, shown: Set[str] | None = None
    ) -> list[Finding]:
        """The ways that are refused and that a change opens together with the others, whichever stack they end in.

        With `shown`, which an update does not change any more, also the keys that it denies between those and others.
        """
        found, joined = self._refused(after, own)
        found = [one for one in found if _is_final(one) or (shown is not None and is_shut(one.finding, joined, shown))]
        known = set(map(_about, self._refused(before, own)[0])) if found else set()
        new = [self._at(one) for one in found if _about(one) not in known]
        return [one.finding for one in in_one(new, _denial, _in_one)]

    def _refused(self, shown: Snapshot, own: str | None) -> tuple[list[Judged], Graph]:
        """What would stop an update of a snapshot of all, and the graph of it."""
        ours = replace(shown, resources=tuple(one for one in shown.resources if one.urn not in self.others.by_urn))
        rules = [rule for rule in self.rules if level_of(rule, self.config) in MANDATORY]
        beside = replace(self._with(shown), rules=rules)
        joined = beside.joined(graph_of(ours, own), own)
        return [one for one in beside._found(joined) if one.mandatory], joined

    def _found(self, graph: Graph) -> list[Judged]:
        return list(judge(graph, self.rules, self.config, datetime.now(UTC)))

    def _found_before(self, before: Callable[[], Graph | None] | None) -> list[Judged] | None:
        was = known_graph(before)
        return self._found(was) if was else None

    def _open_alone(self, own: str | None, before: Iterable[Judged] | None) -> set[Subject]:
        """What is found in the others alone, and was there before, where that is known."""
        found = {one.finding.subject for one in self._found(build(self.others, own_account=own))}
        return found if before is None else found & {one.finding.subject for one in before}

    def _with(self, shown: Snapshot) -> Beside:
        """The same with what there is of the others in a snapshot of all."""
        there = tuple(one for one in shown.resources if one.urn in self.others.by_urn)
        return replace(self, others=replace(self.others, resources=there))

    def _at(self, judged: Judged) -> Judged:
        """A finding with the file that it is about, if it is about one of the others."""
        urn = judged.finding.urn
        if urn is None or urn not in self.others.by_urn:
            return judged
        files = {one.stack: one.name for one in self.others.evidence}
        return replace(judged, finding=replace(judged.finding, source=files.get(project_of(urn), self.others.origin)))


class _ThisStack:
    """What is said of this stack once the others are beside it: again, or for the first time."""

    def __init__(self, found: Collection[Judged], alone: Iterable[Judged], graph: Graph, joined: Graph) -> None:
        by_urn, said = graph.snapshot.by_urn, [one.finding for one in alone]
        self.doors = {one.finding.door for one in found if is_about_key(one.finding)}
        self.principals = _made(graph)
        self._urns = {one.finding.urn for one in found} - {None}
        self._said = {one.subject for one in said}
        self._exceptions = {one.message for one in said if one.about_exception}
        self._holders = {one.arn for one in joined.principals if any(each.urn in by_urn for each in one.all_documents)}

    def asks_again(self, one: Judged) -> bool:
        """Whether it is the answer to what this stack alone cannot know: a key, or what excuses its lack."""
        finding, of_key = one.finding, _rule(one).another_stack_answers
        if finding.about_exception:
            return of_key or finding.message in self._exceptions
        return one.failed or (of_key and finding.door in self.doors and finding.urn is not None)

    def is_new(self, one: Judged) -> bool:
        """Whether it is found only beside the others."""
        return not (one.finding.about_exception or self.asks_again(one) or one.finding.subject in self._said)

    def is_about(self, one: Judged) -> bool:
        """Whether it is about a resource that something was found at already, or about a grant of this stack."""
        of_own_grant = _rule(one).of_a_grant and one.finding.sides[0] in self._holders & self.principals
        return one.finding.urn in self._urns or of_own_grant


def _made(graph: Graph) -> set[str]:
    """The ARNs of what a stack makes itself."""
    return {one.arn for one in graph.principals if one.urn is not None}


def _ours(joined: Graph) -> set[str]:
    """The ARNs of what a stack makes itself, with the others beside it."""
    return {one.arn for one in joined.principals if one.urn and not joined.snapshot.is_beside(one.urn)}


def known_graph(before: Callable[[], Graph | None] | None) -> Graph | None:
    """The graph as it was, where that is known."""
    try:
        return before() if before else None
    except Refusal:  # `doors-changed` says so
        return None


def _left(
    halves: Iterable[Judged], joined: Graph, before: Iterable[Judged] | None, was: Graph | None
) -> Iterator[Judged]:
    """The halves in other stacks whose other half this change takes away or, where nobody tells what was, lacks.

    A trust that would be left is refused: its own stack goes first. A grant that is left opens nothing and is said,
    unless a control policy shuts the trust that stays: its stack would be refused from then on.
    """
    known = set(map(_ends, before or ()))
    ours = _ours(joined)
    gone = _ours(was) - ours if was else set()
    for one in halves:
        finding = one.finding
        if _ends(one) in known or (before is None and not (_rule(one).may_follow and ours.intersection(finding.sides))):
            continue
        if finding.denied:
            yield one
        elif _rule(one).keys == "trust":
            excepted = exception_text(_rule(one).name, finding.door, stack=joined.snapshot.names[1])
            source = Arn.parse(finding.sides[0]) if finding.sides[0] in gone else None
            what = source.kind if source else "grant"
            step = (
                f"to keep the door, leave the {what} here, or make it again if this update took it away; to close it, "
                "take that trust away first, in its stack, and export its state again; "
                f"where the {what} has to go first, make an exception: {excepted}"
            )
            yield replace(one, finding=replace(finding, next_step=step))
        else:
            step = "take that grant away in its stack too, and export its state again: alone it opens nothing"
            yield Judged(replace(finding, next_step=step, severity="high"), mandatory=False)


def _denial(judged: Judged) -> object:
    """The step past what denies a key, which may be the same for many."""
    finding = judged.finding
    return (finding.rule, judged.mandatory, finding.steps[0]) if finding.denied else None


def _in_one(alike: Sequence[Judged]) -> Finding:
    """What one policy denies several, as one finding."""
    first, *others = (one.finding for one in alike)
    names = listed([str(one.door or (one.urn or "").rpartition("::")[2]) for one in others])
    files = ", ".join(dict.fromkeys(one.source for one in (first, *others) if one.source))
    message = f"{first.message}; so it does with {len(others)} more: {names}"
    return replace(first, message=message, next_step=first.steps[0], source=files or None)


def _ends(judged: Judged) -> tuple[object, ...]:
    return judged.finding.urn, judged.finding.door or judged.finding.rule


def _waits_for_others(judged: Judged) -> bool:
    """Whether only the others tell if it stands: a key that is missing, or an exception."""
    return judged.finding.about_exception or (_rule(judged).another_stack_answers and judged.finding.urn is not None)


def is_about_key(finding: Finding) -> bool:
    """Whether it is about a door, and another stack may have the key that it lacks."""
    return BY_NAME[finding.rule].another_stack_answers and finding.door is not None


def _is_way(judged: Judged) -> bool:
    """Whether it is about a way that is open by its keys."""
    finding = judged.finding
    return finding.door is not None and not finding.about_exception and not _rule(judged).another_stack_answers


def _is_final(judged: Judged) -> bool:
    """Whether nothing that is made later makes it untrue."""
    return judged.failed or (_is_way(judged) and not _rule(judged).may_follow)


def is_shut(finding: Finding, joined: Graph, shown: Set[str]) -> bool:
    """Whether another policy denies a key, and neither half of that door can go any more: all of both is `shown`."""
    doors = [door for door in joined.doors if finding.denied and door.id == finding.door]
    behind = {finding.urn, *(one.target.urn for one in doors)}
    behind |= {each.urn for one in doors for each in one.source.all_documents}
    return finding.denied and all(one in shown or joined.snapshot.is_beside(one) for one in behind - {None})


def _about(judged: Judged) -> object:
    return judged.finding.subject if _is_final(judged) else _ends(judged)


def _rule(judged: Judged) -> Rule[Any]:
    return BY_NAME[judged.finding.rule]
