"""A stack after a run of it was killed: unlocked, and what the run had begun to create taken over."""

from __future__ import annotations

from pathlib import Path

from pulumi import automation

from twokeys.fleet.backend import open_stack, refused
from twokeys.fleet.locks import unlock
from twokeys.fleet.pending import creating, identifiers, looked_up, refusal, taken_over, unclear


def recovered(stack: str, folder: Path, machine_lost: str | None) -> list[str]:
    """Make a stack ready for its next update; returns what was done, one text each.

    Raises:
        Refusal: the lock's owner may be alive, AWS cannot be asked, or a create is unclear.
    """
    unlocked = unlock(stack, folder, machine_lost)
    try:
        return [*unlocked, *take_over(open_stack(stack, str(folder)), str(folder))]
    except automation.CommandError as error:
        raise refused(f"what was begun in stack {stack} cannot be taken over", str(folder), error) from error


def take_over(stack: automation.Stack, folder: str) -> list[str]:
    """Take over what a killed run had begun to create, see `twokeys.fleet.pending`; returns what became of each.

    Raises:
        Refusal: AWS cannot be asked, an account that was begun cannot be told from another, or it is unclear whether
            something was made.
        CommandError: the CLI does not write the state, or cannot read what is there.
    """
    state = stack.export_stack()
    deployment = state.deployment or {}
    begun = creating(deployment)
    if not begun:
        return []
    by_aws = looked_up(begun)
    found = {**identifiers(deployment), **{urn: identifier for urn, (identifier, _) in by_aws.items()}}
    left = unclear(begun, found)
    deployment = taken_over(deployment, found, {urn: arn for urn, (_, arn) in by_aws.items()}, left)
    stack.import_stack(automation.Deployment(version=state.version, deployment=deployment))
    if found:
        stack.refresh(target=list(found))
    if left:
        raise refusal(stack.name, folder, left)
    became = {urn: f"it is looked at as {identifier}" for urn, identifier in found.items()}
    killed = "a run was killed while it created this"
    return [f"{one['urn']}: {killed}: {became.get(one['urn'], 'it is asked for anew')}" for one in begun]
