"""What is on a picture: as much as can be read, and nothing that is wrong folded away."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.map.organizations import MANAGEMENT, PROD, STAGE, classic, grown, organization, shut, step, through, way
from twokeys.access.judge import Key
from twokeys.answers.model import OUTSIDE, Account, State
from twokeys.answers.permissions import Level
from twokeys.doors import Who
from twokeys.map.drawing import laid_out
from twokeys.map.model import Look, kinds_of
from twokeys.map.page import data
from twokeys.map.scenes import MOST_ARROWS, MOST_BOXES, Box, Scene, overview


def boxes(scene: Scene) -> Iterator[Box]:
    waiting = list(scene.boxes)
    while waiting:
        box = waiting.pop()
        yield box
        waiting.extend(box.children)


def kinds(scene: Scene) -> set[str]:
    return {box.kind for box in boxes(scene)}


def shown_accounts(scene: Scene) -> int:
    """How many accounts a scene stands for: those with a box, and those that a box says it holds."""
    single = sum(box.kind == "account" for box in boxes(scene))
    folded = [line for box in boxes(scene) for line in box.lines if line.endswith("accounts") and line[0].isdigit()]
    return single + sum(int(line.split()[0]) for line in folded)


def can_be_read(scene: Scene) -> bool:
    ends = [box for box in boxes(scene) if not box.children]
    return len(scene.arrows) <= MOST_ARROWS and len(ends) <= MOST_BOXES


@pytest.mark.parametrize("size", [5, 15, 50, 500])
def test_a_picture_that_can_be_read_stands_for_every_account_and_door_and_folds_away_none_that_is_not_open(
    size: int,
) -> None:
    whole = grown(size)
    scene = overview(whole)
    assert can_be_read(scene)
    assert shown_accounts(scene) == len(whole.accounts)
    drawn = [found for arrow in scene.arrows for found in arrow.doors]
    assert len(drawn) == len(set(drawn)) == len(whole.doors)
    keys = {box.key for box in boxes(scene)}
    assert {end for arrow in scene.arrows for end in (arrow.source, *arrow.targets)} <= keys
    assert {arrow.around for arrow in scene.arrows} <= keys | {None}
    apart = {box.about[0] for box in boxes(scene) if box.kind == "account"}
    for found in whole.doors:
        if found.state is not State.OPEN:
            assert {found.target.who.account, found.source.who.account} <= apart


def test_a_small_organization_is_shown_down_to_its_roles_with_both_keys_on_each_door() -> None:
    scene = overview(classic())
    assert kinds(scene) == {"root", "unit", "account", "principal"}
    assert sorted(arrow.lines for arrow in scene.arrows) == [
        ("✓ both keys",),
        ("✓ both keys",),
        ("✓ both keys", "with MFA"),
        ("✗ no grant", "with MFA"),
    ]


def test_up_to_twelve_accounts_are_a_box_each_however_many_arrows_there_are() -> None:
    """Which of two accounts of a unit somebody enters is what a reader looks for."""
    ci, people = Who("role", MANAGEMENT, "ci"), Who("group", MANAGEMENT, "people")
    teams = [Account(f"{200000000000 + number}", f"a{number}", None, ("unit",)) for number in range(11)]
    doors = [way(who, one.id, f"of-{one.name}") for one in teams for who in (ci, people)]
    doors += [way(Who("role", one.id, "next"), teams[0].id, "hub") for one in teams[1:]]
    scene = overview(organization("example", [Account(MANAGEMENT, "management", None, ()), *teams], doors))
    assert len(scene.arrows) > MOST_ARROWS
    assert sum(box.kind == "account" for box in boxes(scene)) == 12


def test_a_door_into_an_administrators_role_says_so_and_a_step_before_it_does_not() -> None:
    ci, hop = Who("role", MANAGEMENT, "ci"), Who("role", STAGE, "hop")
    leads = through(step(ci, STAGE, "hop"), step(hop, PROD, "admin", "MFA"), level=Level.ADMINISTRATOR)
    drawn = {arrow.lines for arrow in overview(organization("example", [], [leads])).arrows}
    assert drawn == {("✓ both keys",), ("✓ both keys", "administrator", "with MFA")}
    folded = organization("example", [Account(str(n), str(n)) for n in range(MOST_BOXES)], [leads])
    lines = {line for arrow in overview(folded).arrows for line in arrow.lines}
    assert "(administrator), with" in " ".join(lines)


def test_who_comes_into_the_same_roles_of_several_accounts_is_one_arrow_with_a_head_at_each() -> None:
    ci, enter = Who("role", MANAGEMENT, "ci"), Who("role", MANAGEMENT, "break-glass")
    ids = [str(200_000_000_000 + number) for number in range(MOST_ARROWS - 1)]
    accounts = [Account(id, f"team-{id}", None, ("teams",)) for id in ids]
    accounts.append(Account(MANAGEMENT, "management", None, ()))
    doors = [way(enter, id, role) for id in ids for role in ("admin", "billing")]
    scene = overview(organization("example", accounts, [*doors, way(ci, MANAGEMENT, "deployer")]))
    (inside,) = (arrow for arrow in scene.arrows if arrow.targets == (arrow.source,))
    (several,) = (arrow for arrow in scene.arrows if arrow is not inside)
    assert several.lines == ("role break-glass →", "admin, billing", "✓ both keys", "22 doors"), "of all heads"
    assert len(several.targets) == len(set(several.targets)) == len(ids)
    assert several.title.startswith(f"management to {', '.join(f'team-{id}' for id in ids)}: ")
    assert set(several.doors) == set(doors)
    picture = laid_out(scene)
    assert picture.count("break-glass") == 1


@pytest.mark.parametrize(
    ("lacks", "grant", "trust", "sign"),
    [
        ({"grant": Key.PRESENT}, Look.SHUT, Look.SHUT, "✗ denied"),
        ({"grant": Key.MISSING}, Look.SHUT, Look.OPEN, "✗ no grant"),
        ({"trust": Key.MISSING, "grant": Key.PRESENT}, Look.OPEN, Look.SHUT, "✗ no trust"),
    ],
)
def test_the_half_of_an_arrow_shows_the_key_that_is_missing(
    lacks: dict[str, Key], grant: Look, trust: Look, sign: str
) -> None:
    closed = shut(Who("role", MANAGEMENT, "ci"), STAGE, "deployer", **lacks)
    (arrow,) = overview(organization("example", [], [closed])).arrows
    assert (arrow.grant, arrow.trust) == (grant, trust)
    assert sign in arrow.lines


OVER, LATER = datetime(2026, 2, 1, tzinfo=UTC), datetime(2027, 6, 1, tzinfo=UTC)


def test_a_way_that_its_dates_keep_shut_looks_so_on_both_halves_and_a_step_before_it_is_open() -> None:
    hop = Who("role", STAGE, "hop")
    last = step(hop, PROD, "admin", "from 2027-06-01", "MFA", opens=LATER)
    leads = through(step(Who("role", MANAGEMENT, "ci"), STAGE, "hop"), last)
    before, shut_now = overview(organization("example", [], [leads])).arrows
    assert (before.grant, before.trust, before.lines) == (Look.OPEN, Look.OPEN, ("✓ both keys",))
    assert (shut_now.grant, shut_now.trust) == (Look.DATED, Look.DATED)
    assert shut_now.lines == ("◷ both keys, opens 2027-06-01", "with MFA, from 2027-06-01")


def test_ways_that_different_dates_keep_shut_are_one_arrow_between_two_boxes() -> None:
    ci = Who("role", MANAGEMENT, "ci")
    accounts = [Account(f"{200000000000 + number}", f"a{number}", None, ("unit",)) for number in range(60)]
    doors = [way(ci, one.id, "deployer", closes=OVER - timedelta(number)) for number, one in enumerate(accounts)]
    (arrow,) = overview(organization("example", [Account(MANAGEMENT, "management"), *accounts], doors)).arrows
    assert (arrow.grant, len(arrow.doors)) == (Look.DATED, 60)
    assert arrow.lines[-2:] == ("◷ both keys, shut by date", "60 doors")


def test_a_unit_without_accounts_and_an_account_that_does_not_exist_yet_are_seen_without_any_door() -> None:
    coming = Account("account:stage", "stage", "stage", ("stage",))
    scene = overview(organization("example", [coming], [], [("suspended",)]))
    assert {("OU suspended", "no accounts"), ("stage", "not created yet")} <= {box.lines for box in boxes(scene)}
    assert scene.subtitle == "1 account, 0 ways in"
    assert shown_accounts(scene) == 1


def test_very_many_empty_units_are_folded_too() -> None:
    units = [("old", f"unit-{number}") for number in range(100)]
    scene = overview(organization("example", [Account(MANAGEMENT, "management")], [], units))
    assert len([box for box in boxes(scene) if not box.children]) == 2


@pytest.mark.parametrize("units", [60, 200])
def test_even_an_organization_with_very_many_flat_units_stays_readable(units: int) -> None:
    ci = Who("role", MANAGEMENT, "ci")
    accounts = [
        Account(f"{200000000000 + number}", f"a{number}", None, (f"unit-{number // 2}",)) for number in range(units * 2)
    ]
    doors = [way(ci, account.id, "deployer") for account in accounts]
    scene = overview(organization("example", [Account(MANAGEMENT, "management"), *accounts], doors))
    assert can_be_read(scene)


def test_many_accounts_outside_the_organization_are_counted_in_one_box() -> None:
    vendors = [Who("role", str(300_000_000_000 + number), "vendor") for number in range(60)]
    doors = [way(one, MANAGEMENT, f"of-{one.account}") for one in vendors]
    scene = overview(organization("example", [Account(MANAGEMENT, "management")], doors))
    (outside,) = [box for box in boxes(scene) if box.kind == "outside"]
    assert (outside.lines, outside.children) == (("Outside the organization's accounts", "60 accounts"), ())
    github = [way(Who("web-identity", "", "GitHub"), MANAGEMENT, f"ci-{number}") for number in range(60)]
    for others, said in ((doors, ("60 accounts",)), (doors[:1], ("300000000000",))):
        scene = overview(organization("example", [Account(MANAGEMENT, "management")], [*others, *github]))
        (outside,) = [box for box in boxes(scene) if box.kind == "outside"]
        assert sorted(child.lines[-1:] for child in outside.children) == [said, ("In no account",)]


@pytest.mark.parametrize("broken", [9, 100])
def test_many_broken_doors_are_summed_up_by_what_they_lack(broken: int) -> None:
    ci = Who("role", MANAGEMENT, "ci")
    accounts = [Account(f"{200000000000 + number}", f"a{number}", None, ("unit",)) for number in range(200)]
    doors = [
        shut(ci, account.id, "deployer") if number < broken else way(ci, account.id, "deployer")
        for number, account in enumerate(accounts)
    ]
    scene = overview(organization("example", [Account(MANAGEMENT, "management"), *accounts], doors))
    assert {arrow.grant: len(arrow.doors) for arrow in scene.arrows} == {Look.SHUT: broken, Look.OPEN: 200 - broken}
    assert scene.subtitle == f"201 accounts, {200 - broken} ways in, {broken} doors with no grant"


def test_accounts_that_others_enter_in_the_same_numbers_have_an_arrow_each() -> None:
    teams = [str(200_000_000_000 + n) for n in range(8)]
    accounts = [Account(MANAGEMENT, "management", None, ()), *(Account(id, id, None, ("teams",)) for id in teams)]
    doors = [way(Who("role", MANAGEMENT, f"{id}-{n}"), id, f"of-{id}-{n}") for id in teams for n in range(6)]
    scene = overview(organization("example", accounts, doors))
    assert [arrow.lines[:1] for arrow in scene.arrows] == [("6 principals → 6 roles",)] * 8
    assert [len(arrow.doors) for arrow in scene.arrows] == [6] * 8


@pytest.mark.parametrize(
    ("outside", "mark"),
    [({"open_to": "GitHub"}, "open to anybody"), ({"third_party": OUTSIDE}, "outside the organization")],
)
def test_a_way_that_all_the_world_may_take_is_first_and_is_marked_in_list_and_picture(
    outside: dict[str, Any], mark: str
) -> None:
    whole = classic()
    *others, last = whole.answers.ways
    whole = replace(whole, answers=replace(whole.answers, ways=(*others, replace(last, **outside))))
    assert any(mark in " ".join(one.lines) for one in overview(whole).arrows)
    assert [kind for kind in kinds_of(whole.doors[0]) if kind in ("open to anybody", "by a third party")]
    assert mark in str(data(whole)["doors"][0]["outside"])
