"""A verdict that is settled early is the one of the whole formula: in 2,000 requests, most with something open."""

import random
from collections import Counter
from collections.abc import Iterator
from typing import Any

from tests.iam.cases import corpus, policies_of, request_of
from tests.iam.differential import evaluators
from tests.iam.differential.generate import Generated, requests
from twokeys.iam import (
    UNKNOWN,
    Caller,
    Context,
    Outcome,
    Policies,
    PolicyDocument,
    PolicyKind,
    Request,
    Verdict,
    evaluate,
    evaluate_grant,
    evaluate_trust,
    parse_policy,
)
from twokeys.iam.evaluation import _by_form, _formula
from twokeys.iam.logic import decide
from twokeys.iam.matches import Side, side_of

_RANDOM = random.Random(20261126)


def _opened(case: Generated) -> tuple[Request, Policies]:
    """The request with some keys unknown or unsaid, and policies with some values unknown."""
    chosen = {key: _RANDOM.choice((tuple(values), UNKNOWN, None)) for key, values in case.context.items()}
    values = {key: value for key, value in chosen.items() if value is not None}
    caller = case.role if _RANDOM.random() < 0.5 and case.role else case.caller
    context = Context(values, complete=_RANDOM.random() < 0.3)
    asked = Request(Caller(caller, role_arn=case.role), case.action, case.target, context)
    return asked, evaluators.policies(case, _document)


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


def _whole(request: Request, side: Side) -> Verdict:
    """Every statement looked at, and the formula of them decided."""
    denies = tuple(match for rule in side.denies.all for match in rule.closely(request))
    return decide(_formula(request, side.gates), denies, request)


def test_early_verdicts_are_those_of_the_formula():
    """STS's own refusals come before both."""
    answers: Counter[Outcome] = Counter()
    for request, policies in _asked():
        caller, action = request.caller, request.action_name
        if not caller.ordinary or caller.partition != request.target.partition or "with" in action:
            continue
        layers = policies.about(action)
        within = caller.account == request.target.account
        pairs = (
            (evaluate(request, policies), _by_form(request, layers) if within else _whole(request, layers.both)),
            (evaluate_trust(request, policies.trust), _whole(request, side_of(policies.trust, action, "trust policy"))),
            (evaluate_grant(request, policies), _whole(request, layers.own.side)),
        )
        for early, whole in pairs:
            assert early == whole, (request, policies, early.explain(), whole.explain())
            answers[early.outcome] += 1
    assert all(answers[outcome] > 100 for outcome in Outcome)


def test_of_many_statements_only_those_that_can_match_are_looked_at():
    """A document of 2,000 statements, which each name another role, is searched by name."""
    roles = [f"arn:aws:iam::111111111111:role/r{number}" for number in range(2_000)]
    statements = [{"Effect": "Allow", "Principal": {"AWS": role}, "Action": "sts:AssumeRole"} for role in roles]
    trust = _long(statements)
    target = "arn:aws:iam::222222222222:role/x"
    assert _looked_at(trust, Request(Caller(roles[1_234]), "sts:AssumeRole", target)) == [1_234]
    assert evaluate_trust(Request(Caller(roles[1_999]), "sts:AssumeRole", target), trust).allowed
    within = Request(Caller(roles[1_234]), "sts:AssumeRole", "arn:aws:iam::111111111111:role/x")
    assert [one.statement for one in evaluate(within, Policies(trust=trust)).decisions] == [1_234]
    denied = _long([{**statements[0], "Principal": {"AWS": "*"}}, *({**one, "Effect": "Deny"} for one in statements)])
    assert not evaluate(within, Policies(trust=denied)).allowed
    assert "explicit denial" in evaluate(within, Policies(trust=denied)).explain()
    session = "arn:aws:sts::111111111111:assumed-role/ci/build"
    for name, outcome in ((UNKNOWN, Outcome.UNKNOWN), (session, Outcome.CONDITIONAL)):
        others = _long([*statements, {**statements[0], "Principal": {"AWS": [name]}}])
        assert (
            evaluate_trust(
                Request(Caller("arn:aws:iam::111111111111:role/ci"), "sts:AssumeRole", target), others
            ).outcome
            is outcome
        )
    grants = [{"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": role} for role in roles]
    wide = {"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "arn:aws:iam::222222222222:role/*"}
    grant = parse_policy({"Version": "2012-10-17", "Statement": [*grants, wide]}, PolicyKind.IDENTITY)
    assert _looked_at(grant, Request(Caller(target), "sts:AssumeRole", roles[7])) == [7, 2_000]


def _long(statements: list[Any]) -> PolicyDocument:
    return parse_policy({"Version": "2012-10-17", "Statement": statements}, PolicyKind.TRUST)


def _looked_at(policy: PolicyDocument, request: Request) -> list[int]:
    (gate,) = side_of(policy, request.action_name, "policy").gates
    return [gate.all.index(rule) for rule in gate.about(request)]
