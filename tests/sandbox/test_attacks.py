"""The programs that open an account, and those in order, as `twokeys sandbox up` makes them.

Its gate is the pack's, so each is refused before what it would open is made; IAM is listed afterwards. Some of them run
on the pulumi CLI as well, one of each kind that the engine shows in a way of its own: tests/pack/test_attacks.py.
"""

import importlib
import re
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.pack.real_engine import HUB, Accounts
from tests.pack.test_attacks import ALLOWED_HALVES, IN_ORDER, LATE, SECOND_ROUND, WITHOUT_PREVIEW, only_halves
from twokeys.access.findings import Finding
from twokeys.access.graph import Graph
from twokeys.access.rules import RULES
from twokeys.access.verdicts import judge
from twokeys.preview import monitor
from twokeys.preview.run import Run
from twokeys.sandbox.local_aws import LocalAws
from twokeys.sandbox.making import LocalMaker

Make = Callable[..., LocalMaker]
ATTACKS = Path(__file__).parents[1] / "pack" / "attacks"


@pytest.fixture(scope="module")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalAws]:
    with LocalAws.start(tmp_path_factory.mktemp("attacks") / "aws") as running:
        yield running


@pytest.fixture
def accounts(aws: LocalAws) -> Accounts:
    """The three accounts, as new as they were at first."""
    made = Accounts(aws)
    made.renew()
    return made


@pytest.fixture
def make(accounts: Accounts, monkeypatch: pytest.MonkeyPatch) -> Make:
    monkeypatch.syspath_prepend(str(ATTACKS))
    scene, *rounds = (importlib.import_module(name) for name in ("scene", "attacks", "second_round"))

    def mandatory(graph: Graph) -> Iterable[Finding]:
        return (one.finding for one in judge(graph, RULES, {}, datetime.now(UTC)) if one.mandatory)

    def run(program: str, **config: str) -> LocalMaker:
        maker = LocalMaker(accounts.aws.environment(HUB), mandatory, lambda _stack: None, lambda _asked: None)
        answers = Run("attacks", "dev", config, maker, lambda _severity, _message: None)
        try:
            monitor.run(
                lambda: next(getattr(one, program) for one in rounds if hasattr(one, program))(scene.Scene(1)),
                answers.answer,
                project="attacks",
                stack="dev",
                dry_run=False,
                config={},
            )
        except Exception:
            if not maker.refused:
                raise
        finally:
            maker.close()
        return maker

    return run


@pytest.mark.parametrize("program", dict.fromkeys((*WITHOUT_PREVIEW, *LATE)))
def test_it_is_refused_before_it_opens_anything(program: str, make: Make, accounts: Accounts) -> None:
    assert make(program).refused != []
    assert accounts.keys_in_iam() == set() or program in ALLOWED_HALVES


@pytest.mark.parametrize("program", SECOND_ROUND)
def test_another_road_is_refused_too(program: str, make: Make, accounts: Accounts) -> None:
    assert make(program).refused != []
    assert only_halves(accounts.keys_in_iam())


@pytest.mark.parametrize("program", sorted(IN_ORDER))
def test_a_program_in_order_is_made(program: str, make: Make, accounts: Accounts) -> None:
    assert make(program).refused == []
    assert accounts.keys_in_iam() == IN_ORDER[program]


def test_a_name_that_nobody_gives_is_made_as_the_config_of_the_stack_says(make: Make, accounts: Accounts) -> None:
    """https://www.pulumi.com/docs/iac/concepts/resources/names/#autonaming-configuration"""
    make("fine_names_made_up", **{"pulumi:autonaming": '{"pattern": "${stack}-${name}-${num(2)}"}'})
    assert [name for name in accounts.role_names(HUB) if re.fullmatch("dev-pods-[0-9]{2}", name)]
