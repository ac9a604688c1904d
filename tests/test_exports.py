"""What a stack exports is read from any of the forms that Pulumi gives it."""

import json

import pytest

from tests.profiles.doors import MANAGEMENT, PROD, STAGE, deployment, outputs, resource
from twokeys.errors import Refusal
from twokeys.exports import account_names, parse_exports, read_exports
from twokeys.iam import UNKNOWN


def read(content: object) -> object:
    return parse_exports(json.dumps(content).encode(), "a file")


def test_outputs_a_deployment_and_a_checkpoint_tell_the_same_outputs() -> None:
    told = {"parent_account_id": MANAGEMENT}
    exported = deployment(outputs=told)
    checkpoint = {"version": 3, "checkpoint": {"stack": "x", "latest": exported["deployment"]}}
    for content in (told, exported, checkpoint):
        assert read(content).outputs == told  # type: ignore[attr-defined]


def test_an_output_that_happens_to_be_called_version_does_not_make_a_deployment() -> None:
    assert read({"version": 3, "doors": []}).outputs == {"version": 3, "doors": []}  # type: ignore[attr-defined]


def test_a_secret_that_the_file_hides_is_unknown_and_one_that_it_shows_is_open() -> None:
    # The signature with which the engine marks a secret in a deployment, from the engine's own source and exports.
    mark = {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270"}
    shown = deployment(outputs={"hidden": {**mark, "ciphertext": "v1:x"}, "shown": {**mark, "plaintext": '"open"'}})
    assert read(shown).outputs == {"hidden": UNKNOWN, "shown": "open"}  # type: ignore[attr-defined]
    assert read({"hidden": "[secret]"}).outputs == {"hidden": UNKNOWN}  # type: ignore[attr-defined]


@pytest.mark.parametrize("text", [b"", b"[]", b"{", b"\xff\xfe", b'{"version": 3, "deployment": 5}'])
def test_what_is_no_export_is_refused_with_the_file_named(text: bytes) -> None:
    with pytest.raises(Refusal) as refused:
        parse_exports(text, "stage.json")
    assert "stage.json" in refused.value.where


def test_a_missing_file_is_refused() -> None:
    with pytest.raises(Refusal, match="No such file"):
        read_exports("/nowhere/stage.json")


def test_accounts_are_named_by_their_resources_before_the_outputs() -> None:
    # The ARN of an account: https://docs.aws.amazon.com/organizations/latest/APIReference/API_Account.html
    arn = f"arn:aws:organizations::{MANAGEMENT}:account/o-exampleorgid/{STAGE}"
    account = resource("aws:organizations/account:Account", "stage", {"id": STAGE, "name": "Staging", "arn": arn})
    exports = [read(deployment(account)), read(outputs())]
    assert account_names(exports) == {STAGE: "Staging", PROD: "prod", MANAGEMENT: "management"}  # type: ignore[arg-type]
