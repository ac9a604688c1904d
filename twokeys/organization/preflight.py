"""Everything that can be known before the first create, in one go: settings and a live model in, findings out."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from twokeys.errors import Refusal
from twokeys.organization import account_checks
from twokeys.organization import organization_checks as of
from twokeys.organization.account_checks import unknown
from twokeys.organization.findings import CheckResult, Status, failure, warning
from twokeys.organization.model import ALL_FEATURES, Live, Organization
from twokeys.organization.plan import Plan, wanted
from twokeys.project.config import load_project
from twokeys.project.stacks import refuse_another_program, settings_of


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


def read_project(root: Path, stacks: tuple[str, ...]) -> Project:
    """The chosen stacks, and all others with which they might clash.

    Raises Refusal when there is no project, or a chosen stack's config cannot be used.
    """
    refuse_another_program(root)
    project = load_project(root)
    chosen = tuple(Plan(stack, settings_of(project, stack)) for stack in dict.fromkeys(stacks))
    others, unreadable = [], {}
    for stack, file in project.stacks().items():
        if stack in stacks:
            continue
        try:
            others.append(Plan(stack, settings_of(project, stack)))
        except Refusal as refusal:
            unreadable[str(file.relative_to(root))] = " ".join(f"{refusal.what}: {refusal.why}".split())
    return Project(chosen, tuple(others), unreadable)


def preflight(project: Project, live: Live, tried: Mapping[str, str | None] | None) -> Iterator[CheckResult]:
    """All findings, in the order in which one would set things right; a check that finds nothing passes.

    `tried` is what entering each existing account gave (None: it could be entered); None when it was not tried.
    """
    found: dict[str, list[CheckResult]] = {}
    for check, findings in _checks(project, live, tried):
        found.setdefault(check, []).extend(findings)
    for check, its in found.items():
        for one in its or (CheckResult(Status.PASS),):
            yield replace(one, check=check)


def _checks(
    project: Project, live: Live, tried: Mapping[str, str | None] | None
) -> Iterator[tuple[str, Iterable[CheckResult]]]:
    """Each check with what it finds. Of an organization that cannot be seen nothing more is checked."""
    chosen, everything = project.chosen, project.everything
    yield "credentials", of.credentials(chosen, live)
    names, local = [plan.stack for plan in chosen], live.caller.local
    yield "e-mail", account_checks.addresses_within_the_project(everything, names, local=local)
    for file, why in (project.unreadable or {}).items():
        said = f"it cannot be read, so its addresses are not compared: {why}"
        yield "e-mail", (warning(file, said, "correct it"),)
    if finding := unknown(live, "organization"):
        yield "organization", (finding,)
        return
    yield "organization", of.existence(chosen, live)
    organization = live.organization or Organization("", ALL_FEATURES, live.caller.account, "")
    if organization.management_account != live.caller.account:
        rest = failure(
            f"account {live.caller.account}",
            "the rest cannot be known: only the management account sees its organization",
            f"run this again with credentials of account {organization.management_account}",
        )
        yield "organization", (rest,)
        return
    accounts = tuple(wanted(chosen, organization))
    tree = ("root", "organizational units", "accounts")
    requests = "pending requests"
    # Each check with the parts of the organization that it needs to have been read.
    checks: tuple[tuple[str, tuple[str, ...], Callable[[], Iterator[CheckResult]]], ...] = (
        ("trusted access", ("trusted access",), lambda: of.trusted_access(chosen, everything, organization)),
        ("policy types", ("root",), lambda: of.policy_types(chosen, organization)),
        ("units", tree[:2], lambda: of.units(chosen, everything, organization)),
        ("policies", ("root", "policies"), lambda: of.policies(chosen, organization)),
        ("e-mail", tree, lambda: account_checks.addresses(accounts, organization)),
        ("adopt", tree, lambda: account_checks.adopted(accounts)),
        ("name", tree, lambda: account_checks.names(accounts, organization)),
        (requests, (*tree, requests), lambda: account_checks.pending(accounts, organization)),
        (
            "account quota",
            (*tree, "account quota", "invitations", requests),
            lambda: account_checks.quota(accounts, organization),
        ),
        ("access role", tree, lambda: account_checks.entering(accounts, organization, tried)),
    )
    without_accounts = unknown(live, *tree)
    for check, needed, findings in checks:
        if without_accounts and set(tree) <= set(needed):
            continue
        missing = unknown(live, *needed)
        yield check, (missing,) if missing else findings()
    if without_accounts:
        yield "e-mail", (without_accounts,)
