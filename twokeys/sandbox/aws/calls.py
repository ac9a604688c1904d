"""How a property of the Python SDK is called in boto3, and back: by boto3's own models of the operations."""

import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any

from twokeys.sandbox.aws.client import Aws, or_none, timestamp
from twokeys.sandbox.aws.resource_type import Properties
from twokeys.sandbox.aws.schema import schema


@dataclass(frozen=True)
class Calls:
    """The operations on one kind of object.

    Attributes:
        type: the token of the resource type, whose properties are asked for and told.
        kind: the object in the names of operations ("role" in `create_role`), and `look` the verb that reads it.
        key: the argument that names an object ("RoleName").
        names: properties by members of requests and answers, where they are not the same in camel case.
        of_tags: how the operations on its tags call it; "" is by its kind and key, as in IAM.
    """

    type: str
    kind: str
    key: str
    names: Mapping[str, str] = field(default_factory=dict)
    look: str = "get"
    of_tags: str = ""

    @property
    def service(self) -> str:
        """The service in boto3 ("iam")."""
        return self.type.partition(":")[2].partition("/")[0]

    def ask(self, aws: Aws, verb: str, **arguments: object) -> Any:  # noqa: ANN401 - boto3's answers
        """`verb_kind` with these arguments."""
        return getattr(aws.client(self.service), f"{verb}_{self.kind}")(**arguments)

    def create(self, aws: Aws, inputs: Properties) -> Any:  # noqa: ANN401 - boto3's answers
        """Make the object of every input that the operation takes; what the API answers of it."""
        values = {**inputs, "tags": _pairs(all_tags(aws, inputs))}
        if "namePrefix" in inputs:
            values.setdefault("name", f"{inputs['namePrefix']}{uuid.uuid4().hex[:26]}")
        return _object(self.ask(aws, "create", **self._arguments(aws, "create", values)))

    def update(self, aws: Aws, identifier: str, old: Properties, new: Properties) -> None:
        """Give the object every input that the operation takes, if one of them is another; and its tags."""
        given = self._arguments(aws, "update", new)
        if given != self._arguments(aws, "update", old):
            self.ask(aws, "update", **{**given, self.key: identifier})
        self.retag(aws, identifier, old, new)

    def read(self, aws: Aws, identifier: str) -> Properties | None:
        """The properties that the API tells; None when the object does not exist."""
        answer = or_none(partial(self.ask, aws, self.look), **{self.key: identifier})
        if answer is None:
            return None
        found = _object(answer)
        tags = found.get("Tags")
        if self.of_tags:
            tags = aws.pages(self.service, "list_tags_for_resource", "Tags", **{self.of_tags: identifier})
        known = schema(self.type)
        told: Properties = {"tagsAll": {tag["Key"]: tag["Value"] for tag in tags or ()}}
        for member, value in {**found, **found.get("PolicySummary", {})}.items():
            told[self._property(member)] = _plain(value)
        return {name: value for name, value in told.items() if name in known.computed or name in known.inputs}

    def delete(self, aws: Aws, identifier: str, _: Properties) -> None:
        """Remove the object."""
        self.ask(aws, "delete", **{self.key: identifier})

    def retag(self, aws: Aws, identifier: str, old: Properties, new: Properties) -> None:
        """Bring its tags from old to new, the provider's default tags among them."""
        kind, key = ("resource", self.of_tags) if self.of_tags else (self.kind, self.key)
        before, after, client = old.get("tagsAll") or {}, all_tags(aws, new), aws.client(self.service)
        if removed := sorted(before.keys() - after.keys()):
            getattr(client, f"untag_{kind}")(**{key: identifier}, TagKeys=removed)
        if put := {name: value for name, value in after.items() if before.get(name) != value}:
            getattr(client, f"tag_{kind}")(**{key: identifier}, Tags=_pairs(put))

    def _arguments(self, aws: Aws, verb: str, values: Properties) -> dict[str, Any]:
        client = aws.client(self.service)
        operation = client.meta.method_to_api_mapping[f"{verb}_{self.kind}"]
        members = client.meta.service_model.operation_model(operation).input_shape.members
        named = {member: values.get(self._property(member)) for member in members}
        # An empty description clears the one that is there, and CreatePolicy of Organizations requires one.
        return {member: value or "" for member, value in named.items() if value or member == "Description"}

    def _property(self, member: str) -> str:
        return self.names.get(member) or f"{member[0].lower()}{member[1:]}"


def all_tags(aws: Aws, inputs: Properties) -> dict[str, str]:
    """The provider's default tags with the object's own, which win."""
    return {**aws.default_tags, **(inputs.get("tags") or {})}


def _pairs(tags: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in sorted(tags.items())]


def _object(answer: Mapping[str, Any]) -> Mapping[str, Any]:
    """The object in an answer, which is the answer itself where nothing is in it but its properties."""
    within = [value for member, value in answer.items() if isinstance(value, dict) and member != "ResponseMetadata"]
    return within[0] if within else answer


def text(document: Any) -> str:  # noqa: ANN401 - boto3 parses policy documents
    """A policy document as text."""
    return document if isinstance(document, str) else json.dumps(document, separators=(",", ":"))


def _plain(value: Any) -> Any:  # noqa: ANN401 - boto3's answers
    if isinstance(value, datetime):
        return timestamp(value)
    if isinstance(value, dict):
        return value.get("PermissionsBoundaryArn") or text(value)
    return None if value == "" else value
