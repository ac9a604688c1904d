"""Runs the rules on a graph at the levels that the configuration gives them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from twokeys.access.configuration import LEVEL
from twokeys.access.findings import Finding, Rule, run
from twokeys.access.graph import Graph

FAIL_CLOSED = "every-rule-ran"


@dataclass(frozen=True, slots=True)
class Judged:
    """A finding and whether it stops the operation."""

    finding: Finding
    mandatory: bool


def level_of(rule: Rule[Any], configuration: Mapping[str, Mapping[str, object]]) -> str:
    """The level of a rule: the configured one, else its own."""
    given = configuration.get(rule.name, {}).get(LEVEL)
    return str(given) if given is not None else "mandatory" if rule.mandatory else "advisory"


def judge(
    graph: Graph, rules: tuple[Rule[Any], ...], configuration: Mapping[str, Mapping[str, object]], today: date
) -> Iterator[Judged]:
    """What every rule that is not disabled finds; a rule that fails is a mandatory finding of `every-rule-ran`."""
    for rule in rules:
        level = level_of(rule, configuration)
        if level == "disabled":
            continue
        settings = {key: value for key, value in configuration.get(rule.name, {}).items() if key != LEVEL}
        result = run(rule, graph, settings, today)
        for finding in result.findings:
            yield Judged(finding, mandatory=level in ("mandatory", "remediate") and not finding.advice)
        if result.failure is not None:
            failure = result.failure
            yield Judged(Finding(FAIL_CLOSED, failure.message, failure.next_step, failure.urn), mandatory=True)
