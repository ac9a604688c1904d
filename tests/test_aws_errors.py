"""Each kind of answer that is none leads to a next step that helps.

Codes: https://docs.aws.amazon.com/STS/latest/APIReference/CommonErrors.html and
https://docs.aws.amazon.com/organizations/latest/APIReference/CommonErrors.html
"""

import pytest
from botocore.exceptions import (
    ClientError,
    ConnectionClosedError,
    EndpointConnectionError,
    NoCredentialsError,
    ProfileNotFound,
    UnauthorizedSSOTokenError,
)
from botocore.parsers import ResponseParserError

from twokeys.aws_errors import no_answer, refusal_of


def answered(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "No."}}, "ListRoots")


@pytest.mark.parametrize(
    ("code", "what", "step"),
    [
        ("ExpiredToken", "the AWS credentials are not valid", "aws sso login"),
        ("ExpiredTokenException", "the AWS credentials are not valid", "aws sso login"),
        ("InvalidClientTokenId", "the AWS credentials are not valid", "aws sso login"),
        ("UnrecognizedClientException", "the AWS credentials are not valid", "aws sso login"),
        ("TooManyRequestsException", "AWS is asked too often", "in some minutes"),
        ("ThrottlingException", "AWS is asked too often", "in some minutes"),
        ("AccessDeniedException", "AWS says no", "allow organizations:ListRoots"),
        ("ServiceException", "AWS says no", "run this again"),
    ],
)
def test_an_error_of_aws_names_what_was_asked_and_what_helps(code: str, what: str, step: str) -> None:
    refusal = no_answer(answered(code), asked="organizations:ListRoots")
    assert (refusal.what, refusal.where) == (what, "organizations:ListRoots")
    assert code in refusal.why
    assert step in refusal.next_step


def test_keys_of_the_environment_that_aws_does_not_know_are_said_to_be_in_the_way(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """https://docs.aws.amazon.com/cli/latest/userguide/cli-configure-envvars.html (they override a profile's)"""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE")
    assert no_answer(answered("InvalidClientTokenId")).next_step.startswith(
        "`unset AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS"
    )
    assert no_answer(answered("InvalidClientTokenId"), profile="mine").next_step.startswith("sign in")


def test_without_another_word_the_operation_says_where_and_whose_credentials_they_were(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert no_answer(answered("ServiceException")).where == "ListRoots"
    monkeypatch.setenv("AWS_PROFILE", "mine")
    assert no_answer(answered("AccessDenied")).where == "ListRoots, with the credentials of profile mine"


@pytest.mark.parametrize("error", [EndpointConnectionError, ConnectionClosedError])
def test_a_cut_connection_sends_nobody_to_sign_in(
    error: type[EndpointConnectionError], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "sandbox" not in no_answer(error(endpoint_url="http://127.0.0.1:9/")).next_step
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9/")
    refusal = no_answer(error(endpoint_url="http://127.0.0.1:9/"))
    assert refusal.what == "AWS cannot be reached"
    assert "http://127.0.0.1:9/" in refusal.why
    assert "AWS_ENDPOINT_URL" in refusal.next_step


def test_what_answers_in_place_of_aws_is_no_defect_of_ours() -> None:
    """Such as the page of a network that asks to be signed in to, which botocore cannot parse."""
    refusal = refusal_of(ResponseParserError("Unable to parse response, invalid XML received:\nb'<html>'"))
    assert refusal is not None
    assert (refusal.what, "\n" in refusal.why) == ("AWS cannot be reached", False)


def test_what_identity_center_refuses_names_the_profile_and_whom_to_ask() -> None:
    ended = no_answer(UnauthorizedSSOTokenError(), profile="stage-web")
    assert ended.next_step == "sign in again: `aws sso login --profile stage-web`"
    # https://docs.aws.amazon.com/singlesignon/latest/PortalAPIReference/API_GetRoleCredentials.html
    no_access = {"Error": {"Code": "ForbiddenException", "Message": "No access"}}
    refusal = no_answer(ClientError(no_access, "GetRoleCredentials"), profile="stage-web")
    assert refusal.where == "GetRoleCredentials, with the credentials of profile stage-web"
    assert "is not assigned to you, or not any more: ask whoever owns that door" in refusal.next_step


def test_who_has_no_credentials_is_told_how_to_get_some() -> None:
    assert no_answer(NoCredentialsError()).next_step.startswith("sign in (`aws sso login`")
    assert no_answer(ProfileNotFound(profile="gone")).next_step.startswith("name a profile that there is")
