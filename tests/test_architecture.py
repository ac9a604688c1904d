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
FOR_EVERYBODY = {
    "twokeys/errors.py",  # refusals
    "twokeys/shown.py",  # text for a terminal
    "twokeys/files.py",  # files of people
    "twokeys/options.py",  # options of several commands
    "twokeys/aws_errors.py",  # what boto3 raised
    "twokeys/aws_reference.py",  # the actions, services and regions that AWS has
    "twokeys/access_role.py",  # the access role's name
    "twokeys/policy_packs.py",  # which packs a command checks with
    "twokeys/sdk.py",  # the SDK imported in part
    "twokeys/extras.py",  # which extra brings what a command needs
    "twokeys/loopback.py",  # whether an address is on this machine
}
"""Files that each may import, and that import nothing of ours but `twokeys.iam`."""
MAY_IMPORT = {
    **dict.fromkeys(FOR_EVERYBODY, "twokeys.iam"),
    "twokeys/iam": "",  # IAM documents and their evaluation, pure
    # the door: one model from config to component, export, graph and answer; who comes, as a value
    "twokeys/doors": "twokeys.iam",
    "twokeys/declared.py": "twokeys.doors pulumi",  # for programs in Python: a document with its declaration
    "twokeys/settings": "twokeys.doors twokeys.iam",  # what a stack's config may say; parsed once, refused in one go
    # Pulumi.yaml, the files of stacks and shards, states: one reader, which reads as the pulumi CLI does
    "twokeys/project": "twokeys.settings",
    # Pulumi components, one a file; nothing here decides who may enter
    "components": "twokeys.settings twokeys.doors twokeys.project pulumi pulumi_aws",
    # settings, components, exports; short enough to read at a glance
    "__main__.py": "components twokeys.settings pulumi",
    # programs to start from, each run by tests/examples
    "examples": "components twokeys.settings twokeys.pack pulumi pulumi_aws",
    # what a stack, a state, a template or live accounts hold, as one snapshot
    "twokeys/access/reading": "twokeys.doors twokeys.iam",
    # accounts, principals and the documents that bear on them, from a snapshot
    "twokeys/access/model": "twokeys.access.reading twokeys.doors twokeys.iam",
    # the access graph and its doors; what a rule is and how it is run
    "twokeys/access": "twokeys.access.model twokeys.access.reading twokeys.doors twokeys.iam",
    "twokeys/access/rules": "twokeys.access twokeys.doors twokeys.iam",  # the rules, one subject a module
    "twokeys/exports.py": "twokeys.access twokeys.iam",  # the outputs of stacks
    # one read model of the graph (ways, doors, what is not proved), and twokeys access on it
    "twokeys/answers": "twokeys.access twokeys.doors twokeys.iam twokeys.project",
    "twokeys/audit": "twokeys.answers twokeys.access twokeys.doors twokeys.iam",  # the answers as reports
    "twokeys/map": "twokeys.answers twokeys.access twokeys.doors twokeys.iam",  # the answers as pictures
    # AWS CLI profiles and a page of links for doors
    "twokeys/profiles": "twokeys.answers twokeys.access twokeys.doors twokeys.exports twokeys.iam twokeys.project",
    "twokeys/assume": "twokeys.profiles twokeys.doors twokeys.iam",  # a session through a door
    "twokeys/verify": "twokeys.doors twokeys.iam",  # whether the doors really open; it knows no graph
    "twokeys/costs": "twokeys.exports",  # the bill
    # a live organization as a model, what would stop a first update, its adoption; in life/ what AWS changes of an
    # account by calls of its own: name, address, closing
    "twokeys/organization": "twokeys.settings twokeys.access twokeys.project twokeys.iam",
    # many accounts: stacks as shards, on the pulumi CLI; recovery
    "twokeys/fleet": "twokeys.settings twokeys.project twokeys.organization "
    "twokeys.access twokeys.doors twokeys.verify pulumi",
    # the rules as a policy pack: what preview is shown, the gate before each creation, pull requests
    "twokeys/pack": "twokeys.access twokeys.answers twokeys.doors twokeys.iam pulumi grpc",
    "policies": "twokeys.pack",  # what twokeys policies init writes: serves the pack
    # the program on the SDK's mocks, and the rules on what it registers
    "twokeys/preview": "twokeys.pack twokeys.access twokeys.iam twokeys.exports twokeys.project pulumi grpc",
    # twokeys access open: the change of config that opens a door for a while
    "twokeys/temporary": "twokeys.access twokeys.preview twokeys.settings twokeys.doors twokeys.project",
    # a local AWS; the program on the mocks, each resource judged and made; the pulumi CLI against it; twokeys verify,
    # which can be anybody there
    "twokeys/sandbox": "twokeys pulumi grpc ministack",
    "twokeys/sandbox/local_server": "twokeys.sandbox.local_aws ministack.core",  # the process of the local AWS
    "twokeys/cli.py": "",  # names the commands, imports them when they are called
    "twokeys/__main__.py": "twokeys.cli",
}
"""From the bottom up what each place may import of ours, and of the libraries that tie code to an engine or a cloud."""
ALLOWED = {place: names.split() for place, names in MAY_IMPORT.items()}
EVERYBODY = {place.removesuffix(".py").replace("/", ".") for place in FOR_EVERYBODY}

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
    "twokeys/profiles/callers.py",
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
                known = any(_within(name, allowed) for allowed in (*EVERYBODY, *ALLOWED[row]))
                assert known or _row(name) == row_of, (
                    f"{file.relative_to(project_root)} imports {name}, which {row} must not know: move it, or"
                    " let MAY_IMPORT say so"
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
                f"{file.relative_to(project_root)} is in no row of MAY_IMPORT: say what it may import"
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
