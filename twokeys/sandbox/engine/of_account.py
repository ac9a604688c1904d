"""Which resources of a state belong to one member account: what moves when the account moves to another stack."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from twokeys.doors import symbol
from twokeys.sandbox.engine.resource import Resource, urn_name
from twokeys.sandbox.engine.values import PropertyValue, plain

_NAMED_AFTER_IT: Final = frozenset(
    {
        "twokeys:accounts:MemberAccount",
        "twokeys:accounts:AccountBaseline",
        "twokeys:bill:AccountBudget",
        "pulumi:providers:aws",
    }
)


def resources_of_account(resources: Iterable[Resource], account: str) -> list[str]:
    """The URNs of everything that belongs to the account with that key in the config, in the order of the state.

    That is what `components/accounts.py` makes of it: the components and the provider named after it, the doors whose
    declared target it is, and all their children. The grant of a door belongs to the door, though it is made in the
    management account. Empty for an account that the state does not have.
    """
    target = symbol(account)
    found: dict[str, None] = {}
    for one in resources:  # a parent always stands before its children
        if (
            one.parent in found
            or (one.type in _NAMED_AFTER_IT and urn_name(one.urn) == account)
            or _leads_to(one, target)
        ):
            found[one.urn] = None
    return list(found)


def _leads_to(one: Resource, target: str) -> bool:
    """Whether it is a door (`door`, see `twokeys.doors.Door`) into that account."""
    door: PropertyValue = plain(one.inputs).get("door")
    return not one.custom and isinstance(door, dict) and (door.get("target") or {}).get("account") == target
