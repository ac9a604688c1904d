"""What is alike is said once: a report of many accounts stays one that a person reads."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner

from tests.access.states import write_state
from tests.access.world import CI, HUB, STAGE, World, arn, document, grants, trusts
from twokeys.answers.commands import access
from twokeys.answers.model import Time
from twokeys.answers.reading import read
from twokeys.answers.summary import by_account, by_principal, summary
from twokeys.audit.commands import audit
from twokeys.shown import listed


def organization(size: int) -> World:
    """Accounts that ci deploys into; one of them has a second role, which a user enters."""
    world = World()
    world.role("ci", world.hub)
    accounts = [f"{200000000000 + number}" for number in range(size)]
    for account in accounts:
        provider = world.provider(f"in-{account}", account)
        world.add("Account", f"team-{account}", world.hub, name=f"team-{account}", outputs={"id": account})
        world.add("Role", f"deployer-{account}", provider, name="deployer", assumeRolePolicy=document(trusts(CI)))
    world.grant("ci", world.hub, *(arn(account, "role/deployer") for account in accounts))
    world.add("User", "ann", world.hub, name="ann")
    world.add("UserPolicy", "g", world.hub, user="ann", name="g", policy=document(grants(arn(accounts[0], "role/own"))))
    world.role("own", world.provider("own", accounts[0]), document(trusts(arn(HUB, "user/ann"))))
    return world


def test_what_many_accounts_have_alike_is_one_line_of_each_principal() -> None:
    answers = read(organization(30).graph)
    (ci,) = [entrances for source, entrances in by_principal(answers.ways) if source.who.name == "ci"]
    assert [(one.role, len(one.accounts)) for one in ci] == [("deployer", 30)]
    groups = {len(group.accounts): [way.source.who.name for way, *_ in group.ways] for group in by_account(answers)}
    assert groups[30] == ["ci"]
    assert groups[1] in (["ann"], [])


def test_a_way_that_its_dates_keep_shut_is_not_alike_to_one_that_is_open() -> None:
    """A Deny after a date in the role of one account leaves the role of that name in the other open."""
    world = organization(2)
    past = {"DateGreaterThan": {"aws:CurrentTime": "2020-06-01T00:00:00Z"}}
    ended = document({"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": past})
    world.add("RolePolicy", "over", world.provider("again", "200000000000"), role="deployer", name="over", policy=ended)
    (ci,) = [entrances for source, entrances in by_principal(read(world.graph).ways) if source.who.name == "ci"]
    now = datetime.now(UTC)
    assert [{way.at(now) for way in one.ways} for one in ci if one.role == "deployer"].count({Time.NOW}) == 1


@pytest.mark.parametrize(("limit", "open_to"), [
    ({"DateLessThan": "2020-06-01T00:00:00Z"}, ()),
    ({"DateGreaterThan": "2020-06-01T00:00:00Z"}, (("GitHub", 1),)),
    ({"DateGreaterThan": "2090-06-01T00:00:00Z"}, (("GitHub", 1),)),
], ids=str)  # fmt: skip
def test_a_way_that_is_open_to_anybody_counts_unless_it_is_over(limit: dict[str, str], open_to: object) -> None:
    world, github = World(), "token.actions.githubusercontent.com"
    asked: dict[str, dict[str, str]] = {operator: {"aws:CurrentTime": day} for operator, day in limit.items()}
    asked["StringLike"] = {f"{github}:sub": "repo:*"}
    come = {
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Principal": {"Federated": arn(STAGE, f"oidc-provider/{github}")},
    }
    world.role("gha", world.stage, document({"Effect": "Allow", **come, "Condition": asked}))
    assert summary(read(world.graph), datetime.now(UTC)).open_to == open_to


def test_what_two_accounts_have_alike_is_said_once() -> None:
    groups = {len(group.accounts): group.ways for group in by_account(read(organization(2).graph))}
    assert [[way.source.who.name for way in same] for same in groups[2]] == [["ci", "ci"]]


def test_every_way_is_counted_once_by_how_strong_it_is() -> None:
    answers = read(organization(30).graph)
    found = summary(answers, datetime.now(UTC))
    assert found.ways == len(answers.ways) == sum(count for _, count in found.levels)
    assert found.ways_in == "62 ways in (31 doors, 31 with a key not shown)"


@pytest.mark.parametrize(
    ("names", "text"),
    [(["a"], "a"), (["a", "b", "c", "d"], "a, b, c, d"), (["a", "b", "c", "d", "e"], "a, b, c and 2 more")],
)
def test_names_are_listed_as_far_as_they_can_be_read(names: list[str], text: str) -> None:
    assert listed(names) == text


def test_a_report_of_two_hundred_accounts_fits_on_a_few_screens(tmp_path: Path) -> None:
    whole, shut = organization(200), organization(200)
    shut.resources = [one for one in shut.resources if not one.type.endswith("RolePolicy")]
    for name, world in (("whole", whole), ("shut", shut)):
        state = write_state(tmp_path / name, world)
        for command, *arguments in ((audit,), (access, "check")):
            result = CliRunner().invoke(command, [*arguments, "--state", str(state)], standalone_mode=False)
            assert result.exception is None, result.exception
            assert len(result.output.splitlines()) < 60
            hidden = [one for one in range(200) if f"team-{200000000000 + one}" not in result.output]
            assert not hidden, "a search for an account finds it"
    assert "-> role deployer of 200 accounts (list 2): no grant" in result.output
    assert "  The same with 199 more, but for the account: team-200000000001, team-200000000002, " in result.output
