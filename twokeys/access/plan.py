"""A snapshot from an update plan: what `pulumi preview --save-plan FILE` wrote, on top of the state it starts from."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from twokeys.access.snapshot import Resource, Snapshot
from twokeys.access.state import properties
from twokeys.errors import Refusal


def read_plan(path: Path, before: Snapshot) -> Snapshot:
    """The snapshot that a plan leads to.

    A plan holds what changes of each resource's inputs, and the outputs that the preview expects; the rest is in the
    state `before`. Raises Refusal when the file is no plan.
    """
    try:
        plans = json.loads(path.read_text(encoding="utf-8"))["resourcePlans"]
        return Snapshot(tuple(_resources(plans, before)), origin=f"plan {path}")
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise Refusal(
            "this is no update plan",
            where=str(path),
            why=str(error) if isinstance(error, OSError | ValueError) else "it has no resourcePlans that can be read",
            next_step="write one with `pulumi preview --save-plan FILE`",
        ) from error


def _resources(plans: Mapping[str, Any], before: Snapshot) -> Iterator[Resource]:
    for urn, plan in plans.items():
        goal = plan.get("goal")
        if goal is None:
            continue
        old = before.by_urn.get(urn)
        change = goal.get("inputDiff") or {}
        inputs = dict(old.inputs or {}) if old else {}
        for key in change.get("deletes") or ():
            inputs.pop(key, None)
        inputs |= properties({**(change.get("adds") or {}), **(change.get("updates") or {})})
        yield Resource(
            urn=urn,
            type=goal["type"],
            name=goal["name"],
            inputs=inputs,
            outputs=properties(plan.get("state") or {}),
            provider=(goal.get("provider") or "").rpartition("::")[0] or None,
            parent=goal.get("parent") or None,
            property_dependencies={
                key: tuple(urns) for key, urns in (goal.get("propertyDependencies") or {}).items() if urns
            },
            protect=bool(goal.get("protect")),
        )
