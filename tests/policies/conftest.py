"""States for the tests of the pack."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.access.world import World


@pytest.fixture
def write_state() -> Callable[[Path, World], None]:
    """Write a stack as `pulumi stack export` does."""

    def write(file: Path, world: World) -> None:
        resources = [
            {
                "urn": one.urn,
                "type": one.type,
                "custom": True,
                "id": "id",
                "inputs": dict(one.inputs or {}),
                "outputs": dict(one.outputs),
                "provider": f"{one.provider}::id" if one.provider else "",
                "parent": one.parent or "",
                "protect": one.protect,
            }
            for one in world.resources
        ]
        file.write_text(json.dumps({"version": 3, "deployment": {"resources": resources}}))

    return write
