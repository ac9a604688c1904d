"""https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html"""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twokeys.iam import UNKNOWN, PolicyError, PolicyKind, parse_policy
from twokeys.iam.json_text import JsonNumber
from twokeys.iam.principals import Principals
from twokeys.iam.truth import Truth

TRUST = {"Effect": "Allow", "Principal": {"AWS": "111111111111"}, "Action": "sts:AssumeRole"}
GRANT = {"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "*"}


def policy(*statements: Any, **more: Any) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements), **more}


def refusal(source: Any, kind: PolicyKind = PolicyKind.IDENTITY) -> PolicyError:
    with pytest.raises(PolicyError) as refused:
        parse_policy(source, kind)
    return refused.value


def test_a_document_keeps_what_it_says():
    read = parse_policy(
        policy({**TRUST, "Sid": "In", "Condition": {"Bool": {"aws:MultiFactorAuthPresent": True}}}, Id="x"),
        PolicyKind.TRUST,
    )
    (statement,) = read.statements
    text = parse_policy('{"Statement": ' + json.dumps(GRANT) + "}")
    assert [(one.kind, one.from_text) for one in (read, text)] == [(PolicyKind.TRUST, False), (IDENTITY, True)]
    assert (statement.variables, text.statements[0].variables) == (True, False)
    assert (read.version, read.id, statement.sid, statement.effect) == ("2012-10-17", "x", "In", "Allow")
    assert statement.principals is not None
    assert statement.principals.aws == ("111111111111",)
    (clause,) = statement.conditions
    assert (clause.operator, clause.key, clause.values) == ("Bool", "aws:MultiFactorAuthPresent", ("true",))
    assert clause.variables


IDENTITY, TRUSTING, RCP = PolicyKind.IDENTITY, PolicyKind.TRUST, PolicyKind.RCP
LONG = "x" * 80
STANDING: dict[PolicyKind, dict[str, Any]] = {
    IDENTITY: GRANT,
    TRUSTING: TRUST,
    RCP: {"Effect": "Deny", "Principal": "*", "Action": "*", "Resource": "*"},
}
"""A statement of each kind. What is refused below is a document, or such a statement with a change; `()` leaves out."""
REFUSED = [
    (IDENTITY, [1], 'wrong-type ',
     'a list is not an object; a policy is one', '[1]'),
    (IDENTITY, {}, 'missing-element ',
     'the policy has no Statement', '{}'),
    (IDENTITY, {'Extra': 1}, 'unknown-element Extra',
     "'Extra' is not an element of a policy; Version, Id and Statement are", '"Extra": 1}'),
    (RCP, {'Id': 'x', 'Statement': []}, 'prohibited-element Id',
     'a resource control policy has no Id', '"Id": "x", "'),
    (TRUSTING, {'Id': 1, 'Statement': TRUST}, 'wrong-type Id',
     '1 is not a string; an Id is one', '1, "Statemen'),
    (IDENTITY, {'Version': '2012-10-17T00:00:00Z', 'Statement': []}, 'unknown-version Version',
     "'2012-10-17T00:00:00Z' is not a version of the policy language; 2012-10-17 and 2008-10-17 are"
     "; write it in quotes", '"2012-10-17T'),
    (IDENTITY, {'Version': None, 'Statement': []}, 'unknown-version Version',
     'null is not a version of the policy language; 2012-10-17 and 2008-10-17 are', 'null, "State'),
    (IDENTITY, {'Statement': []}, 'empty-list Statement',
     'the policy has no statement', '[]}'),
    (IDENTITY, {'Statement': ['x']}, 'wrong-type Statement[0]',
     "'x' is not an object; a statement is one", '"x"]}'),
    (IDENTITY, {'extra': True}, 'unknown-element Statement.extra',
     "'extra' is not an element of a statement; element names are case-sensitive", '"extra": tru'),
    (IDENTITY, {'Effect': ()}, 'missing-element Statement',
     'the statement has no Effect', '{"Action": "'),
    (IDENTITY, {'Effect': 'allow'}, 'effect Statement.Effect',
     "'allow' is not an effect; Allow and Deny are, case-sensitive", '"allow", "Ac'),
    (IDENTITY, {'Action': ()}, 'missing-element Statement',
     'the statement has neither Action nor NotAction', '{"Effect": "'),
    (IDENTITY, {'NotAction': '*'}, 'exclusive-elements Statement.NotAction',
     'Action and NotAction exclude each other', '"NotAction":'),
    (IDENTITY, {'Resource': ()}, 'missing-element Statement',
     'the statement has neither Resource nor NotResource', '{"Effect": "'),
    (IDENTITY, {'NotResource': '*'}, 'exclusive-elements Statement.NotResource',
     'Resource and NotResource exclude each other', '"NotResource'),
    (IDENTITY, {'Principal': '*'}, 'principal-in-identity-policy Statement.Principal',
     'an identity-based policy has no Principal: it applies to what it is attached to', '"Principal":'),
    (IDENTITY, {'NotPrincipal': '*'}, 'principal-in-identity-policy Statement.NotPrincipal',
     'an identity-based policy has no NotPrincipal: it applies to what it is attached to', '"NotPrincipa'),
    (TRUSTING, {'NotPrincipal': '*'}, 'not-principal Statement.NotPrincipal',
     'NotPrincipal cannot be used in a trust policy', '"NotPrincipa'),
    (RCP, {'NotPrincipal': '*'}, 'not-principal Statement.NotPrincipal',
     'NotPrincipal cannot be used in a resource control policy', '"NotPrincipa'),
    (TRUSTING, {'Principal': ()}, 'missing-element Statement',
     'the statement has no Principal', '{"Effect": "'),
    (TRUSTING, {'Resource': '*'}, 'resource-in-trust-policy Statement.Resource',
     'a trust policy has no Resource: the role that it is attached to is the resource', '"Resource": '),
    (TRUSTING, {'NotResource': '*'}, 'resource-in-trust-policy Statement.NotResource',
     'a trust policy has no NotResource: the role that it is attached to is the resource', '"NotResource'),
    (RCP, {'Action': (), 'NotAction': '*'}, 'prohibited-element Statement.NotAction',
     'a resource control policy has no NotAction', '"NotAction":'),
    (RCP, {'Principal': {'AWS': '111111111111'}}, 'rcp-principal Statement.Principal',
     "the Principal of a resource control policy is '*'", '{"AWS": "111'),
    (RCP, {'Effect': 'Allow', 'Condition': {'Bool': {'a:k': True}}}, 'rcp-effect Statement.Effect',
     'a resource control policy denies; only RCPFullAWSAccess allows', '"Allow", "Pr'),
    (IDENTITY, {'Action': ['*', 'sts:']}, 'action Statement.Action[1]',
     "'sts:' is not an action such as sts:AssumeRole, or '*'", '"sts:"], "Re'),
    (IDENTITY, {'Resource': ''}, 'resource Statement.Resource',
     "'' is neither an ARN nor '*'", '""}}'),
    (IDENTITY, {'Resource': ['*', '*:role/x']}, 'resource Statement.Resource[1]',
     "'*:role/x' is neither an ARN nor '*'", '"*:role/x"]}'),
    (IDENTITY, {'Condition': {'NullIfExists': {'a:b': 'true'}}}, 'unknown-operator Statement.Condition.NullIfExists',
     "'NullIfExists' is not a condition operator; their names are case-sensitive", '"NullIfExist'),
    (IDENTITY, {'Version': 20121017, 'Statement': []}, 'unknown-version Version',
     '20121017 is not a version of the policy language; 2012-10-17 and 2008-10-17 are', '20121017, "S'),
    (IDENTITY, {'Sid': 'a b'}, 'sid Statement.Sid',
     "'a b': a Sid in IAM is made of letters and digits", '"a b"}}'),
    (IDENTITY, {'Sid': True}, 'wrong-type Statement.Sid',
     'true is not a string; a Sid is one', 'true}}'),
    (TRUSTING, {'Principal': 'x'}, 'principal Statement.Principal',
     '\'x\': a principal is \'*\' or an object such as {"AWS": ...}', '"x", "Action'),
    (TRUSTING, {'Principal': []}, 'wrong-type Statement.Principal',
     'a list is not an object; a Principal is one', '[], "Action"'),
    (TRUSTING, {'Principal': {}}, 'empty-list Statement.Principal',
     'Principal names nobody', '{}, "Action"'),
    (TRUSTING, {'Principal': {'aws': '*'}}, 'unknown-principal-type Statement.Principal.aws',
     "'aws' is not a type of principal; AWS, Service, Federated and CanonicalUser are", '"aws": "*"},'),
    (TRUSTING, {'Principal': {'AWS': ['*', 1.5]}}, 'wrong-type Statement.Principal.AWS[1]',
     '1.5 is not a string; a principal is one', '1.5]}, "Acti'),
    (TRUSTING, {'Principal': {'AWS': ['*', 'x']}}, 'principal Statement.Principal.AWS[1]',
     "'x' is not a principal: neither an account, nor an ARN, nor '*'", '"x"]}, "Acti'),
    (TRUSTING, {'Principal': {'AWS': 'x*'}}, 'principal Statement.Principal.AWS',
     "'x*' is not a principal: neither an account, nor an ARN, nor '*'", '"x*"}, "Acti'),
    (TRUSTING, {'Principal': {'AWS': '?'}}, 'principal Statement.Principal.AWS',
     "'?' is not a principal: neither an account, nor an ARN, nor '*'", '"?"}, "Actio'),
    (TRUSTING, {'Principal': {'Service': []}}, 'empty-list Statement.Principal.Service',
     'the list is empty; it needs a principal', '[]}, "Action'),
    (IDENTITY, {'Action': {}}, 'wrong-type Statement.Action',
     'an object is not a string; an action is one', '{}, "Resourc'),
    (IDENTITY, {'Action': ['*', LONG]}, 'action Statement.Action[1]',
     f"'{LONG}' is not an action such as sts:AssumeRole, or '*'", '"xxxxxxxxxxx'),
    (IDENTITY, {'Action': LONG + "x"}, 'action Statement.Action',
     f"'{LONG[:77]}'... is not an action such as sts:AssumeRole, or '*'", '"xxxxxxxxxxx'),
    (IDENTITY, {'Resource': [None]}, 'wrong-type Statement.Resource[0]',
     'null is not a string; a resource is one', 'null]}}'),
    (IDENTITY, {'Resource': 'role/x'}, 'resource Statement.Resource',
     "'role/x' is neither an ARN nor '*'", '"role/x"}}'),
    (IDENTITY, {'Condition': 'x'}, 'wrong-type Statement.Condition',
     "'x' is not an object; a Condition is one", '"x"}}'),
    (IDENTITY, {'Condition': {'stringEquals': {}}}, 'unknown-operator Statement.Condition.stringEquals',
     "'stringEquals' is not a condition operator; their names are case-sensitive", '"stringEqual'),
    (IDENTITY, {'Condition': {'Bool': []}}, 'wrong-type Statement.Condition.Bool',
     'a list is not an object; a condition is one', '[]}}}'),
    (IDENTITY, {'Condition': {'Bool': {'a:k': 'true', 'A:K': 'true'}}}, 'duplicate-key Statement.Condition.Bool.A:K',
     "the condition key 'A:K' is there twice; its case does not matter", '"A:K": "true'),
    (IDENTITY, {'Condition': {'Bool': {'a b': 'true'}}}, 'condition-key Statement.Condition.Bool.a b',
     "'a b' is not a condition key", '"a b": "true'),
    (IDENTITY, {'Condition': {'Bool': {'a:k': ['true', {}]}}}, 'condition-value Statement.Condition.Bool.a:k[1]',
     'an object is not a condition value: those are strings, numbers and booleans', '{}]}}}}'),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "said", "rule_and_path", "message", "at"), REFUSED)
def test_a_refusal_says_what_is_wrong_and_where(kind: PolicyKind, said: Any, rule_and_path: str, message: str, at: str):
    rule, _, path = rule_and_path.partition(" ")
    whole = not isinstance(said, dict) or not said or {"Statement", "Extra"} & said.keys()
    statement = {} if whole else {name: value for name, value in {**STANDING[kind], **said}.items() if value != ()}
    source = said if whole else {"Statement": statement}
    text = json.dumps(source)
    refused, read = refusal(source, kind), refusal(text, kind)
    for error in (refused, read):
        assert (error.rule, error.path, error.message) == (rule, path, message)
    assert (refused.line, refused.column, read.line) == (None, None, 1)
    assert read.column is not None
    assert text[read.column - 1 :].startswith(at)
    where = path or "the document"
    assert str(refused) == f"{where}: {message}"
    assert str(read) == f"{where} (line 1, column {read.column}): {message}"


@pytest.mark.parametrize(("element", "covered", "other"), [
    ({"Resource": "arn:aws:iam::1:role/x?"}, "arn:aws:iam::1:role/xy", "arn:aws:iam::1:role/x"),
    ({"Resource": ["arn:aws:iam::1:role/x"]}, "arn:aws:iam::1:role/x", "arn:aws:iam::1:role/y"),
    ({"Resource": "arn:aws:iam::1:role/${aws:username}"}, "arn:aws:iam::1:role/anna", "arn:aws:iam::1:role/bob"),
    ({"Resource": "arn:aws:s3:${aws:username}::x"}, "arn:aws:s3:${aws:username}::x", "arn:aws:s3:anna::x"),
    ({"NotResource": "arn:aws:iam::1:role/x*"}, "arn:aws:iam::1:role/y", "arn:aws:iam::1:role/xy"),
    ({"NotResource": "arn:aws:iam::1:role/x"}, "arn:aws:iam::1:role/y", "arn:aws:iam::1:role/x"),
])  # fmt: skip
def test_a_statement_covers_the_resources_that_its_names_match(element: dict[str, Any], covered: str, other: str):
    (read,) = parse_policy(policy({"Effect": "Allow", "Action": "sts:*", **element})).statements
    keys = {"aws:username": ("anna",)}
    held = [read.covers_resource(name, lambda key: keys.get(key, ())) for name in (covered, other)]
    assert held == [Truth.TRUE, Truth.FALSE]


@pytest.mark.parametrize(("element", "covered"), [
    ({"Action": "sts:AssumeRol?"}, [True, False, False]), ({"Action": "STS:tagsession"}, [False, True, False]),
    ({"Action": ["sts:T*", "sts:AssumeRole"]}, [True, True, False]), ({"NotAction": "sts:*"}, [False, False, True]),
])  # fmt: skip
def test_a_statement_covers_the_actions_that_its_names_match(element: dict[str, Any], covered: list[bool]):
    (read,) = parse_policy(policy({"Effect": "Allow", "Resource": "*", **element})).statements
    actions = ("sts:assumerole", "sts:tagsession", "s3:getobject")
    assert [read.covers_action(action) is Truth.TRUE for action in actions] == covered


def test_a_name_of_an_element_is_a_text():
    error = refusal(policy({**GRANT, 5: "x"}))
    assert (error.rule, error.path, error.message) == ("wrong-type", "Statement[0]", "5 is not a name of an element")
    for sid, what in (({1}, "a set"), ((1,), "a list")):
        assert refusal(policy({**GRANT, "Sid": sid})).message == f"{what} is not a string; a Sid is one"


@pytest.mark.parametrize("name", ["*", "111111111111", "account:stage", "arn:aws:iam::111111111111:root",
    "arn:aws:iam::account:stage:role/x", "arn:aws:iam::111111111111:group/g", "arn:aws:iam::111111111111:role/*",
    "arn:aws:iam::1*:role/x", "arn:aws:iam::?:role/x",
    "AROAEXAMPLEEXAMPLEAAA", "arn:aws:sts::111111111111:assumed-role/a/b"])  # fmt: skip
def test_a_principal_is_a_star_an_account_an_arn_or_a_unique_id(name: str):
    assert parse_policy(policy({**TRUST, "Principal": {"AWS": name}}), PolicyKind.TRUST)


@pytest.mark.parametrize(("said", "names"), [
    (UNKNOWN, Principals(unresolved=True)), ("*", Principals(everyone=True, bare=True)),
    ({"AWS": ["*", UNKNOWN]}, Principals(everyone=True, aws=("*", UNKNOWN))),
    ({"Service": "ec2.amazonaws.com"}, Principals(service=("ec2.amazonaws.com",))),
    ({"Federated": ["accounts.google.com"]}, Principals(federated=("accounts.google.com",))),
    ({"CanonicalUser": "x"}, Principals(canonical_user=("x",))),
])  # fmt: skip
def test_a_principal_element_names_whom_it_says(said: Any, names: Principals):
    (read,) = parse_policy(policy({**TRUST, "Principal": said}), PolicyKind.TRUST).statements
    assert read.principals == names
    assert read.principals is not None
    assert read.principals.bare is names.bare


def test_a_sid_is_unique_unless_it_is_empty():
    twice = refusal(policy({**GRANT, "Sid": "A"}, {**GRANT, "Sid": "A"}))
    assert (twice.path, twice.rule, twice.message) == (
        "Statement[1].Sid", "duplicate-sid", "the Sid 'A' is there twice",
    )  # fmt: skip
    assert len(parse_policy(policy({**GRANT, "Sid": ""}, {**GRANT, "Sid": ""})).statements) == 2


OTHERS, DENIED = {"Principal": {"AWS": ["222222222222", "333333333333"]}}, {**TRUST, "Effect": "Deny"}
ALL_BUT = {"Effect": "Allow", "Principal": "*"}
MFA = {"Condition": {"Bool": {"aws:MultiFactorAuthPresent": "true"}}}


@pytest.mark.parametrize(("narrow", "wide", "is_within"), [
    ([TRUST], [TRUST], True),
    ([TRUST], [{**TRUST, "Sid": "A", "Principal": {"AWS": ["222222222222", "111111111111"]}}], True),
    ([TRUST], [{**TRUST, "Principal": "*"}], True),
    ([TRUST], [{**TRUST, "Action": ["sts:TagSession", "sts:AssumeRole"]}], True),
    ([TRUST], [{**TRUST, **OTHERS}, TRUST], True),
    ([TRUST, DENIED], [TRUST], True),
    ([{**TRUST, **MFA}], [{**TRUST, **MFA}], True),
    ([{**TRUST, **OTHERS}], [{**TRUST, "Principal": {"AWS": "222222222222"}}], False),
    ([{**TRUST, "Principal": "*"}], [TRUST], False),
    ([{**TRUST, "Principal": {"Service": "ec2.amazonaws.com"}}], [{**TRUST, "Principal": {"AWS": "*"}}], False),
    ([{**TRUST, "Action": ["sts:AssumeRole", "sts:TagSession"]}], [TRUST], False),
    ([TRUST], [{**TRUST, **MFA}], False),
    ([{**TRUST, **MFA}], [TRUST], True),
    *(
        ([{**TRUST, "Condition": {of: {key: one}}}], [{**TRUST, "Condition": {wider: {key: more}}}], is_within)
        for of, key, one, wider, more, is_within in (
            ("DateLessThan", "aws:CurrentTime", "2026-10-16T00:00:00Z", "DateLessThan", "2026-10-25T00:00:00Z", True),
            ("DateLessThan", "aws:CurrentTime", "2026-10-25T00:00:00Z", "DateLessThan", "2026-10-16T00:00:00Z", False),
            ("DateGreaterThan", "aws:CurrentTime", "2026-10-16", "DateLessThan", "2026-10-25", False),
            ("NumericLessThan", "aws:MultiFactorAuthAge", "600", "NumericLessThanEquals", "600", True),
            ("NumericLessThanEquals", "aws:MultiFactorAuthAge", "600", "NumericLessThan", "600", False),
            ("IpAddress", "aws:SourceIp", "203.0.113.0/25", "IpAddress", "203.0.113.0/24", True),
            ("IpAddress", "aws:SourceIp", "203.0.113.0/24", "IpAddress", "203.0.113.0/25", False),
            ("NotIpAddress", "aws:SourceIp", "203.0.113.0/24", "NotIpAddress", "203.0.113.0/25", True),
            ("StringEquals", "sts:ExternalId", "a", "StringEquals", ["a", "b"], True),
            ("StringEquals", "sts:ExternalId", ["a", "b"], "StringEquals", "a", False),
            ("StringNotEquals", "aws:PrincipalTag/t", ["a", "b"], "StringNotEquals", "a", True),
            ("StringNotEquals", "aws:PrincipalTag/t", "a", "StringNotEquals", ["a", "b"], False),
            ("StringEquals", "aws:PrincipalTag/t", "a", "StringLike", "a*", True),
            ("StringLike", "aws:PrincipalTag/t", "a*", "StringEquals", "a*", False),
            ("StringLike", "aws:PrincipalTag/t", "a/b*", "StringLike", "a/*", True),
            ("StringLike", "aws:PrincipalTag/t", "a/*", "StringLike", "a/b*", False),
            ("StringEquals", "aws:PrincipalTag/t", "bob", "StringLike", "${aws:username}", False),
            ("StringEqualsIgnoreCase", "aws:PrincipalTag/t", "a", "StringEquals", "a", False),
            ("Bool", "aws:MultiFactorAuthPresent", "true", "BoolIfExists", "true", True),
            ("BoolIfExists", "aws:MultiFactorAuthPresent", "true", "Bool", "true", False),
            ("ForAllValues:StringEquals", "aws:TagKeys", "a", "StringEquals", "a", False),
            ("StringEquals", "aws:PrincipalTag/t", UNKNOWN, "StringEquals", ["a", UNKNOWN], False),
        )
    ),
    ([TRUST], [TRUST, DENIED], False),
    ([TRUST, {**DENIED, **MFA}], [TRUST, DENIED], False),
    ([TRUST, {**DENIED, "Principal": "*"}], [TRUST, DENIED], True),
    ([TRUST], [DENIED], False),
    ([{**TRUST, "Action": UNKNOWN}], [{**TRUST, "Action": UNKNOWN}], False),
    ([{**TRUST, "Condition": UNKNOWN}], [{**TRUST, "Condition": UNKNOWN}], False),
    ([TRUST], [TRUST, UNKNOWN], False),
    ([ALL_BUT | {"NotAction": ["s3:*"]}], [ALL_BUT | {"NotAction": ["s3:*", "sts:*"]}], False),
])  # fmt: skip
def test_a_document_is_within_another_where_each_allow_is_part_of_one_there_and_each_deny_there_is_kept(
    narrow: list[Any], wide: list[Any], is_within: bool
):
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-denyallow.html"""
    one, other = (parse_policy(policy(*statements), PolicyKind.TRUST) for statements in (narrow, wide))
    assert one.within(other) is is_within


def test_an_unresolved_value_may_stand_anywhere_and_is_told_by_its_path():
    for name in ("Action", "Resource", "Sid"):
        assert parse_policy(policy({**GRANT, name: UNKNOWN})).statements[0].unresolved == ()
    for source, path in (
        ({"Statement": UNKNOWN}, "Statement"), ({"Version": UNKNOWN, "Statement": GRANT}, "Version"),
        (policy(GRANT, UNKNOWN), "Statement[1]"),
    ):  # fmt: skip
        assert parse_policy(source).unresolved == (path,)
    assert parse_policy({"Version": UNKNOWN, "Statement": GRANT}).statements[0].variables
    names = ["arn:aws:iam::1:role/x", UNKNOWN]
    (one,) = parse_policy(policy({**GRANT, "Resource": names})).statements
    held = [one.covers_resource(f"arn:aws:iam::1:role/{name}", lambda _key: ()) for name in "xy"]
    assert held == [Truth.TRUE, Truth.UNKNOWN]
    condition = {"StringEquals": UNKNOWN, "Bool": {"a:b": [UNKNOWN]}}
    (read,) = parse_policy(policy({**GRANT, "Condition": condition})).statements
    assert read.unresolved == ("Statement[0].Condition.StringEquals",)
    assert (read.conditions[0].path, read.conditions[0].values) == ("Statement[0].Condition.Bool.a:b", (UNKNOWN,))
    assert parse_policy(policy({**GRANT, "Condition": UNKNOWN})).statements[0].unresolved == ("Statement[0].Condition",)
    either = parse_policy(policy({**GRANT, "Effect": UNKNOWN})).statements
    assert [(one.effect, one.index, one.unresolved, one.effect_unresolved) for one in either] == [
        ("Allow", 0, ("Statement[0].Effect",), True), ("Deny", 0, ("Statement[0].Effect",), True),
    ]  # fmt: skip
    assert not read.effect_unresolved
    assert parse_policy(policy({**TRUST, "Principal": {"AWS": [UNKNOWN]}}), PolicyKind.TRUST)


@pytest.mark.parametrize(("text", "path", "message", "line", "column"), [
    ("", "", "it is not JSON: Expecting value", 1, 1), ("\ufeff{}", "", "it is not JSON: Expecting value", 1, 1),
    ('{"a": 1}\n x', "", "it is not JSON: Extra data", 2, 2), ("01", "", "it is not JSON: Extra data", 1, 2),
    ('{"a":\n"b\nc"}', "", "it is not JSON: Invalid control character at", 2, 3),
    ('{"a":1\n"b":2}', "", "it is not JSON: Expecting ',' delimiter", 2, 1),
    ('{"a":["x", -Infinity]}', "", "-Infinity is no value of JSON", 1, 12),
    ('{"a":1\n\n,"a":2}', "a", "'a' is there twice in one object", 3, 2),
    ('[{"b":[{"\\u0063":1,"c":2}]}]', "[0].b[0].c", "'c' is there twice in one object", 1, 20),
    ("[" * 5000 + "]" * 5000, "", "the document nests too deep", 1, 1),
    (b"{}\xff", "", "the document is not UTF-8 at byte 2", 1, 1),
])  # fmt: skip
def test_what_is_not_json_is_refused_with_its_place(text: Any, path: str, message: str, line: int, column: int):
    error = refusal(text)
    assert (error.path, error.message, error.line, error.column) == (path, message, line, column)
    assert error.rule == ("duplicate-key" if path else "not-json")


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


@given(st.dictionaries(st.sampled_from(["Statement", "Version"]), JSON), st.sampled_from(PolicyKind))
def test_a_text_gives_the_same_as_its_value(value: Any, kind: PolicyKind):
    text = json.dumps(value, default=lambda _unknown: "unknown").replace("NaN", "1").replace("Infinity", "1")
    assert outcome(text, kind) == outcome(json.loads(text, parse_float=JsonNumber), kind)
