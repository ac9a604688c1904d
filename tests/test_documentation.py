"""What the documentation names is there, and what is there is documented."""

import ast
import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
import yaml
from pydantic import TypeAdapter, ValidationError

from twokeys import cli
from twokeys.access.reading.types import _OF_AWS, Reading, of_aws
from twokeys.access.rules import RULES
from twokeys.audit.table import COLUMNS
from twokeys.audit.unusual import Word
from twokeys.doors.who import CARRIERS
from twokeys.settings.models import DoorSettings, Settings


def test_the_page_of_the_rules_lists_every_rule_as_it_is(project_root: Path) -> None:
    page = (project_root / "docs/rules.md").read_text().splitlines()
    rows = [row for row in page if row.startswith("| [`")]
    level = {True: "mandatory", False: "advisory"}
    expected = [
        f"| [`{rule.name}`]({rule.url}) | {level[rule.mandatory]} | {rule.severity} | {rule.description} |"
        for rule in RULES
    ]
    wrong = [row for row in expected if row not in rows]
    assert not wrong, "docs/rules.md lacks, in the order of RULES:\n" + "\n".join(wrong)
    assert rows == expected, "docs/rules.md: put its rows into the order of RULES, and take out those of no rule"


def test_the_settings_of_a_rule_are_named_on_the_pages_of_the_rules(project_root: Path) -> None:
    pages = "".join((project_root / "docs" / page).read_text() for page in ("rules.md", "policies.md"))
    settings = {field.alias or name for rule in RULES for name, field in rule.config.model_fields.items()}
    assert settings
    missing = {one for one in settings if not re.search(rf"[`\"]{one}[`\"]", pages)}
    assert not missing, f"say in docs/rules.md or docs/policies.md what these settings of rules do: {sorted(missing)}"


def test_the_page_of_what_is_not_looked_at_has_every_rule(project_root: Path) -> None:
    page = (project_root / "docs/not-looked-at.md").read_text()
    named = {
        name for row in re.findall(r"^\| (`[^|]+) \|", page, re.MULTILINE) for name in re.findall(r"`([^`]+)`", row)
    }
    missing, gone = {rule.name for rule in RULES} - named, named - {rule.name for rule in RULES}
    assert not missing, f"say in docs/not-looked-at.md, in a row each, what these do not look at: {sorted(missing)}"
    assert not gone, f"docs/not-looked-at.md has rows of what is no rule: {sorted(gone)}"


def test_no_message_names_a_page_of_ours_which_a_wheel_does_not_hold(project_root: Path) -> None:
    for file in sorted((project_root / "twokeys").rglob("*.py")):
        nodes = list(ast.walk(ast.parse(file.read_text())))
        docstrings = {node.value for node in nodes if isinstance(node, ast.Expr)}
        shown = (node.value for node in nodes if isinstance(node, ast.Constant) and node not in docstrings)
        assert not [one for one in shown if isinstance(one, str) and re.search(r"docs/[\w-]+\.md", one)], file


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md", "docs", "examples"])
def test_a_link_to_a_file_of_ours_leads_somewhere(page: str, project_root: Path) -> None:
    place = project_root / page
    files = sorted(place.rglob("*.md")) if place.is_dir() else [place]
    for file in files:
        for target in re.findall(r"(?:\]\(|src(?:set)?=\")([^)#\"]+)(?:#[^)]*)?[)\"]", file.read_text()):
            if "://" not in target:
                assert (file.parent / target).exists(), f"{file.name} links to {target}"
        for named in re.findall(r"`((?:scripts|tests|benchmarks|components|twokeys)/[\w./-]+)`", file.read_text()):
            assert (project_root / named).exists(), f"{file.name} names {named}, which is not there"


def test_the_page_of_what_is_read_has_every_way_in_and_every_type_not_read(project_root: Path) -> None:
    page = (project_root / "docs/what-is-read.md").read_text()
    handing = [service for service in CARRIERS if f"`{service}`" not in page]
    assert not handing, f"docs/what-is-read.md, the row of services that hand a role to others: name {handing}"
    ways = page.partition("## Ways in that are read")[2].partition("\n## ")[0]
    read = {name.split("::")[0] for name, type_ in _OF_AWS.items() if type_.reading is Reading.READ}
    missing = sorted(service for service in read if f"`aws:{service}/" not in ways)
    assert not missing, f"docs/what-is-read.md, 'Ways in that are read': a row for what each of {missing} lets in"
    said, last = set[str](), ""
    for row in re.findall(r"^\| (`aws.*?) \|", page.partition("## Not read")[2].lower(), re.MULTILINE):
        for service, type_ in re.findall(r"`(?:aws(?:-native)?:(\w+)[:/])?(\w+)`", row):
            last = service or last
            said.add(f"{last}::{type_}")
    missing = sorted({name for name, type_ in _OF_AWS.items() if type_.reading is Reading.NOT_READ} - said)
    assert not missing, f"docs/what-is-read.md, 'Not read': a row for each of {missing}"
    gone = sorted(name for name in said if of_aws(name).reading in (Reading.READ, Reading.HARMLESS))
    assert not gone, f"docs/what-is-read.md, 'Not read' has rows for {gone}, which are read or let nobody in"


def test_the_page_of_doors_has_every_field(project_root: Path) -> None:
    page = (project_root / "docs/doors.md").read_text()
    rows = "".join(row.split("|")[1] for row in page.splitlines() if row.startswith("| `"))
    missing = sorted(str(one.alias) for one in DoorSettings.model_fields.values() if f"`{one.alias}`" not in rows)
    assert not missing, f"docs/doors.md: a row each for {missing}"


def test_the_page_of_the_audit_s_files_lists_the_columns_of_the_table_in_their_order(project_root: Path) -> None:
    rows = (project_root / "docs/audit-report.md").read_text().partition("Its columns, in their order:")[2]
    named = [
        name for row in re.findall(r"^\| (`[^|]+) \|", rows, re.MULTILINE) for name in re.findall("`([^`]+)`", row)
    ]
    assert named == [*COLUMNS], "docs/audit-report.md: list the columns of the audit's CSV as they are"


def test_the_page_of_the_audit_s_words_has_a_row_for_each_that_is_unusual(project_root: Path) -> None:
    rows = (project_root / "docs/audit-events-words.md").read_text().partition("## Unusual")[2]
    named = {word for row in re.findall(r"^\| (.+?)(?: ¹)? \|", rows, re.MULTILINE) for word in row.split(", ")}
    missing = {*Word} - named
    assert not missing, f"docs/audit-events-words.md, 'Unusual': a row for {missing}"


def test_the_readme_names_every_command(project_root: Path) -> None:
    readme = (project_root / "README.md").read_text()
    missing = [name for name in cli.COMMANDS if f"twokeys {name}" not in readme]
    assert not missing, f"README.md, 'What it answers': name each of {missing}"


def test_a_page_is_at_most_two_screens_long_and_the_index_names_it(project_root: Path) -> None:
    index = (project_root / "docs/README.md").read_text()
    for file in sorted((project_root / "docs").glob("*.md")):
        assert file.name == "README.md" or f"({file.name})" in index, f"link docs/{file.name} in docs/README.md"
        text = file.read_text()
        lines, words = len(text.splitlines()), len(text.split())
        assert lines <= 100, f"docs/{file.name} has {lines} lines: shorten it to 100, or make two pages of it"
        assert words <= 1600, f"docs/{file.name} has {words} words: shorten it to 1,600, or make two pages of it"


def test_nothing_in_the_documentation_is_left_to_fill_in(project_root: Path) -> None:
    for file in [project_root / "README.md", *sorted((project_root / "docs").glob("*.md"))]:
        assert not re.search(r"@@|TODO|TBD|FIXME", file.read_text()), file


def _pages(root: Path) -> list[Path]:
    return [
        root / "README.md",
        root / "CONTRIBUTING.md",
        *sorted((root / "docs").glob("*.md")),
        *root.glob("examples/**/*.md"),
    ]


def _commands(page: Path) -> Iterator[list[str]]:
    """Every `twokeys` command that a page shows, in a block or in a line: its arguments."""
    text = page.read_text()
    blocks = "\n".join(re.findall(r"^ *```\w*\n(.*?)^ *```", text, re.MULTILINE | re.DOTALL))
    told = re.findall(r"^\s*(?:\$ |run: |- run: )?twokeys (.+)$", blocks.replace("\\\n", " "), re.MULTILINE)
    told += re.findall(r"\$\(twokeys ([^)]+)\)", blocks)
    told += re.findall(r"`twokeys ([^`]+)`", re.sub(r"^ *```.*?^ *```", "", text, flags=re.MULTILINE | re.DOTALL))
    for line in told:
        words = shlex.split(re.split(r" +#|[|;&…]| > |\.\.\.", line.replace("${{", "{").replace("}}", "}"))[0])
        if words and not any(word.isupper() and word.isalpha() and word == "COMMAND" for word in words):
            yield words


def test_config_that_a_page_shows_is_config_that_the_program_takes(project_root: Path) -> None:
    settings = {f"twokeys:{field.alias}": field.annotation for field in Settings.model_fields.values()}
    shown = [
        (page, key, value)
        for page in _pages(project_root)
        for block in re.findall(r"^ *```yaml\n(.*?)^ *```", page.read_text(), re.MULTILINE | re.DOTALL)
        if "twokeys:" in block
        for key, value in yaml.safe_load(block).items()
        if key.startswith("twokeys:")
    ]
    assert len(shown) > 10
    for page, key, value in shown:
        try:
            TypeAdapter(settings[key]).validate_python(value)
        except ValidationError as error:
            pytest.fail(f"{page.relative_to(project_root)}, {key}: {error}")


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md", "docs", "examples"])
def test_every_command_of_a_page_is_one_that_the_command_line_takes(
    page: str, project_root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Names, options and values are parsed as they are when somebody types them; only what they do is left out."""
    monkeypatch.setattr(click.Command, "invoke", lambda *_: None)
    monkeypatch.chdir(tmp_path)
    wrong = []
    for file in (one for one in _pages(project_root) if one.is_relative_to(project_root / page)):
        for words in _commands(file):
            for word in words:
                if re.fullmatch(r"[\w-]+(\.json|\.yaml|\.csv|\.gz)|AWSLogs|FILE|BEFORE|AFTER", word):
                    (tmp_path / word).touch()
            try:
                cli._twokeys.main(list(words), standalone_mode=False)
            except (click.MissingParameter, click.exceptions.NoArgsIsHelpError):
                pass  # the text only names it
            except click.ClickException as error:
                if words[-1].startswith("--") and "requires an argument" in error.format_message():
                    continue  # likewise an option
                wrong.append(f"{file.name}: twokeys {shlex.join(words)}: {error.format_message()}")
    assert not wrong, "\n".join(wrong)


_READS = ("audit", "map", "access check", "access diff", "access export", "profiles")
_NOT_HERE = {"--live", "--events", "--events-api", "--plan", "--config", "--prefix"}  # AWS, or files of a reader's own


@pytest.mark.parametrize("page", ["README.md", "docs"])
def test_every_command_of_a_page_that_only_reads_states_answers_from_those_of_a_real_update(
    page: str, project_root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    shutil.copytree(project_root / "tests/map/states", ".twokeys/stacks")
    for name in ("management", "stage", "prod"):
        shutil.copy(f".twokeys/stacks/{name}.json", f"{name}.json")
    for name in ("before.json", "after.json", "BEFORE", "AFTER", "FILE"):
        shutil.copy("prod.json", name)
    run = set()
    pages = [one for one in _pages(project_root) if one.is_relative_to(project_root / page)]
    told = {tuple(words) for file in pages for words in _commands(file)}
    for words in sorted(told, key=lambda one: ("export" not in one, one)):  # the published file first
        reads = " ".join(words).startswith(_READS) and not _NOT_HERE & set(words) and len(words) > 1
        writes = words[0] == "profiles" and "--dry-run" not in words
        if not reads or writes or words[-1] in ("--state", "--from") or any("://" in word for word in words):
            continue
        try:
            code = cli._twokeys.main(list(words), standalone_mode=False)
        except click.MissingParameter:
            continue  # the text only names it
        assert code in (None, 0, 1, 3), words  # 1: a violation is found; 3: a file would change
        run.add(words[0])
    assert run >= {"audit", "access"}


_WRITES = ("policies init", "profiles", "costs --file", "preview", "access open", "fleet split", "fleet matrix")


def test_every_command_of_a_page_that_writes_files_or_previews_runs_on_a_copy_of_the_program(
    project_root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The rest, which make something in AWS or on a local one, are run by the tests of their own folders."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("AWS_CONFIG_FILE", ".twokeys/shell/config")  # as in the shell of the sandbox
    tracked = subprocess.run(  # a stack of one's own in the folder is no part of the program
        ["git", "ls-files", "Pulumi*", "__main__.py"], cwd=project_root, capture_output=True, text=True, check=True
    )
    for file in tracked.stdout.split():
        shutil.copy(project_root / file, tmp_path)
    for folder in ("components", "examples", "policies", "twokeys", ".venv"):
        (tmp_path / folder).symlink_to(project_root / folder)
    for name in ("management", "stage", "prod"):
        shutil.copy(project_root / f"tests/map/states/{name}.json", f"{name}.json")
    states = [word for name in ("management", "stage", "prod") for word in ("--state", f"{name}.json")]
    cli._twokeys.main(["access", "export", "doors.json", *states], standalone_mode=False)
    Path("FILE").write_text(BILL)
    run = set()
    for words in sorted({tuple(words) for page in _pages(project_root) for words in _commands(page)}):
        if not " ".join(words).startswith(_WRITES) or words[-1] == "--state":
            continue
        if any("://" in word or word in ("DIR", "TEXT", "policies") for word in words[1:]):
            continue
        if words[0] == "profiles":  # it comes last; a preview would hold the program against these states
            shutil.copytree(project_root / "tests/map/states", ".twokeys/stacks", dirs_exist_ok=True)
        try:
            code = cli._twokeys.main(list(words), standalone_mode=False)
        except (click.BadOptionUsage, click.MissingParameter, click.exceptions.NoArgsIsHelpError):
            continue  # the text only names it
        assert code in (None, 0, 3), words
        run.add(words[0])
    assert run >= {"access", "costs", "fleet", "preview", "profiles"}
    assert "stage-queue:" in Path("Pulumi.stage.yaml").read_text()
    assert "[profile stage-developer]" in Path(".twokeys/shell/config").read_text()


BILL = (
    "line_item_usage_account_id,line_item_product_code,line_item_line_item_type,line_item_currency_code,"
    "line_item_usage_start_date,line_item_unblended_cost\n222222222222,AmazonS3,Usage,USD,2026-10-01,12.5\n"
)
