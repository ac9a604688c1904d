"""The rules of the policy pack: pure functions from the access graph to findings."""

from __future__ import annotations

from typing import Any

from twokeys.access.findings import Rule
from twokeys.access.rules.doors import DOOR_NEEDS_GRANT, DOOR_NEEDS_TRUST, UNPROVED_DOOR

RULES: tuple[Rule[Any], ...] = (DOOR_NEEDS_GRANT, DOOR_NEEDS_TRUST, UNPROVED_DOOR)
"""Every rule, in the order in which a pack reports them."""
