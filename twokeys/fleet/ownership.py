"""Which resources of a state belong to one member account: what moves when the account moves to another stack. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from twokeys.doors import symbol

_NAMED_AFTER_IT: Final = frozenset(
    {
        "twokeys:accounts:MemberAccount",
        "twokeys:accounts:AccountBaseline",
        "twokeys:bill:AccountBudget",
        "pulumi:providers:aws",
    }
)


def resources_of_account(resources: Iterable[Mapping[str, Any]], account: str) -> list[str]:
    """The URNs of everything that belongs to the account with that key in the config, in the order of the state.

    That is what `components/accounts.py` makes of it: the components and the provider named after it, the doors whose
    declared target it is, and all their children. The grant of a door belongs to the door, though it is made in the
    management account. Empty for an account that the state does not have.

    Args:
        resources: those of a deployment as `pulumi stack export` prints it; secrets may be encrypted.
    """
    target = symbol(account)
    found: dict[str, None] = {}
    for one in resources:  # a parent always stands before its children
        named = one["type"] in _NAMED_AFTER_IT and one["urn"].rpartition("::")[2] == account
        if one.get("parent") in found or named or _leads_to(one, target):
            found[one["urn"]] = None
    return list(found)


def _leads_to(one: Mapping[str, Any], target: str) -> bool:
    """Whether it is a door (`door`, see `twokeys.doors.Door`) into that account."""
    door = (one.get("inputs") or {}).get("door")
    return not one.get("custom") and isinstance(door, dict) and (door.get("target") or {}).get("account") == target
