"""Creates that a killed pulumi CLI left pending in a state: what was begun is taken over instead of begun again.

`pulumi up` only warns of them and asks for the same object anew, which AWS refuses (EMAIL_ALREADY_EXISTS,
EntityAlreadyExists). Where the object's id follows from what was asked for, it is put into the state under that id; a
refresh of just these then reads what is there, and drops what never came to be.
https://www.pulumi.com/docs/iac/operations/stack-management/editing-state-files/
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from twokeys.access.accounts import ACCOUNT, Accounts
from twokeys.access.state import parse_state


def creating(deployment: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The resources of a deployment v3 whose create is pending, but for replacements of some that are there."""
    there = {one["urn"] for one in deployment.get("resources") or ()}
    return [
        one["resource"]
        for one in deployment.get("pending_operations") or ()
        if one["type"] == "creating" and one["resource"]["urn"] not in there
    ]


def account_names(resources: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """The names of the accounts among them, by e-mail address."""
    return {one["inputs"]["email"]: one["inputs"]["name"] for one in resources if one["type"] == ACCOUNT}


def identifiers(deployment: Mapping[str, Any], accounts: Mapping[str, str]) -> dict[str, str]:
    """Under which id each pending create would be imported, by URN; one whose id does not follow is left out.

    Args:
        accounts: the ARNs of accounts that exist, by e-mail address.
    """
    found = {one["urn"]: _identifier(one, deployment, accounts) for one in creating(deployment)}
    return {urn: identifier for urn, identifier in found.items() if identifier}


def taken_over(deployment: Mapping[str, Any], found: Mapping[str, str], accounts: Mapping[str, str]) -> dict[str, Any]:
    """The deployment with those resources under their ids, and nothing pending any more.

    What a resource depends on was complete when its create began, so it may stand last. Its outputs are not known yet,
    but for an account's ARN, by which the policy pack tells accounts apart: the next update reads them first, should
    the refresh not come to its end.

    Args:
        found, accounts: see `identifiers`.
    """
    taken = [
        {**one, "id": found[one["urn"]], "outputs": _outputs(one, accounts), "refreshBeforeUpdate": True}
        for one in creating(deployment)
        if one["urn"] in found
    ]
    resources = [*(deployment.get("resources") or ()), *taken]
    kept = {key: value for key, value in deployment.items() if key != "pending_operations"}
    return {**kept, "resources": resources}


def _outputs(one: Mapping[str, Any], accounts: Mapping[str, str]) -> dict[str, Any]:
    inputs = one["inputs"]
    return {**inputs, "arn": accounts[inputs["email"]]} if one["type"] == ACCOUNT else dict(inputs)


def _identifier(one: Mapping[str, Any], deployment: Mapping[str, Any], accounts: Mapping[str, str]) -> str | None:
    """What the page of the type in the registry says under "Import".

    https://www.pulumi.com/registry/packages/aws/api-docs/iam/role/#import
    """
    inputs = one["inputs"]
    if one["type"] == ACCOUNT:
        return accounts.get(inputs["email"], "").rpartition("/")[2] or None
    identifier: object = None
    match one["type"]:
        case "aws:iam/role:Role":
            identifier = inputs.get("name")
        case "aws:iam/accountAlias:AccountAlias":
            identifier = inputs.get("accountAlias")
        case "aws:budgets/budget:Budget":
            known = Accounts(parse_state(json.dumps({"version": 3, "deployment": deployment})))
            given, provider = inputs.get("accountId"), one.get("provider", "").rpartition("::")[0]
            account = given if isinstance(given, str) else known.of_provider(provider)
            identifier = f"{account}:{inputs['name']}" if known.pinned(account) and "name" in inputs else None
    return identifier if isinstance(identifier, str) and identifier else None  # a secret is an object
