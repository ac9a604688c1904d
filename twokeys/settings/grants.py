"""Contradictions in the grants for the whole organization, which the management account makes. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from twokeys.settings.models import OrganizationGrantSettings, OrganizationSettings, PeopleSettings, Settings, Who, who
from twokeys.settings.problem import Problem, no_mfa


def grants(settings: Settings) -> Iterator[Problem]:
    """What is wrong with them."""
    if settings.organization_grants and settings.organization is None:
        why = "these grants are made in the management account and belong to the stack that has `organization`"
        step = "move `organizationGrants` to the management stack's config"
        yield Problem("organizationGrants", "(set)", why, step)
    made: dict[tuple[Who, str], str] = {}
    for name, grant in settings.organization_grants.items():
        key = f"organizationGrants.{name}"
        yield from _grant(settings, key, grant)
        # The policy is called after the role, and names are unique whatever their path and case.
        what = (_without_path(who(grant.source)), grant.target.role.rpartition("/")[2].casefold())
        if (other := made.setdefault(what, name)) != name:
            why = f"organizationGrants.{other} grants this role to the same source"
            yield Problem(f"{key}.to.role", grant.target.role, why, "grant a source each role once")


def _grant(settings: Settings, key: str, grant: OrganizationGrantSettings) -> Iterator[Problem]:
    user = grant.source.user
    if user and "/" not in user and settings.people != PeopleSettings() and user not in settings.people.users:
        yield Problem(
            f"{key}.from", user, "no user of `people` has this name", "remove it from the grant, or add the user"
        )
    if grant.mfa and who(grant.source).kind == "role":
        yield no_mfa(f"{key}.mfa")
    access_roles = (settings.organization or OrganizationSettings()).access_roles
    if grant.target.role.rpartition("/")[2] in access_roles:
        why = (
            "this is the access role, which trusts the whole management account: the grant alone would open every "
            "account to its source, as administrator"
        )
        step = "choose another name"
        yield Problem(f"{key}.to.role", grant.target.role, why, step)


def _without_path(principal: Who) -> Who:
    return Who(principal.kind, principal.name.rpartition("/")[2])
