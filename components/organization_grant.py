"""A grant for the whole organization: one of the two keys to the role of one name in every account."""

from typing import Any, NotRequired, TypedDict, cast

import pulumi
import pulumi_aws as aws

from components.organization_grant_documents import GrantPlan, exported_grant, grant_document, symbolic_document
from twokeys.doors import PROPERTY, organization_symbol, render, resolve, symbol
from twokeys.doors.documents import Kind, name_of
from twokeys.doors.expiry import closing_time


class OrganizationGrantArgs(TypedDict):
    """Who is granted which role of all accounts."""

    source_kind: str
    """Who gets the grant: a `role`, a `user` or a `group`."""
    source: str
    """The role, user or group, with its path if it has one."""
    source_account_id: pulumi.Input[str]
    """The 12-digit id of their account: known, unless `source_account` names its resource."""
    source_account: NotRequired[str]
    """The logical name of the resource of their account, where that is a member account of this stack."""
    role: str
    """The role in every account, with its path if it has one: `auditor`, `audit/auditor`."""
    organization_id: pulumi.Input[str]
    """The organization's id, o-...: the grant reaches no account outside it."""
    organization: NotRequired[str]
    """The logical name of the organization's resource, when the same program makes it: `organization:<name>` stands
    where its id will. Left out for an organization whose id is known in preview."""
    mfa: NotRequired[bool]
    """Whether the grant asks for MFA; by default it does for people (`user`, `group`)."""
    reason: NotRequired[str]
    """What it is for."""
    owner: NotRequired[str]
    """Who answers for it."""
    expires: NotRequired[str]
    """When it closes at AWS: the end of a day in UTC, as in 2027-01-31, or a moment, as in 2027-01-31T15:00Z."""
    partition: NotRequired[str]
    """The partition that stands in ARNs, `aws` by default."""


class OrganizationGrant(pulumi.ComponentResource):
    """An inline policy of the source that allows `sts:AssumeRole` on the role of one name, in the organization only.

    A door's own grant is a policy for each account, and the policies of a role hold a few dozen; this is one for all.
    It opens nothing by itself: in each account, the role's trust policy is the other key. The provider is the
    component's `provider` option. Declared like a door: `symbolicDocuments` and `organizationGrant`.
    """

    grant: pulumi.Output[dict[str, Any]]
    """The grant with real ids, as `ExportedGrant` describes it."""

    def __init__(self, name: str, args: OrganizationGrantArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        identity = pulumi.Output.from_input(args["organization_id"])
        named = organization_symbol(args["organization"]) if "organization" in args else identity
        plan = pulumi.Output.from_input(named).apply(lambda organization: _plan(name, args, organization))
        shape = _plan(name, args, "")  # what names resources does not depend on the organization
        declared = {
            PROPERTY: plan.apply(lambda it: [symbolic_document(it).to_props()]),
            "organizationGrant": exported_grant(shape).grant.to_props(),
        }
        super().__init__("twokeys:access:OrganizationGrant", name, declared, opts)
        policy = pulumi.Output.all(plan=plan, id=identity).apply(
            lambda known: render(grant_document(known["plan"]), {known["plan"].organization: known["id"]})
        )
        child = pulumi.ResourceOptions(
            parent=self,
            depends_on=opts.depends_on if opts else None,
            replacement_trigger=shape.source_account,  # as of a door's grant
        )
        source = name_of(args["source"])
        if shape.kind == "role":
            aws.iam.RolePolicy(name, name=shape.policy_name, role=source, policy=policy, opts=child)
        elif shape.kind == "user":
            aws.iam.UserPolicy(name, name=shape.policy_name, user=source, policy=policy, opts=child)
        else:
            aws.iam.GroupPolicy(name, name=shape.policy_name, group=source, policy=policy, opts=child)
        self.grant = pulumi.Output.all(organization=identity, source=args["source_account_id"]).apply(
            lambda known: resolve(
                exported_grant(_plan(name, args, known["organization"])).to_props(),
                {shape.source_account: known["source"]},
            )
        )
        self.register_outputs({**declared, "grant": self.grant})


def _plan(name: str, args: OrganizationGrantArgs, organization: str) -> GrantPlan:
    return GrantPlan(
        name=name,
        kind=cast("Kind", args["source_kind"]),
        source=args["source"],
        source_account=symbol(args["source_account"]) if "source_account" in args else str(args["source_account_id"]),
        role=args["role"],
        organization=organization,
        mfa=args.get("mfa", args["source_kind"] != "role"),
        reason=args.get("reason"),
        owner=args.get("owner"),
        expires=closing_time(args["expires"]) if "expires" in args else None,
        partition=args.get("partition", "aws"),
    )
