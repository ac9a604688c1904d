"""The organization: created or looked up, with its tree of organizational units and its policies."""

import json
from collections.abc import Mapping
from typing import Any

import pulumi
import pulumi_aws as aws

from components.bill import tag_policy
from twokeys.doors import ExportedPolicy
from twokeys.settings.guard_rails import guard_rails_document
from twokeys.settings.models import (
    ROOT,
    GuardRailSettings,
    OrganizationSettings,
    OtherPolicySettings,
    Settings,
    UnitSettings,
    all_units,
    guard_rails,
)
from twokeys.settings.organization_wide import guard_rail_surroundings


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
    resource_name: str | None
    """The logical name of the organization's resource; None for an organization that is only looked up."""

    def __init__(
        self, name: str, settings: Settings, said: OrganizationSettings, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("twokeys:organization:Organization", name, {}, opts)
        self._name = name
        self.resource_name = name if said.create else None
        self.organization_id, self.root_id, organization = self._created(said) if said.create else self._found()
        self.resources = organization
        """The organization's own resource; none for one that is only looked up."""
        self.unit_ids: Mapping[str, pulumi.Output[str]] = self._units(said)
        """The id of each unit by its path, known on its own: another unit that is still to be made changes nothing."""
        self.denials: list[dict[str, Any]] = []
        """What its control policies deny about entering accounts, as the stack exports it."""
        for policy, its in _policies(settings, said).items():
            self._policy(policy, its, self.unit_ids, organization)
            if its.kind in ("SERVICE_CONTROL_POLICY", "RESOURCE_CONTROL_POLICY"):
                about = {"name": its.name or policy, "type": its.kind, "targets": its.targets, "document": its.document}
                if its.targets and (denying := ExportedPolicy.model_validate(about).shortened()):
                    self.denials.append(denying.to_props())
        if said.centralized_root_access:
            # https://docs.aws.amazon.com/IAM/latest/UserGuide/id_root-enable-root-access.html
            aws.iam.OrganizationsFeatures(
                name,
                enabled_features=["RootCredentialsManagement", "RootSessions"],
                opts=pulumi.ResourceOptions(
                    parent=self,
                    depends_on=organization,
                    import_=said.adopt if said.centralized_root_access == "adopt" else None,
                ),
            )
        self._delegations(said, organization)
        self.register_outputs(
            {
                "organizationId": self.organization_id,
                "rootId": self.root_id,
                "organizationalUnitIds": dict(self.unit_ids),
            }
        )

    def _created(
        self, said: OrganizationSettings
    ) -> tuple[pulumi.Output[str], pulumi.Output[str], list[pulumi.Resource]]:
        made = aws.organizations.Organization(
            self._name,
            feature_set="ALL",
            enabled_policy_types=list(said.policy_types),
            aws_service_access_principals=list(said.trusted_services),
            opts=pulumi.ResourceOptions(parent=self, protect=True, retain_on_delete=True, import_=said.adopt),
        )
        return made.id, made.roots.apply(lambda roots: str(roots[0].id)), [made]

    def _found(self) -> tuple[pulumi.Output[str], pulumi.Output[str], list[pulumi.Resource]]:
        found = aws.organizations.get_organization_output(opts=pulumi.InvokeOutputOptions(parent=self))
        return found.id, found.roots.apply(lambda roots: str(roots[0].id)), []

    def _units(self, said: OrganizationSettings) -> dict[str, pulumi.Output[str]]:
        units: dict[str, pulumi.Output[str]] = {}
        for path in all_units(said):
            unit = said.organizational_units.get(path, UnitSettings())
            if unit.id:
                units[path] = pulumi.Output.from_input(unit.id)
                continue
            parent_path, _, last = path.rpartition("/")
            made = aws.organizations.OrganizationalUnit(
                path,
                name=unit.name or last,
                parent_id=units[parent_path] if parent_path else self.root_id,
                tags=unit.tags or None,
                opts=pulumi.ResourceOptions(parent=self, protect=True, retain_on_delete=True, import_=unit.adopt),
            )
            units[path] = made.id
        return units

    def _policy(
        self,
        name: str,
        said: GuardRailSettings,
        units: Mapping[str, pulumi.Output[str]],
        organization: list[pulumi.Resource],
    ) -> None:
        policy = aws.organizations.Policy(
            name,
            name=said.name or name,
            # AWS tells no empty description, so an import of a policy without one would show a change.
            description=said.description or None,
            type=said.kind,
            content=json.dumps(said.document, separators=(",", ":")),
            tags=said.tags or None,
            # A policy of a type that is not switched on yet is refused.
            opts=pulumi.ResourceOptions(
                parent=self, depends_on=organization, import_=said.adopt, protect=True if said.adopt else None
            ),
        )
        for target in said.targets:
            exists = f"{said.attached[target]}:{said.adopt}" if target in said.attached else None
            aws.organizations.PolicyAttachment(
                f"{name}-{target}",
                policy_id=policy.id,
                target_id=self._target(target, units),
                opts=pulumi.ResourceOptions(parent=policy, import_=exists),
            )

    def _target(self, target: str, units: Mapping[str, pulumi.Output[str]]) -> pulumi.Input[str]:
        """The root, a unit of this stack, or an account by its id."""
        return self.root_id if target == ROOT else units.get(target, target)

    def _delegations(self, said: OrganizationSettings, organization: list[pulumi.Resource]) -> None:
        """https://docs.aws.amazon.com/organizations/latest/userguide/orgs_integrate_delegated_admin.html"""
        for account, delegated in said.delegated_administrators.items():
            # AWS takes one registration of an account at a time.
            before = list(organization)
            for service in delegated.services:
                made = aws.organizations.DelegatedAdministrator(
                    f"{account}-{service}",
                    account_id=account,
                    service_principal=service,
                    opts=pulumi.ResourceOptions(
                        parent=self,
                        depends_on=before,
                        import_=f"{account}/{service}" if service in delegated.adopt else None,
                    ),
                )
                before = [*organization, made]


def _policies(settings: Settings, organization: OrganizationSettings) -> dict[str, GuardRailSettings]:
    """Every policy that a stack's config asks for by name: also of its guard rails, and of the tags of the bill."""
    policies = organization.every_policy
    around = guard_rail_surroundings(settings, organization)
    for target, names in guard_rails(organization).items():
        policies[f"guard-rails-{target}"] = GuardRailSettings.model_construct(
            document=guard_rails_document(names, around),
            targets=(target,),
            description=f"Guard rails: {', '.join(names)}",
        )
    if settings.bill and settings.bill.tags:
        policies["cost-tags"] = OtherPolicySettings.model_construct(
            document=tag_policy(settings.bill.tags),
            targets=settings.bill.tag_targets,
            description="Tags that split the bill",
            type="TAG_POLICY",
        )
    return policies
