"""A provider's settings: https://www.pulumi.com/registry/packages/aws/api-docs/provider/."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.sandbox.aws.conftest import Driver, Organized, urn
from twokeys.errors import Refusal
from twokeys.iam import UNKNOWN
from twokeys.sandbox.aws.client import Aws, Credentials, ProviderError, loopback_endpoint
from twokeys.sandbox.aws.configuration import check_configuration, seconds
from twokeys.sandbox.aws.provider import configured
from twokeys.sandbox.local_aws import LocalAws


@pytest.mark.parametrize(
    "endpoint",
    [
        "https://sts.amazonaws.com",
        "http://10.0.0.1:4566",
        "http://0.0.0.0:4566",
        "http://127.0.0.1.example.com",
        "http://localhost@example.com",
        "ftp://127.0.0.1",
        "127.0.0.1:4566",
    ],
)
def test_an_endpoint_that_is_not_on_this_machine_is_refused(endpoint: str) -> None:
    with pytest.raises(Refusal, match="talks to loopback only"):
        configured({"accessKey": "a", "secretKey": "b"}, {"AWS_ENDPOINT_URL": endpoint})


@pytest.mark.parametrize(
    "endpoint", ["http://127.0.0.1:1", "http://127.1.2.3:1", "http://[::1]:1", "http://localhost:1"]
)
def test_an_endpoint_on_this_machine_is_taken(endpoint: str) -> None:
    assert loopback_endpoint(endpoint, where="AWS_ENDPOINT_URL") == endpoint


def test_no_endpoint_is_refused_before_anything_is_sent() -> None:
    with pytest.raises(Refusal, match="a local AWS only, and none is named"):
        configured({"accessKey": "a", "secretKey": "b"}, {})


def test_nested_settings_are_stored_as_json_text_as_the_vendors_plugin_stores_them() -> None:
    inputs = {
        "region": "eu-central-1",
        "assumeRoles": [{"roleArn": "arn:aws:iam::222222222222:role/a"}],
        "allowedAccountIds": ["222222222222"],
        "skipMetadataApiCheck": True,
    }
    assert check_configuration(inputs) == {
        "region": "eu-central-1",
        "assumeRoles": '[{"roleArn":"arn:aws:iam::222222222222:role/a"}]',
        "allowedAccountIds": '["222222222222"]',
        "skipMetadataApiCheck": "true",
    }


def test_text_that_the_sdk_made_already_stays_as_it_is() -> None:
    """The SDK's Provider class sends lists as JSON text itself."""
    inputs = {"assumeRoles": '[{"roleArn": "arn:aws:iam::222222222222:role/a"}]', "skipRegionValidation": "true"}
    assert check_configuration(inputs) == inputs


@pytest.mark.parametrize("value", [UNKNOWN, [{"roleArn": UNKNOWN}]])
def test_a_provider_of_an_account_that_does_not_exist_yet_has_unknown_roles(value: Any) -> None:
    stored = check_configuration({"assumeRoles": value, "region": "us-east-1"})
    assert stored["assumeRoles"] is UNKNOWN


def test_an_account_that_is_not_allowed_is_refused(drive: Callable[..., Driver], fresh_account: str) -> None:
    with pytest.raises(ProviderError, match=rf"AWS account ID not allowed: {fresh_account}"):
        drive(fresh_account, allowedAccountIds='["222222222222"]')


def test_a_forbidden_account_is_refused(drive: Callable[..., Driver], fresh_account: str) -> None:
    with pytest.raises(ProviderError, match=rf"AWS account ID not allowed: {fresh_account}.*\n.*forbiddenAccountIds"):
        drive(fresh_account, forbiddenAccountIds=f'["{fresh_account}"]')


def test_the_one_role_of_version_6_of_the_package_is_assumed(organized: Organized, local_aws: LocalAws) -> None:
    """https://www.pulumi.com/registry/packages/aws/how-to-guides/7-0-migration/: `assumeRole` became `assumeRoles`."""
    account = organized.account("stage")
    role = {"roleArn": f"arn:aws:iam::{account}:role/OrganizationAccountAccessRole"}
    inputs = check_configuration({"assumeRole": role})
    provider = configured(inputs, local_aws.environment(organized.driver.account))
    assert provider.aws.account == account
    provider.close()


def test_a_role_in_another_account_than_the_allowed_one_is_refused(organized: Organized) -> None:
    account = organized.account("stage")
    with pytest.raises(ProviderError, match=rf"AWS account ID not allowed: {account}"):
        organized.driver.member(account, allowedAccountIds=["222222222222"])


def test_credentials_of_the_provider_win_over_the_environment(local_aws: LocalAws, fresh_account: str) -> None:
    environment = {**local_aws.environment("333333333333"), "AWS_SESSION_TOKEN": "of another"}
    provider = configured({"accessKey": fresh_account, "secretKey": "test"}, environment)
    assert provider.aws.account == fresh_account
    provider.close()


def test_no_credentials_are_refused(local_aws: LocalAws) -> None:
    with pytest.raises(ProviderError, match="the provider has no credentials"):
        configured({}, {"AWS_ENDPOINT_URL": local_aws.endpoint})


def test_default_tags_are_on_every_object_and_the_objects_own_win(
    drive: Callable[..., Driver], fresh_account: str
) -> None:
    driver = drive(fresh_account, defaultTags='{"tags": {"team": "core", "stack": "stage"}}')
    _, outputs = driver.up("aws:iam/user:User", "u", name="u", tags={"team": "people"})
    assert outputs["tags"] == {"team": "people"}
    assert outputs["tagsAll"] == {"team": "people", "stack": "stage"}
    assert {tag["Key"]: tag["Value"] for tag in driver.api("iam").list_user_tags(UserName="u")["Tags"]} == {
        "team": "people",
        "stack": "stage",
    }


@pytest.mark.parametrize("type", ["aws:iam/user:User", "aws:sqs/queue:Queue"], ids=["made", "kept as declared"])
def test_changed_default_tags_change_the_objects_once(
    type: str, drive: Callable[..., Driver], fresh_account: str
) -> None:
    where = urn(type, "u")
    before = drive(fresh_account, defaultTags='{"tags": {"team": "core"}}')
    after = drive(fresh_account, defaultTags='{"tags": {"team": "people"}}')
    inputs = before.check(type, "u", {"name": "u"})
    identifier, outputs = before.provider.create(type, where, inputs)
    assert before.provider.diff(type, where, inputs, outputs, inputs, ()).changed == ()
    assert after.provider.diff(type, where, inputs, outputs, inputs, ()).changed == ("tagsAll",)
    updated = after.provider.update(type, where, identifier, inputs, outputs, inputs)
    assert updated["tagsAll"] == {"team": "people"}
    assert after.provider.diff(type, where, inputs, updated, inputs, ()).changed == ()


def test_the_region_is_the_providers_then_the_environments(drive: Callable[..., Driver], fresh_account: str) -> None:
    region = "aws:index/getRegion:getRegion"
    assert drive(fresh_account).provider.invoke(region, {})["region"] == "us-east-1"
    assert drive(fresh_account, region="eu-west-1").provider.invoke(region, {})["region"] == "eu-west-1"


@pytest.mark.parametrize(("text", "expected"), [("1h", 3600), ("15m", 900), ("1h30m", 5400), ("900s", 900)])
def test_durations_are_written_as_the_provider_takes_them(text: str, expected: int) -> None:
    assert seconds(text) == expected


@pytest.mark.parametrize("text", ["", "1", "h", "1d", "1h5", "-1h"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(ProviderError, match="is no duration"):
        seconds(text)


def test_sessions_are_renewed_before_they_end(local_aws: LocalAws, fresh_account: str) -> None:
    """A role session lasts an hour by default; a long update must not fail in its middle."""
    obtained: list[Credentials] = []

    def renew() -> Credentials:
        left = timedelta(minutes=1) if not obtained else timedelta(hours=1)
        obtained.append(Credentials(fresh_account, "test", expires=datetime.now(UTC) + left))
        return obtained[-1]

    aws = Aws(local_aws.endpoint, "us-east-1", renew)
    aws.client("sts").get_caller_identity()
    aws.client("sts").get_caller_identity()
    assert len(obtained) == 2
    aws.close()


def test_credentials_do_not_show_in_messages() -> None:
    assert "very-secret" not in repr(Credentials("a", "very-secret", "very-secret"))


def test_a_function_that_is_not_supported_is_named(management: Driver) -> None:
    with pytest.raises(ProviderError, match=r"cannot answer aws:ec2/getAmi:getAmi"):
        management.provider.invoke("aws:ec2/getAmi:getAmi", {})
