"""Dependencies point one way; a newcomer finds where a thing belongs from what may import what."""

import ast
import re
import sys
import tomllib
from pathlib import Path

import pytest

# What each folder may import of ours and of the libraries that tie code to an engine or a cloud.
OURS = {"twokeys", "components", "policies"}
ENGINES = {"pulumi", "pulumi_aws", "pulumi_policy", "ministack", "grpc"}
ALLOWED: dict[str, set[str]] = {
    "twokeys/iam": {"twokeys.iam"},
    "twokeys/doors": {"twokeys.doors", "twokeys.iam"},
    "twokeys/sdk.py": set(),
    "twokeys/shown.py": set(),
    "twokeys/answers": {
        "twokeys.aws_reference",
        "twokeys.options",
        "twokeys.answers",
        "twokeys.access",
        "twokeys.access_role",
        "twokeys.doors",
        "twokeys.iam",
        "twokeys.shown",
        "twokeys.project",
        "twokeys.files",
        "twokeys.policy_packs",
        "twokeys.errors",
        "twokeys.temporary.open_command",
    },
    "twokeys/temporary": {
        "twokeys.temporary",
        "twokeys.preview",
        "twokeys.settings",
        "twokeys.doors",
        "twokeys.project",
        "twokeys.options",
        "twokeys.files",
        "twokeys.errors",
    },
    "twokeys/errors.py": set(),
    "twokeys/aws_reference.py": {"twokeys.iam", "twokeys.errors"},
    "twokeys/access_role.py": set(),
    "twokeys/settings": {
        "twokeys.aws_reference",
        "twokeys.settings",
        "twokeys.doors",
        "twokeys.access_role",
        "twokeys.iam",
        "twokeys.errors",
    },
    "twokeys/access": {
        "twokeys.aws_reference",
        "twokeys.access",
        "twokeys.doors",
        "twokeys.access_role",
        "twokeys.iam",
        "twokeys.errors",
    },
    "twokeys/files.py": {"twokeys.errors"},
    "twokeys/options.py": {"twokeys.errors"},
    "twokeys/aws_errors.py": {"twokeys.errors"},
    "twokeys/declared.py": {"twokeys.doors", "pulumi"},
    "twokeys/policy_packs.py": {"twokeys.errors", "twokeys.options"},
    "twokeys/map": {
        "twokeys.map",
        "twokeys.answers",
        "twokeys.access",
        "twokeys.doors",
        "twokeys.shown",
        "twokeys.files",
        "twokeys.errors",
    },
    "twokeys/audit": {
        "twokeys.aws_reference",
        "twokeys.options",
        "twokeys.audit",
        "twokeys.answers",
        "twokeys.shown",
        "twokeys.doors",
        "twokeys.access",
        "twokeys.access_role",
        "twokeys.iam",
        "twokeys.errors",
        "twokeys.files",
    },
    "twokeys/verify/credentials.py": {"twokeys.verify", "twokeys.aws_errors"},
    "twokeys/verify/attempts.py": {"twokeys.doors"},
    "twokeys/verify/doors.py": {"twokeys.doors", "twokeys.iam", "twokeys.errors"},
    "twokeys/verify/probes.py": {"twokeys.verify", "twokeys.doors", "twokeys.errors"},
    "twokeys/project/stack_yaml.py": set(),
    "twokeys/project/shards.py": set(),
    "twokeys/project": {"twokeys.project", "twokeys.settings", "twokeys.access", "twokeys.errors"},
    "twokeys/fleet": {
        "twokeys.fleet",
        "twokeys.doors",
        "twokeys.organization",
        "twokeys.settings",
        "twokeys.access",
        "twokeys.verify",
        "twokeys.project",
        "twokeys.policy_packs",
        "twokeys.options",
        "twokeys.files",
        "twokeys.shown",
        "twokeys.errors",
        "pulumi",
    },
    "twokeys/preview": {
        "twokeys.preview",
        "twokeys.access",
        "twokeys.pack",
        "twokeys.iam",
        "twokeys.exports",
        "twokeys.policy_packs",
        "twokeys.project",
        "twokeys.options",
        "twokeys.shown",
        "twokeys.errors",
        "pulumi",
        "grpc",
    },
    "twokeys/exports.py": {"twokeys.access", "twokeys.iam", "twokeys.errors", "twokeys.options"},
    "twokeys/assume": {
        "twokeys.assume",
        "twokeys.aws_errors",
        "twokeys.profiles",
        "twokeys.exports",
        "twokeys.iam",
        "twokeys.errors",
    },
    "twokeys/profiles": {
        "twokeys.options",
        "twokeys.project",
        "twokeys.answers",
        "twokeys.profiles",
        "twokeys.doors",
        "twokeys.exports",
        "twokeys.files",
        "twokeys.access",
        "twokeys.iam",
        "twokeys.errors",
    },
    "twokeys/costs": {
        "twokeys.costs",
        "twokeys.exports",
        "twokeys.files",
        "twokeys.options",
        "twokeys.shown",
        "twokeys.errors",
    },
    "twokeys/organization/life": {
        "twokeys.organization",
        "twokeys.access",
        "twokeys.settings",
        "twokeys.options",
        "twokeys.aws_errors",
        "twokeys.shown",
        "twokeys.errors",
        "twokeys.project",
    },
    "twokeys/organization/model.py": set(),
    "twokeys/organization/reading.py": {"twokeys.organization.model", "twokeys.aws_errors"},
    "twokeys/organization": {
        "twokeys.organization",
        "twokeys.access_role",
        "twokeys.aws_reference",
        "twokeys.settings",
        "twokeys.project",
        "twokeys.files",
        "twokeys.options",
        "twokeys.aws_errors",
        "twokeys.shown",
        "twokeys.errors",
    },
    "components": {
        "components",
        "twokeys.shown",
        "twokeys.settings",
        "twokeys.project.shards",
        "twokeys.errors",
        "twokeys.doors",
        "pulumi",
        "pulumi_aws",
    },
    "twokeys/pack": {
        "twokeys.options",
        "twokeys.pack",
        "twokeys.access",
        "twokeys.answers",
        "twokeys.sdk",
        "twokeys.shown",
        "twokeys.doors",
        "twokeys.iam",
        "twokeys.errors",
        "pulumi",
        "grpc",
    },
    "policies": {"twokeys.pack"},
    "twokeys/cli.py": {"twokeys.aws_errors", "twokeys.errors", "twokeys.extras", "twokeys.shown"},
    "twokeys/extras.py": {"twokeys.errors"},
    "twokeys/sandbox": {"twokeys", "pulumi", "grpc"},
    "twokeys/sandbox/local_server": {
        "twokeys.errors",
        "twokeys.sandbox.local_aws.DETACH",
        "twokeys.sandbox.local_server",
        "ministack.core.arn",
        "ministack.core.iam_actions",
        "ministack.core.persistence",
        "ministack.core.responses",
        "ministack.core.router",
    },
    "twokeys/sandbox/local_server/inside.py": set(),  # imports ministack's modules by name, and nobody else does
}

ADAPTERS = {
    "components/readiness.py",
    "twokeys/access/live.py",
    "twokeys/access/live_identity_center.py",
    "twokeys/assume/session.py",
    "twokeys/audit/commands.py",
    "twokeys/audit/lookup.py",
    "twokeys/aws_errors.py",
    "twokeys/aws_reference.py",
    "twokeys/costs/explorer.py",
    *(f"twokeys/organization/{name}.py" for name in ("creations", "entering", "reading", "session")),
    *(f"twokeys/organization/{name}.py" for name in ("adopt_command", "preflight_command")),
    *(f"twokeys/organization/life/{name}.py" for name in ("aws", "commands")),
    "twokeys/pack/own_account.py",
    "twokeys/profiles/awsconfig.py",
    "twokeys/verify/attempts.py",
    "twokeys/verify/credentials.py",
}
"""Beside the sandbox, the files that may import boto3 or botocore."""


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
    files = _files(project_root / row, project_root)
    assert files, f"{row} has moved: change this test with it"
    for file in files:
        for name in _imports(file):
            if name.split(".")[0] in OURS | ENGINES:
                assert any(_within(name, allowed) for allowed in ALLOWED[row]), (
                    f"{file.relative_to(project_root)} imports {name}, which {row} must not know: move it, or"
                    " add it to ALLOWED and to CONTRIBUTING's table"
                )


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
                f"{file.relative_to(project_root)} is in no row of ALLOWED: say what it may import"
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
