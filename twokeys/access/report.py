"""A graph and its findings as data, for `--json`, and as text for people."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Column, Table

from twokeys.access.diff import Changes, Way
from twokeys.access.findings import Finding, Rule, run
from twokeys.access.graph import Door, Graph
from twokeys.access.principals import Principal
from twokeys.access_role import ACCESS_ROLE


@dataclass(frozen=True, slots=True)
class Verdicts:
    """What the rules say of a graph."""

    mandatory: tuple[Finding, ...]
    advisory: tuple[Finding, ...]


def check(
    graph: Graph, rules: Iterable[Rule[Any]], config: Mapping[str, Mapping[str, object]], today: date
) -> Verdicts:
    """Run every rule that the configuration does not disable.

    `config` has the shape of a policy pack's configuration: by rule, its settings and `enforcementLevel`. A rule that
    fails is mandatory, whatever its level.
    """
    mandatory: list[Finding] = []
    advisory: list[Finding] = []
    for rule in rules:
        settings = dict(config.get(rule.name, {}))
        level = settings.pop("enforcementLevel", "mandatory" if rule.mandatory else "advisory")
        if level == "disabled":
            continue
        result = run(rule, graph, settings, today)
        (mandatory if level == "mandatory" else advisory).extend(result.findings)
        if result.failure is not None:
            mandatory.append(result.failure)
    return Verdicts(tuple(mandatory), tuple(advisory))


def as_data(graph: Graph, verdicts: Verdicts) -> dict[str, Any]:
    """The check as JSON-ready data."""
    return {
        "origin": graph.snapshot.origin,
        "accounts": [
            {
                "account": account,
                "name": graph.accounts.name(account),
                "environment": graph.accounts.environment(account),
            }
            for account in sorted(graph.accounts.held | graph.accounts.members)
        ],
        "doors": [_door_data(door) for door in graph.doors],
        "accessRoles": access_roles(graph),
        "violations": [_finding_data(finding) for finding in verdicts.mandatory],
        "advice": [_finding_data(finding) for finding in verdicts.advisory],
    }


def changes_as_data(changes: Changes) -> dict[str, Any]:
    """The difference as JSON-ready data."""
    return {
        "gained": [_way_data(way) for way in changes.gained],
        "lost": [_way_data(way) for way in changes.lost],
        "changed": [{"before": _way_data(old), "after": _way_data(new)} for old, new in changes.changed],
    }


def access_roles(graph: Graph) -> list[str]:
    """AWS's own access roles: made with each account, outside the stack, trusting the management account."""
    made_here = {role.arn for role in graph.roles}
    arns = [
        f"arn:aws:iam::{account}:role/{graph.accounts.access_role(account)}"
        for account in sorted(graph.accounts.members)
    ]
    used = [arn for entry in graph.accounts.entries for arn in entry.assumes or () if arn.endswith(f"/{ACCESS_ROLE}")]
    return [arn for arn in dict.fromkeys([*arns, *used]) if arn not in made_here]


def show(graph: Graph, verdicts: Verdicts, console: Console) -> None:
    """Print the doors, then what is wrong with them.

    A group has no row of its own: AWS takes none as a principal, so it is its members that go through.
    """
    columns = [Column(title, overflow="fold") for title in ("who", "may enter as", "trust", "grant", "verdict")]
    table = Table(*columns, title=f"Doors of {graph.snapshot.origin}", title_justify="left")
    for door in graph.doors:
        if door.source.kind == "group":
            continue
        conditions = " and ".join(map(str, (*door.trust.requirements, *door.grant.requirements)))
        verdict = door.outcome.value + (f" if {conditions}" if conditions and door.open else "")
        ends = (_in_words(end, graph) for end in (door.source, door.target))
        table.add_row(*map(escape, (*ends, door.trust_key.value, door.grant_key.value, verdict)))
    console.print(table)
    for arn in access_roles(graph):
        console.print(f"AWS's own access role, trusting the management account: {arn}", soft_wrap=True, highlight=False)
    for level, findings in (("violation", verdicts.mandatory), ("advice", verdicts.advisory)):
        for finding in findings:
            console.print(f"{level}: {finding.rule}: {finding.text}", soft_wrap=True, highlight=False, markup=False)
    if not verdicts.mandatory:
        console.print(f"Every door has two keys ({len([door for door in graph.doors if door.open])} open).")


def _in_words(principal: Principal, graph: Graph) -> str:
    return f"{principal.kind} {principal.name}".strip() + f" of {graph.accounts.name(principal.account)}"


def show_changes(changes: Changes, console: Console) -> None:
    """Print the doors gained and lost, one a line."""
    for sign, ways in (("+", changes.gained), ("-", changes.lost)):
        for way in ways:
            console.print(f"{sign} {way}", soft_wrap=True, highlight=False, markup=False)
    for old, new in changes.changed:
        console.print(f"~ {old}  is now  {new}", soft_wrap=True, highlight=False, markup=False)
    if not changes:
        console.print("No door is gained or lost.")


def _door_data(door: Door) -> dict[str, Any]:
    return {
        "door": door.id,
        "source": {"kind": door.source.kind, "account": door.source.account, "arn": door.source.arn},
        "target": {"account": door.target.account, "arn": door.target.arn, "urn": door.target.urn},
        "trust": door.trust_key.value,
        "grant": door.grant_key.value,
        "verdict": door.outcome.value,
        "requirements": [str(one) for one in (*door.trust.requirements, *door.grant.requirements)],
        "explanation": {"trust": door.trust.explain(), "grant": door.grant.explain()},
    }


def _finding_data(finding: Finding) -> dict[str, Any]:
    return {
        "rule": finding.rule,
        "message": finding.message,
        "nextStep": finding.next_step,
        "door": finding.door,
        "urn": finding.urn,
        "source": finding.source,
    }


def _way_data(way: Way) -> dict[str, Any]:
    return {
        "source": way.source,
        "target": way.target,
        "through": list(way.through),
        "conditions": list(way.conditions),
    }
