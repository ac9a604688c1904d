"""What a stack's config may say: parsed once into frozen models, or refused before anything is registered.

`parse` is a pure function from a stack's name and its config values to `Settings`: it needs no engine and no clock.
"""

import json
import re
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from twokeys.errors import Refusal, nearest, or_nearest
from twokeys.settings.contradictions import contradictions
from twokeys.settings.models import Settings
from twokeys.settings.problem import Problem
from twokeys.shown import short

PROJECT = "twokeys"
"""The namespace of our config keys."""


def parse(stack: str, config: Mapping[str, object]) -> Settings:
    """The settings of one stack; a door into every account has become one for each.

    What clashes is looked at once everything has the right form.

    Args:
        stack: the stack's name, for refusals.
        config: config keys (with or without the project's `twokeys:`) to values as Pulumi stores them: text, with
            objects as JSON text; objects may also be given as they are. Keys of the `pulumi:` namespace are not ours.

    Raises:
        Refusal: something is unknown or malformed, or something contradicts something else; it lists all that does.
    """
    values, problems = _own_values(config)
    try:
        settings = Settings.model_validate(values)
        problems += contradictions(settings)
    except ValidationError as error:
        malformed, known = _problems_of(error.errors()), {one.key for one in problems}
        problems += (one for one in malformed if one.key not in known)
    if problems:
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
                    f"write {PROJECT}:{name}, if that is meant, or remove it"
                    if nearest(namespace, [PROJECT], 0.8)
                    else f"remove it; the region is {PROJECT}:region",
                )
            )
            continue
        try:
            value = _decoded(name, raw)
        except ValueError as error:
            problems.append(Problem(name, raw, f"not JSON: {error}", "write it as an object in the stack's YAML file"))
            value = raw
        if value not in ("", {}, None) or name not in _KEYS:
            values[name] = value
    return values, problems


def _decoded(name: str, raw: object) -> object:
    return json.loads(raw) if isinstance(raw, str) and raw.strip()[:1] in ("{", "[") and name in _OBJECTS else raw


_KEYS = frozenset(field.alias or name for name, field in Settings.model_fields.items())
_OBJECTS = _KEYS - {"managementAccountId", "rootEmail", "region", "managementStack", "accountsAtOnce"}

_OBJECT = ("it has settings of its own, and this is none", "write `key: value` lines below it, or {{}} for none")
_EMPTY = ("it is empty", "write what is meant")
_PLAIN = {
    "missing": ("it is required", "add it"),
    "extra_forbidden": ("there is no such setting", "remove it, or correct its spelling"),
    "string_type": ("it takes text", "write it as text, in quotes if YAML would read it as something else"),
    "string_too_short": _EMPTY,
    "string_too_long": ("it takes at most {max_length} characters", "write fewer"),
    "dict_type": _OBJECT,
    "model_type": _OBJECT,
    "tuple_type": ("it takes a list", "write a list, as in [one, two]"),
    "too_short": _EMPTY,
    "bool": ("it takes true or false", "write true or false"),
    "int": ("it takes a whole number", "write one"),
    "float": ("it takes a number", "write one"),
    "finite_number": ("it takes a number, and not one without end", "write less"),
    "greater_than": ("it takes more than {gt:g}", "write more"),
    "greater_than_equal": ("it takes {ge} or more", "write that or more"),
    "less_than_equal": ("it takes {le} or less", "write that or less"),
    "literal_error": ("it takes {expected}", "write one of these"),
}
"""Why and the next step in plain words, by pydantic's type of an error or the type's first word."""


def _problems_of(details: Sequence[ErrorDetails]) -> list[Problem]:
    """A list that is empty for the sake of what is refused in it is no problem of its own; of a choice the whole is.

    Nor is a key missing that is there with a slip, nor a name below a refused key wrong that is the key.
    """
    places = {(one["type"], one["loc"]) for one in details}
    slips = [loc for type_, loc in places if type_ == "extra_forbidden"]
    there = {("missing", (*loc[:-1], _nearest_key(loc))) for loc in slips}
    keys = [loc[:-1] for _, loc in places if loc[-1:] == ("[key]",)]
    return [
        _problem_of(one)
        for one in details
        if (one["type"] != "too_short" or all(other["loc"][:-1] != one["loc"] for other in details))
        and (one["type"], one["loc"]) not in there
        and not any(
            key == one["loc"][: len(key)] != one["loc"][:-1] and str(one["input"]).rpartition("/")[2] == key[-1]
            for key in keys
        )
        and not (one["loc"][-1:] == ("bool",) and any(type_ == "literal_error" for type_, _ in places))
    ]


def _nearest_key(place: Sequence[str | int]) -> str | None:
    """The known key that is spelt most like the last part of a place (`("accounts", "stage", "emial")`), if any is."""
    here = _schema()
    for part in place[:-1]:
        here = here.get("properties", {}).get(part) or here.get("additionalProperties") or here.get("items") or {}
        named = next((one["$ref"] for one in (here, *here.get("anyOf", ())) if "$ref" in one), "")
        here = _schema()["$defs"].get(named.rpartition("/")[2], here)
    return nearest(str(place[-1]), here.get("properties", {}))


@cache
def _schema() -> dict[str, Any]:
    return Settings.model_json_schema()


def _problem_of(detail: ErrorDetails) -> Problem:
    # What is wrong with a key of a mapping is reported with a last part "[key]", of a choice with what was tried.
    place = tuple(part for part in detail["loc"] if part not in ("[key]", "literal['adopt']"))
    key = ".".join(map(str, place))
    kind, context = detail["type"], detail.get("ctx", {})
    value = "(missing)" if kind == "missing" else detail["input"]
    plain = _PLAIN.get(kind) or _PLAIN.get(kind.partition("_")[0])
    why, next_step = plain or (detail["msg"].replace("{", "{{").replace("}", "}}"), "correct the value")
    if kind == "refused":
        return Problem(key, value, detail["msg"], context["next_step"])
    if kind == "extra_forbidden" and str(place[-1]).casefold() == "resourcecontrolpolicies":
        next_step = "write each under `policies`, with `type: RESOURCE_CONTROL_POLICY`"
    elif kind == "extra_forbidden" and str(place[-1]).partition(".")[0] in _OBJECTS:
        why = "it is one key with periods in it, as `pulumi config set` without --path writes it"
        next_step = f"take it out, and set it with `pulumi config set --path {PROJECT}:{place[-1]} VALUE`"
    elif kind == "extra_forbidden" and (near := _nearest_key(detail["loc"])):
        next_step = f"write {near}, if that is meant, or remove it"
    if kind == "literal_error":
        choices = re.findall("'([^']+)'", context["expected"])
        if len(place) < len(detail["loc"]):
            why, choices = f"it takes true, false or {context['expected']}", [*choices, "true", "false"]
        next_step = or_nearest(next_step, str(value), choices)
    why, next_step = why.format(**context), next_step.format(**context)
    if "conditions" in place[-2:] and kind == "dict_type":
        why = "a condition is an operator, below it a key, and below that what it is compared with"
        return Problem(key, value, why, "write it as in {IpAddress: {aws:SourceIp: [203.0.113.0/24]}}")
    return Problem(key, value, why, next_step)


def _refusal(stack: str, problems: Sequence[Problem]) -> Refusal:
    where = f"config of stack {stack}"
    if len(problems) == 1:
        only = problems[0]
        return Refusal(f"{_full(only.key)} = {short(only.value)}", where=where, why=only.why, next_step=only.next_step)
    listed = "".join(
        f"\n  - {_full(each.key)} = {short(each.value)}: {each.why}; {each.next_step}" for each in problems
    )
    step = f"correct them in Pulumi.{stack}.yaml"
    return Refusal(f"{len(problems)} settings cannot be used", where=where, why=listed, next_step=step)


def _full(key: str) -> str:
    return key if ":" in key.partition(".")[0] else f"{PROJECT}:{key}"
