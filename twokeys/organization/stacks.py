"""The stacks of a project as plans for an organization."""

from __future__ import annotations

from pathlib import Path

from twokeys.errors import Refusal
from twokeys.organization.plan import Plan
from twokeys.organization.preflight import Project
from twokeys.project.config import load_project
from twokeys.project.stacks import settings_of


def read_project(root: Path, stacks: tuple[str, ...]) -> Project:
    """The chosen stacks, and all others with which they might clash.

    Raises:
        Refusal: there is no project, or a chosen stack's config cannot be used.
    """
    project = load_project(root)
    chosen = tuple(Plan(stack, settings_of(project, stack)) for stack in dict.fromkeys(stacks))
    others, unreadable = [], {}
    for stack, file in project.stacks().items():
        if stack in stacks:
            continue
        try:
            others.append(Plan(stack, settings_of(project, stack)))
        except Refusal as refusal:
            unreadable[str(file.relative_to(root))] = f"{refusal.what}: {refusal.why}"
    return Project(chosen, tuple(others), unreadable)
