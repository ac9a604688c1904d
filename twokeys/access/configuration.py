"""The configuration of the rules, read once and refused in one go: a typing mistake must not switch a rule off.

Its shape is that of a policy pack's configuration file: by rule, an enforcement level or an object with
`enforcementLevel` and the rule's own settings; `all` gives a level to every rule.
https://www.pulumi.com/docs/insights/policy/policy-packs/authoring/#configuration
"""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, get_args

from pydantic import ValidationError

from twokeys.access.findings import Level, Rule
from twokeys.errors import Refusal, or_nearest

LEVEL: Final = "enforcementLevel"
EVERY_RULE: Final = "all"
OTHER_STACKS: Final = "other-stacks"
"""Not a rule: which states of other stacks the pack reads."""
_SHAPE = 'write it as {"<rule>": {"enforcementLevel": "mandatory", ...}}'
_OBJECT = ("it takes an object of settings", 'write it as {"key": "value"}')
_PLAIN = {
    "missing": ("it is required", "add it"),
    "extra_forbidden": ("there is no such setting", "remove it"),
    "tuple_type": ("it takes a list", "write it as [...]"),
    "model_type": _OBJECT,
    "dict_type": _OBJECT,
}
"""Why and the next step in plain words, by pydantic's type of an error."""


def rules_config(file: Path | None, rules: Sequence[Rule[Any]]) -> dict[str, dict[str, object]]:
    """The policy pack's configuration in a file; empty where none is named.

    Raises Refusal when it cannot be read, or names a rule, level or setting that there is not.
    """
    from twokeys.policy_packs import load_config  # noqa: PLC0415 - has click, which the rules have not

    return {} if file is None else read_configuration(load_config(file), rules, where=str(file), others=(OTHER_STACKS,))


def read_configuration(
    given: Mapping[str, object], rules: Iterable[Rule[Any]], *, where: str, others: Iterable[str] = ()
) -> dict[str, dict[str, object]]:
    """The settings and the `enforcementLevel`, if one is given, of each rule that is configured, by its name.

    `others` are further policies that a level can be given to. `where` names the configuration for people.

    Raises:
        Refusal: a rule, a level or a setting that there is not.
    """
    known = {rule.name: rule for rule in rules}
    settings: dict[str, dict[str, object]] = {}
    everywhere: dict[str, object] = {}
    for name, value in given.items():
        one = {LEVEL: value} if isinstance(value, str) else value
        if not isinstance(one, Mapping):
            raise _refusal(where, name, f"{value!r} is neither a level nor an object")
        if one.get(LEVEL, "mandatory") not in get_args(Level):
            raise _refusal(where, name, f"{one[LEVEL]!r} is no level; they are {', '.join(get_args(Level))}")
        if name == EVERY_RULE:
            if extra := sorted(set(one) - {LEVEL}):
                raise _refusal(where, name, f"{', '.join(extra)} cannot be set of every rule at once")
            everywhere = dict(one)
        elif name in known:
            _validate(known[name], one, where)
            settings[name] = dict(one)
        elif name in others:
            settings[name] = dict(one)
        else:
            raise _refusal(where, name, f"there is no rule {name}", or_nearest(_SHAPE, name, (*known, *others)))
    names = (*known, *others) if everywhere else settings
    return {name: {**everywhere, **settings.get(name, {})} for name in names}


def _validate(rule: Rule[Any], given: Mapping[str, object], where: str) -> None:
    try:
        rule.config.model_validate({key: value for key, value in given.items() if key != LEVEL})
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(map(str, first["loc"]))
        said = first["msg"].removeprefix("Value error, ").replace("Input should", "it should")
        told = f"{first['input']!r}: {said}"
        why, step = _PLAIN.get(first["type"], (told, "correct the value"))
        if first["type"] == "extra_forbidden":
            schema = rule.config.model_json_schema()
            models = (schema, *schema.get("$defs", {}).values())
            step = or_nearest(step, str(first["loc"][-1]), [name for one in models for name in one["properties"]])
        raise _refusal(where, f"{rule.name}: {key}", why, step) from error


def _refusal(where: str, what: str, why: str, step: str = _SHAPE) -> Refusal:
    return Refusal("the policy pack's configuration cannot be read", where=where, why=f"{what}: {why}", next_step=step)
