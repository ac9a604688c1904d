"""What is decided with booleans is what the formula decides: in 2,000 requests, most of them with something open."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from typing import Any

from tests.iam.cases import corpus, policies_of, request_of
from tests.iam.differential.generate import Generated, requests
from twokeys.iam import UNKNOWN, Caller, Context, Outcome, Policies, PolicyDocument, PolicyKind, Request, parse_policy
from twokeys.iam.evaluation import (
    _evaluated,
    _evaluated_grant,
    _evaluated_trust,
    _is_possible,
    evaluate,
    evaluate_trust,
)
from twokeys.iam.settled import settled, settled_grant, settled_trust

_RANDOM = random.Random(20261126)


def _opened(case: Generated) -> tuple[Request, Policies]:
    """The request with some keys unknown or unsaid, and policies with some values unknown."""
    chosen = {key: _RANDOM.choice((tuple(values), UNKNOWN, None)) for key, values in case.context.items()}
    values = {key: value for key, value in chosen.items() if value is not None}
    caller = case.role if _RANDOM.random() < 0.5 and case.role else case.caller
    context = Context(values, complete=_RANDOM.random() < 0.3)
    return Request(Caller(caller, role_arn=case.role), case.action, case.target, context), Policies(
        identity=tuple(_document(one, PolicyKind.IDENTITY) for one in case.identity),
        trust=_document(case.trust, PolicyKind.TRUST),
        boundary=_document(case.boundary, PolicyKind.BOUNDARY) if case.boundary else None,
        session=(_document(case.session, PolicyKind.SESSION),) if case.session else None,
        scps=tuple(tuple(_document(one, PolicyKind.SCP) for one in level) for level in case.scps),
        rcps=tuple(tuple(_document(one, PolicyKind.RCP) for one in level) for level in case.rcps),
    )


def _document(said: Any, kind: PolicyKind) -> PolicyDocument:
    return parse_policy(_with_unknowns(said), kind)


def _with_unknowns(said: Any, *, inside: bool = False) -> Any:
    if isinstance(said, dict):
        return {key: _with_unknowns(value, inside=inside or key == "Condition") for key, value in said.items()}
    if isinstance(said, list):
        return [_with_unknowns(one, inside=inside) for one in said]
    return UNKNOWN if inside and _RANDOM.random() < 0.05 else said


def _asked() -> Iterator[tuple[Request, Policies]]:
    for case in corpus():
        if "expect" in case:
            yield request_of(case), policies_of(case)
    yield from map(_opened, requests(20261126, 2_000))


def test_booleans_and_formula_agree():
    """STS's own refusals come before both."""
    answers: Counter[Outcome | None] = Counter()
    for request, policies in _asked():
        if not _is_possible(request):
            continue
        for quick, slow in (
            (settled(request, policies), _evaluated(request, policies)),
            (settled_trust(request, policies.trust), _evaluated_trust(request, policies.trust)),
            (settled_grant(request, policies), _evaluated_grant(request, policies)),
        ):
            assert quick in (None, slow.outcome), (request, policies, slow.explain())
            answers[quick] += 1
        assert evaluate(request, policies).outcome is _evaluated(request, policies).outcome
    assert all(answers[outcome] > 100 for outcome in Outcome)
    assert answers[None] < answers.total() / 5


def test_of_many_statements_only_those_that_can_match_are_looked_at():
    """A document of 2,000 statements, which each name another role, is searched by name."""
    roles = [f"arn:aws:iam::111111111111:role/r{number}" for number in range(2_000)]
    statements = [{"Effect": "Allow", "Principal": {"AWS": role}, "Action": "sts:AssumeRole"} for role in roles]
    trust = parse_policy({"Version": "2012-10-17", "Statement": statements}, PolicyKind.TRUST)
    about = trust.about("sts:assumerole")
    target = "arn:aws:iam::222222222222:role/x"
    assert [one.index for one in about.allows.about(Caller(roles[1_234]), target)] == [1_234]
    assert evaluate_trust(Request(Caller(roles[1_999]), "sts:AssumeRole", target), trust).allowed
    grants = [{"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": role} for role in roles]
    wide = {"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "arn:aws:iam::222222222222:role/*"}
    grant = parse_policy({"Version": "2012-10-17", "Statement": [*grants, wide]}, PolicyKind.IDENTITY)
    found = grant.about("sts:assumerole").allows.about(Caller(target), roles[7])
    assert [one.index for one in found] == [7, 2_000]
