"""The corpus, one test a case: see corpus/README.md."""

from urllib.parse import urlsplit

import pytest

from tests.iam.cases import Case, corpus, judged
from twokeys.iam.documents import PolicyKind
from twokeys.iam.operators import OPERATORS
from twokeys.iam.parsing import PolicyError, parse_policy
from twokeys.iam.verdict import Outcome, Requirement, Verdict

CASES = corpus()


def _of(*keys: str) -> pytest.MarkDecorator:
    """One test per case that has one of these keys, named by file and sentence."""
    chosen = [case for case in CASES if any(key in case for key in keys)]
    return pytest.mark.parametrize("case", chosen, ids=[f"{case.file}: {case.it}" for case in chosen])


def _with(case: Case, **said: object) -> Case:
    return Case(case.file, case.page, case.it, {**case.said, **said})


def test_there_are_300_cases_or_more():
    assert len(CASES) >= 300


def test_every_case_cites_a_page_of_aws():
    strangers = [case.it for case in CASES if urlsplit(case.page).hostname != "docs.aws.amazon.com"]
    assert not strangers


def test_every_case_expects_something():
    verbs = ("expect", "holds", "text", "finding")
    assert not [case.it for case in CASES if sum(verb in case for verb in verbs) != 1]


def test_every_operator_has_a_request_that_meets_it_and_one_that_does_not():
    tried = {
        (operator, case["holds"])
        for case in CASES
        if "holds" in case and len(case["condition"]) == 1
        for operator, asked in case["condition"].items()
        if operator == "Null" or asked.keys() <= case.get("context", {}).keys()
    }
    missing = sorted({(name, holds) for name in OPERATORS for holds in ("true", "false")} - tried)
    assert not missing, f"add to corpus/conditions.yaml, from AWS's page, cases that say `holds`: {missing}"


@_of("expect")
def test_a_request_is_decided_as_documented(case: Case):
    verdict = judged(case)
    assert verdict.outcome is Outcome[case["expect"]], verdict.explain()
    explained = verdict.explain()
    for sid in case.get("decided_by", []):
        assert sid in [decision.sid for decision in verdict.decisions], explained
        assert sid in explained
    for operator, key, values in case.get("requires", []):
        assert _requires(verdict, operator, key, tuple(values)), explained
    if "requires" in case:
        assert len(verdict.requirements) == len(case["requires"]), explained
    for key in case.get("mentions", []):
        assert any(key.lower() in str(requirement).lower() for requirement in verdict.requirements), explained
    assert bool(verdict.requirements) == (verdict.outcome is Outcome.CONDITIONAL)
    assert bool(verdict.unknowns) == (verdict.outcome is Outcome.UNKNOWN)
    assert verdict.decisions


def _requires(verdict: Verdict, operator: str, key: str, values: tuple[str, ...]) -> bool:
    return Requirement(operator, key, values) in verdict.requirements


@_of("holds")
def test_a_condition_holds_as_documented(case: Case):
    holds = case["holds"] == "true"
    principal = case.get("principal", STANDING_PRINCIPAL)
    conditional = {"Principal": principal, "Condition": case["condition"]}
    allowed = judged(_with(case, trust=conditional))
    assert allowed.outcome is (Outcome.ALLOW if holds else Outcome.DENY), allowed.explain()
    denied = judged(_with(case, trust=[{"Principal": principal}, {"Effect": "Deny", "Sid": "Shut", **conditional}]))
    assert denied.outcome is (Outcome.DENY if holds else Outcome.ALLOW), denied.explain()


STANDING_PRINCIPAL = {"AWS": ["arn:aws:iam::111111111111:role/ci", "arn:aws:iam::111111111111:role/team/ci"]}


@_of("text")
def test_a_document_is_accepted_or_refused_as_documented(case: Case):
    kind = PolicyKind[case["kind"].upper()]
    if case.get("accepted") == "true":
        assert parse_policy(case["text"], kind).statements
        assert parse_policy(case["text"].encode(), kind).statements
        return
    with pytest.raises(PolicyError) as refused:
        parse_policy(case["text"], kind)
    error = refused.value
    assert error.path == case["refused_at"], str(error)
    assert str(error.line) == case.get("line", "1"), str(error)
