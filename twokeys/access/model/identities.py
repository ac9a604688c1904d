"""The ids of accounts and organizations, as resources of AWS Organizations and other stacks tell them."""

import re
from collections.abc import Callable, Iterator

from twokeys import doors
from twokeys.access.reading.snapshot import Resource, Snapshot
from twokeys.iam import Arn, is_account_id

ORGANIZATIONS = "aws:organizations/"
"""The types of AWS Organizations begin like this."""
_is_organization = re.compile(r"o-[a-z0-9]{10,32}").fullmatch


def id_of(resource: Resource) -> str:
    """The id of an organization or a part of one: a state keeps it outside the outputs, but the ARN ends with it."""
    return resource.text("id") or (resource.text("arn") or "").rpartition("/")[2]


def account_of(resource: Resource) -> str | None:
    """The id of the account that an `Account` resource makes."""
    return _end(resource, is_account_id)


def organization_of(resource: Resource) -> str | None:
    """The id of the organization that an `Organization` resource makes."""
    return _end(resource, _is_organization)


def manager(resource: Resource) -> str | None:
    """The management account, as the ARN of an organization's part or the organization itself tells it.

    https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsorganizations.html#awsorganizations-resources-for-iam-policies
    """
    arn = _arn(resource)
    shown = (arn.account if arn else None, resource.text("masterAccountId"))
    return next(filter(is_account_id, shown), None)


def organization_of_part(resource: Resource) -> str | None:
    """The organization of an account, unit or policy, as its ARN has it: `account/o-.../<its id>`."""
    arn = _arn(resource)
    return next(filter(_is_organization, arn.resource.split("/")[1:2]), None) if arn else None


def exported_organizations(snapshot: Snapshot) -> Iterator[str]:
    """The ids that the stacks which the snapshot refers to tell, and those it holds."""
    for outputs in snapshot.stack_outputs:
        exported = outputs.get(doors.ORGANIZATION_OUTPUT)
        if isinstance(exported, str) and _is_organization(exported):
            yield exported


def _end(resource: Resource, is_one: Callable[[str], object]) -> str | None:
    """An id is its resource's, and its ARN ends with it."""
    arn = _arn(resource)
    return next(filter(is_one, (arn.resource.rpartition("/")[2] if arn else "", resource.text("id") or "")), None)


def _arn(resource: Resource) -> Arn | None:
    arn = Arn.parse(resource.text("arn") or "") if resource.type.startswith(ORGANIZATIONS) else None
    return arn if arn is not None and arn.service == "organizations" else None
