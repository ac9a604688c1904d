"""What the other stacks read from the management stack: ids of units and identities, and members of groups."""

from collections.abc import Mapping, Sequence
from typing import Any

import pulumi

from components.refusing import ProgramRefusal
from components.stack_outputs import StackOutputs
from twokeys.doors import ACCOUNT_OUTPUT, ACCOUNTS_OUTPUT, PEOPLE_OUTPUT
from twokeys.errors import or_nearest
from twokeys.settings.models import PrincipalName

_LISTED = {"role": "role_arns", "user": "user_arns", "group": "group_members"}
"""The output that lists what the management stack makes, by kind."""


class ManagementStack(StackOutputs):
    """The outputs of the management stack."""

    def __init__(self, name: str, doors: int = 0) -> None:
        super().__init__(name, "the management stack", "name another one in twokeys:managementStack", doors)

    def expect(
        self, principals: Sequence[PrincipalName], door: str, account: str | None, members: pulumi.Input[list[str]]
    ) -> pulumi.Input[list[str]]:
        """End the program with a ProgramRefusal if management makes none of this kind and name in this account.

        Only where this stack reads from management at all, and management is there: else nothing is known. `account`
        is the name of the member account that they are expected in, None for the management account. Returns the
        members of the door's group; in an update they wait, and so the trust policy, as the pack would refuse the role
        first, and not say as much.
        """
        if not (self.is_read and principals):
            return members
        there = self.refer().apply(lambda outputs: _all_there(outputs, principals, door, account, self.name))
        return members if pulumi.runtime.is_dry_run() else there.apply(lambda _: members)


def _all_there(
    outputs: Mapping[str, Any], principals: Sequence[PrincipalName], door: str, account: str | None, stack: str
) -> None:
    for one in principals:
        known = outputs.get(_LISTED.get(one.kind, ""))
        if known is not None and one.name not in known:
            step = (
                f"add it to people.{one.kind}s of the management stack and update that stack first; where it is there"
                " already, say `exists: true` in `from`"
            )
            raise ProgramRefusal(
                f"{one.kind} {one.name} of door {door}",
                where=f"output {_LISTED[one.kind]} of stack {stack}",
                why=f"the management stack makes no such {one.kind}, and AWS refuses a trust in one that is not there;"
                f" it has: {', '.join(sorted(known)) or 'none'}",
                next_step=or_nearest(step, one.name, known),
            )
    group = next((one.name for one in principals if one.kind == "group"), None)
    inside = (outputs.get(_LISTED["group"]) or {}).get(group)
    for one in principals:
        if one.kind == "user" and inside is not None and one.name not in inside:
            raise ProgramRefusal(
                f"member {one.name} of door {door}",
                where=f"output {_LISTED['group']} of stack {stack}",
                why=f"{one.name} is not in group {group}, so nothing grants this door to {one.name}; in it are:"
                f" {', '.join(sorted(inside)) or 'none'}",
                next_step=f"take {one.name} out of `members`, or add the user to people.groups.{group} of the"
                " management stack and update that stack first",
            )
    _live_there(outputs, door, account, stack)


def _live_there(outputs: Mapping[str, Any], door: str, account: str | None, stack: str) -> None:
    accounts = outputs.get(ACCOUNTS_OUTPUT) or {}
    actual = outputs.get(PEOPLE_OUTPUT) or outputs.get(ACCOUNT_OUTPUT)
    if actual is not None and actual != (accounts.get(account) if account else outputs.get(ACCOUNT_OUTPUT)):
        name = next((name for name, id_ in accounts.items() if id_ == actual), None)
        raise ProgramRefusal(
            f"door {door} from account {account or 'management'}",
            where=f"output {PEOPLE_OUTPUT} of stack {stack}",
            why=f"people of the management stack live in {name or 'the management account'} ({actual}), and AWS refuses"
            " a trust in somebody who is not there",
            next_step=f"say `people: {{account: {name}}}` in this stack's config"
            if name
            else "take `account` out of `people` in this stack's config",
        )
