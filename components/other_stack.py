"""Another stack whose doors the policy pack reads."""

from typing import Any, TypedDict

import pulumi

from twokeys.access.declaration import ACCOUNT_OUTPUT, DOORS_OUTPUT, MEMBERS_OUTPUT, OTHER_STACK


class OtherStackArgs(TypedDict):
    """Which stack it is."""

    stack: str
    """The stack's full name: `organization/project/stack`."""


class OtherStack(pulumi.ComponentResource):
    """What another stack exports about doors, where a policy can see it.

    The engine shows a policy nothing that is only read, a stack reference among it; it does show a component's inputs.
    """

    outputs: pulumi.Output[dict[str, Any]]
    """What that stack exports about doors: `doors`, `group_members`, `parent_account_id`."""

    def __init__(self, name: str, args: OtherStackArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        self.outputs = pulumi.StackReference(args["stack"]).outputs.apply(
            lambda outputs: {
                key: outputs[key] for key in (DOORS_OUTPUT, MEMBERS_OUTPUT, ACCOUNT_OUTPUT) if key in outputs
            }
        )
        super().__init__(OTHER_STACK, name, {"name": args["stack"], "outputs": self.outputs}, opts)
        self.register_outputs({"outputs": self.outputs})
