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
    """`root`, or paths of organizational units."""
    description: NotRequired[str]
    """What it is for."""
    type: NotRequired[str]
    """SERVICE_CONTROL_POLICY by default, or another type, such as TAG_POLICY."""


class OrganizationArgs(TypedDict):
    """What an organization is made of."""

    create: bool
    """Whether to create the organization; else it is looked up."""
    organizational_units: list[str]
    """Paths of organizational units below the root, parents before children."""
    existing_units: NotRequired[dict[str, str]]
    """Ids by path of those units that exist already; they are used, not made."""
    policy_types: NotRequired[list[str]]
    """Policy types to switch on; only when the organization is created."""
    trusted_services: NotRequired[list[str]]
    """Service principals with trusted access; only when the organization is created."""
    policies: NotRequired[dict[str, PolicyArgs]]
    """Service control policies and policies of other types, by name."""
    centralized_root_access: NotRequired[bool]
    """Whether root users of member accounts lose their credentials and the management account acts in their place."""


class Organization(pulumi.ComponentResource):
    """The organization of the provider's account.

    What it makes that holds accounts is protected: the organization and its organizational units stay when the stack is
    destroyed, as the member accounts do. The provider is the component's `provider` option.
    """

    organization_id: pulumi.Output[str]
    """The organization's id, o-..."""
    root_id: pulumi.Output[str]
    """The id of its root, r-..."""
    organizational_unit_ids: pulumi.Output[dict[str, str]]
    """Ids of the organizational units by path."""

    def __init__(self, name: str, args: OrganizationArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("twokeys:organization:Organization", name, {}, opts)
        self._name = name
        self.organization_id, self.root_id, organization = self._created(args) if args["create"] else self._found()
        units = self._units(args)
        self.organizational_unit_ids = pulumi.Output.all(**units)
        for policy, said in args.get("policies", {}).items():
            self._policy(policy, said, units, organization)
        if args.get("centralized_root_access"):
            # https://docs.aws.amazon.com/IAM/latest/UserGuide/id_root-enable-root-access.html
            aws.iam.OrganizationsFeatures(
                name,
                enabled_features=["RootCredentialsManagement", "RootSessions"],
                opts=pulumi.ResourceOptions(parent=self, depends_on=organization),
            )
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
            opts=pulumi.ResourceOptions(parent=self, protect=True, retain_on_delete=True),
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
            parent_path, _, unit = path.rpartition("/")
            made = aws.organizations.OrganizationalUnit(
                path,
                name=unit,
                parent_id=units[parent_path] if parent_path else self.root_id,
                opts=pulumi.ResourceOptions(parent=self, protect=True, retain_on_delete=True),
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
        policy = aws.organizations.Policy(
            name,
            name=name,
            description=said.get("description", ""),
            type=said.get("type", "SERVICE_CONTROL_POLICY"),
            content=json.dumps(said["document"], separators=(",", ":")),
            # A policy of a type that is not switched on yet is refused.
            opts=pulumi.ResourceOptions(parent=self, depends_on=organization),
        )
        for target in said["targets"]:
            aws.organizations.PolicyAttachment(
                f"{name}-{target}",
                policy_id=policy.id,
                target_id=self.root_id if target == "root" else units[target],
                opts=pulumi.ResourceOptions(parent=policy),
            )
