"""Another stack whose doors the policy pack reads, and in whose accounts doors of this one start."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NotRequired, TypedDict

import pulumi
import pulumi_aws as aws

from components.account_provider import AssumedRole, account_provider
from components.stack_outputs import StackOutputs
from twokeys.doors.outputs import ABOUT_DOORS, OTHER_STACK


class OtherStackArgs(TypedDict):
    """Which stack it is."""

    stack: str
    """The stack's full name: `organization/project/stack`."""
    outputs: NotRequired[pulumi.Input[dict[str, Any]]]
    """All outputs of that stack, when the program refers to it already: the engine refuses a second reference."""


class OtherStack(pulumi.ComponentResource):
    """What another stack exports about doors, where a policy can see it.

    The engine shows a policy nothing that is only read, a stack reference among it; it does show a component's inputs.
    A provider below it works in the account of that stack that it is named after: before its id is known, the account
    has the symbol `account:<name>`.
    """

    outputs: pulumi.Output[dict[str, Any]]
    """What that stack exports about doors: `doors`, `organization_grants`, `group_members`, `parent_account_id`,
    `people_account_id`, `organization_id`, `member_account_ids`, `member_account_environments`,
    `member_account_parents`, `organizational_unit_ids`, `control_policy_denials`."""

    def __init__(self, name: str, args: OtherStackArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        known = args["outputs"] if "outputs" in args else pulumi.StackReference(args["stack"]).outputs
        self.outputs = pulumi.Output.from_input(known).apply(_about_doors, run_with_unknowns=True)
        super().__init__(OTHER_STACK, name, {"name": args["stack"], "outputs": self.outputs}, opts)
        self.register_outputs({"outputs": self.outputs})


def _about_doors(outputs: Any) -> Any:  # noqa: ANN401 - what is unknown is no mapping
    return {key: outputs[key] for key in ABOUT_DOORS if key in outputs} if isinstance(outputs, Mapping) else outputs


@dataclass(frozen=True)
class SourceAccount:
    """An account that doors start in."""

    id: pulumi.Input[str]
    provider: aws.Provider


def account_of(
    other: OtherStack, outputs: StackOutputs, account: str, *, region: str, session_name: str
) -> SourceAccount:
    """An account of another stack, entered by the access role that the stack exports.

    What is made in it are grants, which have no tags. Raises ProgramRefusal as `StackOutputs.account_id` does.
    """
    id_ = outputs.account_id(account)
    role = AssumedRole(
        arn=outputs.access_role_arn(account), session_name=session_name, external_id=outputs.access_external_id(account)
    )
    return SourceAccount(id_, account_provider(account, account_id=id_, region=region, role=role, parent=other))
