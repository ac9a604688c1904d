"""What becomes of inputs and outputs on their way between program, provider and state: pure functions."""

from __future__ import annotations

from dataclasses import replace

from twokeys.sandbox.engine.events import Op
from twokeys.sandbox.engine.paths import differs_at, parse_path
from twokeys.sandbox.engine.plugin import CheckFailure, Diff
from twokeys.sandbox.engine.providers import EngineError
from twokeys.sandbox.engine.resource import Goal, Resource
from twokeys.sandbox.engine.state import now
from twokeys.sandbox.engine.values import Properties, PropertyValue, Secret, has_secret, has_unknown, plain


def refuse_invalid(goal: Goal, failures: tuple[CheckFailure, ...]) -> None:
    """Raise EngineError with what each failure says, in the engine's words."""
    if not failures:
        return
    subject = f"{goal.type} resource '{goal.name}'"
    raise EngineError(
        "\n".join(
            f"{subject}: property {one.property}{_shown(goal.inputs, one.property)} has a problem: {one.reason}"
            if one.property
            else f"{subject} has a problem: {one.reason}"
            for one in failures
        )
    )


def _shown(inputs: Properties, key: str) -> str:
    value = inputs.get(key)
    return "" if value is None or has_unknown(value) or has_secret(value) else f" value {{{value}}}"


def resource_of(goal: Goal, provider: str, inputs: Properties) -> Resource:
    """The resource that a goal asks for, before anything is known of its outputs."""
    return Resource(
        urn=goal.urn,
        type=goal.type,
        custom=goal.custom,
        inputs=inputs,
        parent=goal.parent,
        provider=provider if goal.custom else "",
        dependencies=goal.dependencies,
        property_dependencies=goal.property_dependencies,
        protect=goal.protect,
        retain_on_delete=goal.retain_on_delete,
        deleted_with=goal.deleted_with,
        replace_with=goal.replace_with,
        ignore_changes=goal.ignore_changes,
        replace_on_changes=goal.replace_on_changes,
        additional_secret_outputs=goal.additional_secret_outputs,
        custom_timeouts=goal.timeouts,
        import_id=goal.import_id,
    )


def stamped(resource: Resource, op: Op) -> Resource:
    """With the times of a state: both at a create, the later one at an update."""
    if op is Op.CREATE:
        moment = now()
        return replace(resource, created=moment, modified=moment)
    return replace(resource, modified=now()) if op is Op.UPDATE else resource


def changed_keys(old: Properties, new: Properties) -> tuple[str, ...]:
    """The keys whose plain values differ; a new value that is not known counts as different."""
    before, after = plain(old), plain(new)
    return tuple(
        key for key in sorted({*before, *after}) if before.get(key) != after.get(key) or has_unknown(after.get(key))
    )


def existing(properties: Properties) -> Properties:
    """Without the keys that hold None."""
    return {key: value for key, value in properties.items() if value is not None}


def remarked(properties: Properties, secret_like: Properties) -> Properties:
    """The properties with a Secret wherever the other ones have one."""
    return {key: _remark(value, secret_like.get(key)) for key, value in properties.items()}


def _remark(value: PropertyValue, like: PropertyValue) -> PropertyValue:
    """As Pulumi does it for a provider that keeps no secrets: a list with a secret in it is one as a whole."""
    if isinstance(value, Secret):
        return value
    if isinstance(value, dict) and isinstance(like, dict):
        return remarked(value, like)
    return Secret(value) if has_secret(like) else value


def marked(outputs: Properties, of: Goal | Resource) -> Properties:
    """Outputs with a Secret where the inputs have one, and where the goal or the state asks for one."""
    marked = remarked(existing(outputs), of.inputs)
    return {
        key: Secret(value) if key in of.additional_secret_outputs and not isinstance(value, Secret) else value
        for key, value in marked.items()
    }


def checked_path(text: str) -> tuple[str | int, ...]:
    """The path's segments; one that cannot be read is the program's error."""
    try:
        return parse_path(text)
    except ValueError as error:
        raise EngineError(str(error)) from error


def with_replace_on_changes(diff: Diff, paths: tuple[str, ...], old: Properties, new: Properties) -> Diff:
    """The diff with the replacements that `replaceOnChanges` asks for."""
    forced = tuple(text for text in paths if diff.changed and differs_at(checked_path(text), old, new))
    return replace(diff, replaces=(*diff.replaces, *forced)) if forced else diff
