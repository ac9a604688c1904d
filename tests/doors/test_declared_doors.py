"""The declaration is what components and the pack share: both must read it alike."""

import json

import pytest
from pydantic import ValidationError

from twokeys.doors import (
    DeclaredDoor,
    ExportedDoor,
    SymbolicDocument,
    UnresolvedSymbolError,
    Who,
    organization_symbol,
    render,
    resolve,
    symbol,
    symbols,
)

TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"AWS": "arn:aws:iam::account:hub:role/ci"},
            "Action": "sts:AssumeRole",
            "Condition": {"StringEquals": {"aws:PrincipalAccount": "account:hub"}},
        }
    ],
}


def test_a_symbol_is_replaced_in_an_arn_and_where_it_stands_alone() -> None:
    rendered = json.loads(render(TRUST, {"account:hub": "111111111111"}))
    assert rendered["Statement"][0]["Principal"] == {"AWS": "arn:aws:iam::111111111111:role/ci"}
    assert rendered["Statement"][0]["Condition"] == {"StringEquals": {"aws:PrincipalAccount": "111111111111"}}


def test_a_symbol_that_starts_another_symbol_is_not_replaced_in_it() -> None:
    assert resolve("arn:aws:iam::account:hub-2:root", {"account:hub": "1" * 12}) == "arn:aws:iam::account:hub-2:root"
    assert resolve("account:hub-2", {"account:hub": "1" * 12}) == "account:hub-2"


@pytest.mark.parametrize("text", ["my account:hub", "account:hub!", "arn:aws:s3:::account:hub", "aws:account:hub"])
def test_text_that_only_looks_like_a_symbol_stays_as_it_is(text: str) -> None:
    assert resolve(text, {"account:hub": "1" * 12}) == text
    assert symbols(text) == frozenset()


def test_a_document_with_an_unknown_account_is_never_rendered() -> None:
    with pytest.raises(UnresolvedSymbolError, match="account:hub"):
        render(TRUST, {"account:other": "111111111111"})


def test_a_name_that_an_arn_could_not_hold_is_no_symbol() -> None:
    assert symbol("stage_1-a") == "account:stage_1-a"
    with pytest.raises(ValueError, match="cannot be a symbol"):
        symbol("stage:one")


def test_an_exported_door_survives_the_way_through_a_stack_output() -> None:
    door = DeclaredDoor.model_validate(
        {
            "name": "stage-deployer",
            "source": {"kind": "role", "account": "111111111111", "names": ["ci"]},
            "target": {"account": "account:stage", "role": "deployer"},
            "requires": {"mfa": True, "externalId": False},
            "maxSessionSeconds": 3600.0,
            "reason": "deployments",
            "owner": "platform",
            "expires": "2027-01-31",
        }
    )
    document = SymbolicDocument(
        type="aws:iam/role:Role",
        name="deployer",
        account="account:stage",
        property="assumeRolePolicy",
        properties={"name": "deployer", "path": "/"},
        document=TRUST,
    )
    exported = ExportedDoor(name=door.name, door=door, documents=(document,))
    assert ExportedDoor.model_validate(json.loads(json.dumps(exported.to_props()))) == exported
    assert exported.to_props()["door"]["maxSessionSeconds"] == 3600


@pytest.mark.parametrize(("field", "value"), [("account", "12345"), ("property", "policies"), ("extra", "x")])
def test_a_declaration_with_a_wrong_or_unknown_field_is_refused(field: str, value: str) -> None:
    right = {
        "type": "aws:iam/role:Role",
        "name": "deployer",
        "account": "account:stage",
        "property": "policy",
        "properties": {},
        "document": {},
    }
    with pytest.raises(ValidationError):
        SymbolicDocument.model_validate({**right, field: value})


def test_the_id_of_an_organization_to_come_is_a_symbol_that_stands_alone() -> None:
    name = organization_symbol("main")
    document = {"Condition": {"StringEquals": {"aws:ResourceOrgID": name, "aws:PrincipalTag/team": f"x-{name}"}}}
    assert symbols(document) == {"organization:main"}
    rendered = json.loads(render(document, {name: "o-a1b2c3d4e5"}))
    expected = {"aws:ResourceOrgID": "o-a1b2c3d4e5", "aws:PrincipalTag/team": "x-organization:main"}
    assert rendered == {"Condition": {"StringEquals": expected}}
    with pytest.raises(UnresolvedSymbolError, match="organization:main"):
        render(document, {"account:main": "1" * 12})


def test_a_principal_is_the_same_with_and_without_its_path() -> None:
    """Names are unique in an account whatever their path.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
    """
    assert Who("role", "111111111111", "deploy/ci") == Who("role", "111111111111", "ci")
