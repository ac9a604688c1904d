"""What AWS takes of names, documents and attachments, as far as a stack's config shows it. Pure.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Final

from twokeys.doors.documents import DoorPlan, trust_document, trust_in_tokens
from twokeys.errors import nearest
from twokeys.iam import DEFAULT_PARTITION, aws_managed, policy_size
from twokeys.iam.leaves import texts
from twokeys.settings.models import (
    IAM_QUOTAS,
    DoorSettings,
    GuardRailSettings,
    MemberSettings,
    OrganizationSettings,
    Settings,
    UnitSettings,
    grantee,
    principal_of,
    terms,
)
from twokeys.settings.problem import Problem, twice
from twokeys.settings.values import MOST_TAGS

_GROUPS_OF_A_USER: Final = 10
_BUDGETS_PAGE = "https://docs.aws.amazon.com/awsaccountbilling/latest/aboutv2/billing-limits.html"
_ATTACH_PAGE = "https://docs.aws.amazon.com/IAM/latest/APIReference/API_AttachRolePolicy.html"
_POLICIES_PAGE = "https://docs.aws.amazon.com/aws-managed-policy/latest/reference/policy-list.html"
_NOTIFICATIONS_OF_A_BUDGET: Final = 10
_USERS_OF_AN_ACCOUNT: Final = 5_000
_DESCRIPTION_OF_A_PERMISSION_SET: Final = 700
_PERMISSION_SET_PAGE = "https://docs.aws.amazon.com/singlesignon/latest/APIReference/API_CreatePermissionSet.html"
_IAM_TAGS_PAGE = "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_tags.html"
_TAGS_PAGE = "https://docs.aws.amazon.com/tag-editor/latest/userguide/tagging.html"
_FEWER_MEMBERS = (
    "split the members over two doors with a role each, or trust the whole account with"
    " {root: true, grantTo: {group: ...}}"
)
_FEWER_SUBJECTS = "split the subjects over two roles, or write fewer with wildcards after your organization's name"
_ARN = re.compile(r"arn:(aws[a-z0-9-]*):")


def limits(settings: Settings) -> Iterator[Problem]:
    """Names that AWS does not tell apart, and more than it takes."""
    yield from _names(settings)
    yield from _people(settings)
    yield from _tags(settings)
    yield from _notified(settings)
    for name, door in settings.doors.items():
        yield from _door(settings, f"doors.{name}", door)


def trust_characters(settings: Settings, door: DoorSettings) -> int | None:
    """How long a door's trust policy is, as AWS counts it: without white space.

    None where only the management stack knows whom it names (the members of a group that this stack does not list).
    """
    members = door.source.members
    if members is None and door.source.group is not None:
        members = settings.people.groups.get(door.source.group)
        if members is None:
            return None
    source, granted = principal_of(door.source), grantee(door)
    document = trust_document(
        DoorPlan.model_validate(
            {
                "name": "",
                "kind": source.kind,
                "source": source.name,
                "source_account": settings.management_account_id,  # every account's id is as long
                "members": tuple(members or ()),
                "grantee_kind": granted.kind,
                "grantee": granted.name,
                "target_account": "",
                "role": door.target.role,
                **terms(door),
                "partition": settings.partition,
            }
        )
    )
    return policy_size(document)


def _door(settings: Settings, key: str, door: DoorSettings) -> Iterator[Problem]:
    permissions, quotas = door.permissions, settings.quotas
    if door.via == "assume-role" and "trust" in door.keys:
        yield from _trust(settings, f"{key}.from", trust_characters(settings, door), _FEWER_MEMBERS)
    if door.via == "identity-center" and len(door.reason) > _DESCRIPTION_OF_A_PERMISSION_SET:
        why = (
            "it becomes the description of a permission set, which has at most"
            f" {_DESCRIPTION_OF_A_PERMISSION_SET} ({_PERMISSION_SET_PAGE})"
        )
        yield Problem(f"{key}.reason", f"{len(door.reason)} characters", why, "say it in fewer words")
    if len(permissions.managed_policies) > quotas.managed_policies_per_role:
        why = f"AWS attaches at most {quotas.managed_policies_per_role} managed policies to a role ({IAM_QUOTAS})"
        step = "join some of them; where AWS has raised the quota, say it in quotas.managedPoliciesPerRole"
        yield Problem(f"{key}.permissions.managedPolicies", f"{len(permissions.managed_policies)} policies", why, step)
    yield from _partitions(settings, key, door)
    yield from _managed_policies(settings, key, door)


def _trust(settings: Settings, key: str, size: int | None, less: str) -> Iterator[Problem]:
    most = settings.quotas.trust_policy_characters
    if size is not None and size > most:
        why = f"a role's trust policy has at most {most} ({IAM_QUOTAS})"
        step = f"{less}; where AWS has raised the quota, say it in quotas.trustPolicyCharacters"
        yield Problem(key, f"{size} characters", why, step)


def _managed_policies(settings: Settings, key: str, door: DoorSettings) -> Iterator[Problem]:
    """AWS's own policies that it does not have, or lets nobody attach; those of other partitions are not recorded.

    https://docs.aws.amazon.com/IAM/latest/APIReference/API_AttachRolePolicy.html (NoSuchEntity, PolicyNotAttachable)
    """
    permissions = door.permissions
    said = [(f"{key}.permissions.managedPolicies", arn) for arn in permissions.managed_policies]
    said += [(f"{key}.permissions.boundary", permissions.boundary)] if permissions.boundary else []
    for where, arn in said:
        if not aws_managed.is_aws_managed(arn) or not arn.startswith(f"arn:{DEFAULT_PARTITION}:"):
            continue
        if f":policy/{aws_managed.SERVICE_LINKED}" in arn:
            why = f"AWS attaches it to the service-linked role of its service only ({_ATTACH_PAGE})"
            yield Problem(where, arn, why, "take it out, or name a policy that roles can have")
        elif not aws_managed.is_known(arn) and arn not in settings.newer_aws_policies:
            names, (before, _, name) = aws_managed.names(), arn.rpartition("/")
            near = nearest(name, names)
            yield Problem(
                where,
                arn,
                f"AWS had no managed policy of this path and name on {aws_managed.day()} ({_POLICIES_PAGE})",
                (f"write {before.partition('/')[0]}/{names[near]}, if that is meant; " if near else "")
                + "if AWS has added it since, name it in newerAwsPolicies too",
            )


def _partitions(settings: Settings, key: str, door: DoorSettings) -> Iterator[Problem]:
    """ARNs of another partition than the region's name nothing that is there.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html
    """
    said: list[tuple[str, object]] = [
        (f"{key}.permissions.managedPolicies", door.permissions.managed_policies),
        (f"{key}.permissions.boundary", door.permissions.boundary),
        (f"{key}.permissions.statements", door.permissions.statements),
        (f"{key}.conditions", door.conditions),
    ]
    for where, value in said:
        for arn in texts(value):
            found = _ARN.match(arn)
            if found and found.group(1) != settings.partition:
                right = arn.replace(found.group(0), f"arn:{settings.partition}:", 1)
                why = (
                    f"it is of the partition {found.group(1)}, and region {settings.region} is in {settings.partition}"
                    " (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html)"
                )
                step = f"write it as {right}, or correct the region"
                yield Problem(where, arn, why, step)


def _names(settings: Settings) -> Iterator[Problem]:
    people = settings.people
    beside = people.break_glass if people.account is None else None
    yield from twice("people.groups", people.groups)
    yield from twice("people.roles", [*people.roles, *([beside.role] if beside else [])])
    if people.identity_center is not None:
        yield from twice("people.identityCenter.groups", people.identity_center.groups)


def _people(settings: Settings) -> Iterator[Problem]:
    people, quotas = settings.people, settings.quotas
    groups = Counter(user for members in people.groups.values() for user in set(members))
    for user, count in groups.items():
        if count > _GROUPS_OF_A_USER:
            why = f"this user is in {count} groups, and AWS takes {_GROUPS_OF_A_USER} a user ({IAM_QUOTAS})"
            yield Problem("people.groups", user, why, "take the user out of some of them")
    if len(people.groups) > quotas.groups_per_account:
        why = f"an account has at most {quotas.groups_per_account} ({IAM_QUOTAS})"
        step = "join some of them; where AWS has raised the quota, say it in quotas.groupsPerAccount"
        yield Problem("people.groups", f"{len(people.groups)} groups", why, step)
    if len(people.users) > _USERS_OF_AN_ACCOUNT:
        why = f"an account has at most {_USERS_OF_AN_ACCOUNT}, and AWS does not raise it ({IAM_QUOTAS})"
        step = "let them come through IAM Identity Center, `people.identityCenter`"
        yield Problem("people.users", f"{len(people.users)} users", why, step)
    for role, said in people.roles.items():
        if said.oidc is not None:
            issuer = said.oidc.issuer
            provider = f"arn:{settings.partition}:iam::{settings.management_account_id}:oidc-provider/{issuer}"
            trust = trust_in_tokens(provider, issuer, said.oidc.audience, said.oidc.subjects)
            yield from _trust(settings, f"people.roles.{role}.oidc.subjects", policy_size(trust), _FEWER_SUBJECTS)


def _tags(settings: Settings) -> Iterator[Problem]:
    """Tags of a stack and of a resource add up, and IAM does not tell their keys apart by case."""
    by_case: dict[str, str] = {}
    for key in settings.tags:
        if (other := by_case.setdefault(key.casefold(), key)) != key:
            why = f"{other} is the same key to IAM, which does not tell them apart by case ({_IAM_TAGS_PAGE})"
            yield Problem(f"tags.{key}", key, why, "keep one of them")
    organization = settings.organization or OrganizationSettings()
    tagged: Mapping[str, Mapping[str, MemberSettings | UnitSettings | GuardRailSettings]] = {
        "accounts": settings.accounts,
        "organization.organizationalUnits": organization.organizational_units,
        "organization.serviceControlPolicies": organization.service_control_policies,
        "organization.policies": organization.policies,
    }
    for section, named_ones in tagged.items():
        for name, one in named_ones.items():
            count = len({*settings.tags, *one.tags})
            if count > MOST_TAGS:
                why = f"with those of the stack it has more than the {MOST_TAGS} that AWS takes ({_TAGS_PAGE})"
                yield Problem(f"{section}.{name}.tags", f"{count} tags", why, "leave some of them out")


def _notified(settings: Settings) -> Iterator[Problem]:
    for account, member in settings.accounts.items():
        count = len(member.budget.actual) + len(member.budget.forecast) if member.budget else 0
        if count > _NOTIFICATIONS_OF_A_BUDGET:
            why = f"a budget has at most {_NOTIFICATIONS_OF_A_BUDGET} ({_BUDGETS_PAGE})"
            step = "leave some of the percentages of `actual` and `forecast` out"
            yield Problem(f"accounts.{account}.budget", f"{count} notifications", why, step)
