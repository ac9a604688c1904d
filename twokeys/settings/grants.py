"""Contradictions in the grants of the management account: those of doors and organization-wide ones. Pure.

Both are inline policies of their source, and AWS takes only so many characters of those. The rule `policy-refused`
measures what one stack makes; of an environment that is split into shards, config alone knows the whole.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

from twokeys.doors.who import name_of
from twokeys.iam import INLINE_POLICY_SIZES, policy_size
from twokeys.settings.models import (
    IAM_QUOTAS,
    MANAGEMENT,
    OrganizationGrantSettings,
    OrganizationSettings,
    PeopleSettings,
    PrincipalName,
    Settings,
    asks_for_mfa,
    grantee,
    principal_of,
)
from twokeys.settings.problem import Problem, no_mfa

_ACCOUNT_ID = "111111111111"
_SHORTEST_ORGANIZATION_ID = "o-a1b2c3d4e5"


def grants(settings: Settings) -> Iterator[Problem]:
    """What is wrong with grants for the whole organization, and sources that get more grants than AWS takes."""
    if settings.organization_grants and settings.organization is None:
        why = "these grants are made in the management account and belong to the stack that has `organization`"
        yield Problem("organizationGrants", "(set)", why, "move `organizationGrants` to the management stack's config")
    made: dict[tuple[PrincipalName, str], str] = {}
    for name, grant in settings.organization_grants.items():
        key = f"organizationGrants.{name}"
        yield from _grant(settings, key, grant)
        # The policy is called after the role, and names are unique whatever their path and case.
        what = (_without_path(principal_of(grant.source)), name_of(grant.target.role).casefold())
        if (other := made.setdefault(what, name)) != name:
            why = f"organizationGrants.{other} grants this role to the same source"
            yield Problem(f"{key}.to.role", grant.target.role, why, "grant a source each role once")
    yield from _too_many(settings)


def inline_characters(settings: Settings) -> dict[tuple[str, PrincipalName], int]:
    """How many characters of inline policies this stack gives each source at least, by account and name without path.

    A test holds this to what `components` write. Other inline policies of a source, and what other stacks grant it, are
    not known here.
    """
    characters: dict[tuple[str, PrincipalName], int] = defaultdict(int)
    for door in settings.doors.values():
        if "grant" in door.keys and door.via == "assume-role":
            size = _size(f"arn:{settings.partition}:iam::{_ACCOUNT_ID}:role/{door.target.role}", {})
            source = settings.source_account_of(door), _without_path(grantee(door))
            characters[source] += size * len(settings.target_accounts_of(door))
    for grant in settings.organization_grants.values():
        condition: dict[str, Any] = {"StringEquals": {"aws:ResourceOrgID": _SHORTEST_ORGANIZATION_ID}}
        if asks_for_mfa(grant):
            condition["Bool"] = {"aws:MultiFactorAuthPresent": "true"}
        source = settings.people.account or MANAGEMENT, _without_path(principal_of(grant.source))
        said = {"Condition": condition}
        characters[source] += _size(f"arn:{settings.partition}:iam::*:role/{grant.target.role}", said)
    return dict(characters)


def _grant(settings: Settings, key: str, grant: OrganizationGrantSettings) -> Iterator[Problem]:
    user = grant.source.user
    if user and "/" not in user and settings.people != PeopleSettings() and user not in settings.people.users:
        yield Problem(
            f"{key}.from", user, "no user of `people` has this name", "remove it from the grant, or add the user"
        )
    if grant.mfa and principal_of(grant.source).kind == "role":
        yield no_mfa(f"{key}.mfa")
    access_roles = (settings.organization or OrganizationSettings()).access_roles
    if name_of(grant.target.role) in access_roles:
        why = (
            "this is the access role, which trusts the whole management account: the grant alone would open every "
            "account to its source, as administrator"
        )
        yield Problem(f"{key}.to.role", grant.target.role, why, "choose another name")


def _too_many(settings: Settings) -> Iterator[Problem]:
    for (account, (kind, name)), characters in inline_characters(settings).items():
        if characters > INLINE_POLICY_SIZES[kind]:
            yield Problem(
                "doors",
                f"from {kind} {name} of {account}",
                f"their grants are at least {characters} characters of inline policies, and AWS takes"
                f" {INLINE_POLICY_SIZES[kind]} of a {kind} ({IAM_QUOTAS})",
                "make one grant for all accounts, `organizationGrants` of the management stack, and keys: [trust] here",
            )


def _size(resource: str, more: Mapping[str, Any]) -> int:
    statement = {"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": resource, **more}
    return policy_size({"Version": "2012-10-17", "Statement": [statement]}) or 0


def _without_path(principal: PrincipalName) -> PrincipalName:
    return PrincipalName(principal.kind, name_of(principal.name))
