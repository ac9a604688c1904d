"""How many verdicts a second: ours with and without their reasons, beside ministack's evaluator and iam-simulate.

    uv run python benchmarks/evaluation.py [--requests 2000] [--repeat 5] [--without-simulator]

The corpus is what the tests of twokeys.iam hold (a tenth of its requests hang on something); the generated requests are
those of the differential tests, of which everything is known, so that all three answer them. Policies are parsed
beforehand, and each verdict is on a request of its own. Processor seconds of one core, the best of the repetitions:
other work on the machine does not count. Every answer that is compared is the same in the run that measures it, but for
the departures that tests/iam/differential/departures.yaml explains.
"""

from __future__ import annotations

import argparse
import resource
import sys
import time
from collections.abc import Callable
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


def best(work: Callable[[], object], number: int, repeat: int) -> float:
    """Verdicts a second, of the quickest repetition."""
    seconds = []
    for _ in range(repeat):
        began = time.process_time()
        work()
        seconds.append(time.process_time() - began)
    return number / min(seconds)


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


def simulator(cases: list[Generated], repeat: int) -> float:
    """Verdicts a second of iam-simulate in a process of its own, less what the process takes without requests."""

    def seconds(some: list[Generated]) -> float:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        list(evaluators.simulated(some))
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    return max(len(cases) / max(seconds(cases) - seconds([]), 1e-3) for _ in range(min(repeat, 2)))


def main() -> None:
    """Print the table as Markdown, ratios first."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=2_000)
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--without-simulator", action="store_true")
    arguments = parser.parse_args()
    known = [(request_of(case), policies_of(case)) for case in corpus() if "expect" in case]
    cases = list(requests(SEED, arguments.requests))
    made = [(evaluators._request(case), evaluators._policies(case)) for case in cases]
    sides = [(request, Policies(held.identity, None, held.boundary, held.session)) for request, held in made]
    rows = [
        ("corpus, both keys", "ours", best(verdicts(evaluate, known), len(known), arguments.repeat)),
        ("corpus, both keys", "ours, with reasons", best(reasons(evaluate, known), len(known), arguments.repeat)),
        ("generated, grant", "ours", best(verdicts(evaluate_grant, sides), len(sides), arguments.repeat)),
        ("generated, grant", "ours, with reasons", best(reasons(evaluate_grant, sides), len(sides), arguments.repeat)),
        ("generated, grant", "ministack", best(ministack_grants(cases), len(cases), arguments.repeat)),
        ("generated, both keys", "ours", best(verdicts(evaluate, made), len(made), arguments.repeat)),
        ("generated, both keys", "ours, with reasons", best(reasons(evaluate, made), len(made), arguments.repeat)),
    ]
    if not arguments.without_simulator:
        rows.append(("generated, both keys", "iam-simulate", simulator(cases, arguments.repeat)))
    first = {mix: rate for mix, who, rate in reversed(rows) if who == "ours"}
    print("| requests | evaluator | ours / it | verdicts a second |")
    print("|---|---|---|---|")
    for mix, who, rate in rows:
        print(f"| {mix} | {who} | {first[mix] / rate:.1f} x | {rate:,.0f} |")


if __name__ == "__main__":
    main()
