"""What may let somebody in and is not read: never passed over in silence.

A resource whose type says so, and one whose content does: a command, code of a dynamic provider, a resource of a
package that nobody knows. `makes_iam` searches such content.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from twokeys.access.model.door_name import EXCEPT, DoorName
from twokeys.access.model.makes_iam import (
    code_may_make_iam,
    code_shown,
    command_makes_iam,
    holds_document,
    type_makes_iam,
)
from twokeys.access.reading.snapshot import Resource, Snapshot
from twokeys.access.reading.types import TERRAFORM_MODULE, Reading, aws_type, type_of
from twokeys.iam.leaves import texts

PROVIDER_CODE = "__provider"
MAKE_IT = f"make it with resources of pulumi-aws, or {EXCEPT}"
_SEE_WHOM = f"see whom it lets in, and {EXCEPT}"
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


def not_read(snapshot: Snapshot) -> Iterator[NotRead]:
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
            yield from _by_content(resource)


def _by_content(resource: Resource) -> Iterator[NotRead]:
    if resource.type.startswith("command:"):
        yield from _command(resource)
    elif PROVIDER_CODE in _properties(resource) or ":dynamic" in resource.type:
        yield from _dynamic(resource)
    elif aws_type(resource.type) in _CODE:
        certain = holds_document(_properties(resource))
        yield NotRead(resource, "runs code that is not read", f"see what the code may do, or {EXCEPT}", certain)


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
        yield NotRead(resource, why, f"see that the command makes no IAM, or {EXCEPT}", certain=False)


def _dynamic(resource: Resource) -> Iterator[NotRead]:
    """A dynamic provider is a program of its own. Code that is shown and does not speak of IAM is only mentioned."""
    code = code_shown(resource.get(PROVIDER_CODE))
    others = {key: value for key, value in _properties(resource).items() if key != PROVIDER_CODE}
    step = f"make what it makes in AWS with resources of pulumi-aws, or {EXCEPT}"
    if code is None:
        yield NotRead(resource, "is made by a dynamic provider whose code is not shown", step)
    elif code_may_make_iam(code, others):
        yield NotRead(resource, "is made by a dynamic provider, whose code may make IAM", step)
    else:
        yield NotRead(resource, "is made by a dynamic provider, whose code is not read", step, certain=False)


def _of_unknown_package(resource: Resource, *, shows_parts: bool) -> Iterator[NotRead]:
    """A component shows what it makes; another resource is judged by its type's name and by what it is given.

    A Terraform module is one resource; where its parts are shown, they are judged themselves.
    """
    package, _, rest = resource.type.partition(":")
    if rest == TERRAFORM_MODULE:
        if not shows_parts:
            yield NotRead(resource, "is a Terraform module, whose resources are not shown", MAKE_IT)
    elif resource.provider is None:
        return
    elif type_makes_iam(resource.type):
        yield NotRead(resource, f"is of package {package}, which is not read, and by its name it makes IAM", MAKE_IT)
    elif holds_document(_properties(resource)):
        yield NotRead(resource, f"is of package {package}, which is not read, and holds documents of IAM", MAKE_IT)


def _properties(resource: Resource) -> Mapping[str, object]:
    return resource.inputs if resource.inputs is not None else resource.outputs
