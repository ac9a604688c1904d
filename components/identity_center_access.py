"""A door for people through IAM Identity Center: a permission set, assigned to a person or a group in one account."""

import json
from typing import Any, NotRequired, TypedDict, cast

import pulumi
import pulumi_aws as aws

from twokeys.doors import RESERVED, Door, DoorSource, DoorTarget, ExportedDoor, resolve, symbol
from twokeys.doors.expiry import closing_time, open_until


class IdentityCenterAccessArgs(TypedDict):
    """Who may enter which account, with which permission set."""

    source_kind: str
    """Who comes: `user` or `group`, of the identity store."""
    source: str
    """The user's or group's name."""
    source_id: pulumi.Input[str]
    """Its id in the identity store."""
    source_account_id: str
    """The 12-digit id of the account whose instance it is: the management account."""
    instance_arn: pulumi.Input[str]
    """The ARN of the instance."""
    target_account: str
    """The logical name of the target account's resource."""
    target_account_id: pulumi.Input[str]
    """The id of the target account."""
    permission_set: str
    """The permission set's name: 1 to 32 letters, digits and +=,.@_-"""
    managed_policy_arns: NotRequired[list[str]]
    """AWS-managed policies of the permission set."""
    statements: NotRequired[list[dict[str, Any]]]
    """Statements of its inline policy."""
    session_seconds: NotRequired[int]
    """The longest session, 3600 to 43200 seconds; 3600 by default."""
    reason: NotRequired[str]
    """What the door is for."""
    owner: NotRequired[str]
    """Who answers for it."""
    expires: NotRequired[str]
    """When it closes: the end of a day in UTC, as in 2027-01-31, or a moment, as in 2027-01-31T15:00Z."""


class IdentityCenterAccess(pulumi.ComponentResource):
    """A permission set and its assignment, made by the component's provider, which is the management account's.

    AWS makes a role in the target account of it, `AWSReservedSSO_<permission set>_<suffix>`, and writes both of its
    keys; so the door is told without documents. MFA is a setting of the instance.
    https://docs.aws.amazon.com/singlesignon/latest/userguide/permissionsetsconcept.html
    """

    permission_set_arn: pulumi.Output[str]
    """The permission set's ARN."""
    door: pulumi.Output[dict[str, Any]]
    """The door with real ids, as `ExportedDoor` describes it."""

    def __init__(self, name: str, args: IdentityCenterAccessArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        declared = _door(name, args)
        super().__init__("twokeys:access:IdentityCenterAccess", name, {"door": declared.door.to_props()}, opts)
        child = pulumi.ResourceOptions(parent=self)
        instance = args["instance_arn"]
        made = aws.ssoadmin.PermissionSet(
            name,
            name=args["permission_set"],
            instance_arn=instance,
            description=args.get("reason"),
            session_duration=_iso(args.get("session_seconds", 3600)),
            opts=child,
        )
        for arn in args.get("managed_policy_arns", []):
            aws.ssoadmin.ManagedPolicyAttachment(
                f"{name}-{arn.rpartition('/')[2]}",
                instance_arn=instance,
                permission_set_arn=made.arn,
                managed_policy_arn=arn,
                opts=child,
            )
        if statements := [*args.get("statements", []), *_closing(args)]:
            aws.ssoadmin.PermissionSetInlinePolicy(
                name,
                instance_arn=instance,
                permission_set_arn=made.arn,
                inline_policy=json.dumps({"Version": "2012-10-17", "Statement": statements}),
                opts=child,
            )
        aws.ssoadmin.AccountAssignment(
            name,
            instance_arn=instance,
            permission_set_arn=made.arn,
            principal_type=args["source_kind"].upper(),
            principal_id=args["source_id"],
            target_type="AWS_ACCOUNT",
            target_id=args["target_account_id"],
            opts=child,
        )
        self.permission_set_arn = made.arn
        target = symbol(args["target_account"])
        self.door = pulumi.Output.from_input(args["target_account_id"]).apply(
            lambda id_: resolve(declared.to_props(), {target: id_})
        )
        self.register_outputs({"door": declared.door.to_props(), "permissionSetArn": self.permission_set_arn})


def _door(name: str, args: IdentityCenterAccessArgs) -> ExportedDoor:
    door = Door.model_validate(
        {
            "name": name,
            "source": DoorSource(
                kind=cast("Any", f"identity-center-{args['source_kind']}"),
                account=args["source_account_id"],
                names=(args["source"],),
            ),
            "target": DoorTarget(account=symbol(args["target_account"]), role=RESERVED + args["permission_set"]),
            "max_session_seconds": args.get("session_seconds", 3600),
            "reason": args.get("reason"),
            "owner": args.get("owner"),
            "expires": args.get("expires"),
        }
    )
    return ExportedDoor(name=name, door=door, documents=())


def _closing(args: IdentityCenterAccessArgs) -> list[dict[str, Any]]:
    """AWS writes the trust of the role itself, so that what ends is what a session may do."""
    if "expires" not in args:
        return []
    closed = {"DateGreaterThanEquals": open_until(closing_time(args["expires"]))["DateLessThan"]}
    return [{"Sid": "Closed", "Effect": "Deny", "Action": "*", "Resource": "*", "Condition": closed}]


def _iso(seconds: int) -> str:
    """ISO 8601, as AWS writes it back: PT4H, PT1H30M."""
    parts = zip((seconds // 3600, seconds % 3600 // 60, seconds % 60), "HMS", strict=True)
    return "PT" + "".join(f"{number}{unit}" for number, unit in parts if number)
