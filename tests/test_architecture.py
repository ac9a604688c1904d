"""Dependencies point one way; a newcomer finds where a thing belongs from what may import what."""

import ast
import re
import sys
import tomllib
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

OURS = {"twokeys", "components", "policies"}
ENGINES = {"pulumi", "pulumi_aws", "pulumi_policy", "ministack", "grpc"}
TABLE = (
    (Path(__file__).parent.parent / "CONTRIBUTING.md").read_text().partition("| may import |")[2].partition("\n\n")[0]
)
ROWS = [row.split("|") for row in TABLE.splitlines()[2:]]
"""CONTRIBUTING's table of places, cell by cell."""
ALLOWED = {
    place.rstrip("/"): set(re.findall(r"`([\w.]+)`", row[3]))
    for row in ROWS
    for place in re.findall(r"`([\w./]+)`", row[1])
}
"""What a place may import of ours, and of the libraries that tie code to an engine or a cloud."""
FOR_EVERYBODY = {
    place.removesuffix(".py").replace("/", ".")
    for row in ROWS
    if row[2].startswith(" for everybody:")
    for place in re.findall(r"`([\w./]+)`", row[1])
}

ADAPTERS = {
    "components/readiness.py",
    "twokeys/access/reading/live.py",
    "twokeys/access/reading/live_identity_center.py",
    "twokeys/assume/session.py",
    "twokeys/audit/lookup.py",
    "twokeys/aws_errors.py",
    "twokeys/aws_reference.py",
    "twokeys/costs/explorer.py",
    *(f"twokeys/organization/{name}.py" for name in ("creations", "entering", "reading")),
    *(f"twokeys/organization/{name}.py" for name in ("adopt_command", "preflight_command")),
    *(f"twokeys/organization/life/{name}.py" for name in ("aws", "commands")),
    "twokeys/pack/own_account.py",
    "twokeys/profiles/awsconfig.py",
    "twokeys/verify/attempts.py",
    "twokeys/verify/credentials.py",
}
"""Beside the sandbox, the files that may import boto3 or botocore."""


@cache
def _imports(file: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            assert node.level == 0, f"{file}: relative imports hide where a thing comes from"
            names.update(f"{node.module}.{alias.name}" for alias in node.names)
    return names


def _within(name: str, folder: str) -> bool:
    return name == folder or name.startswith(folder + ".")


def _row(name: str) -> str:
    """The row that a module belongs to: that of its folder, or of the nearest folder above that has one."""
    rows = [row.removesuffix(".py").replace("/", ".") for row in ALLOWED]
    return max((row for row in rows if _within(name, row)), key=len, default="")


def _files(place: Path, root: Path) -> list[Path]:
    """What a row is about: a file, or what is in a folder and has no row of its own."""
    if place.is_file():
        return [place]
    others = [root / row for row in ALLOWED if root / row != place and (root / row).is_relative_to(place)]
    return [
        file
        for file in sorted(place.rglob("*.py"))
        if not any(file == other or file.is_relative_to(other) for other in others)
    ]


@pytest.mark.parametrize("row", sorted(ALLOWED))
def test_a_folder_imports_only_what_lies_below_it(row: str, project_root: Path) -> None:
    files, row_of = _files(project_root / row, project_root), row.removesuffix(".py").replace("/", ".")
    assert files, f"{row} has moved: change this test with it"
    for file in files:
        for name in _imports(file):
            if name.split(".")[0] in OURS | ENGINES:
                known = any(_within(name, allowed) for allowed in (*FOR_EVERYBODY, *ALLOWED[row]))
                assert known or _row(name) == row_of, (
                    f"{file.relative_to(project_root)} imports {name}, which {row} must not know: move it, or"
                    " let CONTRIBUTING's table say so"
                )


def test_the_rows_make_no_circle() -> None:
    names = {row.removesuffix(".py").replace("/", "."): allowed for row, allowed in ALLOWED.items()}
    below = {
        name: {other for other in names for one in allowed if other == _row(one) or _within(other, one)} - {name}
        for name, allowed in names.items()
        if name != "twokeys.sandbox"
    }
    TopologicalSorter(below).prepare()


def test_boto3_stays_in_adapters(project_root: Path) -> None:
    sandbox = project_root / "twokeys/sandbox"
    importing = {
        file.relative_to(project_root).as_posix()
        for folder in OURS
        for file in (project_root / folder).rglob("*.py")
        if not file.is_relative_to(sandbox) and {"boto3", "botocore"} & {name.split(".")[0] for name in _imports(file)}
    }
    new, gone = sorted(importing - ADAPTERS), sorted(ADAPTERS - importing)
    assert not new, f"{new} import boto3 or botocore: ask AWS in one of ADAPTERS and pass on what it answers"
    assert not gone, f"take {gone} out of ADAPTERS: they do not import boto3"


def test_every_file_has_a_row(project_root: Path) -> None:
    rows = [project_root / row for row in ALLOWED]
    for file in (project_root / "twokeys").rglob("*.py"):
        if file.name != "__init__.py" or file.read_text().count("import"):
            assert any(file == row or file.is_relative_to(row) for row in rows), (
                f"{file.relative_to(project_root)} is in no row of CONTRIBUTING's table: say what it may import"
            )


def test_nothing_knows_the_sandbox() -> None:
    for row, allowed in ALLOWED.items():
        if not row.startswith("twokeys/sandbox"):
            known = [name for name in allowed if name.startswith("twokeys.sandbox") or name == "twokeys"]
            assert not known, f"take {known} out of the row of {row}: only twokeys/sandbox knows the sandbox"


def test_the_iam_evaluation_imports_nothing_but_the_standard_library(project_root: Path) -> None:
    for file in sorted((project_root / "twokeys/iam").rglob("*.py")):
        for name in _imports(file):
            assert name.split(".")[0] in sys.stdlib_module_names or _within(name, "twokeys.iam"), (
                f"{file.relative_to(project_root)} imports {name}: move what needs it out of twokeys/iam"
            )


def test_every_service_of_the_sdk_that_is_used_is_checked_for_its_types(project_root: Path) -> None:
    """mypy takes what it does not read for `Any`, without a word."""
    overrides = tomllib.loads((project_root / "pyproject.toml").read_text())["tool"]["mypy"]["overrides"]
    read = {name for one in overrides if one.get("follow_imports") == "normal" for name in one["module"]}
    files = [project_root / "__main__.py", *(project_root / "components").glob("*.py")]
    used = {name for file in files for name in re.findall(r"\baws\.([a-z]\w*)\.?[A-Z(]", file.read_text())}
    missing = sorted({f"pulumi_aws.{name}.*".replace("_output.*", ".*") for name in used} - read)
    assert not missing, f"pyproject.toml, tool.mypy.overrides with follow_imports = 'normal': add {missing}"
