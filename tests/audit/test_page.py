"""The report in a real browser: what auditors read and print, and that it runs and loads nothing."""

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.access.test_identity_center import RESERVED, center
from tests.access.world import CI, DEPLOYER, HUB, OUTSIDE, STAGE, World, arn, document, replaced, trusts, two_keys
from tests.audit.cloudtrail import called, denied, entry, signed_in
from tests.audit.test_changes import told
from tests.audit.test_comparison import CI_SESSION, DAY, PERSON, SAML, at
from tests.audit.test_taken_back import ADMINISTRATOR, OF_BOTH, OF_CI, OURS, asked
from tests.map.hostile import NAMES
from twokeys.access.reading.snapshot import Evidence
from twokeys.answers.model import Account, Answers, NotProved, Party
from twokeys.answers.reading import read
from twokeys.answers.selection import into
from twokeys.audit.comparison import Comparison, compare
from twokeys.audit.page import page
from twokeys.audit.trail import Trail
from twokeys.doors import Who

MADE_BY_HAND = ("CreateUser", "AttachUserPolicy", "CreateAccessKey")
Opened = Callable[..., Page]


@pytest.fixture
def opened(browser: Browser, tmp_path: Path) -> Iterator[Opened]:
    """Opens the report; in the end it has asked for nothing but itself, and nothing went wrong in it."""
    context = browser.new_context(viewport={"width": 1280, "height": 900}, color_scheme="light")
    requests: list[str] = []
    complaints: list[str] = []

    def open_page(found: Answers, comparison: Comparison | None, target: str | None = None) -> Page:
        file = tmp_path / "report.html"
        file.write_text(page(found, target, comparison, datetime(2026, 11, 24, 12, tzinfo=UTC)), encoding="utf-8")
        shown = context.new_page()
        shown.on("request", lambda request: requests.append(request.url))
        shown.on("console", lambda message: complaints.append(message.text))
        shown.on("pageerror", lambda error: complaints.append(str(error)))
        shown.on("dialog", lambda dialog: complaints.append(dialog.message))
        shown.goto(file.as_uri())
        return shown

    yield open_page
    context.close()
    assert complaints == []
    assert len(requests) == 1
    assert requests[0].startswith("file:")


def audited() -> tuple[Answers, Comparison]:
    world = two_keys()
    world.role("vendor", world.stage, document(trusts(arn(OUTSIDE, "root"))))
    found = into(read(world.graph), STAGE)
    trail = Trail()
    trail.add(entry(CI_SESSION, DEPLOYER, at(0)))
    trail.add(entry(CI_SESSION, DEPLOYER, at(20), sourceIPAddress="198.51.100.7"))
    return found, compare(found, trail)


def test_it_shows_every_entry_its_keys_and_what_cloudtrail_saw(opened: Opened) -> None:
    shown = opened(*audited(), STAGE)
    expect(shown).to_have_title(f"Who can enter {STAGE} (from this stack)")
    expect(shown.locator("header")).to_contain_text("3 principals have 3 ways in")
    expect(shown.locator("header")).to_contain_text("Organization")
    principals = shown.get_by_role("table", name="Ways in by principal").locator("tbody")
    expect(principals).to_have_count(3)
    expect(principals.locator("th[scope=row]")).to_have_count(3)
    came = principals.filter(has_text="role ci of").locator("p")
    expect(came).to_contain_text(f"role deployer of {STAGE}, 2 times, last 2026-09-21 09:00 UTC")
    expect(shown.locator("header")).to_contain_text("Entered: role ci of management (no permissions 2)")
    expect(principals.filter(has_text=OUTSIDE)).to_contain_text("not shown to be in the organization, no external ID")
    key = shown.get_by_text("trust policy of role deployer, statement 0")
    expect(key).to_be_hidden()
    shown.locator("#keys summary").click()
    expect(key).to_be_visible()
    shown.locator("#keys summary").click()
    days = shown.get_by_text("each of 17 regions: 2026-09-01 to 2026-09-21").first
    expect(days).to_be_hidden()
    shown.emulate_media(media="print")
    expect(key).to_be_visible()
    expect(days).to_be_visible()
    expect(shown.locator("main")).to_contain_text("that is not shown to be ours")
    expect(shown.locator("#events h4", has_text="not known")).to_have_count(1)
    expect(shown.locator("#events")).to_contain_text("is not covered")
    expect(shown.locator("#events")).not_to_contain_text(f"{OUTSIDE} is not covered")
    expect(shown.get_by_role("table", name="To look at: each use once")).to_contain_text(
        "new source address 198.51.100.7"
    )


def test_it_has_each_use_once_with_all_that_it_is(opened: Opened) -> None:
    found, _ = audited()
    trail = Trail()
    trail.add(entry(CI_SESSION, DEPLOYER, at(0)))
    event = "0a1b2c3d-0000-4000-8000-000000000001"
    trail.add(entry(CI_SESSION, arn(STAGE, "role/unseen"), at(20)) | {"eventID": event, "sharedEventID": event})
    shown = opened(found, compare(found, trail), STAGE)
    to_look_at = shown.get_by_role("table", name="To look at: each use once")
    (what,) = to_look_at.get_by_role("rowheader").all_inner_texts()
    assert what == "without a door, unusual"
    expect(to_look_at.locator(".id", has_text=f"({HUB})")).to_be_visible()
    shown.emulate_media(media="print")
    expect(to_look_at.locator(".id", has_text=f"({HUB})")).to_be_hidden()
    expect(to_look_at.locator(".event", has_text=event)).to_be_visible()
    who = shown.get_by_role("table", name="Ways in by principal").get_by_role("row").filter(has_text="role unseen")
    expect(who).to_contain_text(f"role unseen of {STAGE} without a door, 1 time")


def test_who_came_through_a_role_and_as_a_member_of_a_group_is_at_their_way_in(opened: Opened) -> None:
    """https://docs.aws.amazon.com/singlesignon/latest/userguide/identity-center-info-in-cloudtrail.html."""
    world, ann, keys = two_keys(), arn(HUB, "user/ann"), {"accessKeyId": "ASIA1"}
    world.add("User", "ann", world.hub, name="ann")
    replaced(world, "ci", assumeRolePolicy=document(trusts(ann)))
    role, after = arn(STAGE, f"{RESERVED}AWSReservedSSO_Admin_0123456789abcdef"), entry(CI_SESSION, DEPLOYER, at(0, 11))
    trail = Trail()
    for record in (
        entry(ann, CI, at(0), recipientAccountId=HUB, responseElements={"credentials": keys}),
        {**after, "userIdentity": {**after["userIdentity"], **keys}},
        entry(CI_SESSION, role, at(0), eventName=SAML, userIdentity={**PERSON, "userName": "ann"})
        | {
            "requestParameters": {
                "roleArn": role,
                "principalArn": arn(STAGE, "saml-provider/AWSSSO_0123456789abcdef_DO_NOT_DELETE"),
            }
        },
    ):
        trail.add(record)
    found = into(read(center(world=world).graph), STAGE)
    rows = opened(found, compare(found, trail)).get_by_role("table", name="Ways in by principal").locator("tbody")
    expect(rows.filter(has_text="user ann of")).to_contain_text(
        f"role deployer of {STAGE}, through role ci of management, 1 time"
    )
    expect(rows.filter(has_text="group admins")).to_contain_text("by Identity Center user ann, 1 time")
    expect(rows.filter(has_text="no way of its own")).to_have_count(0)


def test_what_is_to_be_looked_at_stands_in_order_of_time_and_no_command_is_written_in_backticks(opened: Opened) -> None:
    """Who had no door matters more than a first entry, and is said first only where not all have room."""
    found, _ = audited()
    trail = Trail()
    for role, days in ((DEPLOYER, 20), (arn(STAGE, "role/unseen"), 21), (arn(STAGE, "role/vendor"), 22)):
        trail.add(entry(CI_SESSION, role, at(days)))
    early = Evidence("stage.json", (DAY - timedelta(days=9)).isoformat())
    comparison = compare(found, trail, learning_days=0)
    answers = told(replace(found, from_states=True, evidence=(early,)), comparison)
    shown = opened(answers, comparison, STAGE)
    uses = shown.get_by_role("table", name="To look at: each use once").locator("tbody td").all_inner_texts()
    assert [text[:10] for text in uses] == ["2026-09-21", "2026-09-22", "2026-09-23"]
    expect(shown.locator("#not-proved code").first).to_have_text("pulumi refresh")
    expect(shown.locator("body")).not_to_contain_text("`")
    expect(shown.locator("header")).not_to_contain_text("--")


def test_it_has_every_use_that_no_door_explains_by_its_person(opened: Opened) -> None:
    """With IAM Identity Center the session has the user's name.

    https://docs.aws.amazon.com/singlesignon/latest/userguide/logging-using-cloudtrail.html
    """
    found, _ = audited()
    trail = Trail()
    for number in range(60):
        session = f"arn:aws:sts::{OUTSIDE}:assumed-role/AWSReservedSSO_Admin_0123456789abcdef/person-{number}"
        trail.add(entry(session, arn(STAGE, "role/unseen"), at(number / 100)))
    uses = (
        opened(found, compare(found, trail), STAGE)
        .get_by_role("table", name="To look at: each use once")
        .locator("tbody tr")
    )
    expect(uses).to_have_count(60)
    expect(uses.filter(has_text="as person-7 ")).to_have_count(1)


def test_the_keys_of_doors_that_are_alike_in_several_accounts_stand_once(opened: Opened) -> None:
    found, comparison = audited()
    (way, *_) = found.ways
    elsewhere = Party(replace(way.target.who, account=OUTSIDE), way.target.arn, OUTSIDE)
    step = replace(way.steps[0], target=elsewhere)
    shown = opened(replace(found, ways=(*found.ways, replace(way, steps=(step, *way.steps)))), comparison)
    door = shown.locator("#keys h3", has_text=f"{way.source.short} into {way.target.who.label} of {STAGE}, {OUTSIDE}")
    expect(door).to_be_hidden()
    shown.emulate_media(media="print")
    expect(door).to_be_visible()


def foot(shown: Page) -> object:
    """What stands at the left of the foot of each page that is printed."""
    return shown.evaluate("[...document.styleSheets[0].cssRules].at(-1).cssRules[0].style.content")


def test_each_printed_page_says_of_what_report_it_is(opened: Opened) -> None:
    shown = opened(*audited(), STAGE)
    assert re.fullmatch(rf'"Who can enter {STAGE}; made [0-9: -]+ UTC"', foot(shown))


def test_an_account_into_which_ways_lead_only_from_within_it_says_how_many(opened: Opened) -> None:
    answers = read(two_keys().graph)
    way = replace(answers.ways[0], steps=(replace(answers.ways[0].steps[-1], source=Party(Who("user", STAGE, "ann"))),))
    shown = opened(replace(answers, ways=(), within=(way,)), None)
    (row,) = [each for each in shown.locator("table.index tbody tr").all_inner_texts() if STAGE in each]
    assert "none, 1 within it" in row


def test_its_own_style_is_applied_and_prints_dark_on_white(opened: Opened) -> None:
    shown = opened(*audited(), STAGE)
    body = shown.locator("body")
    assert body.evaluate("node => getComputedStyle(node).maxWidth") == "1440px"
    expect(shown.get_by_text("Signature:")).to_be_hidden()
    shown.emulate_media(media="print", color_scheme="dark")
    expect(shown.get_by_text("Signature:")).to_be_visible()
    assert body.evaluate("node => getComputedStyle(node).color") == "rgb(0, 0, 0)"
    assert len(shown.pdf()) > 1000


@pytest.mark.parametrize("accounts", [1, 12])
@pytest.mark.parametrize("many", [1, 9])
def test_the_first_printed_sheet_of_an_incident_is_the_whole_answer_with_a_place_to_sign(
    opened: Opened, many: int, accounts: int
) -> None:
    """A sheet of A4 is 210 mm by 297 mm (ISO 216), of which the page's margins leave 182 mm by 267 mm."""
    gone = {"roleName": "deployer", "policyArn": ADMINISTRATOR}
    calls = [
        *(("UpdateAssumeRolePolicy", OURS | {"policyDocument": one}) for one in (OF_BOTH, OF_CI) * many),
        *((f"{do}RolePolicy", gone) for do in ("Attach", "Detach")),
        *((do, {"userName": f"svc-{each}", "policyArn": ADMINISTRATOR}) for do in MADE_BY_HAND for each in range(many)),
        *(("DeleteRole", {"roleName": f"old-{each}"}) for each in range(many)),
    ]
    answers, found = asked(*calls, days=20)
    trail = Trail()
    for number in range(many * 4):
        who = arn(OUTSIDE, f"user/somebody-with-a-long-name-{number}")
        trail.add(entry(who, DEPLOYER, at(number), sourceIPAddress=f"198.51.100.{number}"))
    came = compare(answers, trail)
    found = replace(came, changes=found.changes, taken_back=found.taken_back, asked=(DAY, DAY))
    ways = tuple(
        replace(
            way, steps=(replace(way.steps[0], source=Party(Who("user", HUB, f"{number}-of-many"), "", "management")),)
        )
        for way in answers.ways
        for number in range(many * 5)
    )
    others = [Account(f"{number:012}", f"workload-production-{number}", None, None) for number in range(1, accounts)]
    whole = {**answers.accounts, **{one.id: one for one in others}}
    shown = opened(told(replace(answers, ways=ways, accounts=whole), found), found, STAGE)
    shown.set_viewport_size({"width": round(182 / 25.4 * 96), "height": 900})
    shown.emulate_media(media="print")
    for said in ("Not covered: ", "What was not looked at is under Not proved"):
        expect(shown.locator("header")).to_contain_text(said)
    expect(shown.locator("header")).not_to_contain_text("Next step")
    expect(shown.locator("#not-proved")).to_contain_text("make the user's keys inactive first")
    signed = shown.locator(".signed").bounding_box()
    assert signed is not None
    assert signed["y"] + signed["height"] <= 267 / 25.4 * 96
    for one in whole.values():
        expect(shown.locator("#summary").get_by_role("rowheader").filter(has_text=one.id)).to_be_visible()
    by_strength = shown.get_by_role("table", name="Who can enter, by strength")
    expect(by_strength.get_by_role("columnheader").first).to_have_text("Strength")
    strengths = by_strength.bounding_box()
    lines = shown.locator(".look").bounding_box()
    assert lines
    assert strengths
    assert strengths["y"] + strengths["height"] <= signed["y"]
    seen = [line.bounding_box() for line in shown.locator(".look li").all()]
    whole = [one for one in seen if one and one["x"] < lines["x"] + lines["width"]]
    assert all(one["y"] + one["height"] <= lines["y"] + lines["height"] + 1 for one in whole)
    assert len(whole) >= 4
    if len(seen) == len(whole) == 4:
        last = seen[-1]
        assert last
        assert lines["y"] + lines["height"] - last["y"] - last["height"] < last["height"]


def test_the_first_sheet_has_a_line_of_each_kind_before_a_second_one_and_everybody_without_a_door_first(
    opened: Opened,
) -> None:
    world, ann = two_keys(), arn(HUB, "user/ann")
    world.add("User", "eve", world.stage, name="eve", arn=arn(STAGE, "user/eve"))
    answers, trail = into(read(world.graph), STAGE), Trail()
    for record in (
        *(entry(arn(OUTSIDE, f"user/{who}"), DEPLOYER, at(day)) for who in ("x", "y") for day in range(2)),
        *(called(STAGE, at(2), call) for call in ("DeleteBucket", "DeleteUser")),
        *(denied(ann, DEPLOYER, at(3 + day)) for day in range(3)),
        called(STAGE, at(7), "StopLogging", "eve", eventSource="cloudtrail.amazonaws.com"),
        *(signed_in(STAGE, at(8), "eve", additionalEventData={"MFAUsed": mfa}) for mfa in ("No", "Yes")),
    ):
        trail.add(record)
    found = compare(answers, trail, learning_days=0)
    lines = opened(answers, found, STAGE).locator(".look li").all_inner_texts()
    assert [line.partition(" -> ")[0].partition(" ")[2] for line in lines] == [
        *(f"09:00 to 09-02 09:00, 2 times user {who} of {OUTSIDE}" for who in ("x", "y")),
        f"09:00, 2 times root user of {STAGE}",
        f"09:00 user eve of {STAGE}",
        f"09:00 user eve of {STAGE}",
        "09:00 to 09-06 09:00, 3 times user ann of management",
    ]


def test_headings_tables_and_language_are_there_for_screen_readers(opened: Opened) -> None:
    shown = opened(*audited(), STAGE)
    assert shown.locator("html").get_attribute("lang") == "en"
    levels = [int(tag[1]) for tag in shown.locator("h1, h2, h3").evaluate_all("all => all.map(one => one.tagName)")]
    assert levels[0] == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))
    for table in shown.locator("table").all():
        assert table.locator("caption").count() == 1
        assert table.locator("thead th[scope=col]").count() >= 2
        assert table.locator("tbody th[scope^=row]").count() == table.locator("tbody tr").count()


def test_nothing_that_anybody_named_is_ever_more_than_text(opened: Opened) -> None:
    found, comparison = audited()
    (first, *_) = found.ways
    hostile = []
    for name in NAMES:
        party = Party(Who("role", STAGE, name), name, name)
        step = replace(first.steps[0], source=party, target=party, conditions=(name,))
        hostile.append(replace(first, steps=(step,), conditions=(name,)))
    unproved = tuple(NotProved(name, name, name) for name in NAMES)
    (closing,) = (name for name in NAMES if "</style>" in name)
    shown = opened(replace(found, ways=tuple(hostile), not_proved=unproved), comparison, closing)
    assert shown.locator("script, img, iframe, link, object").count() == 0
    assert shown.locator("style").count() == 1
    assert shown.evaluate("window.hacked") is None
    expect(shown.locator("h1")).to_have_text(f"Who can enter {closing}: {STAGE}")
    assert foot(shown).startswith(f'"Who can enter {closing}: {STAGE}; made 20')


def test_an_account_that_nobody_can_enter_says_so(opened: Opened) -> None:
    world = World()
    world.resources = [world.hub]
    shown = opened(read(world.graph), None)
    expect(shown.locator("main")).to_contain_text("No way in from another account is known.")


def test_it_can_be_read_on_a_phone(opened: Opened) -> None:
    shown = opened(*audited(), STAGE)
    shown.set_viewport_size({"width": 390, "height": 844})
    assert shown.evaluate("document.documentElement.scrollWidth") <= 390
