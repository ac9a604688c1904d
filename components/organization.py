"""The organization: created or looked up, with its tree of organizational units and its policies."""

import json
from collections.abc import Mapping
from typing import Any, NotRequired, TypedDict

import pulumi
import pulumi_aws as aws


class PolicyArgs(TypedDict):
    """A policy of the organization and where it is attached."""

    document: dict[str, Any]
    """The policy document."""
    targets: list[str]
    """`root`, paths of organizational units, or ids of accounts."""
    description: NotRequired[str]
    """What it is for."""
    type: NotRequired[str]
    """SERVICE_CONTROL_POLICY by default, or another type, such as TAG_POLICY."""
    name: NotRequired[str]
    """What AWS calls it; by default its key."""
    tags: NotRequired[dict[str, str]]
    """Its tags."""
    adopt: NotRequired[str]
    """The id of an existing policy to take over instead of making one."""
    attached: NotRequired[dict[str, str]]
    """The targets that an existing policy is attached to already, with their ids."""


class UnitArgs(TypedDict):
    """What an organizational unit is beside its place in the tree."""

    name: NotRequired[str]
    """What AWS calls it; by default the last part of its path."""
    tags: NotRequired[dict[str, str]]
    """Its tags."""
    adopt: NotRequired[str]
    """The id of an existing unit to take over instead of making one."""


class DelegatedArgs(TypedDict):
    """What an account is the delegated administrator of."""

    services: list[str]
    """Service principals."""
    adopt: list[str]
    """Those of them that it administers already."""


class OrganizationArgs(TypedDict):
    """What an organization is made of."""

    create: bool
    """Whether the stack manages the organization; else it is looked up."""
    adopt: NotRequired[str]
    """The id of an existing organization to take over instead of creating one."""
    organizational_units: list[str]
    """Paths of organizational units below the root, parents before children."""
    existing_units: NotRequired[dict[str, str]]
    """Ids by path of those units that exist already; they are used, not made."""
    units: NotRequired[dict[str, UnitArgs]]
    """What is said of units by path."""
    policy_types: NotRequired[list[str]]
    """Policy types to switch on; only when the organization is created."""
    trusted_services: NotRequired[list[str]]
    """Service principals with trusted access; only when the organization is created."""
    policies: NotRequired[dict[str, PolicyArgs]]
    """Service control policies and policies of other types, by name."""
    centralized_root_access: NotRequired[bool]
    """Whether root users of member accounts lose their credentials and the management account acts in their place."""
    root_access_is_on: NotRequired[bool]
    """Whether that is on already, and taken over."""
    delegated_administrators: NotRequired[dict[str, DelegatedArgs]]
    """Delegated administrators by account id."""


class Organization(pulumi.ComponentResource):
    """The organization of the provider's account.

    What it makes that holds accounts is protected: the organization and its organizational units stay when the stack is
    destroyed, as the member accounts do. The provider is the component's `provider` option.

    Whatever has an `adopt` exists: the engine imports it, which changes nothing in AWS where what is declared is what
    is there. Adopted policies are protected too. Once imported, `adopt` may stay or go.
    https://www.pulumi.com/docs/iac/concepts/resources/options/import/
    """

    organization_id: pulumi.Output[str]
    """The organization's id, o-..."""
    root_id: pulumi.Output[str]
    """The id of its root, r-..."""
    organizational_unit_ids: pulumi.Output[dict[str, str]]
    """Ids of the organizational units by path, all together: for this program's own use see `unit_ids`."""
    resource_name: str | None
    """The logical name of the organization's resource; None for an organization that is only looked up."""

    def __init__(self, name: str, args: OrganizationArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("twokeys:organization:Organization", name, {}, opts)
        self._name = name
        self.resource_name = name if args["create"] else None
        self.organization_id, self.root_id, organization = self._created(args) if args["create"] else self._found()
        self.resources = organization
        """The organization's own resource; none for one that is only looked up."""
        self.unit_ids: Mapping[str, pulumi.Output[str]] = self._units(args)
        """The id of each unit by its path, known on its own: another unit that is still to be made changes nothing."""
        self.organizational_unit_ids = pulumi.Output.all(**self.unit_ids)
        for policy, said in args.get("policies", {}).items():
            self._policy(policy, said, self.unit_ids, organization)
        if args.get("centralized_root_access"):
            # https://docs.aws.amazon.com/IAM/latest/UserGuide/id_root-enable-root-access.html
            aws.iam.OrganizationsFeatures(
                name,
                enabled_features=["RootCredentialsManagement", "RootSessions"],
                opts=pulumi.ResourceOptions(
                    parent=self,
                    depends_on=organization,
                    import_=args.get("adopt") if args.get("root_access_is_on") else None,
                ),
            )
        self._delegations(args, organization)
        self.register_outputs(
            {
                "organizationId": self.organization_id,
                "rootId": self.root_id,
                "organizationalUnitIds": self.organizational_unit_ids,
            }
        )

    def _created(self, args: OrganizationArgs) -> tuple[pulumi.Output[str], pulumi.Output[str], list[pulumi.Resource]]:
        made = aws.organizations.Organization(
            self._name,
            feature_set="ALL",
            enabled_policy_types=args.get("policy_types", []),
            aws_service_access_principals=args.get("trusted_services", []),
            opts=pulumi.ResourceOptions(parent=self, protect=True, retain_on_delete=True, import_=args.get("adopt")),
        )
        return made.id, made.roots.apply(lambda roots: str(roots[0].id)), [made]

    def _found(self) -> tuple[pulumi.Output[str], pulumi.Output[str], list[pulumi.Resource]]:
        found = aws.organizations.get_organization_output(opts=pulumi.InvokeOutputOptions(parent=self))
        return found.id, found.roots.apply(lambda roots: str(roots[0].id)), []

    def _units(self, args: OrganizationArgs) -> dict[str, pulumi.Output[str]]:
        existing = args.get("existing_units", {})
        units: dict[str, pulumi.Output[str]] = {}
        for path in args["organizational_units"]:
            if path in existing:
                units[path] = pulumi.Output.from_input(existing[path])
                continue
            parent_path, _, last = path.rpartition("/")
            said = args.get("units", {}).get(path, UnitArgs())
            made = aws.organizations.OrganizationalUnit(
                path,
                name=said.get("name") or last,
                parent_id=units[parent_path] if parent_path else self.root_id,
                tags=said.get("tags") or None,
                opts=pulumi.ResourceOptions(
                    parent=self, protect=True, retain_on_delete=True, import_=said.get("adopt")
                ),
            )
            units[path] = made.id
        return units

    def _policy(
        self,
        name: str,
        said: PolicyArgs,
        units: Mapping[str, pulumi.Output[str]],
        organization: list[pulumi.Resource],
    ) -> None:
        adopt = said.get("adopt")
        policy = aws.organizations.Policy(
            name,
            name=said.get("name") or name,
            # AWS tells no empty description, so an import of a policy without one would show a change.
            description=said.get("description") or None,
            type=said.get("type", "SERVICE_CONTROL_POLICY"),
            content=json.dumps(said["document"], separators=(",", ":")),
            tags=said.get("tags") or None,
            # A policy of a type that is not switched on yet is refused.
            opts=pulumi.ResourceOptions(
                parent=self, depends_on=organization, import_=adopt, protect=True if adopt else None
            ),
        )
        attached = said.get("attached", {})
        for target in said["targets"]:
            exists = f"{attached[target]}:{adopt}" if target in attached else None
            aws.organizations.PolicyAttachment(
                f"{name}-{target}",
                policy_id=policy.id,
                target_id=self._target(target, units),
                opts=pulumi.ResourceOptions(parent=policy, import_=exists),
            )

    def _target(self, target: str, units: Mapping[str, pulumi.Output[str]]) -> pulumi.Input[str]:
        """The root, a unit of this stack, or an account by its id."""
        return self.root_id if target == "root" else units.get(target, target)

    def _delegations(self, args: OrganizationArgs, organization: list[pulumi.Resource]) -> None:
        """https://docs.aws.amazon.com/organizations/latest/userguide/orgs_integrate_delegated_admin.html"""
        for account, said in args.get("delegated_administrators", {}).items():
            # AWS takes one registration of an account at a time.
            before = list(organization)
            for service in said["services"]:
                made = aws.organizations.DelegatedAdministrator(
                    f"{account}-{service}",
                    account_id=account,
                    service_principal=service,
                    opts=pulumi.ResourceOptions(
                        parent=self,
                        depends_on=before,
                        import_=f"{account}/{service}" if service in said["adopt"] else None,
                    ),
                )
                before = [*organization, made]
