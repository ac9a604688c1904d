"""What a door asks of those who come from outside, and of people."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date

from pydantic import Field

from twokeys.access.findings import DoorConfig, Finding, Rule
from twokeys.access.graph import Graph
from twokeys.access.principals import Principal
from twokeys.access.requirements import demanded_keys, limits_organizations, requires_mfa
from twokeys.iam import UNKNOWN, Statement
from twokeys.iam.truth import Truth

_ACCOUNT = re.compile(r"(?:arn:[^:]+:(?:iam|sts)::)?(\d{12}|account:[A-Za-z0-9_-]+)(?::.*)?")
_CONFUSED_DEPUTY = "https://docs.aws.amazon.com/IAM/latest/UserGuide/confused-deputy.html"


class OutsiderConfig(DoorConfig):
    """Which accounts belong to the organization, beside those that the stack shows."""

    organization_accounts: tuple[str, ...] = Field(
        default=(), description="12-digit ids of accounts of the organization that this stack does not show."
    )


def _outsiders(graph: Graph, config: OutsiderConfig, _today: date) -> Iterator[Finding]:
    ours = graph.accounts.held | graph.accounts.members | graph.exported.accounts | set(config.organization_accounts)
    ours |= {graph.accounts.management or ""}
    for role in graph.roles:
        if role.trust is None or role.trust.policy is UNKNOWN:
            continue
        for statement in role.trust.policy.statements:
            if "sts:externalid" in demanded_keys(statement) or limits_organizations(statement):
                continue
            for name, given in _named(statement):
                account = graph.accounts.canonical(given)
                if account not in ours and account != role.account:
                    yield _outsider(graph, role, name, account)


def _named(statement: Statement) -> Iterator[tuple[str, str]]:
    if statement.effect != "Allow" or statement.principals is None:
        return
    if statement.covers_action("sts:AssumeRole") is Truth.FALSE:
        return
    for name in statement.principals.aws:
        found = _ACCOUNT.fullmatch(name) if isinstance(name, str) else None
        if found is not None:
            yield str(name), found.group(1)


def _outsider(graph: Graph, role: Principal, name: str, account: str) -> Finding:
    message = (
        f"Role {role.arn} in account {graph.accounts.name(role.account)} trusts {name}, whose account {account} is not "
        "known to be in the organization, without an external ID"
    )
    step = (
        "add a StringEquals condition on sts:ExternalId, or list the account in organizationAccounts of this rule if "
        "it is one of yours"
    )
    arn = f"arn:aws:iam::{account}:root" if name == account else name
    return Finding("external-id", message, step, role.urn, f"{arn} -> {role.arn}", role.source)


def _people(graph: Graph, _config: DoorConfig, _today: date) -> Iterator[Finding]:
    for door in graph.doors:
        if door.open and door.source.kind in ("user", "group") and door.target.urn is not None:
            if requires_mfa((*door.trust.requirements, *door.grant.requirements)):
                continue
            message = (
                f"Role {door.target.arn} in account {graph.accounts.name(door.target.account)} lets "
                f"{door.source.kind} {door.source.name} in without MFA"
            )
            step = 'add the condition {"Bool": {"aws:MultiFactorAuthPresent": "true"}} to its trust policy'
            yield Finding("mfa-for-people", message, step, door.target.urn, door.id, door.target.source)


EXTERNAL_ID = Rule(
    name="external-id",
    description="A role that trusts an account outside the organization asks for an external ID.",
    severity="high",
    remediation="Add a condition on sts:ExternalId with an id that only this third party uses for you.",
    url=_CONFUSED_DEPUTY,
    check=_outsiders,
    config=OutsiderConfig,
)
"""The confused deputy: a third party that serves many customers must not be led to the wrong role.

The organization's accounts are those that the stack works in, makes or lists, those of referenced stacks' doors, and
`organizationAccounts`. A condition on aws:PrincipalOrgID also keeps outsiders out. Unknown: a trust policy that is not
known is left to `unproved-door`. Does not check: services and federated identities.
"""

MFA_FOR_PEOPLE = Rule(
    name="mfa-for-people",
    description="People come in with MFA.",
    severity="medium",
    remediation="Add a Bool condition on aws:MultiFactorAuthPresent to the role's trust policy.",
    url="https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_mfa_configure-api-require.html",
    check=_people,
    config=DoorConfig,
    mandatory=False,
)
"""An open door for a user, or for the members of a group, asks for MFA on one of its two sides.

Unknown: a door that is not proved is left to `unproved-door`. Does not check: federated people (their identity provider
asks for MFA), users who come through a role of their own account.
"""
