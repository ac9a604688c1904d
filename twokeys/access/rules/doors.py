"""Every door has two keys, and both are proved."""

from collections.abc import Callable, Iterator
from datetime import datetime

from twokeys.access.exceptions import DoorConfig
from twokeys.access.findings import Finding, Rule
from twokeys.access.graph import Graph
from twokeys.access.keys import Lack, statements
from twokeys.access.model.door_name import EXCEPT, DoorName
from twokeys.access.model.requirements import ended, window

_CROSS_ACCOUNT = (
    "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic-cross-account.html"
)


def _of(lack: Lack) -> Callable[[Graph, DoorConfig, datetime], Iterator[Finding]]:
    def check(graph: Graph, _config: DoorConfig, now: datetime) -> Iterator[Finding]:
        lacking = [found for found in statements(graph) if found.lack is lack]
        over = _over(graph, now) if lacking and lack is Lack.GRANT else None
        for found in lacking:
            if over is None or not over(found.door):
                about = (found.urn, found.door, found.source, found.advice)
                yield Finding(found.message, found.next_step, *about, denied=found.denied)

    return check


def _over(graph: Graph, now: datetime) -> Callable[[DoorName | None], bool]:
    """Whether the trust of a door has an end that is past: nobody comes in, and `door-expired` speaks of it."""

    def past(end: datetime | None) -> bool:
        return end is not None and end <= now

    doors = {door.id for door in graph.doors if past(window(door.trust.requirements)[1])}
    allowed = {
        one.arn: [ended(each) for each in one.trust.statements if each.effect == "Allow"]
        for one in graph.roles
        if one.trust
    }
    roles = {arn for arn, ends in allowed.items() if ends and all(map(past, ends))}
    return lambda door: door is not None and (door in doors or door.target in roles)


DOOR_NEEDS_GRANT = Rule(
    name="door-needs-grant",
    description="A role that trusts another account needs a grant of sts:AssumeRole there.",
    severity="high",
    remediation=(
        "Add a policy that allows sts:AssumeRole on the role's exact ARN to the principal that the trust policy names, "
        "or take that principal out of the trust policy."
    ),
    url=_CROSS_ACCOUNT,
    check=_of(Lack.GRANT),
    config=DoorConfig,
    another_stack_answers=True,
    may_follow="grant",
)
"""A trust without a grant: half a door, waiting for whoever can write a policy in the other account.

Each principal that a trust policy names needs a grant of its own; an account named as a whole needs one somebody in it.
A grant that an explicit deny, a permissions boundary or an SCP of the snapshot kills is no grant.
Unknown: a principal with a document that is not known is left to `unproved-door`.
Does not check: principals of accounts that are not shown to be ours (`external-id`), trusts within one account,
services and federated identities (`federated-trust`), SCPs that another stack manages, a trust that is
over (`door-expired`).
"""

DOOR_NEEDS_TRUST = Rule(
    name="door-needs-trust",
    description="A grant of sts:AssumeRole on a role in another account needs that role's trust.",
    severity="high",
    remediation="Add the principal to the role's trust policy, correct the role's ARN, or remove the grant.",
    url=_CROSS_ACCOUNT,
    check=_of(Lack.TRUST),
    config=DoorConfig,
    keys="grant",
    another_stack_answers=True,
    may_follow="trust",
)
"""A grant without a trust: half a door, or a typing mistake in an ARN.

Grants that name a role, or roles of one account by a pattern, are checked; a pattern needs one role that answers.
AWS's own access role (made with each account, trusting the management account) counts as a role that trusts the
management account. Unknown: a role whose trust policy is not known is left to `unproved-door`.
Does not check: grants on `*` or across all accounts (`wildcard-grant` looks at those), grants within one account.
"""

UNPROVED_DOOR = Rule(
    name="unproved-door",
    description="A door whose keys cannot both be shown is not proved, and counts as open.",
    severity="high",
    remediation=(
        "Write the document from values that preview knows, pin the provider's account, declare the door "
        f"(`twokeys.declared`), read the other stack through the component OtherStack, or {EXCEPT}."
    ),
    url="https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html",
    check=_of(Lack.PROOF),
    config=DoorConfig,
    keys="either",
    waits_for_values=True,
    another_stack_answers=True,
    may_follow="proof",
)
"""Whatever is neither shown to have two keys nor shown to lack one.

Unknown: this is where every unknown ends: a trust policy or a grant that is not known and that no declaration covers, a
policy attachment that does not tell what it attaches to whom, a principal under a provider whose account is not pinned,
and a door whose other key lives in a stack that nobody refers to. Of an assignment whose permission set is made
elsewhere both keys are shown, so that what it lets people do in an account that is shown to be ours is advice; where a
trust leaves it to grants who enters a role, that is one of its keys, and refused.
Does not check: whether what another stack exports is still true there.
"""
