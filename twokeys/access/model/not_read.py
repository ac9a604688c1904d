"""What may let somebody in and is not read: never passed over in silence.

A resource whose type says so, and one whose content does: a command, code of a dynamic provider, a resource of a
package that nobody knows. `makes_iam` searches such content.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from twokeys.access.model.accounts import Accounts
from twokeys.access.model.door_name import DoorName
from twokeys.access.model.makes_iam import (
    code_may_make_iam,
    code_shown,
    command_makes_iam,
    holds_document,
    texts,
    type_makes_iam,
)
from twokeys.access.reading.cloudformation import lowered
from twokeys.access.reading.snapshot import Resource, Snapshot, items, mapping
from twokeys.access.reading.tokens import ROLE
from twokeys.access.reading.types import Reading, aws_type, type_of
from twokeys.iam import UNKNOWN, Arn

_TERRAFORM_MODULE = "index:Module"
PROVIDER_CODE = "__provider"
PODS = ("eks::podidentityassociation", "eks::addon")
ACCEPT = "or accept it with an exception that names its owner, a reason and a day on which it expires"
MAKE_IT = f"make it with resources of pulumi-aws, {ACCEPT}"
_SEE_WHOM = f"see whom it lets in, and {ACCEPT.removeprefix('or ')}"
"""Of a type of pulumi-aws itself, which has no other for it."""


@dataclass(frozen=True, slots=True)
class NotRead:
    """A resource that may let somebody in and is not read: why, as a clause after its name, and the next step.

    `certain` is False for what can do anything (a command, code) and shows no sign that it makes IAM. `unknown` tells
    that it could be read, once what it says is known.
    """

    resource: Resource
    why: str
    next_step: str
    certain: bool = True
    unknown: bool = False

    @property
    def door(self) -> DoorName:
        """How an exception names it: by the URN, which is its own."""
        return DoorName(self.resource.urn, "*")


def not_read(snapshot: Snapshot, accounts: Accounts) -> Iterator[NotRead]:
    """What of a snapshot is not read although it may let somebody in.

    Templates and Cloud Control are not looked at: whoever reads them says what is left.
    """
    modules = {one.type.partition(":")[0] for one in snapshot.resources if ":tf:" in one.type}
    for resource in snapshot.resources:
        known = type_of(resource.type)
        if known is None:
            yield from _of_unknown_package(resource, shows_parts=resource.type.partition(":")[0] in modules)
        elif known.reading is Reading.NOT_READ:
            yield NotRead(resource, known.why, _SEE_WHOM if resource.type.startswith("aws:") else MAKE_IT)
        elif known.reading is Reading.BY_CONTENT:
            yield from _by_content(snapshot, accounts, resource)


def _by_content(snapshot: Snapshot, accounts: Accounts, resource: Resource) -> Iterator[NotRead]:
    if resource.type.startswith("command:"):
        yield from _command(resource)
    elif PROVIDER_CODE in _properties(resource) or ":dynamic" in resource.type:
        yield from _dynamic(resource)
    elif aws_type(resource.type) in PODS:
        yield from _pods(snapshot, accounts, resource)
    elif aws_type(resource.type) in _CODE:
        yield NotRead(resource, "runs code that is not read", f"see what the code may do, {ACCEPT}", certain=False)


_CODE = frozenset({"lambda::invocation", "cloudformation::customresource", "cloudformation::customresourceemulator"})


def _command(resource: Resource) -> Iterator[NotRead]:
    """A command can do what its credentials may; one that calls IAM, or deploys what may, certainly does.

    What it runs may stand in its environment, and its first words in its interpreter.
    """
    by = " ".join(texts(resource.get("interpreter")))
    lines = [f"{by} {text}" for key in ("create", "update", "delete") for text in texts(resource.get(key))]
    beside = [*texts(resource.get("stdin")), *texts(resource.get("environment"))]
    if any(map(command_makes_iam, [by, *lines, *beside])) or holds_document(_properties(resource)):
        yield NotRead(resource, "runs a command that makes IAM", MAKE_IT)
    elif not resource.type.startswith("command:remote:Copy"):
        why = "runs a command, which may do whatever its credentials may"
        yield NotRead(resource, why, f"see that the command makes no IAM, {ACCEPT}", certain=False)


def _dynamic(resource: Resource) -> Iterator[NotRead]:
    """A dynamic provider is a program of its own. Code that is shown and does not speak of IAM is only mentioned."""
    code = code_shown(resource.get(PROVIDER_CODE))
    others = {key: value for key, value in _properties(resource).items() if key != PROVIDER_CODE}
    step = f"make what it makes in AWS with resources of pulumi-aws, {ACCEPT}"
    if code is None:
        yield NotRead(resource, "is made by a dynamic provider whose code is not shown", step)
    elif code_may_make_iam(code, others):
        yield NotRead(resource, "is made by a dynamic provider, whose code may make IAM", step)
    else:
        yield NotRead(resource, "is made by a dynamic provider, whose code is not read", step, certain=False)


def _pods(snapshot: Snapshot, accounts: Accounts, resource: Resource) -> Iterator[NotRead]:
    """Pods of a cluster become the role, which is read where it is of this stack and trusts EKS Pod Identity.

    Where its ARN is not known yet, it is one of the roles that the associations are made from.
    """
    of_addon = "addon" in resource.type.lower()
    behind = resource.property_dependencies.get("podIdentityAssociations" if of_addon else "roleArn", ())
    said = {key: resource.get(key) for key in ("roleArn", "podIdentityAssociations")}
    for arn in roles_of_pods(str(aws_type(resource.type)), said):
        roles = [role for role in snapshot.of_type(ROLE) if _is_role(accounts, role, arn, role.urn in behind)]
        if not roles or not all(map(_trusts_pods, roles)):
            which = arn if isinstance(arn, str) else "that is not known yet"
            yield NotRead(
                resource,
                f"hands role {which} to pods of a cluster, and it is not shown that the role trusts EKS Pod Identity",
                f"make the role in this program and have it trust pods.eks.amazonaws.com, {ACCEPT}",
            )


def roles_of_pods(name: str, properties: Mapping[str, object]) -> list[object]:
    """The ARNs of the roles that pods get by an association or an add-on, as its properties say them, in any case.

    https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-eks-addon.html
    """
    given = lowered(properties)
    each = map(mapping, items(given.get("podidentityassociations"))) if name == "eks::addon" else [given]
    return [lowered(one).get("rolearn") for one in each]


def _is_role(accounts: Accounts, role: Resource, arn: object, behind: bool) -> bool:
    """Whether an ARN is that of a role, which may not have it yet: other accounts may have a namesake."""
    named = Arn.parse(arn) if isinstance(arn, str) else None
    if named is None:
        return behind and not isinstance(arn, str)
    return named.name == role.text("name") and (behind or accounts.canonical(named.account) == accounts.of(role))


def _trusts_pods(role: Resource) -> bool:
    trust = role.get("assumeRolePolicy")
    return trust is UNKNOWN or "pods.eks.amazonaws.com" in json.dumps(trust, default=str)


def _of_unknown_package(resource: Resource, *, shows_parts: bool) -> Iterator[NotRead]:
    """A component shows what it makes; another resource is judged by its type's name and by what it is given.

    A Terraform module is one resource; where its parts are shown, they are judged themselves.
    """
    package, _, rest = resource.type.partition(":")
    step = MAKE_IT
    if rest == _TERRAFORM_MODULE:
        if not shows_parts:
            yield NotRead(resource, "is a Terraform module, whose resources are not shown", step)
    elif resource.provider is None:
        return
    elif type_makes_iam(resource.type):
        yield NotRead(resource, f"is of package {package}, which is not read, and by its name it makes IAM", step)
    elif holds_document(_properties(resource)):
        yield NotRead(resource, f"is of package {package}, which is not read, and holds an IAM policy document", step)


def _properties(resource: Resource) -> Mapping[str, object]:
    return resource.inputs if resource.inputs is not None else resource.outputs
