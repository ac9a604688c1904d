"""`twokeys costs`, as it is typed."""

import gzip
import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, tzinfo
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal, Self
from xml.etree import ElementTree

import click
import pytest
from click.testing import CliRunner, Result
from playwright.sync_api import Browser
from pyarrow import csv
from pyarrow.parquet import write_table

from tests.costs.bills import BILL, CHARGES, EC2, PROD, STAGE, TOTAL, Line, cur2, legacy
from tests.costs.explorer_server import Explorer, serving
from twokeys.costs import commands
from twokeys.errors import Refusal


@pytest.fixture
def report(tmp_path: Path) -> str:
    file = tmp_path / "report.csv.gz"
    file.write_bytes(gzip.compress(legacy()))
    return str(file)


def run(*arguments: str) -> Result:
    return CliRunner().invoke(commands.costs, arguments, standalone_mode=False, catch_exceptions=False)


def test_a_report_becomes_tables_with_what_is_untagged_and_apart(report: str, tmp_path: Path) -> None:
    names = tmp_path / "stage.json"
    names.write_text(json.dumps({"member_account_ids": {"stage": STAGE}}))
    shown = run("--file", report, "--by", "account", "--by", "tag:Team", "--state", str(names)).output
    assert f"stage ({STAGE})" in shown
    assert shown.startswith("Costs of 2026-10-01 to 2026-10-31 (UTC)\n")
    assert "(untagged)" in shown
    rows = {
        line.split("│")[1].strip(): line.split("│")[2].strip() for line in shown.splitlines() if line.count("│") > 2
    }
    assert rows[PROD] == "10.00"
    assert rows["(untagged)"] == "<0.01"
    assert {kind: rows[kind] for kind in ("Credits", "Refunds", "Taxes", "Total")} == {
        "Credits": "-2.25",
        "Refunds": "-0.75",
        "Taxes": "1.95",
        "Total": "USD 9.25",
    }


@pytest.mark.parametrize(
    ("amounts", "printed", "total", "noted"),
    [
        (("7.125", "0.75"), {"7.13", "0.75"}, "7.88", False),
        (("0.005", "-0.005"), {"0.01", "-0.01"}, "0.00", False),
        (("1.004", "1.004", "1.004"), {"1.00"}, "3.01", True),
    ],
)
def test_half_a_cent_is_rounded_up_and_what_does_not_add_up_is_noted(
    amounts: tuple[str, ...], printed: set[str], total: str, noted: bool, tmp_path: Path
) -> None:
    report = tmp_path / "report.csv"
    report.write_bytes(legacy(Line(f"{number:012}", *EC2, amount) for number, amount in enumerate(amounts, 1)))
    shown = run("--file", str(report), "--by", "account").output
    rows = {line.split("│")[2].strip() for line in shown.splitlines() if line.startswith("│ ")}
    assert rows == {*printed, total, f"USD {total}"}
    assert ("rounded to the cent" in shown) is noted


def test_json_has_every_digit_and_null_for_what_has_no_tag(report: str) -> None:
    told: dict[str, Any] = json.loads(run("--file", report, "--by", "account,tag:Team", "--json").output)
    assert (told["charges"], told["total"], told["currency"]) == (CHARGES, TOTAL, "USD")
    assert (told["from"], told["to"]) == ("2026-10-01", "2026-11-01")  # no --from: the days of its lines
    (breakdown,) = told["breakdowns"]
    assert breakdown["by"] == ["account", "tag:Team"]
    assert {"account": STAGE, "name": None, "tag:Team": None, "amount": "0.0000000001"} in breakdown["rows"]
    assert {"account": PROD, "name": None, "kind": "credit", "amount": "-2.25"} in told["apart"]


def test_the_answer_says_what_was_read_by_what_and_when(report: str, tmp_path: Path) -> None:
    shown = run("--file", report).output
    assert "\nMetric: UnblendedCost.\n" in shown
    assert re.search(rf"\nMade at 20.*\+00:00 by TwoKeys {version('twokeys')}, from \(sha256\):\n", shown)
    assert f"\n{sha256(Path(report).read_bytes()).hexdigest()}  {report}\n" in shown
    paid, parquet = tmp_path / "paid.csv", tmp_path / "paid.parquet"
    paid.write_bytes(cur2())
    write_table(csv.read_csv(paid), parquet)
    for file in (paid, parquet):
        said = json.loads(run("--file", str(file), "--by", "account", "--json").output)
        assert (said["metric"], said["payers"], said["version"]) == (
            "UnblendedCost",
            ["111111111111"],
            version("twokeys"),
        )
        assert said["files"] == [{"file": str(file), "sha256": sha256(file.read_bytes()).hexdigest()}]
        assert datetime.now(UTC) - datetime.fromisoformat(said["made"]) < timedelta(minutes=5)


def _in_a_bucket(at: Path, assembly: str, *, legacy_report: bool) -> str:
    """A month in two parts with its manifest, as AWS delivers them; the manifest's path.

    https://docs.aws.amazon.com/cur/latest/userguide/understanding-report-versions.html,
    https://docs.aws.amazon.com/cur/latest/userguide/dataexports-manifest.html
    """
    period = "bill/20261001-20261101" if legacy_report else "bill/data/BILLING_PERIOD=2026-10"
    keys = [f"cur/{period}/{assembly}/bill-0000{number}.csv.gz" for number in (1, 2)]
    for key, lines in zip(keys, (BILL[:4], BILL[4:]), strict=True):
        (at / key).parent.mkdir(parents=True, exist_ok=True)
        (at / key).write_bytes(gzip.compress(legacy(lines)))
    manifest = at / "cur" / period.replace("data", "metadata") / assembly / "bill-Manifest.json"
    manifest.parent.mkdir(parents=True, exist_ok=True)
    named = {"reportKeys": keys} if legacy_report else {"dataFiles": [f"s3://a-bucket/{key}" for key in keys]}
    manifest.write_text(json.dumps(named))
    return str(manifest)


@pytest.mark.parametrize("legacy_report", [True, False])
def test_a_manifest_stands_for_the_files_that_it_names(legacy_report: bool, tmp_path: Path) -> None:
    first, second = (_in_a_bucket(tmp_path, name, legacy_report=legacy_report) for name in ("a1", "b2"))
    said = json.loads(run("--file", first, "--json").output)
    assert said["total"] == TOTAL
    assert [Path(each["file"]).name for each in said["files"]] == ["bill-00001.csv.gz", "bill-00002.csv.gz"]
    with pytest.raises(Refusal, match=r"two versions or exports of one month cannot be added.*no manifest names both"):
        run("--file", first, "--file", second)
    part = Path(said["files"][1]["file"])
    with pytest.raises(click.UsageError, match="given twice"):
        run("--file", first, "--file", str(part))
    beside = Path(shutil.copy(first, tmp_path))
    for each in said["files"]:
        shutil.copy(each["file"], tmp_path)
    shutil.rmtree(tmp_path / "cur")
    assert json.loads(run("--file", str(beside), "--json").output)["total"] == TOTAL
    (tmp_path / part.name).unlink()
    with pytest.raises(Refusal, match=r"1 of the 2 files that it names are not here: \S*/bill-00002\.csv\.gz"):
        run("--file", str(beside))


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("{", "it is no JSON"),
        ("[" * 200_000, "it is no JSON"),
        ("[]", "no list reportKeys"),
        ('{"reportKeys": ["a/../bill-00001.csv"]}', r"what is not below its bucket: a/\.\./bill-00001\.csv"),
        (None, "No such file"),
    ],
)
def test_what_is_no_manifest_is_refused(text: str | None, why: str, tmp_path: Path) -> None:
    manifest = tmp_path / "bill-Manifest.json"
    (tmp_path / "bill-00001.csv").write_bytes(legacy())
    if text is not None:
        manifest.write_text(text)
    with pytest.raises(Refusal, match=why):
        run("--file", str(manifest))


def test_the_picture_is_one_svg_that_loads_nothing_and_shows_every_account(report: str, tmp_path: Path) -> None:
    picture = tmp_path / "costs.svg"
    run("--file", report, "--picture", str(picture), "--from", "2026-10", "--to", "2026-11")
    text = picture.read_text()
    root = ElementTree.fromstring(text)
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    assert not list(root.iter("{http://www.w3.org/2000/svg}script"))
    words = " ".join(root.itertext())
    for word in (STAGE, PROD, "Amazon Elastic Compute Cloud", "10.00", "2026-10-01 to 2026-10-31"):
        assert word in words
    assert "@import" not in text


@pytest.mark.parametrize(
    ("scheme", "ground_and_title"),
    [("light", ["rgb(255, 255, 255)", "rgb(0, 0, 0)"]), ("dark", ["rgb(13, 17, 23)", "rgb(230, 237, 243)"])],
)
def test_the_picture_is_dark_where_the_readers_screen_is(
    scheme: Literal["light", "dark"], ground_and_title: list[str], browser: Browser, report: str, tmp_path: Path
) -> None:
    picture = tmp_path / "costs.svg"
    run("--file", report, "--picture", str(picture))
    context = browser.new_context(color_scheme=scheme)
    page = context.new_page()
    page.goto(picture.as_uri())
    filled = "selector => getComputedStyle(document.querySelector(selector)).fill"
    assert [page.evaluate(filled, one) for one in (".graph > .background", ".title")] == ground_and_title
    context.close()


def test_hostile_names_stay_text_in_the_picture_and_on_the_terminal(tmp_path: Path) -> None:
    evil = "<script>alert(1)</script>\x1b[2J\x00"
    file, picture = tmp_path / "report.csv", tmp_path / "costs.svg"
    file.write_bytes(legacy([replace(line, service=evil, team=evil) for line in BILL]))
    shown = run("--file", str(file), "--by", "service", "--by", "tag:Team", "--picture", str(picture)).output
    assert "\x1b[2J" not in shown
    root = ElementTree.fromstring(picture.read_text())
    assert not list(root.iter("{http://www.w3.org/2000/svg}script"))
    assert "<script>" in " ".join(root.itertext())


def test_a_picture_of_many_accounts_and_services_groups_the_rest_and_a_bill_of_credits_has_none(tmp_path: Path) -> None:
    file, picture = tmp_path / "report.csv", tmp_path / "costs.svg"
    many = [Line(f"{index:012}", f"c{index}", f"s{index}", f"{index + 1}") for index in range(60)]
    for lines, word in ((many, "other accounts"), ([Line(STAGE, "x", "x", "-1", kind="Credit")], "no costs")):
        file.write_bytes(legacy(lines))
        run("--file", str(file), "--picture", str(picture))
        assert word in " ".join(ElementTree.fromstring(picture.read_text()).itertext())


def test_the_standard_input_and_parts_of_a_report_are_read(report: str, tmp_path: Path) -> None:
    other = tmp_path / "more.csv"
    other.write_bytes(cur2().replace(b"2026-10", b"2026-12"))
    script = "from twokeys.cli import main; main()"
    ended = subprocess.run(
        [sys.executable, "-c", script, "costs", "--file", "-", "--file", str(other), "--json"],
        input=Path(report).read_bytes(),
        capture_output=True,
        check=True,
    )
    told = json.loads(ended.stdout)
    assert told["total"] == "18.5000002002"
    read = {"-": Path(report).read_bytes(), str(other): other.read_bytes()}
    assert told["files"] == [{"file": name, "sha256": sha256(file).hexdigest()} for name, file in read.items()]
    assert ended.stderr == b""


@pytest.mark.parametrize("file", ["-", "report.csv"])
def test_a_full_folder_of_temporary_files_is_named(file: str, tmp_path: Path) -> None:
    (tmp_path / "report.csv").write_bytes(legacy([replace(BILL[0], amount=str(n)) for n in range(1_000)]))
    script = (
        "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (64, 64))\n"
        "from twokeys.costs import versions; versions._CACHE_KIB = 1\n"  # all of it goes to the disk
        "from twokeys.cli import main; main()"
    )
    ended = subprocess.run(
        [sys.executable, "-B", "-c", script, "costs", "--file", file, "--json"],
        input=(tmp_path / "report.csv").read_bytes(),
        cwd=tmp_path,
        env={**os.environ, "TMPDIR": str(tmp_path)},
        capture_output=True,
        check=False,
    )
    refused = json.loads(ended.stdout)["refused"]
    assert (ended.returncode, refused["where"], refused["why"]) == (1, str(tmp_path), "disk I/O error")
    assert refused["nextStep"].startswith("set TMPDIR to a folder with room")
    assert [each.name for each in tmp_path.iterdir()] == ["report.csv"]


def test_a_pipe_that_a_shell_holds_open_is_read_like_a_file(report: str) -> None:
    reader, writer = os.pipe()
    os.write(writer, Path(report).read_bytes())
    os.close(writer)
    told = json.loads(run("--file", f"/dev/fd/{reader}", "--json").output)
    os.close(reader)
    assert told["total"] == TOTAL


def test_without_a_report_the_api_is_asked_for_the_last_whole_month(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    class Clock(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> Self:
            return cls(2026, 11, 24, tzinfo=tz)

    monkeypatch.setattr(commands, "datetime", Clock)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "111111111111")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    with serving(Explorer(BILL, page=100)) as served:
        monkeypatch.setenv("AWS_ENDPOINT_URL", served.endpoint)
        told = json.loads(run("--json").output)
        without = len(served.requests)
        run("--picture", str(tmp_path / "costs.svg"))
    # What is paid for: records by account, two tables; the picture is one more.
    assert (without, len(served.requests) - without) == (3, 4)
    assert (told["from"], told["to"], told["total"]) == ("2026-10-01", "2026-11-01", TOTAL)


@pytest.mark.parametrize(
    ("said", "days"),
    [
        ((date(2026, 1, 15), None), (date(2026, 1, 15), date(2026, 2, 1))),
        ((None, date(2026, 1, 1)), (date(2025, 12, 1), date(2026, 1, 1))),
        ((None, date(2026, 3, 15)), (date(2026, 3, 1), date(2026, 3, 15))),
        ((date(2025, 12, 31), None), (date(2025, 12, 31), date(2026, 1, 1))),
    ],
)
def test_a_bound_that_is_not_said_is_the_month_s(
    said: tuple[date | None, date | None], days: tuple[date, date]
) -> None:
    assert commands._whole_month(*said) == days


@pytest.mark.parametrize(
    "arguments",
    [
        ("--by", "region"),
        ("--by", "tag:"),
        ("--by", "account,account"),
        ("--from", "2026-11", "--to", "2026-10", "--file", "x"),
        ("--profile", "x", "--file", "y"),
        ("--currency", "EUR"),
        ("--file", "x.csv", "--file", "./x.csv"),
    ],
)
def test_what_makes_no_sense_is_a_usage_error(arguments: tuple[str, ...]) -> None:
    assert CliRunner().invoke(commands.costs, arguments).exit_code == 2


def test_a_report_that_is_not_there_is_refused() -> None:
    with pytest.raises(Refusal, match="No such file"):
        run("--file", "/nowhere/report.csv")
    with pytest.raises(Refusal, match="Is a directory"):
        run("--file", "/")
