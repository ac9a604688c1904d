"""Root sessions are granted for accounts that are named."""

from collections.abc import Iterator
from datetime import datetime

from twokeys.access.exceptions import DoorConfig
from twokeys.access.findings import Finding, Rule
from twokeys.access.graph import Graph
from twokeys.access.model.documents import Document
from twokeys.access.model.door_name import DoorName
from twokeys.access.root_sessions import covers_root
from twokeys.access.rules.wildcards import granting, is_denied
from twokeys.iam import Arn, is_account
from twokeys.iam.matching import as_completed
from twokeys.iam.sts import ASSUME_ROOT

_OTHERS = (":role/", ":user/", ":group/", ":policy/")
"""What of IAM a pattern can name that is no root."""


def _wide(graph: Graph, _config: DoorConfig, _now: datetime) -> Iterator[Finding]:
    for who, account, document, resource in granting(graph, _wide_resources):
        yield _finding(graph, who, account, document, resource)


def _wide_resources(graph: Graph, document: Document, account: str) -> Iterator[str]:
    roots = f"arn:{graph.accounts.partition(account)}:iam::*:root"
    for statement in document.statements if document.urn is not None else ():
        if covers_root(statement, named=True):
            resources = statement.resources if statement.resources is not None else ("*",)
            known = (whole for one in resources if isinstance(one, str) for whole in as_completed(one))
            wide = filter(_names_no_root, known)
            yield from (one for one in wide if not is_denied(document, ASSUME_ROOT, one, roots))


def _names_no_root(resource: str) -> bool:
    arn = Arn.parse(resource)
    if arn is not None and arn.kind == "root":
        return not is_account(arn.account)
    return any(sign in resource for sign in ("*", "?", "${")) and not any(one in resource for one in _OTHERS)


def _finding(graph: Graph, who: str, account: str, document: Document, resource: str) -> Finding:
    arn = Arn.parse(resource)
    whose = f"account {arn.account}" if arn is not None and is_account(arn.account) else "every member account"
    message = (
        f"The {document.title} in account {graph.accounts.name(account)} grants sts:AssumeRoot on "
        f"{resource}, so its holder may act as the root user of {whose}"
    )
    step = "name the accounts: arn:aws:iam::ACCOUNT:root, and the task by a condition on sts:TaskPolicyArn"
    door = DoorName(who, f"{resource} (sts:AssumeRoot)")
    return Finding(message, step, document.urn, door, document.source)


ROOT_SESSION_GRANT = Rule(
    name="root-session-grant",
    description="A grant of sts:AssumeRoot names the member accounts that it is for.",
    severity="high",
    remediation="Write the ARNs of the member accounts' roots into Resource.",
    url="https://docs.aws.amazon.com/IAM/latest/UserGuide/id_root-user-privileged-task.html",
    check=_wide,
    config=DoorConfig,
    keys="grant",
    may_follow="holder",
)
"""A statement that speaks of STS and allows `sts:AssumeRoot` on `*`, or on roots of accounts by a pattern.

Whoever holds its policy, and if nobody does yet.
Unknown: a document that is not known is left to `unproved-door`. Does not check: `Action: *` (an administrator's policy
says what it is; its root sessions are doors of the graph), and which task policies a grant lets through.
"""
