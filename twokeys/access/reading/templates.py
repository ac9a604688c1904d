"""A CloudFormation template as the resources it makes, with its functions resolved as far as the template tells.

https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference.html
What only CloudFormation knows (an import, a dynamic reference, the id of a resource that it names itself) is UNKNOWN,
or a `Reference` where it is known of which resource.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from twokeys.access.reading.snapshot import items, mapping
from twokeys.iam import UNKNOWN, Arn, Unknown
from twokeys.iam.arn import Named


class TemplateError(ValueError):
    """A text is no template that CloudFormation takes; the message says why, as a clause."""


@dataclass(frozen=True, slots=True)
class Reference:
    """What CloudFormation will put in for a resource of the template that has no name yet: its name or its ARN."""

    logical_id: str


@dataclass(frozen=True, slots=True)
class Described:
    """One resource of a template: its logical id, its type as CloudFormation names it, its resolved properties."""

    logical_id: str
    type: str
    properties: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a template is deployed, for its pseudo parameters; `account` is an id or a symbol."""

    stack: str
    account: str
    partition: str
    region: str | None = None


@dataclass(frozen=True, slots=True)
class Template:
    """A template as it is deployed in one place; `expands` names what CloudFormation expands when it deploys it."""

    resources: tuple[Described, ...]
    expands: str | None = None


def read_template(
    source: str | Mapping[str, object], place: Place, parameters: Mapping[str, object] | Unknown | None = None
) -> Template:
    """Read a template, given as JSON or YAML text or as a mapping, with the values of its parameters.

    Raises TemplateError for what is none.
    """
    document = _parsed(source) if isinstance(source, str) else source
    resources = document.get("Resources") if isinstance(document, Mapping) else None
    if not isinstance(resources, Mapping):
        raise TemplateError("it has no Resources")
    resolver = _Resolver(document, resources, place, {} if parameters is None else parameters)
    return Template(tuple(_described(resources, resolver)), _expands(document, resources))


def _described(resources: Mapping[str, Any], resolver: _Resolver) -> Iterator[Described]:
    for logical_id, resource in resources.items():
        if logical_id.startswith("Fn::"):
            continue
        if not isinstance(resource, Mapping) or not isinstance(resource.get("Type"), str):
            raise TemplateError(f"its resource {logical_id} has no Type")
        condition = resource.get("Condition")
        if isinstance(condition, str) and resolver.condition(condition) is False:
            continue
        properties = resolver.resolve(resource.get("Properties") or {})
        yield Described(logical_id, resource["Type"], properties if isinstance(properties, Mapping) else {})


def _expands(document: Mapping[str, Any], resources: Mapping[str, Any]) -> str | None:
    if transform := document.get("Transform"):
        return f"the transform {', '.join(map(str, items(transform)))}"
    loop = next((name for name in resources if name.startswith("Fn::ForEach")), None)
    return loop or ("Fn::Transform" if _has_transform(resources) else None)


def _has_transform(value: object) -> bool:
    if isinstance(value, Mapping):
        return "Fn::Transform" in value or any(map(_has_transform, value.values()))
    return isinstance(value, list) and any(map(_has_transform, value))


class _Loader(yaml.BaseLoader):
    """YAML as CloudFormation takes it: every scalar as its text, short forms of functions, no aliases.

    https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/template-formats.html
    """

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            raise TemplateError("it has a YAML alias, which CloudFormation does not take")
        return super().compose_node(parent, index)


def _short_form(loader: yaml.BaseLoader, suffix: str, node: yaml.Node) -> dict[str, object]:
    if isinstance(node, yaml.ScalarNode):
        value: object = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node)
    else:
        value = loader.construct_mapping(node)  # type: ignore[arg-type]  # there is no fourth kind
    return {suffix if suffix in ("Ref", "Condition") else f"Fn::{suffix}": value}


_Loader.add_multi_constructor("!", _short_form)


def _parsed(text: str) -> Any:  # noqa: ANN401 - whatever the text holds
    try:
        return json.loads(text) if text.lstrip().startswith("{") else yaml.load(text, _Loader)  # noqa: S506 - its base loads text only
    except (ValueError, yaml.YAMLError, RecursionError) as error:
        if isinstance(error, TemplateError):
            raise
        raise TemplateError(f"it is neither JSON nor YAML ({type(error).__name__})") from error


def _text(value: object) -> object:
    """A number or a boolean as CloudFormation writes it in a string; a whole number may come as a float."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return str(int(value) if value == int(value) else value)
    return value


_REMOVED = object()
_SUBSTITUTED = re.compile(r"\$\{([^}]*)\}")


class _Resolver:
    """Resolves the functions of one template; whatever it cannot tell is UNKNOWN."""

    def __init__(
        self,
        document: Mapping[str, Any],
        resources: Mapping[str, Any],
        place: Place,
        given: Mapping[str, object] | Unknown,
    ) -> None:
        self._resources = resources
        self._place = place
        self._parameters = mapping(document.get("Parameters"))
        self._mappings = mapping(document.get("Mappings"))
        self._conditions = mapping(document.get("Conditions"))
        self._given = given
        self._settled: dict[str, bool | None] = {}
        self._names: dict[str, object] = {}
        self._functions: Mapping[str, Callable[[Any], object]] = {
            "Ref": self._ref,
            "Fn::GetAtt": self._attribute,
            "Fn::Sub": self._substitute,
            "Fn::FindInMap": self._find,
            "Fn::ToJsonString": self.resolve,
        }
        self._of_several: Mapping[str, tuple[int, Callable[..., object]]] = {
            "Fn::Join": (2, self._join),
            "Fn::Split": (2, self._split),
            "Fn::Select": (2, self._select),
            "Fn::If": (3, self._if),
        }
        """The functions that take a list of so many arguments."""

    def resolve(self, value: object) -> object:
        """A value with its functions resolved."""
        if isinstance(value, Mapping):
            if len(value) == 1:
                ((name, argument),) = value.items()
                if name in self._functions:
                    return self._functions[name](argument)
                if name in self._of_several:
                    number, function = self._of_several[name]
                    fits = isinstance(argument, list) and len(argument) == number
                    return function(*argument) if fits else UNKNOWN
                if isinstance(name, str) and name.startswith("Fn::"):
                    return UNKNOWN
            resolved = {key: self.resolve(item) for key, item in value.items()}
            return {key: item for key, item in resolved.items() if item is not _REMOVED}
        if isinstance(value, list):
            return [item for item in map(self.resolve, value) if item is not _REMOVED]
        if isinstance(value, str) and "{{resolve:" in value:
            return UNKNOWN
        return value

    def condition(self, name: str) -> bool | None:
        """Whether a condition of the template holds; None where nothing here says so."""
        if name not in self._settled:
            self._settled[name] = None
            self._settled[name] = self._holds(self._conditions.get(name))
        return self._settled[name]

    def _holds(self, test: object) -> bool | None:
        if not isinstance(test, Mapping) or len(test) != 1:
            return None
        ((name, argument),) = test.items()
        if name == "Condition" and isinstance(argument, str):
            return self.condition(argument)
        if name == "Fn::Equals" and isinstance(argument, list) and len(argument) == 2:
            left, right = map(self.resolve, argument)
            known = isinstance(left, str | int | float) and isinstance(right, str | int | float)
            return _text(left) == _text(right) if known else None
        parts = [self._holds(one) for one in argument] if isinstance(argument, list) else []
        if name == "Fn::Not" and len(parts) == 1:
            return None if parts[0] is None else not parts[0]
        if name in ("Fn::And", "Fn::Or") and parts:
            decisive = name == "Fn::Or"
            return decisive if decisive in parts else None if None in parts else not decisive
        return None

    def _ref(self, name: object) -> object:
        if not isinstance(name, str):
            return UNKNOWN
        if name.startswith("AWS::"):
            return self._pseudo(name)
        if name in self._parameters:
            return self._parameter(name)
        resource = self._resources.get(name)
        if not isinstance(resource, Mapping):
            return UNKNOWN
        if resource.get("Type") in _NAMED_BY_ARN:
            return self._arn_of(name)
        return self._name_of(name) or Reference(name)

    def _pseudo(self, name: str) -> object:
        place = self._place
        values = {
            "AWS::AccountId": place.account,
            "AWS::NoValue": _REMOVED,
            "AWS::Partition": place.partition,
            "AWS::Region": place.region or UNKNOWN,
            "AWS::StackName": place.stack,
            "AWS::URLSuffix": "amazonaws.com.cn" if place.partition == "aws-cn" else "amazonaws.com",
        }
        return values.get(name, UNKNOWN)

    def _parameter(self, name: str) -> object:
        declared = mapping(self._parameters[name])
        kind, given = str(declared.get("Type")), self._given
        value = UNKNOWN if isinstance(given, Unknown) else given.get(name, declared.get("Default"))
        if kind.startswith("AWS::SSM::Parameter::Value") or value is None:
            return UNKNOWN
        if kind == "CommaDelimitedList" or kind.startswith("List<"):
            return [one.strip() for one in value.split(",")] if isinstance(value, str) else value
        return _text(value)

    def _attribute(self, argument: object) -> object:
        parts = argument.split(".") if isinstance(argument, str) else argument
        if not isinstance(parts, list) or len(parts) != 2 or not isinstance(parts[0], str):
            return UNKNOWN
        logical_id, attribute = parts
        return self._arn_of(logical_id) if attribute in ("Arn", "PolicyArn", "PermissionSetArn") else UNKNOWN

    def _name_of(self, logical_id: str) -> str | None:
        """The name that the template gives a resource, if it does."""
        if logical_id not in self._names:
            self._names[logical_id] = None
            resource = mapping(self._resources.get(logical_id))
            _, key = _NAMED.get(str(resource.get("Type")), (None, ""))
            self._names[logical_id] = self.resolve(mapping(resource.get("Properties")).get(key))
        name = self._names[logical_id]
        return name if isinstance(name, str) and name else None

    def _arn_of(self, logical_id: str) -> object:
        resource = mapping(self._resources.get(logical_id))
        (kind, _), name = _NAMED.get(str(resource.get("Type")), (None, "")), self._name_of(logical_id)
        path = self.resolve(mapping(resource.get("Properties")).get("Path") or "/")
        if kind is None or name is None or not isinstance(path, str):
            return Reference(logical_id) if resource else UNKNOWN
        return str(Arn.iam(kind, self._place.account, name.removeprefix("https://"), path, self._place.partition))

    def _substitute(self, argument: object) -> object:
        text, values = argument if isinstance(argument, list) and len(argument) == 2 else (argument, {})
        if not isinstance(text, str):
            return UNKNOWN
        own = {name: self.resolve(value) for name, value in mapping(values).items()}
        pieces: list[str] = []
        end = 0
        for found in _SUBSTITUTED.finditer(text):
            name = found.group(1).strip()
            pieces.append(text[end : found.start()])
            end = found.end()
            if name.startswith("!"):
                pieces.append("${" + name[1:] + "}")
                continue
            value = own[name] if name in own else self._attribute(name) if "." in name else self._ref(name)
            if isinstance(value, Reference) and found.group() == text:
                return value
            if not isinstance(value, str):
                return UNKNOWN
            pieces.append(value)
        return "".join(pieces) + text[end:]

    def _join(self, separator: object, given: object) -> object:
        parts = self.resolve(given)
        if not isinstance(parts, list) or not all(isinstance(part, str) for part in parts):
            return UNKNOWN
        return str(separator).join(parts)

    def _split(self, separator: object, given: object) -> object:
        text = self.resolve(given)
        return text.split(str(separator)) if isinstance(text, str) and separator else UNKNOWN

    def _select(self, index: object, given: object) -> object:
        place, listed = _text(self.resolve(index)), self.resolve(given)
        if not isinstance(listed, list) or not isinstance(place, str) or not place.isdecimal():
            return UNKNOWN
        return listed[int(place)] if int(place) < len(listed) else UNKNOWN

    def _find(self, argument: object) -> object:
        keys = [self.resolve(one) for one in argument[:3]] if isinstance(argument, list) else []
        found: object = self._mappings
        for key in keys:
            if not isinstance(found, Mapping) or not isinstance(key, str) or key not in found:
                return UNKNOWN
            found = found[key]
        return self.resolve(found) if len(keys) == 3 else UNKNOWN

    def _if(self, name: object, then: object, otherwise: object) -> object:
        if not isinstance(name, str):
            return UNKNOWN
        holds = self.condition(name)
        if holds is None:
            yes, no = self.resolve(then), self.resolve(otherwise)
            return yes if yes == no else UNKNOWN
        return self.resolve(then if holds else otherwise)


_NAMED: Mapping[str, tuple[Named, str]] = {
    "AWS::IAM::Role": ("role", "RoleName"),
    "AWS::IAM::User": ("user", "UserName"),
    "AWS::IAM::Group": ("group", "GroupName"),
    "AWS::IAM::ManagedPolicy": ("policy", "ManagedPolicyName"),
    "AWS::IAM::OIDCProvider": ("oidc-provider", "Url"),
    "AWS::IAM::SAMLProvider": ("saml-provider", "Name"),
}
"""What of IAM a type makes, and the property with its name."""
_NAMED_BY_ARN = frozenset({"AWS::IAM::ManagedPolicy", "AWS::IAM::OIDCProvider", "AWS::IAM::SAMLProvider"})
"""Types whose `Ref` is their ARN."""
