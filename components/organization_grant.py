"""A grant for the whole organization: one of the two keys to the role of one name in every account."""

from typing import Any

import pulumi

from components.cross_account_access import inline_policy
from twokeys.doors import (
    PROPERTY,
    DoorSource,
    ExportedGrant,
    SymbolicDocument,
    organization_symbol,
    render,
    resolve,
    symbol,
)
from twokeys.doors import OrganizationGrant as DeclaredGrant
from twokeys.doors.documents import GRANT_TYPES
from twokeys.doors.expiry import open_until
from twokeys.doors.who import name_of
from twokeys.settings.models import OrganizationGrantSettings, Settings, asks_for_mfa, principal_of


class OrganizationGrant(pulumi.ComponentResource):
    """An inline policy of the source that allows `sts:AssumeRole` on the role of one name, in the organization only.

    A door's own grant is a policy for each account, and the policies of a role hold a few dozen; this is one for all.
    It opens nothing by itself: in each account, the role's trust policy is the other key. The provider is the
    component's `provider` option. Declared like a door: `symbolicDocuments` and `organizationGrant`.
    """

    grant: pulumi.Output[dict[str, Any]]
    """The grant with real ids, as `ExportedGrant` describes it."""

    def __init__(  # noqa: PLR0913 - all but the name by name
        self,
        name: str,
        *,
        settings: Settings,
        organization_id: pulumi.Input[str],
        organization: str | None,
        source_account_id: pulumi.Input[str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """The grant of this name in `settings`.

        `organization` is the logical name of the organization's resource where the same program makes it:
        `organization:<name>` then stands where its id will.
        """
        said, partition = settings.organization_grants[name], settings.partition
        source = principal_of(said.source)
        account = symbol(settings.people.account) if settings.people.account else settings.management_account_id
        about = DeclaredGrant.model_validate(
            {
                "name": name,
                "source": DoorSource(kind=source.kind, account=account, names=(source.name,)),
                "role": said.target.role,
                "mfa": asks_for_mfa(said),
                **said.declaration,
            }
        )
        type_, key = GRANT_TYPES[source.kind]
        # A door's own grant names an account in the place of the organization.
        policy_name, holder = f"assume-organization-{name_of(said.target.role)}", name_of(source.name)

        def declared(organization: str) -> SymbolicDocument:
            return SymbolicDocument(
                type=type_,
                name=name,
                account=account,
                property="policy",
                properties={"name": policy_name, key: holder},
                document=grant_document(said, organization, partition),
            )

        identity = pulumi.Output.from_input(organization_id)
        named = pulumi.Output.from_input(organization_symbol(organization)) if organization else identity
        shown = {PROPERTY: named.apply(lambda it: [declared(it).to_props()]), "organizationGrant": about.to_props()}
        super().__init__("twokeys:access:OrganizationGrant", name, shown, opts)
        policy = pulumi.Output.all(named, identity).apply(
            lambda known: render(grant_document(said, known[0], partition), {known[0]: known[1]})
        )
        child = pulumi.ResourceOptions(
            parent=self,
            depends_on=opts.depends_on if opts else None,
            replacement_trigger=account,  # as of a door's grant
        )
        inline_policy(name, source.kind, holder, policy_name=policy_name, policy=policy, opts=child)
        self.grant = pulumi.Output.all(identity, source_account_id).apply(
            lambda known: resolve(
                ExportedGrant(name=name, grant=about, documents=(declared(known[0]),)).to_props(), {account: known[1]}
            )
        )
        self.register_outputs({**shown, "grant": self.grant})


def grant_document(said: OrganizationGrantSettings, organization: str, partition: str) -> dict[str, Any]:
    """The identity-based policy of the source: this role in every account of the organization, and no other. Pure.

    `organization` is its id or its symbol.
    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-resourceorgid
    """
    condition: dict[str, dict[str, str]] = {"StringEquals": {"aws:ResourceOrgID": organization}}
    if asks_for_mfa(said):
        condition["Bool"] = {"aws:MultiFactorAuthPresent": "true"}
    if said.expires:
        condition |= open_until(said.expires)
    statement = {
        "Effect": "Allow",
        "Action": "sts:AssumeRole",
        "Resource": f"arn:{partition}:iam::*:role/{said.target.role}",
        "Condition": condition,
    }
    return {"Version": "2012-10-17", "Statement": [statement]}
