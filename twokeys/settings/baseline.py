"""What every account of a stack gets, and what one of them gets beside or instead."""

from typing import Annotated

from twokeys.settings.base import Model
from twokeys.settings.values import ContactEmail, must_match, within

_CONTACT_PAGE = "https://docs.aws.amazon.com/accounts/latest/APIReference/API_PutAlternateContact.html"
_PASSWORDS_PAGE = "https://docs.aws.amazon.com/IAM/latest/APIReference/API_UpdateAccountPasswordPolicy.html"


class ContactSettings(Model):
    """An alternate contact."""

    name: Annotated[str, within(1, 64, "a contact's name has 1 to 64 characters", _CONTACT_PAGE)]
    title: Annotated[str, within(1, 50, "a contact's title has 1 to 50 characters", _CONTACT_PAGE)]
    email: ContactEmail
    phone: Annotated[
        str,
        must_match(
            r"[\s0-9()+-]{1,25}",
            f"a phone number has 1 to 25 digits, spaces and ()+- ({_CONTACT_PAGE})",
            "write it as in +1(555)000-0000",
        ),
    ]


class ContactsSettings(Model):
    """Whom AWS writes to beside the root user."""

    billing: ContactSettings | None = None
    operations: ContactSettings | None = None
    security: ContactSettings | None = None


class PasswordPolicySettings(Model):
    """What passwords of IAM users have to be."""

    minimum_length: Annotated[int, within(6, 128, "a password has 6 to 128 characters", _PASSWORDS_PAGE)] = 14
    max_age_days: Annotated[int, within(1, 1095, "a password lives 1 to 1095 days", _PASSWORDS_PAGE)] | None = None
    reuse_prevention: Annotated[int, within(1, 24, "1 to 24 passwords are kept in mind", _PASSWORDS_PAGE)] = 24


class AccountBaselineSettings(Model):
    """What an account has from the first day; nothing of it unless it is said.

    `closeDefaultVpc` takes every rule out of the default security group of the region's default VPC.
    """

    alias: (
        Annotated[
            str,
            must_match(
                r"(?=.{3,63}\Z)(?!\d{12}\Z)[a-z0-9]+(-[a-z0-9]+)*",
                "an account alias has 3 to 63 lowercase letters, digits and single hyphens between them"
                " (https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateAccountAlias.html)",
                "choose such an alias; it is unique across AWS",
            ),
        ]
        | None
    ) = None
    password_policy: PasswordPolicySettings | None = None
    block_public_s3: bool = False
    encrypt_ebs: bool = False
    close_default_vpc: bool = False


class BaselineSettings(AccountBaselineSettings):
    """The baseline of every account of a stack; what an account says itself stands in the place of the stack's."""

    contacts: ContactsSettings = ContactsSettings()
