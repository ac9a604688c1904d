"""Types that the sandbox does not make are kept as declared: no program is refused for using one."""

from __future__ import annotations

from tests.sandbox.aws.conftest import Driver, urn
from twokeys.iam import UNKNOWN
from twokeys.sandbox.aws.catalogue import resource_type

QUEUE = "aws:sqs/queue:Queue"
ASSET = {"4dabf18193072939515e22adb298388d": "c44067f5952c0a294b673a41bacd8c17", "text": "x"}


def test_a_type_that_is_not_made_is_there_as_it_was_declared(management: Driver) -> None:
    identifier, outputs = management.up(QUEUE, "jobs", visibilityTimeoutSeconds=30, tags={"team": "platform"})
    assert outputs["visibilityTimeoutSeconds"] == 30
    assert outputs["tags"] == {"team": "platform"}
    assert outputs["name"].startswith("jobs-")
    assert outputs["arn"] == f"arn:aws:sqs:us-east-1:{management.account}:{outputs['name']}"
    found = management.provider.read(QUEUE, urn(QUEUE, "jobs"), identifier, {"visibilityTimeoutSeconds": 30}, outputs)
    assert found is not None
    assert found[1]["visibilityTimeoutSeconds"] == 30


def test_a_second_update_changes_nothing_and_a_change_is_made_in_place(management: Driver) -> None:
    inputs = {"name": "jobs", "visibilityTimeoutSeconds": 30}
    assert management.diff(QUEUE, "jobs", inputs, inputs).changed == ()
    changed = management.diff(QUEUE, "jobs", inputs, {"name": "jobs", "visibilityTimeoutSeconds": 60})
    assert (changed.changed, changed.replaces) == (("visibilityTimeoutSeconds",), ())
    identifier, outputs = management.up(QUEUE, "jobs", **inputs)
    new = management.provider.update(
        QUEUE, urn(QUEUE, "jobs"), identifier, inputs, outputs, {**inputs, "visibilityTimeoutSeconds": 60}
    )
    assert (new["visibilityTimeoutSeconds"], new["arn"]) == (60, outputs["arn"])


def test_a_refresh_finds_nothing_new_also_where_a_type_has_no_arn(management: Driver) -> None:
    """https://www.pulumi.com/registry/packages/aws/api-docs/account/alternativecontact/#outputs has none."""
    contact = "aws:account/alternativeContact:AlternativeContact"
    inputs = {"alternateContactType": "SECURITY", "name": "Ann", "title": "-", "emailAddress": "a@b.co"}
    identifier, outputs = management.up(contact, "security", **inputs, phoneNumber="1")
    known = {**inputs, "phoneNumber": "1"}
    found = management.provider.read(contact, urn(contact, "security"), identifier, known, outputs)
    assert found == (identifier, known, outputs)


def test_what_is_unknown_or_an_asset_is_no_reason_to_refuse(management: Driver) -> None:
    assert management.check("aws:s3/bucketObject:BucketObject", "page", {"bucket": UNKNOWN, "source": ASSET})
    assert resource_type(QUEUE).preview({"name": UNKNOWN}, None)["name"] is UNKNOWN


def test_nothing_is_there_to_be_imported(management: Driver) -> None:
    assert management.provider.read(QUEUE, urn(QUEUE, "jobs"), "jobs", {}, {}) is None
