"""What may let somebody in and is not read is said, and stands only with somebody's name on it."""

from collections.abc import Callable, Iterator
from datetime import datetime

from twokeys.access.exceptions import DoorConfig
from twokeys.access.findings import Finding, Rule
from twokeys.access.graph import SHOW_SECRETS, Graph

_TYPES = "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_create.html"


def _of(*, certain: bool) -> Callable[[Graph, DoorConfig, datetime], Iterator[Finding]]:
    def check(graph: Graph, _config: DoorConfig, _now: datetime) -> Iterator[Finding]:
        for found in graph.not_read:
            if found.certain is certain and not found.unknown:
                resource = found.resource
                message = f"{resource.label} {found.why}: whom that lets in is not proved"
                hidden = ":dynamic" in resource.type and resource.hides_secret
                step = SHOW_SECRETS if certain and hidden else found.next_step
                yield Finding(message, step, resource.made_by or resource.urn, found.door, resource.source)

    return check


NOT_READ = Rule(
    name="not-read",
    description="What can make IAM, or hand out a role, is read or accepted by name.",
    severity="high",
    remediation="Make it with resources of pulumi-aws, or accept it with owner, reason and expiry.",
    url=_TYPES,
    check=_of(certain=True),
    config=DoorConfig,
)
"""A resource of a type that makes IAM and is not read: a template by its URL or with a transform, Service Catalog,
Roles Anywhere, a command that calls IAM, a dynamic provider that speaks of IAM, a type of IAM that is new.

docs/what-is-read.md lists the types. Unknown: a template, or a type, that is not known yet is left to `unproved-door`.
Does not check: what the resources of packages that nobody knows do, unless their type's name or a policy document in
them says that they make IAM.
"""

CODE_NOT_READ = Rule(
    name="code-not-read",
    description="Commands and code that an update runs can do whatever their credentials may.",
    severity="medium",
    remediation="See that it makes no IAM.",
    url=_TYPES,
    check=_of(certain=False),
    config=DoorConfig,
    mandatory=False,
)
"""A command, a dynamic provider or a custom resource that shows no sign of making IAM.

Unknown: a command that is not known yet is mentioned too. Does not check: what the code does.
"""
