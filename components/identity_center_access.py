"""A door for people through IAM Identity Center: a permission set, assigned to a person or a group in one account."""

import json
from typing import Any, cast

import pulumi
import pulumi_aws as aws

from twokeys.doors import RESERVED, DeclaredDoor, DoorSource, DoorTarget, ExportedDoor, resolve, symbol
from twokeys.doors.expiry import open_until
from twokeys.settings.models import DoorSettings, Settings, permission_set_name, principal_of


class IdentityCenterAccess(pulumi.ComponentResource):
    """A permission set and its assignment, made by the component's provider, which is the management account's.

    AWS makes a role in the target account of it, `AWSReservedSSO_<permission set>_<suffix>`, and writes both of its
    keys; so the door is told without documents. MFA is a setting of the instance.
    https://docs.aws.amazon.com/singlesignon/latest/userguide/permissionsetsconcept.html
    """

    door: pulumi.Output[dict[str, Any]]
    """The door with real ids, as `ExportedDoor` describes it."""

    def __init__(  # noqa: PLR0913 - all but the name by name
        self,
        name: str,
        *,
        settings: Settings,
        source_id: pulumi.Input[str],
        instance_arn: pulumi.Input[str],
        target_account_id: pulumi.Input[str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """The door of this name in `settings`; `source_id` is the person's or group's in the identity store."""
        said = settings.doors[name]
        account = settings.target_account_of(said)
        called, comes = permission_set_name(account, said), principal_of(said.source)
        declared = _door(name, said, settings.management_account_id, symbol(account), called)
        super().__init__("twokeys:access:IdentityCenterAccess", name, {"door": declared.door.to_props()}, opts)
        child = pulumi.ResourceOptions(parent=self)
        made = aws.ssoadmin.PermissionSet(
            name,
            name=called,
            instance_arn=instance_arn,
            description=said.reason,
            session_duration=_iso(said.session_seconds),
            opts=child,
        )
        for arn in said.permissions.managed_policies:
            aws.ssoadmin.ManagedPolicyAttachment(
                f"{name}-{arn.rpartition('/')[2]}",
                instance_arn=instance_arn,
                permission_set_arn=made.arn,
                managed_policy_arn=arn,
                opts=child,
            )
        if statements := [*said.permissions.statements, *_closing(said)]:
            aws.ssoadmin.PermissionSetInlinePolicy(
                name,
                instance_arn=instance_arn,
                permission_set_arn=made.arn,
                inline_policy=json.dumps({"Version": "2012-10-17", "Statement": statements}),
                opts=child,
            )
        aws.ssoadmin.AccountAssignment(
            name,
            instance_arn=instance_arn,
            permission_set_arn=made.arn,
            principal_type=comes.kind.upper(),
            principal_id=source_id,
            target_type="AWS_ACCOUNT",
            target_id=target_account_id,
            opts=child,
        )
        self.door = pulumi.Output.from_input(target_account_id).apply(
            lambda id_: resolve(declared.to_props(), {symbol(account): id_})
        )
        self.register_outputs({"door": declared.door.to_props(), "permissionSetArn": made.arn})


def _door(name: str, said: DoorSettings, source_account: str, target_account: str, called: str) -> ExportedDoor:
    comes = principal_of(said.source)
    door = DeclaredDoor.model_validate(
        {
            "name": name,
            "source": DoorSource(
                kind=cast("Any", f"identity-center-{comes.kind}"), account=source_account, names=(comes.name,)
            ),
            "target": DoorTarget(account=target_account, role=RESERVED + called),
            "max_session_seconds": said.session_seconds,
            **said.declaration,
        }
    )
    return ExportedDoor(name=name, door=door, documents=())


def _closing(said: DoorSettings) -> list[dict[str, Any]]:
    """AWS writes the trust of the role itself, so that what ends is what a session may do."""
    if said.expires is None:
        return []
    closed = {"DateGreaterThanEquals": open_until(said.expires)["DateLessThan"]}
    return [{"Sid": "Closed", "Effect": "Deny", "Action": "*", "Resource": "*", "Condition": closed}]


def _iso(seconds: int) -> str:
    """ISO 8601, as AWS writes it back: PT4H, PT1H30M."""
    parts = zip((seconds // 3600, seconds % 3600 // 60, seconds % 60), "HMS", strict=True)
    return "PT" + "".join(f"{number}{unit}" for number, unit in parts if number)
