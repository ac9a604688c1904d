"""What a program says of another stack, held against that stack's own state, where the pack can get at it."""

from collections.abc import Mapping
from dataclasses import replace

from twokeys.access.reading.snapshot import STACK, Resource, mapping
from twokeys.doors import OTHER_STACK
from twokeys.iam import UNKNOWN
from twokeys.pack.before import state_before


def as_exported(resource: Resource) -> Resource:
    """A resource as it is; a component that says of another stack what that one does not export is not believed.

    The engine shows a policy that the component is made from a stack reference, and not what that one gave.

    Raises:
        Refusal: the state of that stack is there and cannot be read.
    """
    said = resource.get("outputs") if resource.type == OTHER_STACK else None
    exported = _exports(resource) if isinstance(said, Mapping) else None
    if exported is None or all(_is_that(value, exported.get(key)) for key, value in mapping(said).items()):
        return resource
    return replace(resource, property_dependencies={})


def _exports(resource: Resource) -> Mapping[str, object] | None:
    own = resource.urn.split("::")[1]
    *_, project, stack = ["", own, *(resource.text("name") or resource.name).split("/")]
    state = state_before(project, stack)
    return next((one.outputs for one in state.of_type(STACK)), None) if state else None


def _is_that(said: object, exported: object) -> bool:
    """Whether both are the same, as far as both are known: a state keeps secrets to itself, the SDKs send no nulls."""
    if said is UNKNOWN or exported is UNKNOWN:
        return True
    if isinstance(said, Mapping) and isinstance(exported, Mapping):
        return all(_is_that(said.get(key), exported.get(key)) for key in (said.keys() | exported.keys()))
    if isinstance(said, list) and isinstance(exported, list):
        return len(said) == len(exported) and all(map(_is_that, said, exported))
    return said == exported
