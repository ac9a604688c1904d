"""Contradictions in the policies of the organization, and what AWS takes of them. Pure."""

import json
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from pydantic_core import PydanticCustomError

from twokeys.iam import PolicyKind, is_account_id
from twokeys.settings.models import (
    ROOT,
    SERVICE_CONTROL_POLICY,
    GuardRailSettings,
    OrganizationSettings,
    OtherPolicySettings,
    guard_rails,
)
from twokeys.settings.problem import Problem, no_unit
from twokeys.settings.values import ORG_QUOTAS, check_policy

_RCP_SYNTAX = "https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_rcps_syntax.html"
_LARGEST: Mapping[str, int] = {
    SERVICE_CONTROL_POLICY: 10_240,
    "RESOURCE_CONTROL_POLICY": 5_120,
    "AISERVICES_OPT_OUT_POLICY": 2_500,
    "DECLARATIVE_POLICY_EC2": 10_000,
    "BACKUP_POLICY": 10_000,
    "CHATBOT_POLICY": 10_000,
    "TAG_POLICY": 10_000,
    "SECURITYHUB_POLICY": 10_000,
}
"""Characters of a policy's document by type, as far as the page (ORG_QUOTAS) names it; others have the largest."""
_MOST_ATTACHED: Mapping[str, int] = dict.fromkeys(_LARGEST, 10) | dict.fromkeys(
    ("RESOURCE_CONTROL_POLICY", "CHATBOT_POLICY", "AISERVICES_OPT_OUT_POLICY"), 5
)
"""Policies of a type that are attached to one target directly, of the same types."""


def policies(organization: OrganizationSettings, paths: Collection[str]) -> Iterator[Problem]:
    """Targets that are not there, policy types that are off, what adopting needs, and what AWS takes of policies.

    `paths` are those of all units of the stack.
    """
    sections: tuple[tuple[str, Mapping[str, GuardRailSettings]], ...] = (
        ("serviceControlPolicies", organization.service_control_policies),
        ("policies", organization.policies),
    )
    yield from _beyond_quotas(organization)
    made: dict[str, str] = {}
    called_so: dict[tuple[str, str], str] = {}
    attached: dict[str, str] = {}
    for section, its in sections:
        for name, policy in its.items():
            key = f"organization.{section}.{name}"
            if other := made.get(name):
                yield Problem(key, name, f"{other} has this key too", "choose another key; `name` is what AWS calls it")
            made[name] = key
            called = policy.kind, policy.name or name
            if other := called_so.get(called):
                why = f"{other} is a policy of this type and name, and AWS has one of each"
                yield Problem(f"{key}.name", called[1], why, "name one of them differently")
            called_so[called] = key
            for target in policy.targets:
                if (other := attached.setdefault(f"{name}-{target}", key)) != key:
                    yield Problem(
                        f"{key}.targets", target, f"with this key it is called as one of {other}", "choose another key"
                    )
            yield from _policy(organization, paths, key, policy)


def too_large(key: str, kind: str, document: Mapping[str, Any]) -> Iterator[Problem]:
    """A document of more characters than AWS takes of its type."""
    size, largest = len(json.dumps(document, separators=(",", ":"))), _LARGEST.get(kind, 10_240)
    if size > largest:
        why = f"a policy of type {kind} has at most {largest} characters ({ORG_QUOTAS})"
        yield Problem(
            key, f"{size} characters", why, "split it, give some of it to the unit above or below, or say less"
        )


def _beyond_quotas(organization: OrganizationSettings) -> Iterator[Problem]:
    """Documents that are too large for their type, and more policies of a type than a target takes.

    AWS's own policy counts too: nobody detaches that of resource control policies, and an organization that is made
    here has that of service control policies. In one that exists it may be detached.
    """
    attached: Counter[tuple[str, str]] = Counter()
    for name, policy in organization.every_policy.items():
        kind = policy.kind
        attached.update((kind, target) for target in policy.targets)
        section = "serviceControlPolicies" if kind == SERVICE_CONTROL_POLICY else "policies"
        yield from too_large(f"organization.{section}.{name}.document", kind, policy.document)
    attached.update((SERVICE_CONTROL_POLICY, target) for target in guard_rails(organization))
    own = {"RESOURCE_CONTROL_POLICY"} | (
        {SERVICE_CONTROL_POLICY} if organization.create and not organization.adopt else set()
    )
    for (kind, target), count in attached.items():
        if kind not in _MOST_ATTACHED:
            continue
        most = _MOST_ATTACHED[kind] - (kind in own)
        if count > most:
            yield Problem(
                "organization.policies" if kind != SERVICE_CONTROL_POLICY else "organization.serviceControlPolicies",
                target,
                f"{count} policies of type {kind} are attached to it, and AWS takes {most}"
                + (" beside its own" if kind in own else "")
                + f" ({ORG_QUOTAS})",
                "put several into one, or attach some to the units above or below",
            )


def _policy(
    organization: OrganizationSettings, paths: Collection[str], key: str, policy: GuardRailSettings
) -> Iterator[Problem]:
    for target in policy.targets:
        if target != ROOT and target not in paths and not is_account_id(target):
            step = f"write {ROOT}, a path of organization.organizationalUnits, or the 12-digit id of an account"
            yield no_unit(f"{key}.targets", target, paths, step)
    kind = policy.kind
    if kind == "RESOURCE_CONTROL_POLICY":
        try:
            check_policy(policy.document, PolicyKind.RCP)
        except PydanticCustomError as error:
            why, step = error.message(), f"{(error.context or {})['next_step']}; {_RCP_SYNTAX}"
            yield Problem(f"{key}.document", "(the document)", why, step)
    if kind == SERVICE_CONTROL_POLICY and isinstance(policy, OtherPolicySettings):
        yield Problem(f"{key}.type", kind, "it has a section of its own", "move it to serviceControlPolicies")
    if policy.targets and organization.create and kind not in organization.policy_types:
        why = "a policy cannot be attached while its policy type is off"
        step = f"add {kind} to organization.policyTypes"
        yield Problem(f"{key}.targets", list(organization.policy_types), why, step)
    for target in policy.attached:
        if policy.adopt is None or target not in policy.targets:
            why = "only a policy that is adopted is attached already, and only to its targets"
            yield Problem(f"{key}.attached", target, why, "remove it, or add adopt and the target")
