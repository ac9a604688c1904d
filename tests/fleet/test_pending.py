"""Creates that a killed CLI left pending: under which id each is taken over.

Ids are those that the registry's pages say under "Import":
https://www.pulumi.com/registry/packages/aws/api-docs/organizations/account/#import and so on. The shape of a state is
Pulumi's deployment v3: https://github.com/pulumi/pulumi/blob/master/sdk/go/common/apitype/deployments.json
"""

from __future__ import annotations

from typing import Any

import pytest

from twokeys.fleet.pending import account_names, creating, identifiers, taken_over

ARN = "arn:aws:organizations::111111111111:account/o-exampleorgid/222222222222"
MANAGEMENT = {
    "urn": "urn:pulumi:prod-001::twokeys::pulumi:providers:aws::management",
    "type": "pulumi:providers:aws",
    "id": "6f4c3c1e",
    "inputs": {"allowedAccountIds": '["111111111111"]'},
}


def resource(kind: str, called: str, **inputs: Any) -> dict[str, Any]:
    urn = f"urn:pulumi:prod-001::twokeys::{kind}::{called}"
    provider = f"{MANAGEMENT['urn']}::{MANAGEMENT['id']}"
    return {"urn": urn, "type": kind, "custom": True, "inputs": inputs, "provider": provider}


def left(*pending: dict[str, Any], there: tuple[dict[str, Any], ...] = ()) -> dict[str, Any]:
    operations = [{"resource": one, "type": "creating"} for one in pending]
    return {"manifest": {"magic": "m"}, "resources": [MANAGEMENT, *there], "pending_operations": operations}


ACCOUNT = resource("aws:organizations/account:Account", "stage", email="stage@company.com", name="stage")


@pytest.mark.parametrize(
    ("kind", "inputs", "identifier"),
    [
        ("aws:organizations/account:Account", {"email": "stage@company.com", "name": "stage"}, "222222222222"),
        ("aws:organizations/account:Account", {"email": "prod@company.com", "name": "prod"}, None),
        ("aws:iam/role:Role", {"name": "deployer"}, "deployer"),
        ("aws:iam/accountAlias:AccountAlias", {"accountAlias": "company-stage"}, "company-stage"),
        ("aws:budgets/budget:Budget", {"name": "stage"}, "111111111111:stage"),
        ("aws:budgets/budget:Budget", {"name": "stage", "accountId": "333333333333"}, "333333333333:stage"),
        # What AWS chooses cannot be known, and what is asked for twice without harm need not be.
        ("aws:ssoadmin/permissionSet:PermissionSet", {"name": "reader"}, None),
        ("aws:iam/rolePolicyAttachment:RolePolicyAttachment", {"role": "deployer"}, None),
        # A secret is encrypted in a state.
        ("aws:iam/role:Role", {"name": {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270"}}, None),
    ],
)
def test_an_id_follows_from_what_was_asked_for(kind: str, inputs: dict[str, Any], identifier: str | None) -> None:
    one = resource(kind, "one", **inputs)
    found = identifiers(left(one), {"stage@company.com": ARN})
    assert found == ({one["urn"]: identifier} if identifier else {})


def test_what_is_taken_over_stands_last_and_is_read_before_anything_else() -> None:
    role = resource("aws:iam/role:Role", "deployer", name="deployer")
    reader = resource("aws:ssoadmin/permissionSet:PermissionSet", "reader", name="reader")
    deployment = left(ACCOUNT, role, reader)
    accounts = {"stage@company.com": ARN}
    edited = taken_over(deployment, identifiers(deployment, accounts), accounts)
    assert edited.keys() == {"manifest", "resources"}
    provider, account, taken = edited["resources"]
    assert provider == MANAGEMENT
    assert account == {
        **ACCOUNT,
        "id": "222222222222",
        "outputs": {"email": "stage@company.com", "name": "stage", "arn": ARN},
        "refreshBeforeUpdate": True,
    }
    assert taken == {**role, "id": "deployer", "outputs": {"name": "deployer"}, "refreshBeforeUpdate": True}
    assert [one["urn"] for one in creating(deployment)] == [ACCOUNT["urn"], role["urn"], reader["urn"]]
    assert creating(edited) == []


def test_only_creates_count_and_not_those_that_replace_what_is_there() -> None:
    role = resource("aws:iam/role:Role", "deployer", name="deployer")
    deployment = left(role, there=({**role, "id": "deployer", "outputs": {}},))
    deployment["pending_operations"].append({"resource": ACCOUNT, "type": "updating"})
    assert creating(deployment) == []
    assert creating({"resources": None}) == []


def test_accounts_are_asked_for_by_their_addresses() -> None:
    role = resource("aws:iam/role:Role", "deployer", name="deployer")
    assert account_names([ACCOUNT, role]) == {"stage@company.com": "stage"}
