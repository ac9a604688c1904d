"""What a resource type is to the provider: a table of its properties and four functions that talk to the API.

Checking, comparing and previewing need nothing but the table; they are here, and pure. The tables themselves are in one
module per service. Names, defaults and what replaces an object are those of the Pulumi AWS provider's version 7
(https://www.pulumi.com/registry/packages/aws/), which takes them from its Terraform schema.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from twokeys.sandbox.aws.client import Aws
from twokeys.sandbox.aws.documents import equivalent_json
from twokeys.sandbox.engine.plugin import CheckFailure, Diff
from twokeys.sandbox.engine.values import UNKNOWN, Properties, has_unknown

Validation: TypeAlias = Callable[[Any], str | None]
"""Given a known value: None when it is fine, else the reason why not, as a sentence without its full stop."""


@dataclass(frozen=True)
class AutoName:
    """How an object without a name is named: `<logical name>-<7 hexadecimal digits>`, as Pulumi's AWS provider does."""

    property: str = "name"
    prefix_property: str | None = None
    longest: int = 255
    lower_case: bool = False
    begins: str = ""
    """What the API wants every name to begin with ("alias/")."""

    def make(self, urn: str, random_seed: bytes) -> str:
        """The name; the same seed gives the same name, so a preview shows what the update will use."""
        return f"{self._stem(urn)}-{hashlib.sha256(random_seed).hexdigest()[:7]}"

    def made(self, urn: str, name: str) -> bool:
        """Whether a name looks as if `make` had made it."""
        return re.fullmatch(re.escape(self._stem(urn)) + "-[0-9a-f]{7}", name) is not None

    def _stem(self, urn: str) -> str:
        logical = urn.rpartition("::")[2][: self.longest - 8]
        return self.begins + (logical.lower() if self.lower_case else logical)


@dataclass(frozen=True)
class Created:
    """What a create returns when the API tells something once only (an access key's secret)."""

    id: str
    told_once: Properties


@dataclass(frozen=True)
class ResourceType:
    """One resource type.

    Attributes:
        inputs: every property a program may set.
        required: those that must be set.
        computed: outputs that only the API knows.
        type: its token ("aws:iam/role:Role").
        create: makes the object from checked inputs and returns its id.
        read: the object's properties, inputs included, by id and what was known of it; None when it does not exist.
        update: brings it from known outputs (with the old inputs) to new inputs; None when every change replaces.
        delete: removes it, given the id and the inputs.
        identify: the id of the object that inputs name, for continuing a create that was killed; None where no input
            names it (an access key), or where the object is always there and its create can be repeated.
        set_after: inputs that the create sets by further calls, so a killed create may have left them undone.
        replaces: inputs whose change needs a new object.
        replaces_when: inputs whose change needs a new object for some (old, new) values only.
        defaults: what the provider fills in.
        documents: inputs that hold JSON, compared by meaning.
        unordered: lists whose order and repetitions mean nothing.
        same: further inputs with their own equality.
        volatile: computed outputs that an update may change; the others keep their value in its preview.
        secret: outputs that are always secret.
        also_computed: inputs that the API fills in when a program leaves them out.
        unreadable: inputs that the API does not tell; a refresh keeps what was known.
        validations: by input, what the provider refuses at preview already.
        taggable: `tags` is an input, `tagsAll` an output.
        unsupported: inputs that the provider has and the sandbox does not, by reason.
        record: the local AWS lacks the API, so the object is kept in the sandbox's own record and has no effect.
    """

    type: str
    inputs: frozenset[str]
    create: Callable[[Aws, Properties], str | Created]
    read: Callable[[Aws, str, Properties], Properties | None]
    delete: Callable[[Aws, str, Properties], object]
    update: Callable[[Aws, str, Properties, Properties], object] | None = None
    identify: Callable[[Aws, Properties], str | None] | None = None
    set_after: frozenset[str] = frozenset()
    required: frozenset[str] = frozenset()
    computed: frozenset[str] = frozenset()
    replaces: frozenset[str] = frozenset()
    replaces_when: Mapping[str, Callable[[Any, Any], bool]] = field(default_factory=dict)
    defaults: Mapping[str, Any] = field(default_factory=dict)
    documents: frozenset[str] = frozenset()
    unordered: frozenset[str] = frozenset()
    same: Mapping[str, Callable[[Any, Any], bool]] = field(default_factory=dict)
    volatile: frozenset[str] = frozenset()
    secret: frozenset[str] = frozenset()
    also_computed: frozenset[str] = frozenset()
    unreadable: frozenset[str] = frozenset()
    validations: Mapping[str, Validation] = field(default_factory=dict)
    auto_name: AutoName | None = None
    taggable: bool = False
    unsupported: Mapping[str, str] = field(default_factory=dict)
    record: bool = False

    def check(
        self, urn: str, olds: Properties, news: Properties, random_seed: bytes
    ) -> tuple[Properties, tuple[CheckFailure, ...]]:
        """Inputs with defaults and a name, and what is wrong with them; an unknown value is never wrong."""
        checked = {**self.defaults, **news}
        naming = self.auto_name
        if naming and naming.property not in news and (naming.prefix_property or "") not in news:
            checked[naming.property] = olds.get(naming.property) or naming.make(urn, random_seed)
        return checked, tuple(self._failures(news, checked))

    def diff(self, urn: str, old: Properties, new: Properties, ignore_changes: tuple[str, ...]) -> Diff:
        """What changes between checked inputs; an unknown new value counts as changed.

        A replacement keeps a name that the program gave, so the old object goes first; an automatic name is made anew.
        """
        ignored = {re.split(r"[.\[]", path)[0] for path in ignore_changes}
        left_out = self.also_computed - new.keys()
        names = sorted((old.keys() | new.keys()) - ignored - left_out)
        changed = tuple(name for name in names if not self.same_value(name, old.get(name), new.get(name)))
        replaces = tuple(name for name in changed if self._replaces(name, old.get(name), new.get(name)))
        return Diff(changed, replaces, delete_before_replace=bool(replaces) and self._name_is_kept(urn, old, new))

    def preview(self, inputs: Properties, old_outputs: Properties | None) -> Properties:
        """The inputs, and UNKNOWN for what only the operation tells."""
        outputs = self.computed | ({"tagsAll"} if self.taggable else set())
        if old_outputs is None:
            return {**dict.fromkeys(sorted(outputs), UNKNOWN), **inputs}
        kept = {name: value for name, value in old_outputs.items() if name in outputs and name not in self.volatile}
        changing = dict.fromkeys(sorted(outputs - kept.keys()), UNKNOWN)
        if self.taggable and not self.same_value("tags", old_outputs.get("tags"), inputs.get("tags")):
            changing["tagsAll"] = UNKNOWN
        return {**kept, **changing, **inputs}

    def same_value(self, name: str, old: Any, new: Any) -> bool:  # noqa: ANN401 - property values have no type
        """Whether two values of an input mean the same to the API."""
        if has_unknown(new) or has_unknown(old):
            return False
        if name in self.same and old is not None and new is not None:
            return self.same[name](old, new)
        if name in self.documents and isinstance(old, str) and isinstance(new, str):
            return equivalent_json(old, new)
        if name in self.unordered:
            return _as_set(old) == _as_set(new)
        if isinstance(old, list | dict) or isinstance(new, list | dict):
            return (old or None) == (new or None)
        return bool(old == new)

    def _replaces(self, name: str, old: Any, new: Any) -> bool:  # noqa: ANN401 - property values have no type
        condition = self.replaces_when.get(name, lambda _old, _new: False)
        return self.update is None or name in self.replaces or condition(old, new)

    def _name_is_kept(self, urn: str, old: Properties, new: Properties) -> bool:
        if self.auto_name is None:
            return False
        name = new.get(self.auto_name.property)
        return name is not None and name == old.get(self.auto_name.property) and not self.auto_name.made(urn, name)

    def _failures(self, news: Properties, checked: Properties) -> list[CheckFailure]:
        failures = [
            CheckFailure(name, self.unsupported.get(name) or f"{self.type} has no property {name} in the sandbox")
            for name in sorted(news.keys() - self.inputs)
        ]
        failures += [
            CheckFailure(name, f"{self.type} needs the property {name}") for name in sorted(self.required - news.keys())
        ]
        for name, value in sorted(checked.items()):
            if has_unknown(value):
                continue
            validation = _is_json_object if name in self.documents else self.validations.get(name)
            reason = validation(value) if validation else None
            if reason:
                failures.append(CheckFailure(name, reason))
        return failures


def one_of(*values: str) -> Validation:
    """The value must be one of these."""
    return lambda value: None if value in values else f"expected one of {', '.join(values)}, not {value!r}"


def between(low: int, high: int) -> Validation:
    """The value must be a whole number in this range."""
    return lambda value: None if low <= value <= high else f"expected {low} to {high}, not {value}"


def matches(pattern: str, what: str) -> Validation:
    """The whole value must match; `what` says in words what is expected."""
    return lambda value: None if re.fullmatch(pattern, value) else f"expected {what}, not {value!r}"


def same_shape(old: Any, new: Any) -> bool:  # noqa: ANN401 - property values have no type
    """Equality of nested values in which an empty part means the same as none."""
    return bool(_pruned(old) == _pruned(new))


def _pruned(value: Any) -> Any:  # noqa: ANN401 - as above
    if isinstance(value, dict):
        pruned = {key: _pruned(inner) for key, inner in value.items()}
        return {key: inner for key, inner in pruned.items() if inner not in (None, "", {}, [])}
    if isinstance(value, list):
        return [_pruned(item) for item in value]
    return value


def _is_json_object(value: Any) -> str | None:  # noqa: ANN401 - property values have no type
    try:
        document = json.loads(value)
    except (TypeError, ValueError) as error:
        return f"contains an invalid JSON: {error}"
    return None if isinstance(document, dict) else "contains JSON that is no object"


def _as_set(value: Any) -> set[str]:  # noqa: ANN401 - property values have no type
    return {json.dumps(item, sort_keys=True) for item in value or ()}
