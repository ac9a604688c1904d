"""The roles that AWS makes in a member account for its management account: a way in that no program writes down.

https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_accounts_access.html
"""

from collections.abc import Iterator
from functools import lru_cache

from twokeys.access.model.accounts import Accounts
from twokeys.access.model.documents import Document
from twokeys.access.model.principals import Identity, Principal, Principals
from twokeys.access_role import ACCESS_ROLE
from twokeys.iam import Arn, PolicyDocument, PolicyKind, parse_policy

CONTROL_TOWER = "AWSControlTowerExecution"
"""https://docs.aws.amazon.com/controltower/latest/userguide/awscontroltowerexecution.html"""
_ADMINISTRATOR = "AdministratorAccess"


def access_roles(accounts: Accounts, principals: Principals) -> list[Identity]:
    """The access role of each member account, as AWS makes it, unless the program has it as a resource of its own.

    It holds AdministratorAccess and trusts the management account as a whole; where the snapshot does not tell which
    account that is, its trust stays unknown. Member accounts are those that the snapshot makes or lists, those that
    other stacks which it refers to list, and those that a provider enters by such a role; but none that is closed, nor
    one whose IAM was read live: that has all its roles.
    """
    places = [
        (account, name) for account in sorted(accounts.all_members) for name in sorted(accounts.access_roles(account))
    ]
    places += entered_by_access_role(accounts)
    return [
        _made_by_aws(role, accounts, principals)
        for account, name in dict.fromkeys(places)
        if account not in accounts.closed | accounts.read_live
        and (role := principals.mentioned(account, "role", name)).urn is None
    ]


def is_as_aws_made_it(role: Principal, accounts: Accounts) -> bool:
    """Whether a role that was read is a member account's access role, with the trust that AWS gives it."""
    if role.account not in accounts.all_members or not accounts.is_access_role(role.arn):
        return False
    partition = accounts.partition(role.account)
    root = Arn.root(str(accounts.management), partition)
    administrator = str(Arn.iam("policy", "aws", _ADMINISTRATOR, partition=partition))
    has_it = any(one.arn == administrator for one in role.documents)
    return accounts.management is not None and has_it and role.trust_policy == _trust_in(str(root))


def entered_by_access_role(accounts: Accounts) -> Iterator[tuple[str, str]]:
    """The accounts, with the role's name, that a provider enters by a role that AWS made in them: member accounts."""
    for entry in accounts.entries:
        for text in entry.assumes or ():
            arn = Arn.parse(text)
            if arn is not None and arn.kind == "role" and arn.account != accounts.management:
                account = accounts.canonical(arn.account)
                if arn.name in (accounts.access_role(account), ACCESS_ROLE, CONTROL_TOWER):
                    yield account, arn.name


def _made_by_aws(role: Identity, accounts: Accounts, principals: Principals) -> Identity:
    partition = accounts.partition(role.account)
    administrator = principals.managed_document(str(Arn.iam("policy", "aws", _ADMINISTRATOR, partition=partition)))
    role.made_by_aws = True
    if administrator not in role.documents:
        role.documents.append(administrator)
    if accounts.management is not None:
        policy = _trust_in(str(Arn.root(accounts.management, partition)))
        role.trust = Document(policy, f"trust policy of role {role.name}, as AWS made it")
    return role


@lru_cache(maxsize=16)
def _trust_in(root: str) -> PolicyDocument:
    statement = {"Effect": "Allow", "Principal": {"AWS": root}, "Action": "sts:AssumeRole"}
    return parse_policy({"Version": "2012-10-17", "Statement": [statement]}, PolicyKind.TRUST)
