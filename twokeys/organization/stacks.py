"""The stacks of a project as their files say: `Pulumi.*.yaml` in its folder and in `shards/`."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

from twokeys.errors import Refusal
from twokeys.organization.plan import Plan
from twokeys.organization.preflight import Project
from twokeys.sandbox.project import Project as PulumiProject
from twokeys.sandbox.project import load_config, load_project
from twokeys.settings import parse

_SHARDS = "shards"


def read_project(root: Path, stacks: tuple[str, ...]) -> Project:
    """The chosen stacks, and all others with which they might clash.

    Raises:
        Refusal: there is no project, or a chosen stack's config cannot be used.
    """
    pulumi = load_project(root)
    chosen = tuple(_plan(pulumi, stack) for stack in stacks)
    others, unreadable = [], {}
    for file in sorted((*root.glob("Pulumi.*.yaml"), *(root / _SHARDS).glob("Pulumi.*.yaml"))):
        stack = re.fullmatch(r"Pulumi\.(.+)\.yaml", file.name)
        if stack is None or stack[1] in stacks:
            continue
        try:
            others.append(_plan(pulumi, stack[1]))
        except Refusal as refusal:
            unreadable[str(file.relative_to(root))] = f"{refusal.what}: {refusal.why}"
    return Project(chosen, tuple(others), unreadable)


def _plan(project: PulumiProject, stack: str) -> Plan:
    if not project.stack_file(stack).exists() and (project.root / _SHARDS / f"Pulumi.{stack}.yaml").exists():
        project = replace(project, root=project.root / _SHARDS)
    return Plan(stack, parse(stack, load_config(project, stack, {}).values))
