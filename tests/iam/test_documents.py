"""https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html"""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twokeys.iam import UNKNOWN, PolicyDocument, PolicyError, PolicyKind, parse_policy
from twokeys.iam.json_text import JsonNumber

TRUST = {"Effect": "Allow", "Principal": {"AWS": "111111111111"}, "Action": "sts:AssumeRole"}
GRANT = {"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "*"}


def policy(*statements: Any, **more: Any) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements), **more}


def refusal(source: Any, kind: PolicyKind = PolicyKind.IDENTITY) -> PolicyError:
    with pytest.raises(PolicyError) as refused:
        parse_policy(source, kind)
    return refused.value


def test_a_single_value_stands_for_a_list_of_one():
    single = parse_policy({"Statement": GRANT})
    listed = parse_policy({"Statement": [{"Effect": "Allow", "Action": ["sts:AssumeRole"], "Resource": ["*"]}]})
    assert single.statements == listed.statements


def test_a_document_keeps_what_it_says():
    read = parse_policy(
        policy({**TRUST, "Sid": "In", "Condition": {"Bool": {"aws:MultiFactorAuthPresent": True}}}, Id="x"),
        PolicyKind.TRUST,
    )
    (statement,) = read.statements
    assert (read.version, read.id, statement.sid, statement.effect) == ("2012-10-17", "x", "In", "Allow")
    assert statement.principals is not None
    assert statement.principals.aws == ("111111111111",)
    (clause,) = statement.conditions
    assert (clause.operator, clause.key, clause.values) == ("Bool", "aws:MultiFactorAuthPresent", ("true",))


def test_numbers_and_booleans_of_a_condition_keep_their_text():
    """Grammar notes: Quotation marks are optional for numeric and Boolean values."""
    text = """{"Statement": {"Effect": "Deny", "Action": "*", "Resource": "*",
        "Condition": {"NumericLessThan": {"a:b": [1.50, 2]}}}}"""
    assert parse_policy(text).statements[0].conditions[0].values == ("1.50", "2")


def test_an_error_has_the_place_of_what_is_wrong():
    text = """{
  "Statement": [{
    "Effect": "Allow",
    "Principal": {"AWS": ["111111111111",
      "nobody"]},
    "Action": "sts:AssumeRole"
  }]
}"""
    error = refusal(text, PolicyKind.TRUST)
    assert (error.path, error.line, error.column) == ("Statement[0].Principal.AWS[1]", 5, 7)
    assert str(error).startswith("Statement[0].Principal.AWS[1] (line 5, column 7): ")


def test_an_unknown_element_is_shown_at_its_name():
    error = refusal('{"Statement": {"Effect": "Allow", "action": "*", "Resource": "*"}}')
    assert (error.path, error.line, error.column, error.rule) == ("Statement.action", 1, 35, "unknown-element")


def test_a_mapping_has_paths_but_no_lines():
    error = refusal(policy({**GRANT, "Effect": "allow"}))
    assert (error.path, error.line, error.column, error.rule) == ("Statement[0].Effect", None, None, "effect")


def test_a_key_that_is_there_twice_is_refused():
    """Grammar notes: Individual elements must not contain multiple instances of the same key."""
    error = refusal('{"Statement": {"Effect": "Allow",\n"Effect": "Deny", "Action": "*", "Resource": "*"}}')
    assert (error.path, error.line, error.column, error.rule) == ("Statement.Effect", 2, 1, "duplicate-key")


def test_a_condition_key_that_differs_only_in_case_is_there_twice():
    condition = {"StringEquals": {"aws:SourceIp": "a", "AWS:sourceip": "b"}}
    assert refusal(policy({**GRANT, "Condition": condition})).rule == "duplicate-key"


@pytest.mark.parametrize(("change", "path", "rule"), [
    ({"Effect": "ALLOW"}, "Statement[0].Effect", "effect"),
    ({"Action": []}, "Statement[0].Action", "empty-list"),
    ({"Action": "AssumeRole"}, "Statement[0].Action", "action"),
    ({"Action": ["*", "sts:"]}, "Statement[0].Action[1]", "action"),
    ({"Action": 5}, "Statement[0].Action", "wrong-type"),
    ({"NotAction": "*"}, "Statement[0].NotAction", "exclusive-elements"),
    ({"NotResource": "*"}, "Statement[0].NotResource", "exclusive-elements"),
    ({"Resource": "role/x"}, "Statement[0].Resource", "resource"),
    ({"Resource": ""}, "Statement[0].Resource", "resource"),
    ({"Resource": ["*", "*:role/x"]}, "Statement[0].Resource[1]", "resource"),
    ({"Resource": ["*", None]}, "Statement[0].Resource[1]", "wrong-type"),
    ({"Principal": "*"}, "Statement[0].Principal", "principal-in-identity-policy"),
    ({"NotPrincipal": "*"}, "Statement[0].NotPrincipal", "principal-in-identity-policy"),
    ({"Sid": "a b"}, "Statement[0].Sid", "sid"), ({"Sid": None}, "Statement[0].Sid", "wrong-type"),
    ({"Condition": []}, "Statement[0].Condition", "wrong-type"),
    ({"Condition": {"stringEquals": {}}}, "Statement[0].Condition.stringEquals", "unknown-operator"),
    ({"Condition": {"NullIfExists": {"a:b": "true"}}}, "Statement[0].Condition.NullIfExists", "unknown-operator"),
    ({"Condition": {"Bool": {"a:b": None}}}, "Statement[0].Condition.Bool.a:b", "condition-value"),
    ({"Condition": {"Bool": {"a:b": ["x", {}]}}}, "Statement[0].Condition.Bool.a:b[1]", "condition-value"),
])  # fmt: skip
def test_what_aws_refuses_in_an_identity_based_policy(change: dict[str, Any], path: str, rule: str):
    error = refusal(policy({**GRANT, **change}))
    assert (error.path, error.rule) == (path, rule)


@pytest.mark.parametrize(("change", "path", "rule"), [
    ({"Principal": None}, "Statement[0].Principal", "wrong-type"),
    ({"Principal": "111111111111"}, "Statement[0].Principal", "principal"),
    ({"Principal": {}}, "Statement[0].Principal", "empty-list"),
    ({"Principal": {"AWS": []}}, "Statement[0].Principal.AWS", "empty-list"),
    ({"Principal": {"aws": "*"}}, "Statement[0].Principal.aws", "unknown-principal-type"),
    ({"Principal": {"Group": "x"}}, "Statement[0].Principal.Group", "unknown-principal-type"),
    ({"Resource": "*"}, "Statement[0].Resource", "resource-in-trust-policy"),
    ({"NotResource": "*"}, "Statement[0].NotResource", "resource-in-trust-policy"),
    ({"NotPrincipal": "*"}, "Statement[0].NotPrincipal", "not-principal"),
])  # fmt: skip
def test_what_aws_refuses_in_a_trust_policy(change: dict[str, Any], path: str, rule: str):
    error = refusal(policy({**TRUST, **change}), PolicyKind.TRUST)
    assert (error.path, error.rule) == (path, rule)


@pytest.mark.parametrize("name", ["*", "111111111111", "account:stage", "arn:aws:iam::111111111111:root",
    "arn:aws:iam::account:stage:role/x", "arn:aws:iam::111111111111:group/g", "arn:aws:iam::111111111111:role/*",
    "AROAEXAMPLEEXAMPLEAAA", "arn:aws:sts::111111111111:assumed-role/a/b"])  # fmt: skip
def test_a_principal_is_a_star_an_account_an_arn_or_a_unique_id(name: str):
    assert parse_policy(policy({**TRUST, "Principal": {"AWS": name}}), PolicyKind.TRUST)


def test_a_trust_policy_needs_a_principal():
    statement = {"Effect": "Allow", "Action": "sts:AssumeRole"}
    assert refusal(policy(statement), PolicyKind.TRUST).rule == "missing-element"


def test_a_policy_that_iam_refuses_as_trust_can_be_read_as_resource_based():
    statement = {"Effect": "Deny", "NotPrincipal": {"AWS": "111111111111"}, "Action": "*", "Resource": "*"}
    assert parse_policy(policy(statement), PolicyKind.RESOURCE).statements[0].not_principals is not None


@pytest.mark.parametrize("version", ["2012-10-18", "2012", 20121017, None, ["2012-10-17"]])
def test_another_version_is_refused(version: object):
    assert refusal({"Version": version, "Statement": GRANT}).rule == "unknown-version"


@pytest.mark.parametrize("version", ["2012-10-17", "2008-10-17"])
def test_both_versions_are_read(version: str):
    assert parse_policy({"Version": version, "Statement": GRANT}).version == version


@pytest.mark.parametrize("source", [{}, {"Statement": []}, {"Statement": "x"}, {"Statement": [GRANT], "Extra": 1},
                                    {"Statement": [GRANT, "x"]}, {"Statement": [GRANT], "statement": []}])  # fmt: skip
def test_a_policy_needs_its_elements_and_no_others(source: dict[str, Any]):
    refusal(source)


def test_an_id_is_for_resource_based_policies_only():
    assert parse_policy(policy(TRUST, Id="x"), PolicyKind.TRUST).id == "x"
    assert refusal(policy(GRANT, Id="x")).rule == "prohibited-element"


def test_a_sid_is_unique_unless_it_is_empty():
    assert refusal(policy({**GRANT, "Sid": "A"}, {**GRANT, "Sid": "A"})).path == "Statement[1].Sid"
    assert len(parse_policy(policy({**GRANT, "Sid": ""}, {**GRANT, "Sid": ""})).statements) == 2


def test_a_resource_control_policy_denies_everybody():
    """https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_rcps_syntax.html"""
    everybody = {**GRANT, "Effect": "Deny", "Principal": "*"}
    assert parse_policy(policy(everybody), PolicyKind.RCP)
    assert parse_policy(policy({"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}), PolicyKind.RCP)
    assert refusal(policy({**everybody, "Effect": "Allow"}), PolicyKind.RCP).rule == "rcp-effect"
    assert refusal(policy({**everybody, "Principal": {"AWS": "111111111111"}}), PolicyKind.RCP).rule == "rcp-principal"
    not_action = {"Effect": "Deny", "Principal": "*", "NotAction": "sts:*", "Resource": "*"}
    assert refusal(policy(not_action), PolicyKind.RCP).rule == "prohibited-element"


def test_an_unresolved_value_may_stand_anywhere():
    for name in ("Effect", "Action", "Resource", "Condition", "Sid"):
        assert isinstance(parse_policy(policy({**GRANT, name: UNKNOWN})), PolicyDocument)
    for source in ({"Statement": UNKNOWN}, {"Version": UNKNOWN, "Statement": GRANT}, policy(UNKNOWN)):
        assert parse_policy(source).unresolved
    condition = {"StringEquals": UNKNOWN, "Bool": {"a:b": [UNKNOWN]}}
    assert parse_policy(policy({**GRANT, "Condition": condition})).statements[0].unresolved
    assert parse_policy(policy({**TRUST, "Principal": {"AWS": [UNKNOWN]}}), PolicyKind.TRUST)


@pytest.mark.parametrize("text", ["", " ", "{", "[", '{"a"', '{"a":', '{"a": 1', '{"a": 1,', '{"a": 1,}', "[1,]",
    "nul",
    '"abc', '"\\x"', "01", "1.", "-", "{'a': 1}",
    '{"a": 1} x', "NaN", "\ufeff{}", "[" * 5000, '{"a":' * 5000])  # fmt: skip
def test_what_is_not_json_is_refused_with_its_place(text: str):
    error = refusal(text)
    assert error.line is not None
    assert error.path == ""


def test_bytes_that_are_not_utf_8_are_refused():
    assert refusal(b"\xff{}").rule == "not-json"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.just(UNKNOWN)
    | st.sampled_from(["*", "Allow", "sts:AssumeRole", "arn:aws:iam::111111111111:root", "2012-10-17"]),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(["Statement", "Version", "Effect", "Action", "Principal", "Resource", "Condition", "Bool",
                         "AWS", "aws:x", "Sid", "NotAction", "NotPrincipal", "Id"]) | st.text(max_size=4),
        inner, max_size=6,
    ),
    max_leaves=30,
)  # fmt: skip


def outcome(source: Any, kind: PolicyKind) -> Any:
    """The model, or where and by which rule the document is refused."""
    try:
        return parse_policy(source, kind)
    except PolicyError as error:
        return error.path, error.rule


@given(JSON, st.sampled_from(PolicyKind))
def test_any_value_gives_a_model_or_a_policy_error(value: Any, kind: PolicyKind):
    assert isinstance(outcome(value, kind), PolicyDocument | tuple)


@given(st.dictionaries(st.sampled_from(["Statement", "Version"]), JSON), st.sampled_from(PolicyKind))
def test_a_text_gives_the_same_as_its_value(value: Any, kind: PolicyKind):
    text = json.dumps(value, default=lambda _unknown: "unknown").replace("NaN", "1").replace("Infinity", "1")
    assert outcome(text, kind) == outcome(json.loads(text, parse_float=JsonNumber), kind)


@given(st.text(max_size=60))
def test_any_text_gives_a_model_or_a_policy_error(text: str):
    with pytest.raises(PolicyError):
        parse_policy(text)
