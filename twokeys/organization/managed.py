"""Whether credentials may read an organization as a whole and change its accounts: asked once, before anything is."""

from collections.abc import Container

from twokeys.errors import Refusal
from twokeys.organization.model import ALL_FEATURES, Live, Organization

_ALL_FEATURES = "https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_org_support-all-features.html"


def managed(live: Live, what: str, *, management: str | None = None, not_needed: Container[str] = ()) -> Organization:
    """The organization that the credentials' account manages; `management` is the account that config names for it.

    Raises Refusal of `what` when there is none, the account does not manage it, its features are limited, or something
    of it could not be read that is not among the parts which are `not_needed`.
    """
    organization, account = live.organization, live.caller.account
    missing = sorted({action for part, action in live.unread.items() if part not in not_needed})
    if organization is not None and not account == organization.management_account == (management or account):
        manager = organization.management_account
        why = f"organization {organization.id} is managed by account {manager}"
        why += f", and config names {management}" if management not in (None, manager) else ""
        step = f"use credentials of account {management or manager}"
    elif missing:
        why = f"something of it cannot be read; not permitted: {', '.join(missing)}"
        step = (
            "use credentials with AWS's managed policy AWSOrganizationsReadOnlyAccess and iam:ListOrganizationsFeatures"
        )
    elif organization is None:
        why = "the account belongs to no organization"
        step = "let a management stack create one: see Pulumi.management.yaml"
    elif organization.features != ALL_FEATURES:
        why = f"its feature set is {organization.features}: it has no policies, and AWS closes and changes no account"
        step = f"enable all features first: {_ALL_FEATURES}"
    else:
        return organization
    raise Refusal(what, where=f"account {account}", why=why, next_step=step)
