"""Checks of accounts before the first create: pure functions from what is wanted and what is there to findings.

What could not be read is a failure of the check that needs it: nothing passes unseen.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from twokeys.organization.findings import CheckResult, failure, warning
from twokeys.organization.model import ACTIVE, Live, Organization
from twokeys.organization.plan import Fate, Plan, Wanted
from twokeys.shown import listed


def unknown(live: Live, *parts: str) -> CheckResult | None:
    """That a check cannot be made, when one of the parts that it needs could not be read."""
    missing = sorted({live.unread[part] for part in parts if part in live.unread})
    if not missing:
        return None
    return failure(
        f"account {live.caller.account}",
        f"cannot be known: needs {', '.join(missing)}",
        f"allow {', '.join(missing)}, or use credentials that may",
    )


def addresses_within_the_project(
    plans: Sequence[Plan], chosen: Sequence[str], *, local: bool = False
) -> Iterator[CheckResult]:
    """An e-mail address, and an adopted id, stands once in all the project's stacks; shards repeat their environment.

    An address belongs to one AWS account only:
    https://docs.aws.amazon.com/organizations/latest/APIReference/API_CreateAccount.html
    Within one stack the settings refuse it already. Stacks whose files cannot be read are not compared. On a local AWS
    (`local`) it is a warning: an adoption is rehearsed beside the stacks that made the accounts.
    """
    users: dict[str, list[tuple[Plan, str]]] = defaultdict(list)
    for plan in plans:
        for key, member in plan.settings.accounts.items():
            users[plan.settings.email_of(key).casefold()].append((plan, key))
            if member.adopt:
                users[member.adopt].append((plan, key))
    for value, its in users.items():
        clashing = [
            (plan, key)
            for plan, key in its
            if any(
                other is not plan and not (key == its_key and (plan.is_part_of(other) or other.is_part_of(plan)))
                for other, its_key in its
            )
        ]
        if any(plan.stack in chosen for plan, _ in clashing):
            yield (warning if local else failure)(
                value,
                f"it is claimed by {listed([f'accounts.{key} of stack {plan.stack}' for plan, key in clashing])}",
                "keep it in one of them, since an account belongs to one stack; where one came as an example and is not"
                " used, remove its file",
            )


def addresses(accounts: Sequence[Wanted], organization: Organization) -> Iterator[CheckResult]:
    """Whose the e-mail addresses are, those of suspended accounts included.

    A closed account keeps its address while AWS shows it as SUSPENDED, which is 90 days:
    https://docs.aws.amazon.com/accounts/latest/reference/manage-acct-closing.html
    An address that an account outside the organization has cannot be known: AWS tells only when the account is made.
    """
    there = []
    for one in accounts:
        account = one.account
        if one.fate is not Fate.THERE or account is None:
            continue
        if account.id == organization.management_account:
            yield failure(one.where, f"{one.email} is the management account's own", "choose another address")
        elif account.state != ACTIVE:
            yield failure(
                one.where,
                f"{one.email} belongs to account {account.id} ({account.name}), which is {account.state}: it keeps the"
                " address until AWS removes it for good",
                "choose another address, or reopen that account through AWS Support and adopt it; if it is the one that"
                f' is meant, say `state: closed` and `adopt: "{account.id}"`',
            )
        elif account.name == one.name:
            there.append(f"{one.key} ({account.id})")
    if there:
        yield warning(
            listed(there, most=8),
            "accounts with this address and name are there already",
            "nothing, if these stacks made them; else say `adopt: ID`, or creating them fails",
        )


def adopted(accounts: Sequence[Wanted]) -> Iterator[CheckResult]:
    """Adopted accounts exist, are active, and have the address that config says, as have those to be closed.

    The program refuses another address, for Pulumi could only replace the account; another name is given to them.
    """
    for one in accounts:
        account = one.account
        if one.fate is Fate.CLOSED and account is not None and account.email.casefold() != one.email.casefold():
            yield failure(
                one.where,
                f"account {account.id}, which is to be closed, has the address {account.email}, and config says"
                f" {one.email}",
                "correct the id or the address: is it the account that you mean?",
            )
        if one.fate is not Fate.ADOPT:
            continue
        if account is None:
            why = "no account of the organization has this id"
            yield failure(one.where, f"{one.member.adopt}: {why}", "correct the id; `twokeys adopt` writes it")
        elif account.state != ACTIVE:
            yield failure(
                one.where,
                f"account {account.id} is {account.state}, so nothing in it can be managed",
                "take it out of the config, or reopen it through AWS Support",
            )
        elif account.email.casefold() != one.email.casefold():
            yield failure(
                one.where,
                f"account {account.id} has the address {account.email}, and config says {one.email}",
                f"say `email: {account.email}`",
            )


def names(accounts: Sequence[Wanted], organization: Organization) -> Iterator[CheckResult]:
    """Accounts that are there would be renamed, and a new one should not be called as another is, which AWS allows.

    https://docs.aws.amazon.com/organizations/latest/APIReference/API_CreateAccount.html
    """
    taken = {account.name: account for account in organization.accounts}
    for one in accounts:
        account, fate = one.account, one.fate
        if fate is Fate.CREATE and (other := taken.get(one.name)):
            yield warning(
                one.where,
                f"account {other.id} ({other.email}) has the name {one.name!r} too",
                f'name it apart; or, if it is this account, say `adopt: "{other.id}"` and `email: {other.email}`',
            )
        elif account and account.state == ACTIVE and account.name != one.name and fate in (Fate.THERE, Fate.ADOPT):
            other_address = account.email.casefold() != one.email.casefold()
            if other_address or account.id == organization.management_account:
                continue  # it is refused already
            step = f"say `name: {account.name}`"
            if fate is Fate.THERE:
                step = "choose another address, or take that account over:"
                step += f' `adopt: "{account.id}"`, `name: {account.name}`'
            yield warning(
                one.where,
                f"account {account.id} with the address {account.email} is named {account.name!r}, and would be renamed"
                f" to {one.name!r}",
                f"nothing, if that is meant and this stack's; else {step}",
            )


def pending(accounts: Sequence[Wanted], organization: Organization) -> Iterator[CheckResult]:
    """CreateAccount requests under way: one for the same name is most likely this account, half made.

    AWS tells the name of a request and not its address:
    https://docs.aws.amazon.com/organizations/latest/APIReference/API_CreateAccountStatus.html
    """
    wanted = {one.name: one for one in accounts if one.fate is Fate.CREATE}
    for request in organization.pending:
        since = f"request {request.id} of {request.requested}"
        if request.account_name in wanted:
            yield failure(
                wanted[request.account_name].where,
                f"an account of this name is being made already ({since})",
                "wait until that has ended and run this again; then say `adopt: ID`, unless this stack asked for it",
            )
        else:
            yield warning(
                request.account_name,
                f"it is being made by somebody else ({since}), and counts against the quota",
                "nothing, or ask whoever made the request",
            )


def quota(accounts: Sequence[Wanted], organization: Organization) -> Iterator[CheckResult]:
    """What would be made fits into what the account quota leaves.

    Closed accounts count until AWS removes them for good, and open invitations count too:
    https://docs.aws.amazon.com/organizations/latest/userguide/orgs_reference_limits.html
    """
    new = sum(one.fate is Fate.CREATE for one in accounts)
    if not new:
        return
    if organization.account_quota is None:
        yield warning(
            "the organization",
            f"accounts to be made: {new}; the quota is not known before the organization exists, and is 10 or less",
            "ask for more in Service Quotas (organizations, us-east-1) once the organization exists",
        )
        return
    counted = len(organization.accounts) + organization.invitations + len(organization.pending)
    left = organization.account_quota - counted
    if new > left:
        yield failure(
            "the organization",
            f"accounts to be made: {new}; of {organization.account_quota} there are {left} left"
            f" ({len(organization.accounts)} accounts with the management account and closed ones,"
            f" {organization.invitations} invitations, {len(organization.pending)} requests)",
            "ask for more: aws service-quotas request-service-quota-increase --region us-east-1 --service-code"
            f" organizations --quota-code L-E619E033 --desired-value {counted + new}",
        )


def entering(
    accounts: Sequence[Wanted], organization: Organization, tried: Mapping[str, str | None] | None
) -> Iterator[CheckResult]:
    """The access role of each account that is there lets these credentials in; it was really assumed.

    https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_accounts_access.html. None means that it was
    not tried; what is left out so is said.
    """
    if tried is None:
        yield warning("all accounts", "not tried", "leave --no-enter out to try them")
        return
    for one in accounts:
        answer = tried.get(one.account.id) if one.account else None
        if one.account is None or answer is None:
            continue
        invited = "; AWS makes no access role in an account that was invited" * (one.account.joined_method == "INVITED")
        yield failure(
            one.where,
            f"role {one.member.access.role} of account {one.account.id} cannot be assumed: {answer}{invited}",
            f"make it there with AdministratorAccess, trusting arn:aws:iam::{organization.management_account}:root;"
            " or name the right one in access.role; and let your own role assume it",
        )
