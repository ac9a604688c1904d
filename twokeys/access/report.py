"""What all rules together say of a graph."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from twokeys.access.findings import Finding, Rule, run
from twokeys.access.graph import Graph


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
