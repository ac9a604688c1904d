"""Doors as values: what config, components, exports, the graph and every answer mean by a door."""

from twokeys.doors.model import (
    RESERVED,
    Door,
    DoorRequirements,
    DoorSource,
    DoorTarget,
    ExportedDoor,
    ExportedGrant,
    OrganizationGrant,
    SymbolicDocument,
)
from twokeys.doors.outputs import (
    ACCOUNT_OUTPUT,
    DOORS_OUTPUT,
    GRANTS_OUTPUT,
    MEMBERS_OUTPUT,
    ORGANIZATION_OUTPUT,
    OTHER_STACK,
    PROPERTY,
)
from twokeys.doors.symbols import (
    ACCOUNT,
    SYMBOL_PREFIX,
    UnresolvedSymbolError,
    is_symbol,
    organization_symbol,
    render,
    resolve,
    symbol,
    symbols,
)
from twokeys.doors.who import Who

__all__ = [
    "ACCOUNT",
    "ACCOUNT_OUTPUT",
    "DOORS_OUTPUT",
    "GRANTS_OUTPUT",
    "MEMBERS_OUTPUT",
    "ORGANIZATION_OUTPUT",
    "OTHER_STACK",
    "PROPERTY",
    "RESERVED",
    "SYMBOL_PREFIX",
    "Door",
    "DoorRequirements",
    "DoorSource",
    "DoorTarget",
    "ExportedDoor",
    "ExportedGrant",
    "OrganizationGrant",
    "SymbolicDocument",
    "UnresolvedSymbolError",
    "Who",
    "is_symbol",
    "organization_symbol",
    "render",
    "resolve",
    "symbol",
    "symbols",
]
