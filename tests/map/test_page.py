"""The page, in a real browser: what people see, click and type, and that it asks nothing of any server."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.map.hostile import NAMES, hostile
from tests.map.organizations import (
    MANAGEMENT,
    PROD,
    STAGE,
    classic,
    every_look,
    grown,
    organization,
    step,
    through,
    way,
)
from twokeys.access.judge import Key
from twokeys.doors import Who
from twokeys.map.drawing import draw
from twokeys.map.model import Map
from twokeys.map.page import page as page_of
from twokeys.map.scenes import overview

Opened = Callable[..., Page]


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, Map], Path]:
    """Pages by name, each made once."""
    folder = tmp_path_factory.mktemp("pages")

    def made(name: str, whole: Map) -> Path:
        path = folder / f"{name}.html"
        if not path.exists():
            path.write_text(page_of(whole), encoding="utf-8")
        return path

    return made


@pytest.fixture
def opened(browser: Browser, files: Callable[[str, Map], Path]) -> Iterator[Opened]:
    """Opens the page of an organization; in the end nothing went wrong in it, and it asked for nothing."""
    contexts, requests, complaints = [], [], []

    def open_page(name: str, whole: Map, fragment: str = "", **options: object) -> Page:
        context = browser.new_context(**{"viewport": {"width": 1500, "height": 950}, **options})  # type: ignore[arg-type]
        contexts.append(context)
        page = context.new_page()
        page.on("request", lambda request: requests.append(request.url))
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("dialog", lambda dialog: complaints.append(dialog.message))
        page.goto(f"{files(name, whole).as_uri()}#{fragment}")
        page.wait_for_selector("body[data-ready]", timeout=120_000)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert complaints == []
    assert [url for url in requests if not url.startswith("file:")] == []
    assert len(requests) == len(contexts), f"a page asked for more than itself: {requests}"


@pytest.fixture
def page(opened: Opened) -> Page:
    return opened("classic", classic())


def doors(page: Page) -> Locator:
    return page.locator("#doors button")


def arrows(page: Page) -> Locator:
    return page.locator("#picture g.door")


def choose(page: Page, filter: str, text: str) -> None:
    page.locator(f"#{filter}").select_option(label=text)


def test_it_opens_with_the_whole_organization_and_every_door_the_worst_first(page: Page) -> None:
    expect(page).to_have_title("example: who can enter which account")
    expect(page.locator("#count")).to_have_text("3 ways in, 1 door with no grant")
    expect(doors(page)).to_have_count(4)
    expect(arrows(page)).to_have_count(4)
    expect(doors(page).first).to_contain_text("✗ no grant")


def test_a_click_on_a_door_in_the_picture_explains_it(page: Page) -> None:
    page.locator("#picture g.shut-door").click()
    card = page.locator("#door")
    expect(card).to_be_visible()
    for text in (
        "no grant",
        "group developers of management (111111111111)",
        "role readonly of prod (333333333333)",
        "✗ missing",
        "✓ present",
        "MFA",
        "2027-01-31",
        "none of their policies grants it",
    ):
        expect(card).to_contain_text(text)
    expect(page.locator("#doors button[aria-current=true]")).to_contain_text("readonly")
    page.get_by_role("button", name="Close the explanation").click()
    expect(card).to_be_hidden()


def test_the_list_and_the_halves_of_an_arrow_explain_the_same_door(page: Page) -> None:
    doors(page).filter(has_text="deployer of stage").click()
    expect(page.locator("#door-title")).to_contain_text("ci-deployer")
    expect(page.locator("#door")).to_contain_text("up to 1 h")
    expect(page.locator("#door")).to_contain_text("deployments")
    page.locator("#picture g.shut[class*=arrow] path.connection").first.dispatch_event("click")
    expect(page.locator("#door-title")).to_contain_text("developers-readonly")


def test_everything_can_be_done_with_the_keyboard_alone(page: Page) -> None:
    page.keyboard.press("/")
    expect(page.locator("#search")).to_be_focused()
    page.keyboard.type("readonly")
    expect(doors(page)).to_have_count(1)
    for _ in range(40):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.getAttribute('aria-label') ?? ''").startswith(
            "group developers of management to role readonly"
        ):
            break
    page.keyboard.press("Enter")
    expect(page.locator("#door")).to_be_focused()
    expect(page.locator("#door")).to_contain_text("readonly")
    page.keyboard.press("Escape")
    expect(page.locator("#door")).to_be_hidden()
    expect(doors(page).first).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#door")).to_be_visible()


def test_the_arrow_keys_go_through_the_list(page: Page) -> None:
    doors(page).first.focus()
    page.keyboard.press("ArrowDown")
    expect(doors(page).nth(1)).to_be_focused()
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Space")
    expect(page.locator("#door-title")).to_contain_text("developers-readonly")


def test_a_person_filter_shows_what_their_groups_may_enter(page: Page) -> None:
    choose(page, "principal", "ada — user of management")
    expect(doors(page)).to_have_count(2)
    expect(page.locator("#picture g.principal.dim").filter(has_text="role ci")).to_have_count(1)


def test_filters_narrow_each_other_and_what_does_not_match_is_dimmed(page: Page) -> None:
    choose(page, "account", "prod — 333333333333")
    expect(doors(page)).to_have_count(2)
    choose(page, "keys", "✗ a key is missing, or denied")
    expect(doors(page)).to_have_count(1)
    expect(page.locator("#picture g.door.dim")).to_have_count(3)
    choose(page, "environment", "stage")
    expect(page.locator("#count")).to_have_text("0 ways in")
    expect(page.locator("#of")).to_have_text(
        "of 3 ways in, 1 door with no grant; Account: prod — 333333333333; Environment: stage;"
        " Keys: ✗ a key is missing, or denied"
    )
    page.get_by_role("button", name="Show everything").click()
    expect(page.locator("#count")).to_have_text("3 ways in, 1 door with no grant")
    expect(page.locator("#picture g.dim")).to_have_count(0)


def test_a_way_that_its_dates_keep_shut_is_not_among_those_with_both_keys(opened: Opened, browser: Browser) -> None:
    ci, over = Who("role", MANAGEMENT, "ci"), datetime(2026, 2, 1, tzinfo=UTC)
    whole = organization(
        "dated", [], [way(ci, STAGE, "old", "MFA", "until 2026-01-31", closes=over), way(ci, PROD, "new")]
    )
    page = opened("dated", whole, "keys=open")
    expect(doors(page)).to_have_count(1)
    choose(page, "keys", "◷ shut by date")
    said = "◷ both keys, closed since 2026-02-01 00:00 UTC, read, with MFA, until 2026-01-31"
    expect(doors(page)).to_have_text([f"role ci of management → old of stage{said}"])
    expect(page.locator("#picture g.dated-door:not(.dim)")).to_have_count(1)
    still = browser.new_page(java_script_enabled=False)
    still.goto(page.url.partition("#")[0])
    expect(still.locator("#doors li.dated")).to_contain_text("closed since 2026-02-01")
    expect(still.locator("#doors li.open")).to_have_count(1)
    still.close()


def test_only_ways_in_that_are_open_now_are_counted_as_with_a_grant_that_is_not_shown(opened: Opened) -> None:
    ci, hop = Who("role", MANAGEMENT, "ci"), Who("role", STAGE, "hop")
    unsure = through(step(ci, STAGE, "hop"), step(hop, PROD, "admin", grant=Key.NOT_SHOWN))
    over = way(ci, PROD, "old", grant=Key.NOT_SHOWN, closes=datetime(2026, 2, 1, tzinfo=UTC))
    whole = organization("unsure", [], [unsure, over])
    said = "1 way in (1 with a key not shown), 1 way closed by date"
    assert overview(whole).subtitle.endswith(said)
    expect(opened("unsure", whole).locator("#count")).to_have_text(said)


def test_a_click_on_a_box_shows_its_ways_and_back_comes_back(page: Page) -> None:
    page.locator("#picture g.account").filter(has_text="222222222222").click(position={"x": 8, "y": 8})
    expect(page.locator("#account")).to_have_value("222222222222")
    expect(doors(page)).to_have_count(2)
    page.locator("#picture g.principal").filter(has_text="role ci").click()
    expect(page.locator("#account")).to_have_value("")
    expect(doors(page).filter(has_text="role ci")).to_have_count(2)
    page.go_back()
    expect(page.locator("#account")).to_have_value("222222222222")
    page.go_back()
    expect(doors(page)).to_have_count(4)


def test_a_link_opens_the_same_view_and_one_that_is_wrong_opens_the_whole(opened: Opened) -> None:
    page = opened("classic", classic(), "account=222222222222&door=1")
    expect(doors(page)).to_have_count(2)
    expect(page.locator("#door")).to_be_visible()
    page = opened("classic", classic(), "account=nope&door=-7&principal=x&unit=%5B&arrow=__proto__&keys=constructor")
    expect(page.locator("#count")).to_have_text("3 ways in, 1 door with no grant")
    expect(page.locator("#door")).to_be_hidden()


def test_500_accounts_start_folded_and_can_be_searched_down_to_one_door(opened: Opened) -> None:
    page = opened("500", grown(500))
    assert arrows(page).count() < 30
    expect(page.locator("#count")).to_have_text("1485 ways in, 2 doors with no grant, 1 door with trust not proved")
    expect(doors(page)).to_have_count(200)
    page.get_by_role("button", name="Show all 1488").click()
    expect(doors(page)).to_have_count(1488)
    page.locator("#search").fill("retail-3-prod deployer")
    expect(doors(page)).to_have_count(1)
    page.locator("#search").fill("")
    choose(page, "unit", "workloads / payments / prod")
    expect(doors(page)).to_have_count(51)


def test_the_many_doors_of_one_arrow_are_listed_when_it_is_clicked(opened: Opened) -> None:
    page = opened("500", grown(500))
    page.locator("#picture g.open-door").filter(has_text="operators").click()
    expect(page.locator("#count")).to_have_text("496 ways in")
    expect(page.locator("#of")).to_have_text("of 1485 ways in, 2 doors with no grant, 1 door with trust not proved")
    page.get_by_role("button", name="Show the others too").click()
    expect(page.locator("#count")).to_have_text("1485 ways in, 2 doors with no grant, 1 door with trust not proved")


@pytest.mark.parametrize("size", [3, 50, 500])
def test_no_text_leaves_its_box_and_no_arrow_crosses_a_text(opened: Opened, size: int) -> None:
    page = opened(f"{size}", classic() if size == 3 else grown(size))
    escaped = page.evaluate(
        """() => [...document.querySelectorAll('#picture g')].flatMap((group) => {
             const box = group.querySelector(':scope > .shape > rect'), text = group.querySelector(':scope > text');
             if (!box || !text) return [];
             const [outer, inner] = [box.getBBox(), text.getBBox()];
             const inside = inner.x >= outer.x && inner.x + inner.width <= outer.x + outer.width
               && inner.y >= outer.y - 1 && inner.y + inner.height <= outer.y + outer.height + 1;
             return inside ? [] : [text.textContent];
           })"""
    )
    assert escaped == []
    crossed = page.evaluate(
        """() => {
             const texts = [...document.querySelectorAll('#picture [class*=box-] text, #picture g.door text')];
             return [...document.querySelectorAll('#picture path.connection')].flatMap((path) => {
               const steps = [...Array(Math.floor(path.getTotalLength() / 4)).keys()];
               const points = steps.map((step) => path.getPointAtLength(step * 4));
               return texts.filter((text) => {
                 const { x, y, width, height } = text.getBBox();
                 return points.some((at) => at.x > x && at.x < x + width && at.y > y && at.y < y + height);
               }).map((text) => text.textContent);
             });
           }"""
    )
    assert crossed == []
    fonts = page.evaluate("document.fonts.ready.then(() => [...document.fonts].map((font) => font.status))")
    assert fonts == ["loaded", "loaded"]


def test_hostile_names_are_shown_and_do_nothing(opened: Opened) -> None:
    page = opened("hostile", hostile())
    assert page.evaluate("window.hacked") is None
    expect(page.locator("#count")).to_have_text(f"{len(NAMES)} ways in")
    for index in range(len(NAMES)):
        page.evaluate("(index) => { location.hash = `door=${index}`; }", index)
        expect(page.locator("#door")).to_be_visible()
    assert page.evaluate("window.hacked") is None
    assert page.locator("img, image, iframe, object, link, script[src]").count() == 0
    page.locator("#search").fill("<img src=x")
    expect(doors(page)).to_have_count(1)
    expect(doors(page)).to_contain_text("<img src=x onerror='window.hacked = true'>")


def test_a_script_that_is_not_the_pages_own_is_kept_from_running(browser: Browser, tmp_path: Path) -> None:
    path = tmp_path / "tampered.html"
    path.write_text(page_of(classic()).replace("</main>", "</main><script>window.hacked = true</script>"))
    page = browser.new_page()
    page.goto(path.as_uri())
    page.wait_for_selector("body[data-ready]")
    assert page.evaluate("window.hacked") is None
    page.close()


def test_the_picture_is_dark_where_the_reader_asks_for_dark(opened: Opened) -> None:
    def fill(page: Page) -> str:
        return page.locator("#picture g.account rect").first.evaluate("(rect) => getComputedStyle(rect).fill")

    assert fill(opened("classic", classic(), color_scheme="light")) == "rgb(254, 254, 254)"
    assert fill(opened("classic", classic(), color_scheme="dark")) == "rgb(48, 54, 61)"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_and_lines_have_the_contrast_that_wcag_asks_for(opened: Opened, scheme: str) -> None:
    # https://www.w3.org/TR/WCAG22/#contrast-minimum (4.5 for text) and #non-text-contrast (3 for graphics)
    page = opened("looks", every_look(), color_scheme=scheme)
    colours = page.evaluate(
        """() => {
          const style = (selector, property) => getComputedStyle(document.querySelector(selector))[property];
          return {
            text: [style('#picture g.account text', 'fill'), style('#picture g.account rect', 'fill')],
            unit: [style('#picture g.unit text', 'fill'), style('#picture g.unit rect', 'fill')],
            quiet: [style('header .quiet', 'color'), style(':root', 'backgroundColor')],
            ...Object.fromEntries(['open', 'dated', 'unproved', 'shut'].map((state) =>
              [state, [style(`g.${state} path.connection`, 'stroke'), style('#picture g.root rect', 'fill')]])),
          };
        }"""
    )
    ratios = {name: contrast(*pair) for name, pair in colours.items()}
    assert all(ratios[name] >= 4.5 for name in ("text", "unit", "quiet")), ratios
    assert all(ratios[name] >= 3 for name in ("open", "dated", "unproved", "shut")), ratios


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_picture_that_stands_alone_can_be_read_in_light_and_dark(
    browser: Browser, tmp_path: Path, scheme: Literal["light", "dark"]
) -> None:
    path = tmp_path / "map.svg"
    path.write_text(draw(grown(50)), encoding="utf-8")
    page = browser.new_page(color_scheme=scheme)
    page.goto(path.as_uri())
    pairs = page.evaluate(
        """() => [...document.querySelectorAll('g')].flatMap((group) => {
             const box = group.querySelector(':scope > .shape > rect'), text = group.querySelector(':scope > text');
             return box && text ? [[text.textContent, getComputedStyle(text).fill, getComputedStyle(box).fill]] : [];
           })"""
    )
    page.close()
    assert len(pairs) > 10
    assert [text for text, ink, paper in pairs if contrast(ink, paper) < 4.5] == []


def contrast(one: str, other: str) -> float:
    """https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio"""

    def luminance(colour: str) -> float:
        parts = [int(part) / 255 for part in colour.removeprefix("rgb(").removesuffix(")").split(", ")]
        linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def test_the_filters_stand_in_one_row_of_a_screen_of_1280_pixels(opened: Opened) -> None:
    page = opened("classic", classic(), viewport={"width": 1280, "height": 800})
    boxes = [one.bounding_box() or {} for one in page.locator("#filters > *").all()]
    assert len({round(box["y"] + box["height"]) for box in boxes}) == 1


def test_the_kind_of_way_is_a_filter_and_search_dims_what_does_not_match(page: Page) -> None:
    choose(page, "kind", "by a role")
    expect(doors(page)).to_have_count(2)
    expect(page.locator("#picture g.principal.dim").filter(has_text="group developers")).to_have_count(1)
    page.get_by_role("button", name="Show everything").click()
    page.locator("#search").fill("readonly")
    expect(page.locator("#picture g.account.dim").filter(has_text="222222222222")).to_have_count(1)


def test_the_keyboard_comes_to_the_list_before_the_picture(page: Page) -> None:
    page.locator("#reset").focus()
    page.keyboard.press("Tab")
    expect(doors(page).first).to_be_focused()


def test_without_scripts_there_is_a_still_picture_and_the_list(
    browser: Browser, files: Callable[[str, Map], Path]
) -> None:
    context = browser.new_context(java_script_enabled=False, viewport={"width": 1300, "height": 900})
    page = context.new_page()
    page.goto(files("classic", classic()).as_uri())
    expect(page.locator("#picture > svg")).to_be_visible()
    lines = page.locator("#doors li")
    expect(lines).to_have_count(4)
    expect(lines.filter(has_text="role ci of management → role deployer of stage")).to_have_count(1)
    expect(page.locator("#filters")).to_be_hidden()
    context.close()


def test_on_a_phone_nothing_is_wider_than_the_screen_and_the_picture_comes_first(opened: Opened) -> None:
    page = opened("classic", classic(), viewport={"width": 390, "height": 844})
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    expect(page.get_by_text("scroll it sideways")).to_be_visible()
    page.set_viewport_size({"width": 1500, "height": 950})
    expect(page.get_by_text("scroll it sideways")).to_be_hidden()
    page.set_viewport_size({"width": 390, "height": 844})
    tops = [page.locator(part).evaluate("part => part.getBoundingClientRect().top") for part in ("#map", "#side")]
    assert tops[0] < tops[1]


def test_on_paper_the_whole_list_and_the_whole_picture_stand_without_what_is_to_be_clicked(opened: Opened) -> None:
    page = opened("paper", grown(100), viewport={"width": 718, "height": 300})
    expect(doors(page)).to_have_count(200)
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert doors(page).count() == len(grown(100).doors)
    page.emulate_media(media="print")
    expect(page.locator("#filters")).to_be_hidden()
    clipped = "part => part.scrollHeight > part.clientHeight + 1 || part.scrollWidth > part.clientWidth + 1"
    assert [part for part in ("#side", "#map", "#picture") if page.locator(part).evaluate(clipped)] == []
