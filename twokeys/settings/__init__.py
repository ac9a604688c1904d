"""What a stack's config may say: parsed once into frozen models, or refused before anything is registered.

`parse` is a pure function from a stack's name and its config values to `Settings`: it needs no engine and no clock.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from twokeys.errors import Refusal
from twokeys.settings.contradictions import contradictions
from twokeys.settings.keys import nearest_key
from twokeys.settings.models import Settings
from twokeys.settings.problem import Problem

PROJECT = "twokeys"
"""The namespace of our config keys."""


def parse(stack: str, config: Mapping[str, object]) -> Settings:
    """The settings of one stack; a door into every account has become one for each.

    Args:
        stack: the stack's name, for refusals.
        config: config keys (with or without the project's `twokeys:`) to values as Pulumi stores them: text, with
            objects as JSON text; objects may also be given as they are. Keys of the `pulumi:` namespace are not ours.

    Raises:
        Refusal: something is unknown, malformed or contradicts something else; it lists every problem that was found.
    """
    values, problems = _own_values(config)
    if problems:
        raise _refusal(stack, problems)
    try:
        settings = Settings.model_validate(values)
    except ValidationError as error:
        raise _refusal(stack, [_problem_of(detail) for detail in error.errors()]) from None
    if problems := list(contradictions(settings)):
        raise _refusal(stack, problems)
    return settings.with_a_door_for_each_account()


def _own_values(config: Mapping[str, object]) -> tuple[dict[str, object], list[Problem]]:
    """The project's own values, objects decoded; defaults in Pulumi.yaml make empty values mean "not set"."""
    values: dict[str, object] = {}
    problems: list[Problem] = []
    for key, raw in config.items():
        namespace, _, name = key.rpartition(":")
        if namespace == "pulumi":
            continue
        if namespace not in ("", PROJECT):
            problems.append(
                Problem(
                    key,
                    raw,
                    "it configures a default provider, and this project has none, so it would do nothing",
                    f"remove it; the region is {PROJECT}:region",
                )
            )
            continue
        try:
            value = _decoded(name, raw)
        except ValueError as error:
            problems.append(Problem(name, raw, f"not JSON: {error}", "write it as an object in the stack's YAML file"))
            continue
        if value not in ("", {}, None) or name not in _KEYS:
            values[name] = value
    return values, problems


def _decoded(name: str, raw: object) -> object:
    return json.loads(raw) if isinstance(raw, str) and raw.strip()[:1] in ("{", "[") and name in _OBJECTS else raw


_OBJECTS = frozenset(
    {
        "tags",
        "organization",
        "people",
        "audit",
        "bill",
        "baseline",
        "accounts",
        "doors",
        "organizationGrants",
        "quotas",
        "newerAwsPolicies",
    }
)

_KEYS = frozenset(field.alias or name for name, field in Settings.model_fields.items())

_NEXT_STEPS = {
    "missing": "add it",
    "extra_forbidden": "remove it, or correct its spelling",
    "string_type": "write it as text, in quotes if YAML would read it as something else",
    "dict_type": "write `key: value` lines below it, or {} for none",
    "model_type": "write `key: value` lines below it, or {} for none",
    "tuple_type": "write a list, as in [one, two]",
    "bool_parsing": "write true or false",
    "bool_type": "write true or false",
}

_WHY = {
    "missing": "it is required",
    "extra_forbidden": "there is no such setting",
    "dict_type": "it has settings of its own, and this is none",
    "model_type": "it has settings of its own, and this is none",
    "tuple_type": "it is a list",
    "bool_parsing": "it is true or false",
    "bool_type": "it is true or false",
}


def _problem_of(detail: ErrorDetails) -> Problem:
    # What is wrong with a key of a mapping is reported with a last part "[key]".
    key = ".".join(str(part) for part in detail["loc"] if part != "[key]")
    kind = detail["type"]
    value = "(missing)" if kind == "missing" else detail["input"]
    return Problem(key, value, _WHY.get(kind, detail["msg"]), _next_step(detail))


def _next_step(detail: ErrorDetails) -> str:
    if detail["type"] == "refused":
        return str(detail["ctx"]["next_step"])
    if detail["type"] == "extra_forbidden" and (near := nearest_key(detail["loc"])):
        return f"write {near}, if that is meant, or remove it"
    return _NEXT_STEPS.get(detail["type"], "correct the value")


def _refusal(stack: str, problems: Iterable[Problem]) -> Refusal:
    found = list(problems)
    where = f"config of stack {stack}"
    if len(found) == 1:
        only = found[0]
        return Refusal(f"{_full(only.key)} = {_shown(only.value)}", where=where, why=only.why, next_step=only.next_step)
    listed = "".join(f"\n  - {_full(each.key)} = {_shown(each.value)}: {each.why}; {each.next_step}" for each in found)
    step = f"correct them in Pulumi.{stack}.yaml"
    return Refusal(f"{len(found)} settings cannot be used", where=where, why=listed, next_step=step)


def _full(key: str) -> str:
    return key if ":" in key.partition(".")[0] else f"{PROJECT}:{key}"


def _shown(value: object) -> str:
    text = value if isinstance(value, str) else json.dumps(value, default=str)
    return text if len(text) <= 80 else text[:77] + "..."
