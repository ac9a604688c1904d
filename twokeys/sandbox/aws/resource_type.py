"""What a resource type is to the provider: a few facts about its properties, and functions that talk to the API.

Checking, comparing and previewing need nothing but those facts; they are here, and pure. Names, defaults and what
replaces an object are those of the Pulumi AWS provider's version 7 (https://www.pulumi.com/registry/packages/aws/).
"""

import hashlib
import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from twokeys.iam import UNKNOWN
from twokeys.preview.values import has_unknown
from twokeys.sandbox.aws.client import Aws
from twokeys.sandbox.aws.documents import canonical_json, equivalent_json
from twokeys.sandbox.aws.schema import schema

Properties: TypeAlias = dict[str, Any]


@dataclass(frozen=True)
class Secret:
    """An output that must not be shown; `value` is the plain one."""

    value: Any

    def __repr__(self) -> str:
        return "Secret(...)"


@dataclass(frozen=True)
class Diff:
    """What changes: input properties that differ, those that need a new object, and whether the old one goes first."""

    changed: tuple[str, ...]
    replaces: tuple[str, ...] = ()
    delete_before_replace: bool = False


@dataclass(frozen=True)
class AutoName:
    """How an object without a name is named: `<logical name>-<7 hexadecimal digits>`, as Pulumi's AWS provider does."""

    property: str = "name"
    longest: int = 255

    def make(self, urn: str, random_seed: bytes) -> str:
        """The name; the same seed gives the same name, so a preview shows what the update will use."""
        return f"{self._stem(urn)}-{hashlib.sha256(random_seed).hexdigest()[:7]}"

    def made(self, urn: str, name: str) -> bool:
        """Whether a name looks as if `make` had made it."""
        return re.fullmatch(re.escape(self._stem(urn)) + "-[0-9a-f]{7}", name) is not None

    def _stem(self, urn: str) -> str:
        stem = urn.rpartition("::")[2][: self.longest - 8]
        return stem.lower() if self.property == "bucket" else stem


@dataclass(frozen=True)
class ResourceType:
    """One resource type.

    Attributes:
        type: its token ("aws:iam/role:Role").
        create: makes the object from checked inputs; returns its id, or the id and what the API tells only once.
        read: the object's properties by id and what was known of it, None when it does not exist. A property that it
            leaves out cannot be read, and stays as it was declared.
        delete: removes it, given the id and the inputs.
        update: brings it from known outputs (with the old inputs) to new inputs; None when every change replaces.
        replaces: inputs whose change needs a new object.
        defaults: what the provider fills in.
        documents: inputs that hold JSON, compared by meaning.
        unordered: lists whose order and repetitions mean nothing.
        shown: inputs that the API fills in when a program leaves them out.
        secret: outputs that are always secret.
    """

    type: str
    create: Callable[[Aws, Properties], str | tuple[str, Properties]]
    read: Callable[[Aws, str, Properties], Properties | None]
    delete: Callable[[Aws, str, Properties], object]
    update: Callable[[Aws, str, Properties, Properties], object] | None = None
    replaces: frozenset[str] = frozenset()
    defaults: Mapping[str, Any] = field(default_factory=dict)
    documents: frozenset[str] = frozenset()
    unordered: frozenset[str] = frozenset()
    shown: frozenset[str] = frozenset()
    secret: frozenset[str] = frozenset()
    auto_name: AutoName | None = None

    @property
    def computed(self) -> frozenset[str]:
        """Outputs that only the API knows: as the SDK has them, and an ARN of a type that it does not have."""
        known = schema(self.type)
        return frozenset(known.computed) - {"tagsAll"} if known.inputs else frozenset({"arn"})

    @property
    def taggable(self) -> bool:
        """Whether `tags` is an input and `tagsAll` an output."""
        return "tagsAll" in schema(self.type).computed

    def check(
        self, urn: str, olds: Properties, news: Properties, random_seed: bytes, proposed: str | None = None
    ) -> Properties:
        """Inputs with defaults, documents as text, and a name: the old one, the proposed one, or one from the seed."""
        checked = {**self.defaults, **news}
        naming = self.auto_name
        if naming and naming.property not in news and f"{naming.property}Prefix" not in news:
            checked[naming.property] = olds.get(naming.property) or proposed or naming.make(urn, random_seed)
        return checked | {name: _json_text(checked[name]) for name in self.documents & checked.keys()}

    def diff(self, urn: str, old: Properties, new: Properties, ignore_changes: tuple[str, ...]) -> Diff:
        """What changes between checked inputs; an unknown new value counts as changed.

        A replacement keeps a name that the program gave, so the old object goes first; an automatic name is made anew.
        """
        ignored = {re.split(r"[.\[]", path)[0] for path in ignore_changes} | (self.shown - new.keys())
        names = sorted((old.keys() | new.keys()) - ignored)
        changed = tuple(name for name in names if not self.same_value(name, old.get(name), new.get(name)))
        replaces = tuple(name for name in changed if self.update is None or name in self.replaces)
        return Diff(changed, replaces, delete_before_replace=bool(replaces) and self._name_is_kept(urn, old, new))

    def preview(self, inputs: Properties, old_outputs: Properties | None) -> Properties:
        """The inputs, and UNKNOWN for what only the operation tells."""
        if old_outputs is None:
            computed = self.computed | ({"tagsAll"} if self.taggable else frozenset())
            return {**dict.fromkeys(sorted(computed), UNKNOWN), **inputs}
        changed = {name for name in ("name", "path", "tags") if old_outputs.get(name) != inputs.get(name)}
        # An ARN of Organizations has an id in it; https://docs.aws.amazon.com/service-authorization/latest/reference/
        in_arn = set() if self.type.startswith("aws:organizations/") else {"name", "path"}
        hanging = (("tagsAll", {"tags"}), ("arn", in_arn))
        unknown = {name for name, of in hanging if changed & of and name in old_outputs}
        return {**old_outputs, **dict.fromkeys(sorted(unknown), UNKNOWN), **inputs}

    def same_value(self, name: str, old: Any, new: Any) -> bool:  # noqa: ANN401 - property values have no type
        """Whether two values of an input mean the same to the API; one that is not known is never the same."""
        if has_unknown(new) or has_unknown(old):
            return False
        if name in self.documents and isinstance(old, str) and isinstance(new, str):
            return equivalent_json(old, new)
        if name in self.unordered:
            return _as_set(old) == _as_set(new)
        return bool((old or None) == (new or None))

    def _name_is_kept(self, urn: str, old: Properties, new: Properties) -> bool:
        if self.auto_name is None:
            return False
        name = new.get(self.auto_name.property)
        return name is not None and name == old.get(self.auto_name.property) and not self.auto_name.made(urn, name)


def set_each(old: Iterable[Any] | None, new: Iterable[Any] | None, add: Any, remove: Any) -> None:  # noqa: ANN401
    """Lead a set from old to new: what is new first, so that nobody loses access in between."""
    before, after = set(old or ()), set(new or ())
    for item in sorted(after - before):
        add(item)
    for item in sorted(before - after):
        remove(item)


def _json_text(value: Any) -> Any:  # noqa: ANN401 - property values have no type
    """A document that a program gives as an object, as text, which can hold no mark of what is unknown in it.

    https://github.com/pulumi/pulumi-terraform-bridge: TransformJSONDocument.
    """
    if not isinstance(value, Mapping | list):
        return value
    return UNKNOWN if has_unknown(value) else json.dumps(value, separators=(",", ":"))


def _as_set(value: Any) -> set[str]:  # noqa: ANN401 - property values have no type
    """Each item as text that is the same for all that mean the same, policy documents in it included."""
    return {json.dumps(_canonical(item), sort_keys=True) for item in value or ()}


def _canonical(value: Any) -> Any:  # noqa: ANN401 - as above
    if isinstance(value, dict):
        return {key: _canonical(inner) for key, inner in value.items()}
    return canonical_json(value) if isinstance(value, str) else value
