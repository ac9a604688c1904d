"""The document of a grant for the whole organization, pure: symbolic and real come from one structure."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from twokeys.doors import DoorSource, ExportedGrant, OrganizationGrant, SymbolicDocument
from twokeys.doors.documents import GRANT_TYPES, Kind, name_of
from twokeys.doors.expiry import open_until


@dataclass(frozen=True)
class GrantPlan:
    """A grant before the organization's id is known: `organization` is the id or its symbol.

    `source` and `role` are path-and-name ("auditor", "audit/auditor").
    """

    name: str
    kind: Kind
    source: str
    source_account: str
    role: str
    organization: str
    mfa: bool = False
    reason: str | None = None
    owner: str | None = None
    expires: datetime | None = None
    partition: str = "aws"

    @property
    def policy_name(self) -> str:
        """The name of the inline policy; a door's own grant names an account in the place of the organization."""
        return f"assume-organization-{name_of(self.role)}"


def grant_document(plan: GrantPlan) -> dict[str, Any]:
    """The identity-based policy of the source: this role in every account of the organization, and no other.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-resourceorgid
    """
    condition: dict[str, dict[str, str]] = {"StringEquals": {"aws:ResourceOrgID": plan.organization}}
    if plan.mfa:
        condition["Bool"] = {"aws:MultiFactorAuthPresent": "true"}
    if plan.expires:
        condition |= open_until(plan.expires)
    statement = {
        "Effect": "Allow",
        "Action": "sts:AssumeRole",
        "Resource": f"arn:{plan.partition}:iam::*:role/{plan.role}",
        "Condition": condition,
    }
    return {"Version": "2012-10-17", "Statement": [statement]}


def symbolic_document(plan: GrantPlan) -> SymbolicDocument:
    """What the grant declares of its policy."""
    type_, key = GRANT_TYPES[plan.kind]
    return SymbolicDocument(
        type=type_,
        name=plan.name,
        account=plan.source_account,
        property="policy",
        properties={"name": plan.policy_name, key: name_of(plan.source)},
        document=grant_document(plan),
    )


def exported_grant(plan: GrantPlan) -> ExportedGrant:
    """The grant as people and other stacks read it."""
    grant = OrganizationGrant.model_validate(
        {
            "name": plan.name,
            "source": DoorSource(kind=plan.kind, account=plan.source_account, names=(plan.source,)),
            "role": plan.role,
            "mfa": plan.mfa,
            "reason": plan.reason,
            "owner": plan.owner,
            "expires": plan.expires,
        }
    )
    return ExportedGrant(name=plan.name, grant=grant, documents=(symbolic_document(plan),))
