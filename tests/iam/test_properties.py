"""What must hold of every request, whatever its policies say."""

import copy
import json
from collections.abc import Mapping
from random import Random
from typing import Any

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from tests.iam.cases import corpus, policies_of, request_of
from tests.iam.differential import generate
from twokeys.iam.documents import PolicyDocument, PolicyKind
from twokeys.iam.evaluation import Policies, evaluate
from twokeys.iam.lint import lint
from twokeys.iam.parsing import PolicyError, parse_policy
from twokeys.iam.principals import Caller
from twokeys.iam.request import Context, Request
from twokeys.iam.truth import UNKNOWN
from twokeys.iam.verdict import Outcome, Requirement, Verdict

# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-denyallow.html

Drawn = dict[str, Any]
DEV, PROD, OTHER = generate.DEV, generate.PROD, generate.OTHER
# What 100 examples do not tell apart; `--hypothesis-profile=search` draws more.
MANY = settings(max_examples=max(400, settings().max_examples))
SYMBOLS = {DEV: "account:dev", PROD: "account:prod", OTHER: "account:other"}
IDS = {DEV: "909090909090", PROD: "808080808080", OTHER: "707070707070"}
KINDS = {
    "trust": PolicyKind.TRUST,
    "identity": PolicyKind.IDENTITY,
    "boundary": PolicyKind.BOUNDARY,
    "session": PolicyKind.SESSION,
    "scps": PolicyKind.SCP,
    "rcps": PolicyKind.RCP,
}

seeds = st.integers(0, 2**32 - 1)
contexts = seeds.map(lambda seed: generate.context(Random(seed)))


def _drawn(seed: int) -> Drawn:
    """A request as plain data: caller, target, context (None: a free one) and the policies by layer."""
    case = next(generate.requests(seed, 1))
    return {
        "caller": case.caller,
        "role": case.role,
        "target": case.target,
        "context": case.context,
        "trust": [case.trust],
        "identity": case.identity,
        "boundary": [case.boundary] if case.boundary else [],
        "session": [case.session] if case.session else [],
        "scps": [one for level in case.scps for one in level],
        "rcps": [one for level in case.rcps for one in level],
    }


requests = seeds.map(_drawn)


def judged(drawn: Drawn, *, free: bool = False, context: Mapping[str, Any] | None = None) -> Verdict:
    """The verdict; `free`: on nothing but what follows from the caller."""
    values = {} if free else {k: v if v is UNKNOWN else tuple(v) for k, v in (context or drawn["context"]).items()}
    asked = Request(
        Caller(drawn["caller"], role_arn=drawn["role"]),
        "sts:AssumeRole",
        drawn["target"],
        Context(values, complete=not free),
    )
    held: dict[str, tuple[Any, ...]] = {
        layer: tuple(one if one is UNKNOWN else parse_policy(one, kind) for one in drawn[layer])
        for layer, kind in KINDS.items()
    }
    return evaluate(
        asked,
        Policies(
            identity=held["identity"],
            trust=held["trust"][0] if held["trust"] else None,
            boundary=held["boundary"][0] if held["boundary"] else None,
            session=held["session"] or None,
            scps=(held["scps"],) if held["scps"] else (),
            rcps=(held["rcps"],) if held["rcps"] else (),
        ),
    )


def no_more(after: Verdict, before: Verdict) -> bool:
    """Whether what is allowed after was allowed before, and what may be allowed might be."""
    certain = after.outcome is not Outcome.ALLOW or before.outcome is Outcome.ALLOW
    return certain and (after.outcome is Outcome.DENY or before.outcome is not Outcome.DENY)


@MANY
@given(drawn=requests, others=requests, random=seeds.map(Random), free=st.booleans())
def test_a_document_that_is_within_another_never_allows_more(drawn: Drawn, others: Drawn, random: Random, free: bool):
    """Such is one without some of its statements or names, and with a Deny more, where all that is denied still is."""
    layer = random.choice([layer for layer in KINDS if drawn[layer]])
    less = copy.deepcopy(drawn)
    before, after = drawn[layer][0], less[layer][0]
    after["Statement"] = [_fewer(one, random) for one in after["Statement"] if random.random() < 0.6]
    if not after["Statement"] or random.random() < 0.5:
        after["Statement"].append({**(others[layer] or drawn[layer])[0]["Statement"][0], "Effect": "Deny"})
    if parse_policy(after, KINDS[layer]).within(parse_policy(before, KINDS[layer])):
        assert no_more(judged(less, free=free), judged(drawn, free=free))


def _fewer(statement: Drawn, random: Random) -> Drawn:
    """The statement with some of its names, or perhaps without its condition."""
    said = {key: statement[key] for key in ("Action", "Resource") if isinstance(statement.get(key), list)}
    fewer = statement | {key: random.sample(names, random.randint(1, len(names))) for key, names in said.items()}
    return {key: one for key, one in fewer.items() if key != "Condition" or random.random() < 0.8}


def renamed(value: Any, names: Mapping[str, str]) -> Any:
    """The value with every account under another name."""
    if isinstance(value, str):
        for old, new in names.items():
            value = value.replace(old, new)
        return value
    if isinstance(value, list):
        return [renamed(one, names) for one in value]
    if isinstance(value, dict):
        return {key: renamed(one, names) for key, one in value.items()}
    return value


def _renamed_back(verdict: Verdict, names: Mapping[str, str]) -> str:
    return str(renamed(verdict.explain(), {new: old for old, new in names.items()}))


@pytest.mark.parametrize("names", [IDS, SYMBOLS], ids=["other ids", "symbols"])
@given(drawn=requests, free=st.booleans())
def test_what_accounts_are_called_changes_no_verdict(names: Mapping[str, str], drawn: Drawn, free: bool):
    assume(_whole_ids(repr(drawn)))
    before, after = judged(drawn, free=free), judged(renamed(drawn, names), free=free)
    assert after.outcome is before.outcome
    assert _renamed_back(after, names) == before.explain()


@pytest.mark.parametrize("names", [IDS, SYMBOLS], ids=["other ids", "symbols"])
def test_what_accounts_are_called_changes_no_verdict_of_the_corpus(names: Mapping[str, str]):
    checked = 0
    for case in corpus():
        # Cases about a part of an id (a digit off, a wildcard for a digit) have no counterpart among symbols.
        if "expect" not in case or case.file == "symbols" or not _whole_ids(repr(case.said)):
            continue
        before = evaluate(request_of(case), policies_of(case))
        said = renamed(dict(case.said), names)
        after = evaluate(
            request_of(type(case)(case.file, case.page, case.it, said)),
            policies_of(type(case)(case.file, case.page, case.it, said)),
        )
        assert after.outcome is before.outcome, case.it
        checked += 1
    assert checked > 150


def _whole_ids(text: str) -> bool:
    """Whether every account in the text is one of the three, spelled out."""
    for account in (DEV, PROD, OTHER):
        text = text.replace(account, "")
    return not any(character * 4 in text for character in "123")


@given(drawn=requests, data=st.data(), free=st.booleans())
def test_the_order_of_statements_and_policies_never_matters(drawn: Drawn, data: st.DataObject, free: bool):
    shuffled = copy.deepcopy(drawn)
    for layer in KINDS:
        shuffled[layer] = data.draw(st.permutations(shuffled[layer]))
        for document in shuffled[layer]:
            document["Statement"] = data.draw(st.permutations(document["Statement"]))
    before, after = judged(drawn, free=free), judged(shuffled, free=free)
    assert after.outcome is before.outcome
    assert _met(after.requirements) == _met(before.requirements)


def _met(requirements: tuple[Requirement, ...]) -> frozenset[Any]:
    """Requirements without their order."""
    return frozenset(
        (one.operator, one.key, one.values, one.negated, frozenset(map(_met, one.any_of))) for one in requirements
    )


def _singled(value: Any) -> Any:
    """Lists of one string as that string."""
    if isinstance(value, list):
        return _singled(value[0]) if len(value) == 1 else [_singled(one) for one in value]
    return {key: _singled(one) for key, one in value.items()} if isinstance(value, dict) else value


@given(drawn=requests, free=st.booleans())
def test_a_single_value_stands_for_a_list_of_one(drawn: Drawn, free: bool):
    single = copy.deepcopy(drawn)
    for layer in KINDS:
        single[layer] = [_singled(document) for document in single[layer]]
    assert judged(single, free=free) == judged(drawn, free=free)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=20,
)
names = st.sampled_from(
    (
        "Version", "Id", "Statement", "Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Resource",
        "NotResource", "Condition", "AWS", "Service", "StringEquals", "ForAllValues:Bool", "Null", "aws:username",
        "statement",
    )
)  # fmt: skip
plausible_values = st.recursive(
    st.sampled_from(
        ("Allow", "Deny", "2012-10-17", "*", "sts:AssumeRole", f"arn:aws:iam::{DEV}:root", DEV, "${", "arn:", "")
    )
    | st.none()
    | st.booleans()
    | st.integers()
    | st.just(UNKNOWN),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=6),
    max_leaves=25,
)


def read(source: Any, kind: PolicyKind) -> None:
    """Reading gives a document or a PolicyError, and nothing else."""
    try:
        assert isinstance(parse_policy(source, kind), PolicyDocument)
    except PolicyError as refused:
        error = refused
    else:
        return
    assert error.message
    assert str(error)
    assert (error.line is None) == (error.column is None)


@given(value=json_values | plausible_values, kind=st.sampled_from(PolicyKind))
def test_reading_a_value_gives_a_document_or_an_error(value: Any, kind: PolicyKind):
    read(value, kind)


@given(value=json_values, kind=st.sampled_from(PolicyKind), indent=st.sampled_from((None, 1)))
def test_reading_json_gives_a_document_or_an_error(value: Any, kind: PolicyKind, indent: int | None):
    read(json.dumps(value, indent=indent), kind)
    read(json.dumps(value, indent=indent, ensure_ascii=False).encode("utf-8", "surrogatepass"), kind)


@given(
    source=st.text() | st.binary() | st.text(alphabet='{}[]",:\\ AllowStatement0123.eE+-u'),
    kind=st.sampled_from(PolicyKind),
)
@example(source="[" * 100_000, kind=PolicyKind.TRUST)
@example(source='{"a":' * 100_000, kind=PolicyKind.TRUST)
@example(source="1" * 10_000, kind=PolicyKind.TRUST)
@example(source="\ufeff{}", kind=PolicyKind.TRUST)
@example(source=b"\xff\xfe", kind=PolicyKind.TRUST)
@example(source='"\\ud800"', kind=PolicyKind.TRUST)
def test_reading_any_text_gives_a_document_or_an_error(source: str | bytes, kind: PolicyKind):
    read(source, kind)


@given(drawn=requests, data=st.data())
def test_reading_a_damaged_document_gives_a_document_or_an_error(drawn: Drawn, data: st.DataObject):
    document = copy.deepcopy(drawn["trust"][0])
    node: Any = document
    while True:
        place = data.draw(st.sampled_from(list(node) if isinstance(node, dict) else list(range(len(node)))))
        if not isinstance(node[place], dict | list) or not node[place] or data.draw(st.booleans()):
            break
        node = node[place]
    node[place] = data.draw(plausible_values)
    read(document, PolicyKind.TRUST)


@given(drawn=requests, layer=st.sampled_from(tuple(KINDS)))
def test_linting_a_document_gives_findings(drawn: Drawn, layer: str):
    kind = KINDS[layer]
    for finding in (one for document in drawn[layer] for one in lint(parse_policy(document, kind), kind)):
        assert finding.rule
        assert finding.message
        assert finding.url.startswith("https://docs.aws.amazon.com/")


@MANY
@given(drawn=requests, context=contexts, session=st.sampled_from(("build", "other")))
def test_a_free_context_is_right_about_every_concrete_one(drawn: Drawn, context: dict[str, list[str]], session: str):
    """Never ALLOW where some context denies, never DENY where one allows, and CONDITIONAL exactly where it says."""
    if ":role/" in drawn["caller"]:
        context = {**context, "aws:userid": [f"AROAEXAMPLEEXAMPLEAAA:{session}"]}
    general, concrete = judged(drawn, free=True), judged(drawn, context=_none_of(context))
    assert concrete.outcome in (Outcome.ALLOW, Outcome.DENY)
    if general.outcome in (Outcome.ALLOW, Outcome.DENY):
        assert concrete.outcome is general.outcome, general.explain()
    else:
        assert general.outcome is Outcome.CONDITIONAL
        satisfied = all(_satisfied(one, drawn, context) for one in general.requirements)
        assert concrete.outcome is (Outcome.ALLOW if satisfied else Outcome.DENY), general.explain()


def _none_of(context: dict[str, list[str]]) -> dict[str, list[str]]:
    return context or {"aws:Unused": ["x"]}


def _satisfied(requirement: Requirement, drawn: Drawn, context: dict[str, list[str]]) -> bool:
    """Whether a concrete context meets a requirement, asked of a statement that hangs on nothing else."""
    if requirement.any_of:
        return (
            any(all(_satisfied(one, drawn, context) for one in group) for group in requirement.any_of)
            != requirement.negated
        )
    grant: Drawn = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    if requirement.operator == "Resource":
        grant["Resource"] = list(requirement.values)
    else:
        grant["Condition"] = {requirement.operator: {requirement.key: list(requirement.values)}}
    trust = {"Effect": "Allow", "Action": "*", "Principal": "*"}
    plain: Drawn = {
        **{layer: [] for layer in KINDS},
        "caller": drawn["caller"],
        "role": drawn["role"],
        "target": f"arn:aws:iam::{PROD}:role/alice" if requirement.operator != "Resource" else drawn["target"],
        "trust": [{"Version": "2012-10-17", "Statement": [trust]}],
        "identity": [{"Version": "2012-10-17", "Statement": [grant]}],
    }
    if plain["target"].split(":")[4] == DEV:
        trust["Principal"] = {"AWS": DEV}  # type: ignore[assignment]
    return (judged(plain, context=_none_of(context)).outcome is Outcome.ALLOW) != requirement.negated


@st.composite
def holed(draw: st.DrawFn) -> tuple[Drawn, Drawn]:
    """A request with unknown values in it, and the same with each replaced by something concrete."""
    concrete = draw(requests)
    unknown = copy.deepcopy(concrete)
    for _ in range(draw(st.integers(1, 2))):
        layer = draw(st.sampled_from([layer for layer in KINDS if concrete[layer]]))
        at = draw(st.integers(0, len(concrete[layer]) - 1))
        if unknown[layer][at] is UNKNOWN or draw(st.integers(0, 5)) == 0:
            unknown[layer][at] = UNKNOWN
            continue
        place = draw(st.integers(0, len(concrete[layer][at]["Statement"]) - 1))
        statement, hidden = concrete[layer][at]["Statement"][place], unknown[layer][at]["Statement"]
        if hidden[place] is UNKNOWN:
            continue
        element = draw(st.sampled_from(sorted(statement)))
        if element == "Condition" and draw(st.booleans()):
            block = hidden[place][element]
            if block is not UNKNOWN:
                operator = draw(st.sampled_from(sorted(block)))
                key = draw(st.sampled_from(sorted(block[operator])))
                block[operator][key] = UNKNOWN
        elif element == "Principal" and layer == "trust" and draw(st.booleans()):
            hidden[place][element] = {"AWS": [UNKNOWN]}
        elif layer != "rcps" and draw(st.integers(0, 5)) == 0:
            hidden[place] = UNKNOWN
        elif layer != "rcps":
            hidden[place][element] = UNKNOWN
    return unknown, concrete


@MANY
@given(pair=holed(), free=st.booleans())
def test_what_is_unknown_is_never_taken_for_settled(pair: tuple[Drawn, Drawn], free: bool):
    """An unknown value never becomes ALLOW where some value denies, nor DENY where some value allows."""
    unknown, concrete = pair
    before, after = judged(unknown, free=free), judged(concrete, free=free)
    if before.outcome is Outcome.ALLOW:
        assert after.outcome is Outcome.ALLOW, before.explain()
    if before.outcome is Outcome.DENY:
        assert after.outcome is Outcome.DENY, before.explain()
    if before.outcome is Outcome.CONDITIONAL:
        assert after.outcome is not Outcome.DENY, before.explain()


@given(drawn=requests, data=st.data())
def test_an_unknown_value_of_the_request_is_never_taken_for_settled(drawn: Drawn, data: st.DataObject):
    if not drawn["context"]:
        return
    key = data.draw(st.sampled_from(sorted(drawn["context"])))
    before = judged(drawn, context={**drawn["context"], key: UNKNOWN})
    after = judged(drawn)
    assert before.outcome in (Outcome.UNKNOWN, after.outcome), before.explain()
