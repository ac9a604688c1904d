"""What all rules together say of a graph; each is run so that nothing it does can turn into a pass."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Final

from twokeys.access.configuration import LEVEL
from twokeys.access.exceptions import Accepted, DoorConfig, Result, apply
from twokeys.access.findings import Finding, Rule
from twokeys.access.graph import SHOW_SECRETS, Graph
from twokeys.access.model.door_name import with_exception
from twokeys.access.reading.snapshot import PROVIDER

MANDATORY: Final = ("mandatory", "remediate")
"""The levels that stop an operation: nothing is remediated here."""


@dataclass(frozen=True, slots=True)
class Verdicts:
    """What the rules say of a graph."""

    mandatory: tuple[Finding, ...]
    advisory: tuple[Finding, ...]
    accepted: tuple[Accepted, ...] = ()
    """The exceptions by which doors stand."""
    expired: tuple[Accepted, ...] = ()
    """Those by which none does any more."""
    not_used: tuple[Accepted, ...] = ()
    """Those that nothing here needs, and perhaps another stack."""


@dataclass(frozen=True, slots=True)
class Judged:
    """A finding and whether it stops the operation; `failed` tells that it is an error of the rule itself."""

    finding: Finding
    mandatory: bool
    failed: bool = False


def check(
    graph: Graph, rules: Iterable[Rule[Any]], config: Mapping[str, Mapping[str, object]], now: datetime
) -> Verdicts:
    """Run every rule that the configuration does not disable: see `judge`."""
    results = tuple(_results(graph, rules, config, now))
    judged = of_providers_in_one(graph, [one for level, result in results for one in _judged(level, result)])
    return Verdicts(
        tuple(one.finding for one in judged if one.mandatory),
        tuple(one.finding for one in judged if not one.mandatory),
        tuple(one for _, result in results for one in result.accepted),
        tuple(one for _, result in results for one in result.expired),
        tuple(one for _, result in results for one in result.not_used),
    )


def of_providers_in_one(graph: Graph, judged: Iterable[Judged]) -> list[Judged]:
    """Findings, as one those of providers that have the same flaw."""

    def flaw(one: Judged) -> object:
        provider = graph.snapshot.by_urn.get(one.finding.urn or "")
        if provider is None or provider.type != PROVIDER:
            return None
        said = one.finding.message.partition(f"Provider {provider.name} ")[2]
        return (one.mandatory, one.finding.rule, said) if said else None

    def as_one(alike: Sequence[Judged]) -> Finding:
        first = alike[0].finding
        names = {(one.finding.urn or "").rpartition("::")[2] for one in alike}
        _, _, said = first.message.removeprefix("Provider ").partition(" ")
        message = f"Each of the providers {', '.join(sorted(names))} {said}"
        return replace(first, message=message, urn=None, source=None)

    return in_one(judged, flaw, as_one)


def in_one(
    judged: Iterable[Judged], cause: Callable[[Judged], object], as_one: Callable[[Sequence[Judged]], Finding]
) -> list[Judged]:
    """Findings, as one those that have one cause; None is none. It stands where the first of them stood."""
    groups: dict[object, list[Judged]] = {}
    for number, one in enumerate(judged):
        of = cause(one)
        groups.setdefault(number if of is None else (of,), []).append(one)
    return [replace(alike[0], finding=as_one(alike)) if len(alike) > 1 else alike[0] for alike in groups.values()]


def level_of(rule: Rule[Any], config: Mapping[str, Mapping[str, object]]) -> str:
    """The level of a rule: the configured one, else its own."""
    return str(config.get(rule.name, {}).get(LEVEL, "mandatory" if rule.mandatory else "advisory"))


def judge(
    graph: Graph, rules: Iterable[Rule[Any]], config: Mapping[str, Mapping[str, object]], now: datetime
) -> Iterator[Judged]:
    """What every rule that is not disabled finds, each at its level.

    `config` is what `twokeys.access.configuration` read: by rule, its settings and `enforcementLevel`. A rule that
    fails is mandatory, whatever its level.
    """
    for level, result in _results(graph, rules, config, now):
        yield from _judged(level, result)


def _results(
    graph: Graph, rules: Iterable[Rule[Any]], config: Mapping[str, Mapping[str, object]], now: datetime
) -> Iterator[tuple[str, Result]]:
    """The level of every rule that is not disabled, and what came of it."""
    for rule in rules:
        level = level_of(rule, config)
        if level == "disabled":
            continue
        settings = {key: value for key, value in config.get(rule.name, {}).items() if key != LEVEL}
        yield level, run(rule, graph, settings, now)


def _judged(level: str, result: Result) -> Iterator[Judged]:
    for finding in result.findings:
        yield Judged(finding, mandatory=level in MANDATORY and not finding.advice)
    if result.failure is not None:
        yield Judged(result.failure, mandatory=True, failed=True)


def run(rule: Rule[Any], graph: Graph, config: Mapping[str, object], now: datetime) -> Result:
    """Run a rule and apply its exceptions; never raises.

    `config` are its settings, as `twokeys.access.configuration` read them. `now` is the moment at which it is judged.
    """
    try:
        settings = rule.config.model_validate(dict(config))
        result = Result(tuple(rule.check(graph, settings, now)))
        if isinstance(settings, DoorConfig):
            result = apply(rule, settings.exceptions, result.findings, graph, now.astimezone(UTC).date())
    except Exception as error:  # a rule that fails has proved nothing
        message = f"The rule {rule.name} failed with {type(error).__name__}: {error}; it has proved nothing"
        step = "report this as a defect of TwoKeys; until it is mended, no change can be shown to be safe"
        return Result(failure=Finding(message, step, rule=rule.name))
    shown = tuple(_of_the_stack(replace(finding, rule=rule.name), rule, graph) for finding in result.findings)
    return replace(result, findings=shown)


def _of_the_stack(finding: Finding, rule: Rule[Any], graph: Graph) -> Finding:
    """The finding, at a resource that the stack has: one that a template makes is shown at the template."""
    finding = replace(finding, next_step=with_exception(finding.next_step, rule.name, finding.door))
    resource = graph.snapshot.by_urn.get(finding.urn or "")
    if resource is None:
        return finding
    if rule.waits_for_values and resource.hides_secret:
        finding = replace(finding, next_step=SHOW_SECRETS)
    return replace(finding, urn=resource.made_by) if resource.made_by else finding
