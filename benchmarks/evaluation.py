"""How many verdicts a second: ours with and without their reasons, beside ministack's evaluator and iam-simulate.

    uv run python benchmarks/evaluation.py [--requests 500] [--rounds 60] [--without-simulator]

The corpus is what the tests of twokeys.iam hold (a tenth of its requests hang on something); the generated requests are
those of the differential tests, of which everything is known, so that all three answer them. Policies are parsed
beforehand, and each verdict is on a request of its own. Processor seconds of one core, the best of many rounds in which
all take turns: other work on the machine slows some rounds, and no row alone. Every answer that is compared is the same
in the tests, but for the departures that tests/iam/differential/departures.yaml explains.
"""

import argparse
import math
import resource
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from ministack.core import iam_evaluator  # noqa: E402

from tests.iam.cases import corpus, policies_of, request_of  # noqa: E402
from tests.iam.differential import evaluators  # noqa: E402
from tests.iam.differential.generate import Generated, requests  # noqa: E402
from twokeys.iam import Policies, Request, Verdict, evaluate, evaluate_grant  # noqa: E402

SEED = 20261126
Asked = list[tuple[Request, Policies]]


def quickest(works: Sequence[Callable[[], object]], rounds: int) -> list[float]:
    """The processor seconds of each in its quickest round."""
    seconds = [math.inf] * len(works)
    for _ in range(rounds):
        for place, work in enumerate(works):
            began = time.process_time()
            work()
            seconds[place] = min(seconds[place], time.process_time() - began)
    return seconds


def again(request: Request) -> Request:
    """The same request, with nothing of it worked out yet."""
    return Request(request.caller, request.action, request.resource, request.context)


def verdicts(judge: Callable[[Request, Policies], Verdict], asked: Asked) -> Callable[[], None]:
    def work() -> None:
        for request, policies in asked:
            judge(again(request), policies)

    return work


def reasons(judge: Callable[[Request, Policies], Verdict], asked: Asked) -> Callable[[], None]:
    def work() -> None:
        for request, policies in asked:
            _ = judge(again(request), policies).why

    return work


def ministack_grants(cases: list[Generated]) -> Callable[[], None]:
    """Their evaluator on the same identity-based policies, boundaries and session policies."""
    prepared = [
        (
            evaluators._ministack_context(case),
            [evaluators._ministack_policy(one) for one in case.identity],
            [[evaluators._ministack_policy(one)] for one in (case.boundary, case.session) if one is not None],
        )
        for case in cases
    ]

    def work() -> None:
        for context, identity, limits in prepared:
            iam_evaluator.evaluate(context, identity, *limits)

    return work


def simulator(cases: list[Generated]) -> float:
    """Verdicts a second of iam-simulate in a process of its own, less what the process takes without requests."""

    def seconds(some: list[Generated]) -> float:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        list(evaluators.simulated(some))
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    return max(len(cases) / max(seconds(cases) - seconds([]), 1e-3) for _ in range(2))


def main() -> None:
    """Print the table as Markdown, ratios first."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=500)
    parser.add_argument("--rounds", type=int, default=60)
    parser.add_argument("--without-simulator", action="store_true")
    arguments = parser.parse_args()
    known = [(request_of(case), policies_of(case)) for case in corpus() if "expect" in case]
    cases = list(requests(SEED, arguments.requests))
    made = [(evaluators._request(case), evaluators.policies(case)) for case in cases]
    sides = [(request, Policies(held.identity, None, held.boundary, held.session)) for request, held in made]
    raced = [
        ("corpus, both keys", "ours", len(known), verdicts(evaluate, known)),
        ("corpus, both keys", "ours, with reasons", len(known), reasons(evaluate, known)),
        ("generated, grant", "ours", len(sides), verdicts(evaluate_grant, sides)),
        ("generated, grant", "ours, with reasons", len(sides), reasons(evaluate_grant, sides)),
        ("generated, grant", "ministack", len(cases), ministack_grants(cases)),
        ("generated, both keys", "ours", len(made), verdicts(evaluate, made)),
        ("generated, both keys", "ours, with reasons", len(made), reasons(evaluate, made)),
    ]
    seconds = quickest([work for *_, work in raced], arguments.rounds)
    rows = [(mix, who, number / taken) for (mix, who, number, _), taken in zip(raced, seconds, strict=True)]
    if not arguments.without_simulator:
        rows.append(("generated, both keys", "iam-simulate", simulator(cases)))
    first = {mix: rate for mix, who, rate in reversed(rows) if who == "ours"}
    print("| requests | evaluator | ours / it | verdicts a second |")
    print("|---|---|---|---|")
    for mix, who, rate in rows:
        print(f"| {mix} | {who} | {first[mix] / rate:.1f} x | {rate:,.0f} |")


if __name__ == "__main__":
    main()
