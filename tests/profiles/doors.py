"""What stacks export, for the tests here: the fields are those of the declaration that components register."""

import json
from pathlib import Path
from typing import Any

MANAGEMENT, STAGE, PROD = "111111111111", "222222222222", "333333333333"


def door(
    name: str,
    *,
    kind: str = "user",
    names: tuple[str, ...] = ("ada",),
    target: str = STAGE,
    role: str = "reader",
    mfa: bool = False,
    external_id: str | None = None,
    seconds: int | None = 3600,
    trusted: list[str] | None = None,
    partition: str = "aws",
    documents: bool = True,
    **more: Any,
) -> dict[str, Any]:
    """One entry of the output `doors`; the trust names the users, or what `trusted` says."""
    path, _, last = f"/{role}".rpartition("/")
    condition = {"StringEquals": {"sts:ExternalId": external_id}} if external_id else {}
    principals = (
        trusted if trusted is not None else [f"arn:{partition}:iam::{MANAGEMENT}:user/{each}" for each in names]
    )
    trust = {"Effect": "Allow", "Principal": {"AWS": principals}, "Action": "sts:AssumeRole", "Condition": condition}
    document = {
        "type": "aws:iam/role:Role",
        "name": name,
        "account": target,
        "property": "assumeRolePolicy",
        "properties": {"name": last, "path": f"{path}/"},
        "document": {"Version": "2012-10-17", "Statement": [trust]},
    }
    return {
        "name": name,
        "door": {
            "name": name,
            "source": {"kind": kind, "account": MANAGEMENT, "names": list(names)},
            "target": {"account": target, "role": role},
            "requires": {"mfa": mfa, "externalId": external_id is not None},
            "maxSessionSeconds": seconds,
            "reason": None,
            "owner": None,
            "expires": None,
            **more,
        },
        "documents": [document] if documents else [],
    }


def outputs(*doors: dict[str, Any], **more: Any) -> dict[str, Any]:
    """What `pulumi stack output --json` prints."""
    members = {"stage": STAGE, "prod": PROD}
    return {"parent_account_id": MANAGEMENT, "member_account_ids": members, "doors": list(doors), **more}


def resource(kind: str, name: str, outputs: dict[str, Any], provider: str = "") -> dict[str, Any]:
    """One resource of a deployment."""
    urn = f"urn:pulumi:management::twokeys::{kind}::{name}"
    return {
        "urn": urn,
        "type": kind,
        "custom": True,
        "id": name,
        "inputs": {},
        "outputs": outputs,
        "provider": provider,
    }


def deployment(*resources: dict[str, Any], outputs: dict[str, Any] | None = None) -> dict[str, Any]:
    """What `pulumi stack export` prints."""
    stack = {
        "urn": "urn:pulumi:management::twokeys::pulumi:pulumi:Stack::twokeys-management",
        "type": "pulumi:pulumi:Stack",
        "custom": False,
        "outputs": outputs or {},
    }
    return {"version": 3, "deployment": {"manifest": {}, "resources": [stack, *resources]}}


def people(groups: dict[str, list[str]], account: str = MANAGEMENT) -> list[dict[str, Any]]:
    """Groups and their members as resources of the account's pinned provider."""
    provider = {
        "urn": "urn:pulumi:management::twokeys::pulumi:providers:aws::parent",
        "type": "pulumi:providers:aws",
        "custom": True,
        "id": "p1",
        "inputs": {"allowedAccountIds": json.dumps([account]), "region": "eu-central-1"},
        "outputs": {"allowedAccountIds": json.dumps([account]), "region": "eu-central-1"},
    }
    made = [provider]
    for group, users in groups.items():
        reference = f"{provider['urn']}::p1"
        made.append(resource("aws:iam/group:Group", group, {"name": group}, reference))
        made.append(
            resource("aws:iam/groupMembership:GroupMembership", group, {"group": group, "users": users}, reference)
        )
    return made


def write(folder: Path, name: str, content: dict[str, Any]) -> str:
    """The path of a file with this JSON."""
    file = folder / name
    file.write_text(json.dumps(content))
    return str(file)
