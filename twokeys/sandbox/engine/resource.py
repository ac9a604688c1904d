"""A resource as the engine knows it: what the program asks for, what the state records, and the URN that names both."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

from twokeys.sandbox.engine.values import Properties, from_state, to_state

STACK_TYPE: Final = "pulumi:pulumi:Stack"
PROVIDER_PREFIX: Final = "pulumi:providers:"
# The id of a provider that is not created yet, as the engine writes it into a provider reference.
UNKNOWN_ID: Final = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"


def make_urn(stack: str, project: str, parent: str, type: str, name: str) -> str:
    """The URN of a resource; the types of its parents, except the stack's, stand before its own.

    See https://www.pulumi.com/docs/iac/concepts/resources/names/#urns
    """
    chain = qualified_type(parent) if parent else ""
    qualified = f"{chain}${type}" if chain and chain != STACK_TYPE else type
    return f"urn:pulumi:{stack}::{project}::{qualified}::{name}"


def qualified_type(urn: str) -> str:
    """The chain of types in a URN ("my:Component$aws:iam/role:Role")."""
    return urn.split("::", 3)[2]


def urn_type(urn: str) -> str:
    """The type of the resource that a URN names, without its parents' types."""
    return qualified_type(urn).rpartition("$")[2]


def urn_name(urn: str) -> str:
    """The logical name in a URN."""
    return urn.split("::", 3)[3]


def provider_urn(reference: str) -> str:
    """The URN in a provider reference ("<urn>::<id>")."""
    return reference.rpartition("::")[0]


def package_of(type: str) -> str:
    """The package that handles a type; for a provider's own type the package that it configures."""
    return type.removeprefix(PROVIDER_PREFIX) if type.startswith(PROVIDER_PREFIX) else type.partition(":")[0]


@dataclass(frozen=True)
class Goal:
    """One registration: what the program wants a resource to be.

    Attributes:
        inputs: with Secret and UNKNOWN, OutputValues unwrapped.
        provider: a provider reference, or "" for the default provider.
        aliases: full URNs under which the resource may be known in the state.
        timeouts: operation ("create", "update", "delete", "read") to seconds.
    """

    urn: str
    type: str
    name: str
    custom: bool
    inputs: Properties
    parent: str = ""
    provider: str = ""
    version: str = ""
    dependencies: tuple[str, ...] = ()
    property_dependencies: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    protect: bool = False
    retain_on_delete: bool = False
    delete_before_replace: bool | None = None
    deleted_with: str = ""
    replace_with: tuple[str, ...] = ()
    ignore_changes: tuple[str, ...] = ()
    replace_on_changes: tuple[str, ...] = ()
    additional_secret_outputs: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    import_id: str = ""
    timeouts: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Resource:
    """A resource in a state; the field names are those of Pulumi's deployment v3, in snake case."""

    urn: str
    type: str
    custom: bool
    id: str = ""
    inputs: Properties = field(default_factory=dict)
    outputs: Properties = field(default_factory=dict)
    parent: str = ""
    provider: str = ""
    dependencies: tuple[str, ...] = ()
    property_dependencies: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    protect: bool = False
    external: bool = False
    delete: bool = False
    pending_replacement: bool = False
    retain_on_delete: bool = False
    deleted_with: str = ""
    replace_with: tuple[str, ...] = ()
    ignore_changes: tuple[str, ...] = ()
    replace_on_changes: tuple[str, ...] = ()
    additional_secret_outputs: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    import_id: str = ""
    custom_timeouts: Mapping[str, float] = field(default_factory=dict)
    created: str = ""
    modified: str = ""

    @property
    def is_provider(self) -> bool:
        """Whether it configures a package."""
        return self.type.startswith(PROVIDER_PREFIX)

    def to_json(self) -> dict[str, Any]:
        """The resource as in a deployment v3; empty fields are left out, as Pulumi leaves them out."""
        return {key: value for key, value in self.all_json().items() if value or key == "custom"}

    @cached_property
    def text(self) -> str:
        """`to_json` as compact text, made once: a state is written after each step, and most of it is as before."""
        return json.dumps(self.to_json(), separators=(",", ":"))

    def all_json(self) -> dict[str, Any]:
        """The same with the empty fields, in Pulumi's order."""
        return {
            "urn": self.urn,
            "custom": self.custom,
            "delete": self.delete,
            "id": self.id,
            "type": self.type,
            "inputs": to_state(self.inputs),
            "outputs": to_state(self.outputs),
            "parent": self.parent,
            "protect": self.protect,
            "external": self.external,
            "dependencies": list(self.dependencies),
            "provider": self.provider,
            "propertyDependencies": {key: list(urns) for key, urns in self.property_dependencies.items()},
            "pendingReplacement": self.pending_replacement,
            "additionalSecretOutputs": list(self.additional_secret_outputs),
            "aliases": list(self.aliases),
            "customTimeouts": dict(self.custom_timeouts),
            "importID": self.import_id,
            "retainOnDelete": self.retain_on_delete,
            "deletedWith": self.deleted_with,
            "replaceWith": list(self.replace_with),
            "created": self.created,
            "modified": self.modified,
            "ignoreChanges": list(self.ignore_changes),
            "replaceOnChanges": list(self.replace_on_changes),
        }

    @staticmethod
    def from_json(data: Mapping[str, Any]) -> Resource:
        """The reverse of `to_json`.

        Raises:
            KeyError, TypeError, ValueError: the data is not a resource of a deployment v3 that this engine wrote.
        """
        unread = set(data) - _KEYS
        if unread:
            raise ValueError(f"the sandbox does not read {', '.join(sorted(unread))}")
        return Resource(
            urn=data["urn"],
            custom=data["custom"],
            delete=data.get("delete", False),
            id=data.get("id", ""),
            type=data["type"],
            inputs=from_state(data.get("inputs", {})),
            outputs=from_state(data.get("outputs", {})),
            parent=data.get("parent", ""),
            protect=data.get("protect", False),
            external=data.get("external", False),
            dependencies=tuple(data.get("dependencies", ())),
            provider=data.get("provider", ""),
            property_dependencies={k: tuple(urns) for k, urns in data.get("propertyDependencies", {}).items()},
            pending_replacement=data.get("pendingReplacement", False),
            additional_secret_outputs=tuple(data.get("additionalSecretOutputs", ())),
            aliases=tuple(data.get("aliases", ())),
            custom_timeouts=data.get("customTimeouts", {}),
            import_id=data.get("importID", ""),
            retain_on_delete=data.get("retainOnDelete", False),
            deleted_with=data.get("deletedWith", ""),
            replace_with=tuple(data.get("replaceWith", ())),
            created=data.get("created", ""),
            modified=data.get("modified", ""),
            ignore_changes=tuple(data.get("ignoreChanges", ())),
            replace_on_changes=tuple(data.get("replaceOnChanges", ())),
        )


_KEYS: Final = frozenset(Resource("", "", custom=False).all_json())
