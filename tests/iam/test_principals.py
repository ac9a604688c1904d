"""Every form of a Principal element against every sort of caller.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
"""

from typing import Any

import pytest

from twokeys.iam import UNKNOWN, Caller
from twokeys.iam.arn import ArnError
from twokeys.iam.principals import OF_ONE, Form, Naming, Principals
from twokeys.iam.truth import Truth

ROOT = "arn:aws:iam::111111111111:root"
GITHUB = "token.actions.githubusercontent.com"
ROLE = "arn:aws:iam::111111111111:role/team/ci"
SESSION = "arn:aws:sts::111111111111:assumed-role/ci/build"
ANNA, BOB = "arn:aws:iam::111111111111:user/team/anna", "arn:aws:sts::111111111111:federated-user/bob"
CALLERS = {
    "role": Caller(ROLE, unique_id="AROAX"),
    "session": Caller(SESSION, role_arn=ROLE, unique_id="AROAX"),
    "user": Caller(ANNA, unique_id="AIDAX"),
    "root": Caller(ROOT),
    "federated": Caller(BOB),
    "service": Caller("ec2.amazonaws.com"),
    "google": Caller("accounts.google.com"),
}
TRUE, UNSURE, FREE = Truth.TRUE, Truth.UNKNOWN, Truth.FREE
ACCOUNT, OF_ROLE, DIRECT = Form.ACCOUNT, Form.ROLE, Form.DIRECT
SIGNED = ("role", "session", "user", "root", "federated")


def _each(naming: Naming, *callers: str) -> dict[str, list[Naming]]:
    return {caller: [naming] for caller in callers}


@pytest.mark.parametrize(("element", "expected"), [
    (Principals(unresolved=True), _each(Naming(UNSURE, DIRECT), *CALLERS)),
    (Principals(everyone=True, aws=("*",)), _each(Naming(TRUE, DIRECT), *CALLERS)),
    (Principals(aws=("111111111111",)), _each(Naming(TRUE, ACCOUNT), *SIGNED)),
    (Principals(aws=(ROOT,)), {**_each(Naming(TRUE, ACCOUNT), *SIGNED), "root": [Naming(TRUE, ACCOUNT)] * 2}),
    (Principals(aws=(ROLE,)), _each(Naming(TRUE, OF_ROLE), "role", "session")),
    (Principals(aws=("AROAX",)), _each(Naming(TRUE, OF_ROLE), "role", "session")),
    (Principals(aws=("AIDAX",)), _each(Naming(TRUE, DIRECT), "user")),
    (Principals(aws=("arn:aws:iam::111111111111:user/team/anna", UNKNOWN)), {
        **_each(Naming(UNSURE, DIRECT), *SIGNED), "user": [Naming(TRUE, DIRECT), Naming(UNSURE, DIRECT)],
    }),
    (Principals(aws=("arn:aws:sts::111111111111:federated-user/bob",)), _each(Naming(TRUE, DIRECT), "federated")),
    (Principals(aws=(SESSION, SESSION + "2", "arn:aws:sts::111111111111:assumed-role/ci/b*")), {
        "session": [Naming(TRUE, DIRECT)],
        "role": [Naming(FREE, DIRECT, "build"), Naming(FREE, DIRECT, "build2")],
    }),
    (Principals(aws=("arn:aws:iam::111111111111:role/team/*", "arn:aws:iam::111111111111:group/g")), {}),
    (Principals(service=("ec2.amazonaws.com",)), _each(Naming(TRUE, DIRECT), "service")),
    (Principals(service=("*",)), _each(Naming(TRUE, DIRECT), "service")),
    (Principals(service=("sns.amazonaws.com", UNKNOWN)), _each(Naming(UNSURE, DIRECT), "service")),
    (Principals(federated=("accounts.google.com", UNKNOWN)), _each(Naming(TRUE, DIRECT), "google")),
    (Principals(canonical_user=("x",)), {}),
], ids=str)  # fmt: skip
def test_whom_an_element_names(element: Principals, expected: dict[str, list[Naming]]):
    assert {caller: [*found] for caller, one in CALLERS.items() if (found := element.names(one))} == expected
    if element.plain and not element.everyone:
        for caller, found in expected.items():
            sure = all(naming.found is TRUE for naming in found)
            assert element.form(CALLERS[caller]) is (max(naming.form for naming in found) if sure else None)
            assert element.has_sessions or element.listed & CALLERS[caller].names
    for caller in CALLERS.values():
        assert not element.everyone or element.form(caller) is DIRECT


ACCOUNT_KEYS: dict[str, Any] = {
    "aws:principalisawsservice": ("false",), "aws:principalservicename": (),
    "aws:principalservicenameslist": (), "aws:principalaccount": ("111111111111",), "aws:username": (),
    **dict.fromkeys(("aws:sourceaccount", "aws:sourcearn", "aws:sourceorgid", "aws:sourceorgpaths"), ()),
}  # fmt: skip


def _who(name: str, kind: str, userid: str = "", username: str = "") -> dict[str, tuple[str, ...]]:
    own = {"aws:principalarn": name, "aws:principaltype": kind, "aws:userid": userid, "aws:username": username}
    return ACCOUNT_KEYS | {key: (value,) for key, value in own.items() if value}


@pytest.mark.parametrize(("caller", "expected"), [
    ("role", _who(ROLE, "AssumedRole")),
    ("session", _who(ROLE, "AssumedRole", "AROAX:build")),
    ("user", _who(ANNA, "User", "AIDAX", "anna")),
    ("root", _who(ROOT, "Account", "111111111111")),
    ("federated", _who(BOB, "FederatedUser", "111111111111:bob")),
    ("service", {
        "aws:principalisawsservice": ("true",), "aws:principalservicename": ("ec2.amazonaws.com",),
        "aws:principalarn": (), "aws:principalaccount": (), "aws:username": (), "aws:userid": (),
        "aws:principalorgid": (), "aws:principalorgpaths": (),
    }),
    ("google", {"aws:federatedprovider": ("accounts.google.com",), **{f"aws:{one}": () for one in (
        "principalarn", "principalorgid", "principalorgpaths", "principalisawsservice", "principalservicename",
        "principalservicenameslist", "username", "sourceaccount", "sourcearn", "sourceorgid", "sourceorgpaths",
        "multifactorauthpresent", "multifactorauthage", "tokenissuetime", "assumedroot", "sourceidentity",
    )}}),
])  # fmt: skip
def test_what_follows_from_who_calls(caller: str, expected: dict[str, tuple[str, ...]]):
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html"""
    assert CALLERS[caller].context == expected


@pytest.mark.parametrize("caller", [SESSION, ANNA])
def test_a_user_id_needs_the_unique_id(caller: str):
    assert "aws:userid" not in Caller(caller).context


def test_the_keys_in_which_principals_of_an_account_differ_are_open_of_an_unknown_one():
    """Of somebody of whom only the account is known, these are open: twokeys.access.judge."""
    contexts = [CALLERS[one].context for one in SIGNED]
    differ = {key for one in contexts for key in one if len({each.get(key) for each in contexts}) > 1}
    assert differ == {*OF_ONE}, "Caller.own has each key in which two principals of one account may differ"


@pytest.mark.parametrize(("caller", "absent", "free"), [
    ("google", [f"{GITHUB}:sub", "saml:sub"], ["accounts.google.com:aud", "aws:userid", "aws:PrincipalTag/team"]),
    ("role", [f"{GITHUB}:repository", "saml:iss", f"{GITHUB}:email"], [f"{GITHUB}:sub", "saml:sub", "saml:sub_type"]),
    ("user", [f"{GITHUB}:sub", "saml:sub", "graph.facebook.com:id"], ["aws:PrincipalTag/a.b", "aws:SourceIp"]),
    ("service", ["saml:sub", f"{GITHUB}:sub"], ["aws:SourceArn", "aws:PrincipalTag/x509Subject/CN"]),
])  # fmt: skip
def test_claims_are_in_the_call_with_the_token_and_some_in_the_session(caller: str, absent: list[str], free: list[str]):
    """By "Available in session", and the Null on the other providers' subjects in AWS's data perimeter for STS.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_iam-condition-keys.html#condition-keys-wif
    https://github.com/aws-samples/data-perimeter-policy-examples/tree/main/resource_control_policies
    """
    assert {key: CALLERS[caller].says(key.lower()) for key in (*absent, *free)} == {
        **dict.fromkeys(absent, ()), **dict.fromkeys(free)
    }  # fmt: skip


@pytest.mark.parametrize(
    "arn", ["arn:aws:iam::account:new:oidc-provider/x.example", "arn:aws:iam::111111111111:oidc-provider/x.invalid"]
)
def test_of_a_provider_that_is_not_known_yet_every_claim_may_be(arn: str):
    assert (Caller(arn).says(f"{GITHUB}:sub"), Caller(arn).says("aws:federatedprovider")) == (None, None)


@pytest.mark.parametrize(("provider", "key"), [
    ("cognito-identity-us-gov.amazonaws.com", "cognito-identity.amazonaws.com:aud"),
    ("arn:aws:iam::111111111111:oidc-provider/sts.windows.net/t/", "sts.windows.net/t:sub"),
    ("arn:aws:iam::111111111111:oidc-provider/oidc.eks.eu-west-1.amazonaws.com/id/AB",
     "oidc.eks.eu-west-1.amazonaws.com/id/ab:sub"),
    ("arn:aws:iam::111111111111:saml-provider/corp", "saml:edupersonaffiliation"),
])  # fmt: skip
def test_a_providers_own_claims_are_never_absent(provider: str, key: str):
    assert Caller(provider).says(key) is None


def test_the_arns_that_name_a_caller():
    assert {caller: one.lineage for caller, one in CALLERS.items()} == {
        "role": (ROOT, ROLE),
        "session": (ROOT, ROLE, SESSION),
        "user": (ROOT, "arn:aws:iam::111111111111:user/team/anna"),
        "root": (ROOT,),
        "federated": (ROOT, "arn:aws:sts::111111111111:federated-user/bob"),
        "service": ("ec2.amazonaws.com",),
        "google": ("accounts.google.com",),
    }
    made = [Caller(one.arn) for one in CALLERS.values()]
    assert [(one.partition, one.account, one.ordinary) for one in made] == [
        ("aws", "111111111111", True), ("aws", "111111111111", True), ("aws", "111111111111", True),
        ("aws", "111111111111", False), ("aws", "111111111111", False), ("", "", False), ("", "", False),
    ]  # fmt: skip
    assert [Caller(arn).role_arn for arn in (ROLE, SESSION, ROOT)] == [ROLE, "arn:aws:iam::111111111111:role/ci", None]
    in_china = Caller("arn:aws-cn:iam::111111111111:role/ci")
    session = "arn:aws-cn:sts::111111111111:assumed-role/ci/build"
    assert Principals(aws=(session,)).sessions_of(in_china) == ("build",)
    assert Principals(aws=(SESSION,)).sessions_of(in_china) == ()


@pytest.mark.parametrize(("text", "message"), [
    ("ci", "'ci' is neither an ARN nor the name of a service or web identity provider"),
    ("arn:aws:iam::111111111111:group/g", "'arn:aws:iam::111111111111:group/g' names nothing that can make a request"),
    ("arn:aws:iam::aws:role/x", "'arn:aws:iam::aws:role/x' names nothing that can make a request"),
])  # fmt: skip
def test_what_is_no_caller_is_refused(text: str, message: str):
    with pytest.raises(ArnError) as refused:
        Caller(text)
    assert str(refused.value) == message
