"""No way leads from one environment into another that is closed to it."""

from collections.abc import Callable, Iterator
from datetime import datetime

from pydantic import Field

from twokeys.access.exceptions import DoorConfig
from twokeys.access.findings import Config, Finding, Rule
from twokeys.access.graph import Graph
from twokeys.access.model.door_name import EXCEPT
from twokeys.access.model.environment import canonical, is_of_another_purpose, of_account
from twokeys.access.paths import Path, paths_from

NAME = "environments-isolated"


class ClosedTo(Config):
    """No way may lead from accounts of one environment into accounts of another."""

    source: str = Field(alias="from")
    target: str = Field(alias="to")


class EnvironmentConfig(DoorConfig):
    """Which environments are closed to which, and the environments of accounts that carry no tag."""

    closed: tuple[ClosedTo, ...] = (ClosedTo.model_validate({"from": "stage", "to": "prod"}),)
    accounts: dict[str, str] = Field(
        default_factory=dict, description="The environment of an account, by id or symbol; wins over its tag."
    )


def _check(graph: Graph, config: EnvironmentConfig, _now: datetime) -> Iterator[Finding]:
    given = {graph.accounts.canonical(account): name for account, name in config.accounts.items()}

    def environment(account: str) -> str | None:
        name = given.get(account) or of_account(graph.accounts, account)
        return None if name is None else canonical(name)

    for closed in config.closed:
        ends = {"from": canonical(closed.source), "to": canonical(closed.target)}
        yield from _ways_in(graph, environment, ClosedTo.model_validate(ends))


def _ways_in(graph: Graph, environment: Callable[[str], str | None], closed: ClosedTo) -> Iterator[Finding]:
    for path in paths_from(graph, lambda principal: environment(principal.account) == closed.source):
        reached = [environment(door.target.account) for door in path.doors]
        if closed.target in reached[:-1]:
            continue  # where a way leads on within an environment, the way into it says enough
        if reached[-1] == closed.target:
            yield _way_in(graph, path, closed)
        elif set(reached) <= {None, closed.source} and _may_be_any(graph, path, reached):
            yield _way_to_nobody_knows(graph, path, closed)


def _may_be_any(graph: Graph, path: Path, reached: list[str | None]) -> bool:
    """Whether a way ends in an account of which nothing says in what environment it is, and enters it at last."""
    account = path.target.account
    entered = [door.target.account for door in path.doors[:-1]]
    unknown = reached[-1] is None and account not in entered and graph.accounts.pinned(account)
    return unknown and not is_of_another_purpose(graph.accounts, account)


def _way_in(graph: Graph, path: Path, closed: ClosedTo) -> Finding:
    around = "" if len(path.doors) == 1 else f" (through {path})"
    message = (
        f"{path.source.arn} of {closed.source} account {graph.accounts.name(path.source.account)} can enter "
        f"{closed.target} account {graph.accounts.name(path.target.account)} as role {path.target.arn}{around}"
    )
    step = f"take the trust and the grant of the last door away, or {EXCEPT}"
    return _finding(path, message, step)


def _way_to_nobody_knows(graph: Graph, path: Path, closed: ClosedTo) -> Finding:
    account = path.target.account
    message = (
        f"{path.source.arn} of {closed.source} account {graph.accounts.name(path.source.account)} can enter account "
        f"{graph.accounts.name(account)} as role {path.target.arn}, and nothing says in which environment that is: "
        f"that it is not {closed.target} is not proved"
    )
    step = (
        "give the account (or the default tags of its provider) the tag environment, or name its environment in "
        f"`accounts` of {NAME} in the policy pack's configuration"
    )
    return _finding(path, message, step)


def _finding(path: Path, message: str, step: str) -> Finding:
    last = path.doors[-1].target
    return Finding(message, step, last.urn or path.source.urn, path.id, last.source)


ENVIRONMENTS_ISOLATED = Rule(
    name=NAME,
    description="No door leads from stage to prod, directly or through other roles.",
    severity="critical",
    remediation="Remove the trust and the grant that open the way, or make an exception for it.",
    url="https://docs.aws.amazon.com/whitepapers/latest/organizing-your-aws-environment/design-principles-for-your-multi-account-strategy.html",
    check=_check,
    config=EnvironmentConfig,
)
"""Open doors, chained, from an account of one environment into an account of another.

The environment of an account is what the configuration says, else its `environment` tag, else that of its provider's
default tags, else the word in its name (`acme-prod`, provider `stage`). The management account is in none. Unknown: a
door that is not proved is left to `unproved-door`; a way into an account of which nothing says what it is for (no
environment, and no word such as `shared` or `network`) is refused, since it may be the one that is closed.
Does not check: ways that lead through a service or through what a role may do (such as iam:PassRole), and ways through
accounts of other stacks.
"""
