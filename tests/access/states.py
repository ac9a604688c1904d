"""Stacks as files: what `pulumi stack export` and `pulumi preview --save-plan` write."""

import json
from pathlib import Path
from typing import Any

from tests.access.world import World


def write_state(file: Path, world: World, **changes: Any) -> Path:
    """Write a stack as `pulumi stack export` does; `changes` are fields of every resource."""
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
            **changes,
        }
        for one in world.resources
    ]
    file.write_text(json.dumps({"version": 3, "deployment": {"resources": resources}}))
    return file


def write_plan(file: Path, world: World, *, deleted: tuple[str, ...] = ()) -> Path:
    """Write the plan that leads to a stack, as `pulumi preview --save-plan` does for resources that stay the same."""
    plans: dict[str, Any] = {urn: {"steps": ["delete"], "state": None} for urn in deleted}
    for one in world.resources:
        goal = {
            "type": one.type,
            "name": one.name,
            "custom": True,
            "inputDiff": {"adds": dict(one.inputs or {})},
            "provider": f"{one.provider}::id" if one.provider else "",
        }
        plans[one.urn] = {"goal": goal, "steps": ["same"], "state": dict(one.outputs)}
    file.write_text(json.dumps({"manifest": {}, "resourcePlans": plans}))
    return file
