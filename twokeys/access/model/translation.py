"""A snapshot with the IAM that other types make: aws-native, Cloud Control, CloudFormation stacks and StackSets.

What they hold is put beside the resources of pulumi-aws, in the same shape, so that everything after it is the same
code. What of them cannot be read is said: `NotRead`.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from twokeys.access.model.accounts import Accounts
from twokeys.access.model.door_name import EXCEPT
from twokeys.access.model.identities import id_of
from twokeys.access.model.not_read import MAKE_IT, NotRead, not_read
from twokeys.access.reading.cloudformation import Native, as_pulumi, lowered
from twokeys.access.reading.snapshot import Resource, Snapshot, items, mapping
from twokeys.access.reading.templates import Place, Template, TemplateError, read_template
from twokeys.access.reading.type_names import ACCOUNT, ORGANIZATIONAL_UNIT
from twokeys.access.reading.types import Reading, aws_type, cloudformation_type, of_aws
from twokeys.iam import UNKNOWN, Unknown
from twokeys.iam.arn import partition_of_region
from twokeys.iam.json_text import unique

_BY_NAME = {
    "aws:cloudcontrol/resource:Resource": ("typeName", "desiredState"),
    "aws-native:index:ExtensionResource": ("type", "properties"),
}
"""Types that make whatever AWS type they name, and the properties with its name and its own properties."""
_STACK_SET = "cloudformation::stackset"
_TEMPLATES = ("cloudformation::stack", _STACK_SET, "serverlessrepository::cloudformationstack")
_INSTANCES = ("cloudformation::stacksetinstance", "cloudformation::stackinstances")
_CAPABILITIES = frozenset({"CAPABILITY_IAM", "CAPABILITY_NAMED_IAM"})
_GIVE = f"give the template itself as its body, without transforms and nested templates, or {EXCEPT}"
_NESTED = 5
MAKERS = ("aws-native:", "aws:cloud", "aws:serverlessrepository/")
"""The types that may hold the IAM of other types begin like this."""


@dataclass(frozen=True, slots=True)
class Translation:
    """A snapshot in which other makers' IAM stands as resources of pulumi-aws, and what could not be read."""

    snapshot: Snapshot
    not_read: tuple[NotRead, ...]


def translate(snapshot: Snapshot, accounts: Accounts) -> Translation:
    """Read what other types make; the snapshot itself comes back where there is nothing of the kind."""
    translator = _Translator(snapshot, accounts)
    resources = tuple(one for resource in snapshot.resources for one in translator.read(resource))
    if resources != snapshot.resources:
        snapshot = replace(snapshot, resources=resources)
    return Translation(snapshot, (*translator.left, *not_read(snapshot)))


class _Translator:
    def __init__(self, snapshot: Snapshot, accounts: Accounts) -> None:
        self._snapshot = snapshot
        self._accounts = accounts
        self._stack_sets = [one for one in snapshot.resources if aws_type(one.type) == _STACK_SET]
        self.left: list[NotRead] = []

    def read(self, resource: Resource) -> Iterator[Resource]:
        """A resource as it is, and what it makes; one that is made in its place has its URN."""
        name = aws_type(resource.type) if resource.type.startswith(MAKERS) else None
        made: list[Resource] = []
        if resource.type in _BY_NAME:
            made = [*self._by_name(resource, *map(resource.get, _BY_NAME[resource.type]))]
        elif resource.type.startswith("aws-native:") and name and of_aws(name).reading is Reading.READ:
            made = [*self._made(name, resource, _all_properties(resource), f"is of type {resource.type}")]
        elif name in _TEMPLATES:
            made = [*self._deployed(name, resource)]
        elif name in _INSTANCES and not any(_is_of(resource, one) for one in self._stack_sets):
            self._leave(resource, "deploys a StackSet that is not shown, whose template may make IAM", _GIVE)
        if all(one.urn != resource.urn for one in made):
            yield resource
        yield from made

    def _by_name(self, resource: Resource, type_name: object, state: object) -> Iterator[Resource]:
        """https://docs.aws.amazon.com/cloudcontrolapi/latest/userguide/resource-types.html"""
        if not isinstance(type_name, str):
            self._leave(resource, "makes a resource of a type that is not known yet", unknown=True)
            return
        name, properties = cloudformation_type(type_name), _object(state)
        reading = of_aws(name).reading if name else None
        is_of = f"makes a resource of type {type_name}"
        if properties is None and reading not in (None, Reading.HARMLESS, Reading.NOT_READ):
            why = "is not known yet" if state is UNKNOWN else "is no JSON object that has each key once"
            self._leave(resource, f"{is_of}, whose desired state {why}", unknown=state is UNKNOWN)
        elif name or not type_name.lower().startswith(("aws::", "alexa::")):
            # as Cloud Control tells it, with its ARN
            came = _object(resource.outputs.get("properties")) if reading is Reading.READ else None
            yield from self._made(name, resource, {**(came or {}), **(properties or {})}, is_of)

    def _made(  # noqa: PLR0913, PLR0917 - what a template and Cloud Control say of a resource
        self,
        name: str | None,
        base: Resource,
        properties: Mapping[str, object],
        is_of: str,
        urns: Mapping[str, str] = MappingProxyType({}),
        depth: int = 0,
    ) -> Iterator[Resource]:
        """What a resource of an AWS type makes; one without a name is of a type of nobody's."""
        known = of_aws(name) if name else None
        if name is None or known is None:
            self._leave(base, f"{is_of}, which is nobody's that is known here")
        elif known.reading is Reading.NOT_READ or name == "serverless::application":
            self._leave(base, known.why or "deploys a template of the Serverless Application Repository")
        elif name in _TEMPLATES:
            yield from self._deployed(name, replace(base, inputs=properties, outputs={}), depth)
        elif known.reading is not Reading.HARMLESS:
            made = as_pulumi(Native(name, lowered(properties), base, urns))
            if made is None:
                self._leave(base, f"{is_of}, which is read of pulumi-aws only")
            yield from made or ()

    def _deployed(self, name: str, resource: Resource, depth: int = 0) -> Iterator[Resource]:
        if name == _STACK_SET:
            for account, overrides in self._targets(resource).items():
                for number, one in enumerate(overrides):
                    part = f"{account}/{number}/" if number else f"{account}/"
                    yield from self._stack(replace(resource, account=account), part, depth, one)
        else:
            yield from self._stack(resource, "", depth)

    def _stack(self, resource: Resource, part: str, depth: int, overrides: object = None) -> Iterator[Resource]:
        """What the template of a stack makes in its account; `overrides` are of parameters, for one instance.

        A template that is not there matters only if CloudFormation may make IAM by it.
        https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_CreateStack.html (Capabilities)
        """
        properties = lowered(_all_properties(resource))
        body = properties.get("templatebody")
        if not isinstance(body, str | Mapping) or not body:
            if _may_make_iam(properties.get("capabilities")):
                where = "by its URL" if properties.get("templateurl") else "that is not known yet"
                if "applicationid" in properties:
                    where = "of an application of the Serverless Application Repository"
                why = f"deploys a template {where}, and has the capability to make IAM by it"
                self._leave(resource, why, _GIVE, unknown=body is UNKNOWN)
            return
        account = resource.account or self._accounts.of(resource)
        region = _region(self._snapshot, resource)
        place = Place(resource.name, account, partition_of_region(region), region)
        try:
            template = read_template(body, place, _parameters(properties.get("parameters"), overrides))
        except (TemplateError, RecursionError) as error:
            why = str(error) if isinstance(error, TemplateError) else "it is nested too deeply"
            why = "it holds a secret, so nothing of it is quoted" if resource.secrets else why
            self._leave(resource, f"deploys a template that cannot be read: {why}", _GIVE)
            return
        if template.expands and _may_make_iam(properties.get("capabilities")):
            self._leave(resource, f"deploys a template that {template.expands} changes before it is deployed", _GIVE)
        yield from self._described(template, resource, part, depth)

    def _described(self, template: Template, stack: Resource, part: str, depth: int) -> Iterator[Resource]:
        """What a template describes; a name that it does not give begins with the stack's and the logical id.

        https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-properties-name.html
        """
        urns = {one.logical_id: f"{stack.urn}#{part}{one.logical_id}" for one in template.resources}
        for one in template.resources:
            base = Resource(
                urn=urns[one.logical_id],
                type=one.type,
                name=f"{stack.name}-{one.logical_id}",
                provider=stack.provider,
                parent=stack.parent,
                source=stack.source,
                since=stack.since,
                secrets=stack.secrets,
                account=stack.account or self._accounts.of(stack),
                autoname=f"{stack.text('name') or stack.name}-{one.logical_id}-RANDOM",
                made_by=stack.made_by or stack.urn,
            )
            name = cloudformation_type(one.type)
            if one.type.startswith("Custom::") or name == "cloudformation::customresource":
                step = f"see what the code may do, or {EXCEPT}"
                self._leave(base, "runs code that is not read", step, certain=False)
            elif name in _TEMPLATES and depth >= _NESTED:
                self._leave(base, "is a template in a template, too deep to be read", _GIVE)
            else:
                may = {"capabilities": [*_CAPABILITIES]} if name in _TEMPLATES else {}
                yield from self._made(name, base, {**may, **one.properties}, f"is of type {one.type}", urns, depth + 1)

    def _targets(self, stack_set: Resource) -> Mapping[str, list[object]]:
        """The accounts that a StackSet deploys to, each with the parameters that its instances override.

        One that no account equals stands for those that are not shown.
        https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/stacksets-concepts.html
        """
        properties = lowered(_all_properties(stack_set))
        automatic = mapping(properties.get("autodeployment"))
        inside = properties.get("permissionmodel") == "SERVICE_MANAGED"
        others = self._accounts.of_stack_set(stack_set.name, of_organization=inside)
        found: dict[str, list[object]] = defaultdict(list)
        groups = _instances(stack_set, self._snapshot)
        if not groups or lowered(automatic).get("enabled") not in (None, False, "false"):
            found[others].append(None)  # its instances may be made by another stack, or by hand
        for targets in groups:
            named = lowered(mapping(targets))
            inner = lowered(mapping(named.get("deploymenttargets")))
            listed = [*items(named.get("accountid")), *items(named.get("accounts")), *items(inner.get("accounts"))]
            units = items(inner.get("organizationalunitids"))
            accounts = [self._accounts.canonical(one) for one in listed if isinstance(one, str)]
            accounts += self._below(units)
            if units or any(not isinstance(one, str) for one in listed) or not listed:
                accounts.append(others)
            overrides = named.get("parameteroverrides")
            for account in accounts:
                if overrides not in found[account]:
                    found[account].append(overrides)
        return found

    def _below(self, units: Iterable[object]) -> list[str]:
        """The member accounts that the snapshot shows below organizational units, or below the root."""
        parents = {
            (self._accounts.named_by(one) if one.type == ACCOUNT else id_of(one)): one.text("parentId")
            for one in self._snapshot.of_type(ACCOUNT, ORGANIZATIONAL_UNIT)
        }
        there = {one for one in units if isinstance(one, str)}
        while more := {one for one, parent in parents.items() if parent in there} - there:
            there |= more
        return sorted(self._accounts.members & there)

    def _leave(self, resource: Resource, why: str, step: str = MAKE_IT, **more: bool) -> None:
        self.left.append(NotRead(resource, why, step, **more))


def lacks_instances(resource: Resource, snapshot: Snapshot) -> bool:
    """Whether a resource is a StackSet of which no instance is shown, so that one that is new deploys nothing yet."""
    return aws_type(resource.type) == _STACK_SET and not _instances(resource, snapshot)


def _instances(stack_set: Resource, snapshot: Snapshot) -> list[object]:
    made = (one for one in snapshot.resources if aws_type(one.type) in _INSTANCES and _is_of(one, stack_set))
    own = lowered(_all_properties(stack_set)).get("stackinstancesgroup")
    return [*map(_all_properties, made), *items(own)]


def _is_of(instance: Resource, stack_set: Resource) -> bool:
    """By the name of the set, which its id begins with: `named:0a1b2c3d-...`, as outputs tell it only after the update.

    https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_CreateStackInstances.html
    """
    named = str(instance.get("stackSetName")).partition(":")[0]
    behind = instance.property_dependencies.get("stackSetName", ())
    return named in (stack_set.name, stack_set.text("name"), stack_set.text("id")) or stack_set.urn in behind


def _all_properties(resource: Resource) -> dict[str, object]:
    keys = {**(resource.inputs or {}), **resource.outputs}
    return {key: resource.get(key) for key in keys}


def _object(text: object) -> Mapping[str, object] | None:
    if isinstance(text, str):
        try:
            text = json.loads(text, object_pairs_hook=unique)
        except (ValueError, RecursionError):
            return None
    return text if isinstance(text, Mapping) else None


def _may_make_iam(capabilities: object) -> bool:
    return any(not isinstance(one, str) or one in _CAPABILITIES for one in items(capabilities))


def _parameters(*given: object) -> Mapping[str, object] | Unknown:
    """Parameters as a mapping, or as the list of pairs that CloudFormation's own types have; the last one counts."""
    found: dict[str, object] = {}
    for value in given:
        if isinstance(value, Mapping):
            found |= value
            continue
        for item in items(value):
            pair = lowered(mapping(item))
            name = pair.get("parameterkey")
            if UNKNOWN in (item, name):
                return UNKNOWN
            found |= {name: pair.get("parametervalue")} if isinstance(name, str) else {}
    return found


def _region(snapshot: Snapshot, resource: Resource) -> str | None:
    provider = snapshot.by_urn.get(resource.provider or "")
    return resource.text("region") or (provider.text("region") if provider else None)
