"""The check: the answers with what the rules say of them, as data and as text for people."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import datetime
from typing import Any

from rich.console import Console

from twokeys.access.findings import Finding, texts_of
from twokeys.access.model.door_name import DoorName
from twokeys.access.reading.snapshot import place_of
from twokeys.access.verdicts import Verdicts
from twokeys.answers.data import as_data as answers_data
from twokeys.answers.data import where
from twokeys.answers.model import BOTH, Answers, State, Step, Time, Way
from twokeys.answers.summary import Entrance, Named, apart, by_principal, in_words, not_shown, scope, summary
from twokeys.answers.words import not_now, open_to, through
from twokeys.iam import Glob
from twokeys.shown import counted, say

_SIGNS = {State.OPEN: "✓", State.UNPROVED: "?", State.SHUT: "✗"}
_SIGNS_OF_TIME = {Time.LATER: "…", Time.OVER: "✗"}


def as_data(answers: Answers, verdicts: Verdicts, now: datetime) -> dict[str, Any]:
    """The answers in the shape of every command, with the exceptions that doors stand by, `violations` and `advice`."""
    return {
        **answers_data(replace(answers, accepted=verdicts.accepted, expired=verdicts.expired), now),
        "violations": [_finding_data(finding) for finding in verdicts.mandatory],
        "advice": [_finding_data(finding) for finding in verdicts.advisory],
    }


def show(answers: Answers, verdicts: Verdicts, console: Console, now: datetime) -> None:
    """Print who can enter, the doors that lack a key or are not proved, and what is wrong."""
    say(console, f"Doors of {answers.origin}")
    numbers = summary(answers, now)
    for line in filter(None, (numbers.sentence, not_shown(answers), scope(answers))):
        say(console, line)
    named = Named()
    rule_of = _refusing(verdicts.mandatory)
    for line in (*_open(answers, named, now, rule_of), *_others(answers, named)):
        say(console, line)
    for line in named.lists():
        say(console, f"  {line}")
    for level, findings in (("violation", verdicts.mandatory), ("advice", verdicts.advisory)):
        for rule, text in texts_of(findings):
            for line in f"{level}: {rule}: {text}".replace("\n", "\n  ").split("\n"):
                say(console, line)
    for one in verdicts.accepted:
        say(console, f"accepted exception: {one}")
    for one in verdicts.not_used:
        say(console, f"exception not used here: {one}")
    if not verdicts.mandatory:
        but = f", but for {counted(len(verdicts.accepted), 'accepted exception')}" if verdicts.accepted else ""
        without = sum(door.state is not State.OPEN for door in answers.doors)
        both = sum(way.lacks == BOTH and not way.through and way.at(now) is Time.NOW for way in answers.ways)
        by_trust = f", {numbers.doors - both} by the trust alone" if numbers.doors > both else ""
        keys = f"with two keys{by_trust}, {without or 'none'} without"
        say(console, f"No rule is violated{but}: {counted(both, 'door')} {keys}.")


def _open(answers: Answers, named: Named, now: datetime, rule_of: Callable[[Step], str]) -> Iterator[str]:
    """The ways in, a line each; those who have the same one stand together. `rule_of` tells what refuses a door."""
    lines: dict[tuple[str, str], list[str]] = defaultdict(list)
    shown, beyond = apart(
        answers.ways,
        lambda one: one.state is State.OPEN and one.at(now) is Time.NOW and not any(map(rule_of, one.steps)),
    )
    for source, entrances in by_principal(shown):
        for one, rule in (part for each in entrances for part in _by_rule(each, rule_of)):
            asked = f", if {' and '.join(one.conditions)}" if one.conditions else ""
            into = f"{one.label} of {named(one.accounts)}{through(one.through)}"
            first = one.ways[0]
            opened = open_to(first.open_to) if first.open_to else ""
            lacks = "" if first.state is State.OPEN else first.lacks
            judged = ", ".join(filter(None, (lacks, rule and f"refused by {rule}")))
            said = not_now(first, now) or opened or judged
            sign = _SIGNS_OF_TIME.get(first.at(now), "!" if opened or rule else _SIGNS[first.state])
            lines[sign, f"{into}{asked} ({one.level.word}){f': {said}' if said else ''}"].append(source.short)
    for (sign, rest), who in lines.items():
        yield f"  {sign} {', '.join(who)} -> {rest}"
    if beyond:
        yield f"  {_SIGNS[State.OPEN]} {beyond}"


def _by_rule(one: Entrance, rule_of: Callable[[Step], str]) -> list[tuple[Entrance, str]]:
    """Ways that are alike, by the rule that refuses a door on the way; an empty one where none does."""
    ways: dict[str, list[Way]] = defaultdict(list)
    for way in one.ways:
        ways[next(filter(None, map(rule_of, way.steps)), "")].append(way)
    return [(replace(one, ways=tuple(same)), rule) for rule, same in ways.items()]


def _refusing(findings: Iterable[Finding]) -> Callable[[Step], str]:
    """The rule that refuses a door, by its name or by a grant on a pattern of roles; an empty one where none does."""
    named = {one.door.ends: one.rule for one in findings if one.door}
    patterns: dict[str, list[tuple[Glob, str]]] = defaultdict(list)
    for one in findings:
        if one.door and one.urn:
            patterns[place_of(one.urn)].append((Glob(one.door.target), one.rule))

    def rule_of(step: Step) -> str:
        grants = (each for key in step.grants for each in patterns.get(key.urn or "", ()))
        by_pattern = (rule for pattern, rule in grants if pattern.matches(step.target.arn))
        return named.get(DoorName(step.source.arn, step.target.arn).ends) or next(by_pattern, "")

    return rule_of


def _others(answers: Answers, named: Named) -> Iterator[str]:
    shut = [door for door in answers.doors if door.state is not State.OPEN]
    for told in (True, False):  # a finding, or a sentence on what is not proved, has the next step of the others
        for state, line, step in in_words((door for door in shut if (door.problem is not None) is told), named):
            yield f"  {_SIGNS[state]} {line}{'' if told or not step else f' ({step})'}"
    if len(answers.accounts) > 1 and not answers.ways and not answers.doors:
        yield f"  no door between these {counted(len(answers.accounts), 'account')}"


def _finding_data(finding: Finding) -> dict[str, Any]:
    return {
        "rule": finding.rule,
        "message": finding.message,
        "nextStep": finding.next_step,
        "door": finding.door,
        **where(finding.urn),
        "source": finding.source,
    }
