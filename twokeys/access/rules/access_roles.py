"""The role by which the management account enters a member account is for administrators only."""

from collections.abc import Iterator
from datetime import datetime

from twokeys.access.exceptions import DoorConfig
from twokeys.access.findings import Finding, Rule
from twokeys.access.graph import Graph
from twokeys.access.model.door_name import EXCEPT, DoorName
from twokeys.access.model.names import granted_resources
from twokeys.iam import UNKNOWN

_NAME = "access-role-reserved"


def _granted(graph: Graph, _config: DoorConfig, _now: datetime) -> Iterator[Finding]:
    reserved = {
        role.arn: role
        for role in graph.principals
        if role.kind == "role"
        and role.account in graph.accounts.all_members
        and graph.accounts.is_access_role(role.arn)
    }
    for principal in graph.principals:
        for document in principal.documents:
            if document.policy is UNKNOWN or document.urn is None:
                continue
            for resource in granted_resources(document.policy, graph.accounts.partition(principal.account)):
                if role := reserved.get(resource):
                    message = (
                        f"The {document.title} in account {graph.accounts.name(principal.account)} grants "
                        f"{principal.arn} the access role of account {graph.accounts.name(role.account)}, which AWS "
                        "made with AdministratorAccess: whoever holds that grant is an administrator there"
                    )
                    door = DoorName(principal.arn, resource)
                    step = f"grant a role of that account that is made for the purpose, or {EXCEPT}"
                    yield Finding(message, step, document.urn, door, document.source)


ACCESS_ROLE_RESERVED = Rule(
    name=_NAME,
    description="The access role of a member account is granted to nobody in particular.",
    severity="high",
    remediation="Grant a role of the member account that is made for the purpose.",
    url="https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_accounts_access.html",
    check=_granted,
    config=DoorConfig,
    keys="grant",
)
"""A grant that names the access role of an account which the stack, or one that it refers to, makes or lists.

Administrators of the management account enter by it anyway; a grant for others makes them administrators of the member
account. Unknown: a document that is not known is left to `unproved-door`. Does not check: patterns (`wildcard-grant`),
`Action: *`, accounts that the stack only works in.
"""
