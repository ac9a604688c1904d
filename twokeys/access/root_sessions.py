"""Root sessions: who may act as the root user of a member account by `sts:AssumeRoot`.

With centralized root access, principals of the management account, or of the delegated administrator for IAM, that hold
a grant get short sessions of a member account's root, each for one of AWS's task policies.
https://docs.aws.amazon.com/IAM/latest/UserGuide/id_root-user.html#id_root-user-access-management
https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoot.html
"""

from collections.abc import Iterator

from twokeys.access.judge import Door, Judge
from twokeys.access.model.access_roles import entered_by_access_role
from twokeys.access.model.accounts import Accounts
from twokeys.access.model.principals import HOLDERS, Principal, Principals
from twokeys.access.reading.snapshot import Snapshot
from twokeys.access.reading.type_names import ACCOUNT, DELEGATED_ADMINISTRATOR
from twokeys.iam import UNKNOWN, Arn, Glob, Outcome, Requirement, Statement, Verdict
from twokeys.iam.sts import ASSUME_ROOT
from twokeys.iam.truth import Truth
from twokeys.iam.verdict import Why

FEATURES = "aws:iam/organizationsFeatures:OrganizationsFeatures"
_ROOT_SESSIONS = "RootSessions"
_ON = Verdict.of_rule(Outcome.ALLOW, "root", "centralized root access lets root sessions in")
_NOT_SHOWN = Verdict(
    Outcome.CONDITIONAL, Why((Requirement("is switched on in", "the feature RootSessions", ("the organization",)),))
)


def root_sessions(snapshot: Snapshot, accounts: Accounts, principals: Principals, judge: Judge) -> Iterator[Door]:
    """The doors of root sessions into each member account that the snapshot shows, or that a grant names.

    Where the snapshot does not show that root sessions are switched on, those of grants that name `sts:AssumeRoot`
    itself, under that condition: an administrator's policy alone does not mean them.
    """
    enabled = _enabled(snapshot)
    places = _places(snapshot, accounts)
    if enabled is False:
        return
    there = [one for one in principals if one.account in places and one.kind in HOLDERS]
    entered = [account for account, _ in entered_by_access_role(accounts)]
    members = accounts.all_members.union(entered, *map(_accounts_granted, there)) - {accounts.management}
    roots = [_root(member, accounts) for member in sorted(members)]
    for principal in there if roots else ():
        if _granted(principal, named=enabled is None):
            for root in roots:
                grant = judge.granted(principal, root, ASSUME_ROOT)
                if grant.outcome is not Outcome.DENY:
                    yield Door(principal, root, _ON if enabled else _NOT_SHOWN, grant)


def covers_root(statement: Statement, *, named: bool = False) -> bool:
    """Whether a statement may allow `sts:AssumeRoot`; with `named`, only one whose actions speak of STS."""
    if statement.effect != "Allow" or statement.covers_action(ASSUME_ROOT) is Truth.FALSE:
        return False
    return not named or any(map(_speaks_of_sts, statement.actions or statement.not_actions or ()))


def _speaks_of_sts(action: object) -> bool:
    service, _, name = action.lower().partition(":") if isinstance(action, str) else ("", "", "")
    return Glob(service).matches("sts") and bool(service.strip("*") or name.strip("*"))


def _granted(principal: Principal, *, named: bool) -> bool:
    statements = (one for document in principal.all_documents for one in document.statements)
    return any(covers_root(one, named=named) for one in statements)


def _accounts_granted(principal: Principal) -> Iterator[str]:
    """The accounts whose roots a grant of a principal names."""
    for document in principal.all_documents:
        for statement in document.statements:
            roots = [name for name in statement.exact_resources if name.endswith(":root")]
            if roots and covers_root(statement, named=True):
                yield from (arn.account for arn in map(Arn.parse, roots) if arn is not None)


def _enabled(snapshot: Snapshot) -> bool | None:
    """Whether root sessions are switched on; None where the snapshot does not show it."""
    for resource in snapshot.of_type(FEATURES):
        listed = resource.get("enabledFeatures")
        if isinstance(listed, list) and UNKNOWN not in listed:
            return _ROOT_SESSIONS in listed
    return None


def _places(snapshot: Snapshot, accounts: Accounts) -> frozenset[str]:
    """The accounts that root sessions begin in; every account that is worked in where nothing tells which."""
    found = {accounts.management} if accounts.management else set(accounts.held)
    for resource in snapshot.of_type(DELEGATED_ADMINISTRATOR):
        if resource.get("servicePrincipal") in ("iam.amazonaws.com", UNKNOWN):
            behind = snapshot.behind(resource, "accountId", ACCOUNT)
            identity = resource.text("accountId")
            if identity or behind:
                found.add(accounts.canonical(identity) if identity else accounts.named_by(behind))  # type: ignore[arg-type]
    return frozenset(one for one in found if one)


def _root(account: str, accounts: Accounts) -> Principal:
    return Principal(str(Arn.root(account, accounts.partition(account))), "root", account, "root")
