"""docs/audit-events.md shows what a run prints."""

import json
import re
from datetime import date, timedelta
from pathlib import Path
from uuid import UUID

import pytest
from click.testing import CliRunner
from playwright.sync_api import Browser

from tests.audit.cloudtrail import ENABLED, called, denied, digests, entry, read_event, signed_in
from tests.audit.test_commands import ALICE, CI, DEPLOYER, HUB, PROD, READ_ONLY, dated_states
from twokeys.audit.commands import audit

FIRST, LAST = date(2026, 10, 1), date(2026, 10, 31)
BREAK_GLASS = f"arn:aws:sts::{HUB}:assumed-role/break-glass/emergency-1"
ACCESS_ROLE = f"arn:aws:iam::{PROD}:role/OrganizationAccountAccessRole"


def write_events(folder: Path) -> None:
    """A month of a pipeline that deploys each weekday, and what somebody has to look at; nobody reads as alice."""
    days = [FIRST + timedelta(days=number) for number in range((LAST - FIRST).days + 1)]
    weekdays = [day for day in days if day.weekday() < 5]
    entries = [entry(f"{CI[:-1]}{number}", DEPLOYER, f"{day}T10:00:00Z") for number, day in enumerate(weekdays)]
    records = {
        HUB: [
            read_event(HUB, f"{FIRST}T03:00:00Z"),
            *entries,
            entry(BREAK_GLASS, ACCESS_ROLE, "2026-10-20T02:12:00Z"),
            entry(f"arn:aws:iam::{HUB}:user/mallory", DEPLOYER, "2026-10-21T23:40:00Z", sourceIPAddress="198.51.100.7"),
            denied(ALICE, READ_ONLY, "2026-10-22T09:30:00Z"),
            read_event(HUB, f"{LAST}T23:00:00Z"),
        ],
        PROD: [
            read_event(PROD, f"{FIRST}T03:00:00Z"),
            signed_in(PROD, "2026-10-20T08:00:00Z", "zoe", additionalEventData={"MFAUsed": "No"}),
            called(PROD, "2026-10-20T08:05:00Z", "CreateAccessKey"),
        ],
    }
    for number, record in enumerate(record for account in records.values() for record in account):
        record |= {"eventID": f"{UUID(int=number)}", "sharedEventID": None}
    for account, found in records.items():
        name = f"{account}_CloudTrail_us-east-1_{FIRST:%Y%m%d}T0310Z_x.json"
        Path(folder, name).write_text(json.dumps({"Records": found}))
        for region in ENABLED:
            digests(folder, account, f"{FIRST}", f"{LAST}", region)


def test_the_page_shows_what_a_run_prints(project_root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "AWSLogs"
    folder.mkdir()
    write_events(folder)
    states = [word for state in dated_states(tmp_path / "states") for word in ("--state", str(state))]
    period = ("--from", f"{FIRST}", "--until", f"{LAST}")
    text = CliRunner().invoke(audit, ["prod", *states, "--events", "AWSLogs", *period]).output
    printed = text[text.index("What CloudTrail saw") : text.index("Not looked at in the events")]
    page = (project_root / "docs/audit-events.md").read_text()
    shown = [block for block in re.findall(r"^```\n(.*?)^```", page, re.MULTILINE | re.DOTALL) if "saw" in block]
    assert shown == [printed]
    (top,) = re.findall(r"^The top says `(.*)`", page, re.MULTILINE)
    assert f"\n{top}\n" in text


def test_the_first_sheet_of_an_ordinary_month_is_the_answer_with_a_place_to_sign_and_there_are_at_most_four(
    browser: Browser, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("AWSLogs").mkdir()
    write_events(Path("AWSLogs"))
    states = [word for state in dated_states(tmp_path / "states") for word in ("--state", str(state))]
    period = ("--from", f"{FIRST}", "--until", f"{LAST}", "--html", "month.html")
    CliRunner().invoke(audit, [*states, "--events", "AWSLogs", *period])
    shown = browser.new_page(viewport={"width": 687, "height": 1009})  # A4 less its margins, at 96 dots an inch
    shown.goto((tmp_path / "month.html").as_uri())
    shown.emulate_media(media="print")
    assert len(re.findall(rb"/Type /Page\b", shown.pdf(prefer_css_page_size=True))) <= 4
    signed = shown.locator("#summary .signed").bounding_box()
    assert signed
    assert signed["y"] + signed["height"] < 1009
    first = f"{shown.locator('header').inner_text()}\n{shown.locator('#summary').inner_text()}"
    for said in ("until 2026-10-31", "3 principals have", "1 change of keys", "mallory", " 22)"):
        assert said in first
