"""Account contacts: https://docs.aws.amazon.com/accounts/latest/reference/API_PutAlternateContact.html."""

from __future__ import annotations

from collections.abc import Callable

from twokeys.sandbox.aws.client import Aws, or_none
from twokeys.sandbox.aws.resource_type import AutoName, ResourceType, matches, one_of
from twokeys.sandbox.engine.values import Properties

_ACCOUNT_ID = matches(r"\d{12}", "a 12-digit account id")
_PRIMARY = {
    "addressLine1": "AddressLine1",
    "addressLine2": "AddressLine2",
    "addressLine3": "AddressLine3",
    "city": "City",
    "companyName": "CompanyName",
    "countryCode": "CountryCode",
    "districtOrCounty": "DistrictOrCounty",
    "fullName": "FullName",
    "phoneNumber": "PhoneNumber",
    "postalCode": "PostalCode",
    "stateOrRegion": "StateOrRegion",
    "websiteUrl": "WebsiteUrl",
}


def _alternate_put(aws: Aws, inputs: Properties) -> str:
    account = inputs.get("accountId")
    aws.client("account").put_alternate_contact(
        AlternateContactType=inputs["alternateContactType"],
        EmailAddress=inputs["emailAddress"],
        Name=inputs["name"],
        PhoneNumber=inputs["phoneNumber"],
        Title=inputs["title"],
        **_named(account),
    )
    return f"{account}/{inputs['alternateContactType']}" if account else str(inputs["alternateContactType"])


def _alternate_read(aws: Aws, identifier: str, _known: Properties) -> Properties | None:
    account, _, kind = identifier.rpartition("/")
    found = or_none(aws.client("account").get_alternate_contact, AlternateContactType=kind, **_named(account))
    if found is None:
        return None
    contact = found["AlternateContact"]
    return {
        "accountId": account or None,
        "alternateContactType": kind,
        "emailAddress": contact["EmailAddress"],
        "name": contact["Name"],
        "phoneNumber": contact["PhoneNumber"],
        "title": contact["Title"],
    }


def _alternate_delete(aws: Aws, identifier: str, _known: Properties) -> None:
    account, _, kind = identifier.rpartition("/")
    aws.client("account").delete_alternate_contact(AlternateContactType=kind, **_named(account))


def _primary_put(aws: Aws, inputs: Properties) -> str:
    account = inputs.get("accountId")
    information = {theirs: inputs[ours] for ours, theirs in _PRIMARY.items() if inputs.get(ours)}
    aws.client("account").put_contact_information(ContactInformation=information, **_named(account))
    return account or aws.account


def _primary_read(aws: Aws, identifier: str, known: Properties) -> Properties | None:
    account = known.get("accountId") or (identifier if identifier != aws.account else None)
    found = or_none(aws.client("account").get_contact_information, **_named(account))
    if found is None:
        return None
    information = found["ContactInformation"]
    return {"accountId": account, **{ours: information.get(theirs) for ours, theirs in _PRIMARY.items()}}


def _named(account: str | None) -> dict[str, str]:
    """A member account is named; the caller's own must not be."""
    return {"AccountId": account} if account else {}


RESOURCE_TYPES = (
    ResourceType(
        type="aws:account/alternativeContact:AlternativeContact",
        inputs=frozenset({"accountId", "alternateContactType", "emailAddress", "name", "phoneNumber", "title"}),
        record=True,
        required=frozenset({"alternateContactType", "emailAddress", "phoneNumber", "title"}),
        replaces=frozenset({"accountId", "alternateContactType"}),
        validations={"accountId": _ACCOUNT_ID, "alternateContactType": one_of("BILLING", "OPERATIONS", "SECURITY")},
        auto_name=AutoName(longest=64),
        create=_alternate_put,
        read=_alternate_read,
        update=lambda aws, _identifier, _old, new: _alternate_put(aws, new),
        delete=_alternate_delete,
        identify=lambda _, inputs: "/".join(filter(None, (inputs.get("accountId"), inputs["alternateContactType"]))),
    ),
    ResourceType(
        type="aws:account/primaryContact:PrimaryContact",
        inputs=frozenset({"accountId", *_PRIMARY}),
        record=True,
        required=frozenset({"addressLine1", "city", "countryCode", "fullName", "phoneNumber", "postalCode"}),
        replaces=frozenset({"accountId"}),
        validations={"accountId": _ACCOUNT_ID},
        create=_primary_put,
        read=_primary_read,
        update=lambda aws, _identifier, _old, new: _primary_put(aws, new),
        delete=lambda _aws, _identifier, _known: None,  # AWS has no call that removes the primary contact
        identify=lambda aws, inputs: inputs.get("accountId") or aws.account,
    ),
)

INVOKES: dict[str, Callable[[Aws, Properties], Properties]] = {}
