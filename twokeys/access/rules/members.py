"""Member accounts: kept for good, reachable by an e-mail of their own, and entered through roles only."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

from twokeys.access.findings import Config, Finding, Rule
from twokeys.access.graph import Graph
from twokeys.access.model.access_roles import entered_by_access_role
from twokeys.access.model.accounts import MEMBER_ACCOUNT
from twokeys.access.model.principals import PEOPLE_COMPONENT
from twokeys.access.reading.snapshot import Resource
from twokeys.access.reading.type_names import ACCESS_KEY, ACCOUNT, PASSWORD, USER
from twokeys.iam import UNKNOWN

_TRUE = ("true", "t", "1")  # as AWS's provider reads a text: CoerceTerraformString of pulumi-terraform-bridge
_LONG_TERM = {USER: "IAM user", ACCESS_KEY: "access key", PASSWORD: "console password"}


def _long_term(graph: Graph, _config: Config, _now: datetime) -> Iterator[Finding]:
    entered = {account for account, _ in entered_by_access_role(graph.accounts)}
    members = (graph.accounts.members | entered) - {graph.accounts.management or ""}
    lived_in = {
        urn: graph.accounts.canonical(account)
        for urn, component in graph.snapshot.by_urn.items()
        if component.type == PEOPLE_COMPONENT and (account := component.text("account"))
    }
    found = []
    for resource in graph.snapshot.of_type(*_LONG_TERM):
        account = graph.accounts.of(resource)
        declared = resource.type == USER and lived_in.get(resource.parent or "") == account
        if account in members and not declared:
            message = f"{_LONG_TERM[resource.type]} {resource.name} is made in member account"
            step = "give people and machines a role in that account, and a grant where they already are"
            if resource.type == USER and any(one.caller for one in graph.snapshot.evidence):
                step = f"if `people` of a stack makes it, give that stack's state too (`--state FILE`); else {step}"
            message = f"{message} {graph.accounts.name(account)}".capitalize().replace("Iam", "IAM", 1)
            found.append(Finding(message, step, resource.urn, source=resource.source))
    yield from _by_kind_of_stack(graph, found)


def _by_kind_of_stack(graph: Graph, found: list[Finding]) -> Iterator[Finding]:
    """Findings as they are where our components make accounts and people, and in live IAM; elsewhere one advice."""
    snapshot = graph.snapshot
    if any(snapshot.of_type(MEMBER_ACCOUNT, PEOPLE_COMPONENT)) or any(one.caller for one in snapshot.evidence):
        yield from found
    elif found:
        more = f", and {len(found) - 1} more" if len(found) > 1 else ""
        yield replace(found[0], message=found[0].message + more, advice=True)


def _kept(graph: Graph, _config: Config, _now: datetime) -> Iterator[Finding]:
    yield from _by_kind_of_stack(graph, list(_not_kept(graph)))


def _not_kept(graph: Graph) -> Iterator[Finding]:
    for account in graph.snapshot.of_type(ACCOUNT):
        name = account.text("name") or account.name
        if not account.protect:
            message = f"Account {name} is not protected: a changed e-mail or role name would replace it"
            yield _account(account, message, "set the option protect=True on the account")
        if str(account.get("closeOnDeletion")).lower() in _TRUE:
            message = f"Account {name} would be closed when it leaves the program"
            yield _account(account, message, "leave close_on_deletion out, and close accounts by hand")
        elif account.asked("closeOnDeletion") is UNKNOWN:
            message = f"Whether account {name} would be closed when it leaves the program is not known"
            yield _account(account, message, "leave close_on_deletion out, or write it as a value that preview knows")


def _emails(graph: Graph, _config: Config, _now: datetime) -> Iterator[Finding]:
    users: dict[str, list[Resource]] = defaultdict(list)
    for account in graph.snapshot.of_type(ACCOUNT):
        if email := account.text("email"):
            users[email.casefold()].append(account)
    for email, accounts in users.items():
        for account in accounts[1:]:
            message = f"Account {account.name} has the e-mail {email} of account {accounts[0].name}"
            yield _account(account, message, "give each account an address of its own")


def _account(account: Resource, message: str, step: str) -> Finding:
    return Finding(message, step, account.urn, source=account.source)


NO_IAM_USERS = Rule(
    name="no-iam-users",
    description="No IAM users, passwords or access keys in member accounts.",
    severity="high",
    remediation="Use roles in member accounts.",
    url="https://docs.aws.amazon.com/IAM/latest/UserGuide/best-practices.html",
    check=_long_term,
)
"""Long-term credentials are a way into an account that has no second key.

Member accounts are those that the stack makes, lists or enters by the role that AWS made in them. Users whom the
component `People` declares for the account that doors start from, an identity account, are people's one identity; a
password or a key in the program is refused for them too. A stack without those components gets one piece of advice
instead: a user is no door, and some machines take no role. Unknown: a resource whose account is not pinned is not
judged here (`provider-enters-its-account` speaks of it). Does not check: the management account, accounts that are
entered by another role, root users.
"""

ACCOUNT_KEPT = Rule(
    name="account-kept",
    description="An account is never deleted or replaced by a change to the program.",
    severity="critical",
    remediation="Protect the account resource, and leave close_on_deletion out.",
    url="https://www.pulumi.com/docs/iac/concepts/options/protect/",
    check=_kept,
)
"""A policy is not shown what a preview would delete or replace, so each account has to be protected: then the engine
itself refuses to delete or to replace it, in preview already. A stack without our components gets one piece of advice
instead: an account that is lost is no door, and the plain example of pulumi-aws does not protect one.

Unknown: `protect` is always known; a closeOnDeletion that is not is refused. Does not check: an account whose
protection and definition are removed at once (two updates are needed for that: the engine still refuses the first).
"""

UNIQUE_EMAILS = Rule(
    name="unique-emails",
    description="Each account has an e-mail address of its own.",
    severity="medium",
    remediation="Give each account an address of its own, for instance by plus-addressing.",
    url="https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_accounts_create.html",
    check=_emails,
)
"""AWS takes an address for one account only, and compares without case.

Unknown: an address that is not known yet is not compared. Does not check: addresses used in other stacks.
"""
