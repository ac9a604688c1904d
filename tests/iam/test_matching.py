"""https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
"""

import pytest

from twokeys.iam.matching import ArnPattern, TextPattern, is_symbolic, with_ids, with_values
from twokeys.iam.truth import FREE, UNKNOWN, Truth, Values

DEPLOYER = "arn:aws:iam::222222222222:role/deployer"
KEYS: dict[str, Values] = {
    "aws:username": ("anna",),
    "aws:principaltag/star": ("*",),
    "aws:tagkeys": ("a", "b"),
    "aws:userid": FREE,
    "aws:principalorgid": UNKNOWN,
    "aws:principalaccount": ("222222222222",),
}


def look(key: str) -> Values:
    return KEYS.get(key, ())


def like(pattern: str, value: str, *, variables: bool = True) -> Truth:
    return TextPattern(pattern, wildcards=True, variables=variables).matches(value, look)


def arn(pattern: str, value: str, *, resource: bool = True) -> Truth:
    return ArnPattern(pattern, variables=True, resource=resource).matches(value, look)


@pytest.mark.parametrize(("pattern", "value", "expected"), [
    ("*", "", True), ("*", "a/b:c", True), ("?", "a", True), ("?", "", False), ("?", "ab", False),
    ("a*c", "ac", True), ("a*c", "abbbc", True), ("a*c", "acb", False), ("a*b*c", "a-b-b-c", True),
    ("*a*", "bab", True), ("**", "x", True), ("a?c*", "abcd", True), ("A", "a", False),
    ("[ab]", "a", False), ("[ab]", "[ab]", True), ("a.c", "abc", False), ("a\\*", "a\\b", True), ("a\n*", "a\nb", True),
    ("*a*b*c*", "abc", True), ("a*b", "a\nb", True),
    ("*ab", "aab", True), ("*ab*ab", "abab", True), ("*ab*ab", "ab", False),
])  # fmt: skip
def test_a_star_is_any_text_and_a_question_mark_one_character(pattern: str, value: str, expected: bool):
    assert like(pattern, value) is (Truth.TRUE if expected else Truth.FALSE)


def test_matching_is_quick_whatever_the_pattern():
    """A pattern that backtracks would not end in a lifetime."""
    assert like("*a" * 40 + "b", "a" * 2000) is Truth.FALSE


@pytest.mark.parametrize(("pattern", "value", "expected"), [
    ("home/${aws:username}/*", "home/anna/x", Truth.TRUE),
    ("home/${AWS:UserName}", "home/anna", Truth.TRUE),
    ("home/${aws:username}", "home/bob", Truth.FALSE),
    ("${aws:nothing}", "", Truth.FALSE),
    ("${aws:nothing, 'guest'}", "guest", Truth.TRUE),
    ("${aws:username, 'guest'}", "guest", Truth.FALSE),
    ("${aws:tagkeys}", "a", Truth.FALSE),
    ("${aws:PrincipalTag/star}", "anything", Truth.FALSE),
    ("${aws:PrincipalTag/star}", "*", Truth.TRUE),
    ("${*}", "*", Truth.TRUE), ("${*}", "x", Truth.FALSE), ("${?}", "?", Truth.TRUE), ("${?}", "x", Truth.FALSE),
    ("${$}{aws:username}", "${aws:username}", Truth.TRUE),
    ("${aws:username", "${aws:username", Truth.TRUE),
    ("${}", "${}", Truth.TRUE), ("${}${aws:username}", "${}anna", Truth.TRUE),
    ("x-${aws:userid}", "x-AROA1:me", Truth.FREE),
    ("x-${aws:userid}", "y-AROA1:me", Truth.FALSE),
    ("x-${aws:principalorgid}", "x-o-1", Truth.UNKNOWN),
])  # fmt: skip
def test_a_variable_brings_its_value_as_literal_text(pattern: str, value: str, expected: Truth):
    assert like(pattern, value) is expected


def test_without_variables_a_variable_is_literal():
    assert like("${aws:username}", "${aws:username}", variables=False) is Truth.TRUE
    assert like("${aws:username}", "anna", variables=False) is Truth.FALSE
    about_a_role = ArnPattern("arn:aws:iam::2:role/${aws:username}*", variables=False, resource=True)
    names = ("arn:aws:iam::2:role/${aws:username}1", "arn:aws:iam::2:role/anna1")
    assert [about_a_role.matches(name, look) for name in names] == [Truth.TRUE, Truth.FALSE]


@pytest.mark.parametrize(("pattern", "value", "expected"), [
    ("*", "arn:aws:iam::222222222222:role/x", True),
    ("arn:aws:iam::222222222222:role/*", "arn:aws:iam::222222222222:role/a/b", True),
    ("arn:aws:iam::*:role/x", "arn:aws:iam::222222222222:role/x", True),
    ("arn:*:iam::222222222222:role/x", "arn:aws-cn:iam::222222222222:role/x", True),
    ("arn:aws:iam::2222?2222222:role/x", "arn:aws:iam::222222222222:role/x", True),
    ("arn:aws:iam::222222222222:role/x", "arn:aws:iam::222222222222:role/X", False),
    ("arn:aws:iam::222222222222:role/x", "arn:aws:iam::222222222222:role/xy", False),
    ("arn:aws:s*:::x", "arn:aws:sns:eu:1:x", False),
    ("arn:aws:iam::222222222222:role/${aws:username}", "arn:aws:iam::222222222222:role/anna", True),
    ("arn:aws:iam::${aws:username}:role/x", "arn:aws:iam::anna:role/x", False),
    ("arn:aws:iam::${aws:username}:role/x", "arn:aws:iam::${aws:username}:role/x", True),
    ("arn:aws:s3:::${aws:username}*", "arn:aws:s3:::anna:x:y", True), ("arn:aws:s3:::?", "arn:aws:s3:::\n", True),
    ("arn:aws:iam*", "arn:aws:iam::222222222222:role/x", True), ("arn:aws:iam*", "arn:aws:s3:::x", False),
    ("arn:aws:${aws:username}*", "arn:aws:anna", True), ("arn:*:iam::1:role/x", "arn:aws:iam::1", False),
    ("arn:*:iam::1:role/${aws:username}", "arn:aws:iam::1", False),
])  # fmt: skip
def test_a_resource_is_compared_component_by_component(pattern: str, value: str, expected: bool):
    assert arn(pattern, value) is (Truth.TRUE if expected else Truth.FALSE)


@pytest.mark.parametrize(("text", "samples", "wild", "keys"), [
    ("a*b?", ("abz", "azbz"), True, ()), ("ab", ("ab", "ab"), False, ()), ("*", ("", "z"), False, ()),
    ("${*}x", ("*x", "*x"), False, ()),
    ("a:${aws:username}*", (), True, ("aws:username",)), ("${*}?", ("*z", "*z"), True, ()),
    ("arn:aws:iam::1:role/x*", ("arn:aws:iam::1:role/x", "arn:aws:iam::1:role/xz"), True, ()),
])  # fmt: skip
def test_samples_of_what_a_pattern_matches(text: str, samples: tuple[str, ...], wild: bool, keys: tuple[str, ...]):
    pattern = ArnPattern(text, variables=True, resource=False)
    assert (pattern.samples("z"), pattern.wild, pattern.keys, pattern.text) == (samples, wild, keys, text)
    plain = TextPattern(text, wildcards=True, variables=True)
    assert (plain.samples("z"), plain.wild or text == "*", plain.keys) == (samples, wild or text == "*", keys)


def test_variables_with_a_value_are_filled_in_and_what_they_bring_is_escaped():
    filled = {
        "x${aws:username}${*}": "xanna${*}", "${aws:PrincipalTag/star}": "${*}", "${aws:nothing, 'me'}": "me",
        "${aws:nothing}": None, "${aws:tagkeys, 'me'}": None, "a${aws:userid}": "a${aws:userid}",
        "${aws:username}${aws:principalorgid}": "${aws:username}${aws:principalorgid}", "${}": "${}",
    }  # fmt: skip
    assert {text: with_values(text, look) for text in filled} == filled
    assert like("${aws:tagkeys, 'me'}", "me") is Truth.FALSE


def test_letters_match_in_either_case_where_that_is_asked_for():
    def either(pattern: str, value: str) -> Truth:
        return TextPattern(pattern, wildcards=True, variables=True, ignore_case=True).matches(value, look)

    pairs = [("A*b", "aXB"), ("${aws:username}", "ANNA"), ("X${aws:userid}", "xme"), ("AB", "aB"), ("AB", "abc")]
    assert [either(*pair) for pair in pairs] == [Truth.TRUE, Truth.TRUE, Truth.FREE, Truth.TRUE, Truth.FALSE]


@pytest.mark.parametrize(("pattern", "filling"), [
    ("${aws:username}", "deployer"), ("dep${aws:username}", "loyer"), ("${aws:username}er", "deploy"),
    ("x${aws:username}", None), ("${aws:username}${aws:userid}", None), ("${aws:username}*", None),
    ("dep?oye${aws:username}", "r"), ("deployer", None),
])  # fmt: skip
def test_a_free_variable_is_tried_with_the_value_that_fits_the_resource(pattern: str, filling: str | None):
    resource = ArnPattern(f"arn:aws:iam::222222222222:role/{pattern}", variables=True, resource=True)
    assert resource.filling(DEPLOYER) == filling
    assert resource.filling("not an ARN") is None


def test_a_symbol_is_no_part_of_a_longer_word():
    texts = ["account:stage", "x:account:stage/y", "xaccount:stage", "account:stage x", "account:"]
    assert [is_symbolic(text) for text in texts] == [True, True, False, False, False]
    assert len(with_ids("account:stage")) == len("111111111111")
    assert with_ids("account:stage") != with_ids("account:prod")
    assert len({*with_ids("account:stage")}) > 6


def test_an_arn_operator_lets_no_wildcard_reach_across_a_colon():
    """The example of the condition operators page."""
    value = "arn:aws:someservice:us-east-2:999999999999:store/abc:111122223333:finance/document.txt"
    pattern = "arn:aws:someservice:*:111122223333:finance/*"
    assert arn(pattern, value, resource=False) is Truth.FALSE
    assert like(pattern, value) is Truth.TRUE


def test_an_arn_operator_resolves_variables_in_every_component():
    value = "arn:aws:iam::222222222222:role/x"
    assert arn("arn:aws:iam::${aws:PrincipalAccount}:role/*", value, resource=False) is Truth.TRUE
    assert arn("arn:aws:iam::${aws:username}:role/*", value, resource=False) is Truth.FALSE
    assert arn("arn:aws:iam::*:role/${aws:userid}", value, resource=False) is Truth.FREE
    assert arn("arn:aws:iam::*:user/${aws:userid}", value, resource=False) is Truth.FALSE
    assert arn("arn:aws:*::${aws:PrincipalAccount}:role/x", value, resource=False) is Truth.TRUE
    assert arn("arn:aws:s3:::a:${aws:username}:x*", "arn:aws:s3:::a:anna:xy", resource=False) is Truth.TRUE


def test_a_text_that_is_no_arn_matches_no_arn_pattern_but_the_star():
    assert arn("arn:aws:iam::1:role/*", "role/x", resource=False) is Truth.FALSE
    assert arn("arn:aws:iam", "arn:aws:iam::1:role/x", resource=False) is Truth.FALSE
    assert arn("*", "role/x", resource=False) is Truth.TRUE
    assert arn("arn:${aws:username}", "arn:anna", resource=False) is Truth.FALSE
    assert arn("${aws:username}:a:b:c:d:e", "anna", resource=False) is Truth.FALSE
    assert arn("${aws:username}:a:b:c:d:e*", "anna:a:b:c:d:ex:y", resource=False) is Truth.TRUE
    assert arn("${aws:username}:a:b:c:d", "anna:a:b:c:d:e", resource=False) is Truth.FALSE


@pytest.mark.parametrize(("pattern", "value", "expected"), [
    ("arn:aws:iam::account:stage:role/x", "arn:aws:iam::account:stage:role/x", Truth.TRUE),
    ("arn:aws:iam::account:stage:role/x", "arn:aws:iam::account:prod:role/x", Truth.FALSE),
    ("arn:aws:iam::account:stag:role/x", "arn:aws:iam::account:stage:role/x", Truth.FALSE),
    ("arn:aws:iam::*:role/x", "arn:aws:iam::account:stage:role/x", Truth.TRUE),
    ("arn:aws:iam::????????????:role/x", "arn:aws:iam::account:stage:role/x", Truth.TRUE),
    ("arn:aws:iam::?????????????:role/x", "arn:aws:iam::account:stage:role/x", Truth.FALSE),
    ("arn:aws:iam::111111111111:role/x", "arn:aws:iam::account:stage:role/x", Truth.FALSE),
    ("arn:aws:iam::1111*:role/x", "arn:aws:iam::account:stage:role/x", Truth.UNKNOWN),
    ("arn:aws:iam::1111*:role/y", "arn:aws:iam::account:stage:role/x", Truth.FALSE),
    ("arn:aws:iam::acc*:role/x", "arn:aws:iam::account:stage:role/x", Truth.FALSE),
    ("arn:aws:iam::1111*:role/${aws:username}", "arn:aws:iam::account:stage:role/anna", Truth.UNKNOWN),
    ("arn:aws:iam::1111*:role/${aws:userid}", "arn:aws:iam::account:stage:role/anna", Truth.UNKNOWN),
    ("arn:aws:iam::*:role/${aws:userid}", "arn:aws:iam::account:stage:role/anna", Truth.FREE),
])  # fmt: skip
def test_a_symbol_is_an_id_that_nobody_knows_yet(pattern: str, value: str, expected: Truth):
    assert arn(pattern, value) is expected
    assert like(pattern, value) is expected
    if "userid" not in pattern:
        assert arn(pattern, value, resource=False) is expected


def test_another_text_may_begin_like_a_symbol():
    assert like("account:*", "account:1234") is Truth.TRUE
    assert like("account:12*", "account:1234") is Truth.TRUE
    assert like("account:1234", "account:1234") is Truth.TRUE
    assert like("arn:aws:iam::account:st*:role/x", "arn:aws:iam::account:stage:role/x") is Truth.FALSE
