"""What the documentation names is there, and what is there is documented."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from twokeys import cli
from twokeys.access.rules import RULES


def test_the_page_of_the_policy_pack_lists_every_rule_as_it_is(project_root: Path) -> None:
    page = (project_root / "docs/policies.md").read_text()
    rows = re.findall(r"^\| \[`([^`]+)`\]\(([^)]+)\) \| (\w+) \| (\w+) \| (.+) \|$", page, re.MULTILINE)
    assert rows == [
        (rule.name, rule.url, "mandatory" if rule.mandatory else "advisory", rule.severity, rule.description)
        for rule in RULES
    ]


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md", "docs", "examples"])
def test_a_link_to_a_file_of_ours_leads_somewhere(page: str, project_root: Path) -> None:
    place = project_root / page
    files = sorted(place.rglob("*.md")) if place.is_dir() else [place]
    for file in files:
        for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", file.read_text()):
            if "://" not in target:
                assert (file.parent / target).exists(), f"{file.name} links to {target}"


def test_the_readme_names_every_command(project_root: Path) -> None:
    readme = (project_root / "README.md").read_text()
    for name in cli.COMMANDS:
        assert f"twokeys {name}" in readme


def test_nothing_in_the_documentation_is_left_to_fill_in(project_root: Path) -> None:
    for file in [project_root / "README.md", *sorted((project_root / "docs").glob("*.md"))]:
        assert not re.search(r"@@|TODO|TBD|FIXME", file.read_text()), file
