"""Doors close when they should."""

from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta

from pydantic import Field

from twokeys.access.findings import Config, Finding, Rule, where_declared
from twokeys.access.graph import Graph
from twokeys.access.model.documents import Document
from twokeys.access.model.principals import Principal
from twokeys.access.model.requirements import ended
from twokeys.access.reading.snapshot import Resource
from twokeys.doors import DeclaredDoor, OrganizationGrant
from twokeys.doors.expiry import until


class TemporaryDoors(Config):
    """How long a temporary door may be open from the day on which it is judged."""

    most_days: int | None = Field(default=None, ge=0, le=3660)


def _expired(graph: Graph, config: TemporaryDoors, now: datetime) -> Iterator[Finding]:
    declared = list(_declared(graph, config, now))
    yield from declared
    said = {finding.urn for finding in declared}
    for role in graph.roles:
        if role.trust is not None and said.isdisjoint(graph.snapshot.ancestors(graph.snapshot.by_urn[role.urn or ""])):
            yield from _by_trust(graph, role, role.trust, config, now)


def _declared(graph: Graph, config: TemporaryDoors, now: datetime) -> Iterator[Finding]:
    for resource in graph.snapshot.resources:
        properties = resource.inputs or resource.outputs
        door, grant = properties.get("door"), properties.get("organizationGrant")
        if isinstance(door, dict) and "source" in door and "target" in door:
            yield from _judged(graph, resource, door, DeclaredDoor, config, now)
        if isinstance(grant, dict):
            yield from _judged(graph, resource, grant, OrganizationGrant, config, now)


def _by_trust(
    graph: Graph, role: Principal, trust: Document, config: TemporaryDoors, now: datetime
) -> Iterator[Finding]:
    place = f"role {role.name} in account {graph.accounts.name(role.account)}"
    for one in trust.statements:
        over = ended(one)
        if one.effect != "Allow" or over is None:
            continue
        if over <= now:
            message = f"The trust policy of {place} has a statement that is over: it lets in until {until(over)}"
            step = "remove the statement and the grants of those whom it lets in, or set a later date"
            yield Finding(message, step, role.urn, source=trust.source)
        else:
            yield from _too_long(f"trust policy of {place} (statement {one.index})", over, role, config, now)


def _judged(  # noqa: PLR0913, PLR0917 - one judgement
    graph: Graph,
    resource: Resource,
    declared: dict[str, object],
    model: type[DeclaredDoor] | type[OrganizationGrant],
    config: TemporaryDoors,
    now: datetime,
) -> Iterator[Finding]:
    what = "door" if model is DeclaredDoor else "grant"
    try:
        found = model.read(declared, newer=False)
    except ValueError as error:
        message = f"The {what} that {resource.name} declares cannot be read: {error}"
        step = f"declare it with twokeys.doors.{model.__name__}, from values known in preview; or update TwoKeys here"
        yield Finding(message, step, resource.urn, source=resource.source)
        return
    if found.expires is not None and found.expires <= now:
        reason = f" ({found.reason})" if found.reason else ""
        role = found.target.role if isinstance(found, DeclaredDoor) else f"{found.role} of every account"
        message = (
            f"The {what} {found.name}{reason} to role {role} is closed since {until(found.expires)} and still declared"
        )
        where = where_declared(resource, graph.snapshot)
        step = f"remove the {what} {found.name} {where}, or let {found.owner or 'its owner'} set a later day there"
        yield Finding(message, step, resource.urn, source=resource.source)
    if found.expires is not None:
        yield from _too_long(f"{what} {found.name}", found.expires, resource, config, now)


def _too_long(
    what: str, ends: datetime, where: Resource | Principal, config: TemporaryDoors, now: datetime
) -> Iterator[Finding]:
    if config.most_days is None:
        return
    last = datetime.combine(now.date() + timedelta(days=config.most_days + 1), time(), UTC)
    if ends > last:
        message = (
            f"The {what} is open until {until(ends)}, and this pack lets a temporary one be open until {until(last)} "
            f"(mostDays {config.most_days})"
        )
        yield Finding(message, "let it end earlier", where.urn, source=where.source)


DOOR_EXPIRED = Rule(
    name="door-expired",
    description="A temporary door is closed when its time is over.",
    severity="high",
    remediation="Remove the door, or set a later day if it is still needed.",
    url="https://docs.aws.amazon.com/IAM/latest/UserGuide/best-practices.html",
    check=_expired,
    config=TemporaryDoors,
)
"""A declared door, or a declared grant for the whole organization, exists until the moment `expires`; a statement of a
trust policy until its condition on `aws:CurrentTime` or `aws:EpochTime` can no longer be met.

`mostDays` refuses a temporary door or statement that would be open for longer than that from today.

Unknown: declarations are always known; one that is not, or that cannot be read, is refused.
Does not check: grants without a declaration, and whether anybody closes a door between two updates.
"""
