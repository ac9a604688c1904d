"""Everything that can be known before the first create, in one go. Pure: settings and a live model in, findings out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from twokeys.organization import account_checks, organization_checks
from twokeys.organization.account_checks import unknown
from twokeys.organization.findings import Finding, failure, warning
from twokeys.organization.model import ALL_FEATURES, Live, Organization
from twokeys.organization.plan import Plan, wanted


@dataclass(frozen=True)
class Project:
    """The stacks of a project.

    Attributes:
        chosen: those that are to be updated.
        others: the rest of those that can be read.
        unreadable: why others cannot be read, by file.
    """

    chosen: tuple[Plan, ...]
    others: tuple[Plan, ...] = ()
    unreadable: Mapping[str, str] | None = None

    @property
    def everything(self) -> tuple[Plan, ...]:
        """All stacks that can be read."""
        return self.chosen + self.others


def preflight(project: Project, live: Live, tried: Mapping[str, str | None] | None) -> Iterator[Finding]:
    """All findings, in the order in which one would set things right.

    Args:
        tried: what entering each existing account gave (None: it could be entered); None when it was not tried.
    """
    yield from organization_checks.credentials(project.chosen, live)
    yield from account_checks.addresses_within_the_project(project.everything, [plan.stack for plan in project.chosen])
    for file, why in (project.unreadable or {}).items():
        yield warning("e-mail", file, f"it cannot be read, so its addresses are not compared: {why}", "correct it")
    if finding := unknown(live, "organization", "organization"):
        yield finding
        return
    yield from organization_checks.existence(project.chosen, live)
    organization = live.organization or Organization("", ALL_FEATURES, live.caller.account, "")
    if organization.management_account != live.caller.account:
        yield failure(
            "organization",
            f"account {live.caller.account}",
            "the rest cannot be known: only the management account sees its organization",
            f"run this again with credentials of account {organization.management_account}",
        )
        return
    yield from _of_the_organization(project, live, organization)
    yield from _of_accounts(project, live, organization, tried)


def _of_the_organization(project: Project, live: Live, organization: Organization) -> Iterator[Finding]:
    chosen, everything = project.chosen, project.everything
    if finding := unknown(live, "trusted access", "trusted access"):
        yield finding
    else:
        yield from organization_checks.trusted_access(chosen, everything, organization)
    if finding := unknown(live, "policy types", "root"):
        yield finding
    else:
        yield from organization_checks.policy_types(chosen, organization)
    if finding := unknown(live, "units", "root", "organizational units"):
        yield finding
    else:
        yield from organization_checks.units(chosen, everything, organization)
    if finding := unknown(live, "policies", "root", "policies"):
        yield finding
    else:
        yield from organization_checks.policies(chosen, organization)


def _of_accounts(
    project: Project, live: Live, organization: Organization, tried: Mapping[str, str | None] | None
) -> Iterator[Finding]:
    tree = ("root", "organizational units", "accounts")
    if finding := unknown(live, "e-mail", *tree):
        yield finding
        return
    accounts = tuple(wanted(project.chosen, organization))
    yield from account_checks.addresses(accounts, organization)
    yield from account_checks.adopted(accounts)
    yield from account_checks.moves(accounts, organization)
    yield from account_checks.names(accounts, organization)
    if finding := unknown(live, "pending requests", "pending requests"):
        yield finding
    else:
        yield from account_checks.pending(accounts, organization)
    if finding := unknown(live, "account quota", "account quota", "invitations", "pending requests"):
        yield finding
    else:
        yield from account_checks.quota(accounts, organization)
    yield from account_checks.close_quota(accounts, organization)
    yield from account_checks.entering(accounts, organization, tried)
