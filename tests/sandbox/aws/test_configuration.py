"""A provider's settings: https://www.pulumi.com/registry/packages/aws/api-docs/provider/."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.sandbox.aws.conftest import Driver, Organized, urn
from twokeys.errors import Refusal
from twokeys.iam import UNKNOWN
from twokeys.sandbox.aws.client import ProviderError
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
        "",
    ],
)
def test_an_endpoint_that_is_not_on_this_machine_is_refused_before_anything_is_sent(endpoint: str) -> None:
    with pytest.raises(Refusal, match="talks to loopback only"):
        configured({"accessKey": "a", "secretKey": "b"}, {"AWS_ENDPOINT_URL": endpoint})


def test_nested_settings_are_stored_as_json_text_as_the_vendors_plugin_stores_them() -> None:
    inputs = {
        "region": "eu-central-1",
        "assumeRoles": [{"roleArn": "arn:aws:iam::222222222222:role/a"}],
        "allowedAccountIds": ["222222222222"],
        "skipMetadataApiCheck": True,
        "skipRegionValidation": "true",  # as the SDK's Provider class sends it
    }
    assert check_configuration(inputs) == {
        "region": "eu-central-1",
        "assumeRoles": '[{"roleArn":"arn:aws:iam::222222222222:role/a"}]',
        "allowedAccountIds": '["222222222222"]',
        "skipMetadataApiCheck": "true",
        "skipRegionValidation": "true",
    }


@pytest.mark.parametrize("value", [UNKNOWN, [{"roleArn": UNKNOWN}]])
def test_a_provider_of_an_account_that_does_not_exist_yet_has_unknown_roles(value: Any) -> None:
    stored = check_configuration({"assumeRoles": value, "region": "us-east-1"})
    assert stored["assumeRoles"] is UNKNOWN


@pytest.mark.parametrize("setting", ["allowedAccountIds", "forbiddenAccountIds"])
def test_an_account_that_is_not_allowed_or_forbidden_is_refused(
    drive: Callable[..., Driver], fresh_account: str, setting: str
) -> None:
    other = "222222222222" if setting == "allowedAccountIds" else fresh_account
    with pytest.raises(ProviderError, match=rf"AWS account ID not allowed: {fresh_account}\n.*{setting}"):
        drive(fresh_account, **{setting: f'["{other}"]'})
    with pytest.raises(ProviderError, match=r"makes every organization from account 111111111111: name that for it"):
        drive("111111111111", allowedAccountIds='["222222222222"]')
    drive("012345678901", allowedAccountIds="[12345678901]")  # as `pulumi config set --path` writes it


def test_the_one_role_of_version_6_of_the_package_is_assumed(organized: Organized, local_aws: LocalAws) -> None:
    """https://www.pulumi.com/registry/packages/aws/how-to-guides/7-0-migration/: `assumeRole` became `assumeRoles`."""
    account = organized.account("stage")
    role = {"roleArn": f"arn:aws:iam::{account}:role/OrganizationAccountAccessRole"}
    inputs = check_configuration({"assumeRole": role})
    provider = configured(inputs, local_aws.environment(organized.driver.account))
    assert provider.aws.account == account
    provider.close()


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


def test_durations_are_written_as_the_provider_takes_them() -> None:
    assert [seconds(text) for text in ("1h", "15m", "1h30m", "900s")] == [3600, 900, 5400, 900]
    for text in ("", "1", "h", "1d", "1h5", "-1h"):
        with pytest.raises(ProviderError, match="is no duration"):
            seconds(text)


def test_a_function_that_is_not_supported_is_named(management: Driver) -> None:
    with pytest.raises(ProviderError, match=r"cannot answer aws:ec2/getAmi:getAmi"):
        management.provider.invoke("aws:ec2/getAmi:getAmi", {})
