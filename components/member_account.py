"""A member account: created once or adopted, never replaced, and handed on only when it can be entered."""

import shlex
from collections.abc import Mapping

import pulumi
import pulumi_aws as aws

from components.account_provider import session_name
from components.readiness import AccessRole, wait_until_assumable
from components.refusing import ProgramRefusal
from twokeys.settings.baseline import ContactSettings, ContactsSettings
from twokeys.settings.models import Settings

_FIXED = ("email", "role_name")
"""What CreateAccount fixes for the provider: a change of either would replace the account. A name changes in place."""


class MemberAccount(pulumi.ComponentResource):
    """A member account of the organization of the provider's account.

    It is protected, and kept in AWS should it ever leave the state. The engine never sees a change of its e-mail
    address or role name (`ignore_changes`), for it would answer with a replacement; the program compares what is
    declared with what is there and refuses the difference, in preview and in the update. An adopted account has no role
    name on record, so that one cannot be compared.
    """

    account_id: pulumi.Output[str]
    """The account's id. In an update it is there only when the access role could really be assumed."""
    account_arn: pulumi.Output[str]
    """The account's ARN."""
    access_role_arn: pulumi.Output[str]
    """The ARN of the access role."""

    def __init__(
        self,
        name: str,
        settings: Settings,
        parent_id: pulumi.Input[str] | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """The account of this key in `settings`; without the id of a unit it stays at the organization's root."""
        member = settings.accounts[name]
        super().__init__("twokeys:accounts:MemberAccount", name, {}, opts)
        self.account = aws.organizations.Account(
            name,
            name=settings.name_of(name),
            email=settings.email_of(name),
            role_name=member.access.role,
            parent_id=parent_id,
            tags=member.tags or None,
            opts=pulumi.ResourceOptions(
                parent=self, protect=True, retain_on_delete=True, ignore_changes=list(_FIXED), import_=member.adopt
            ),
        )
        self.account_arn = self.account.arn
        self.account_id = self._usable_id(name, settings)
        self.access_role_arn = self.account_id.apply(lambda id_: _role_arn(settings, name, id_))
        for kind in ContactsSettings.model_fields:
            if contact := getattr(member.contacts, kind) or getattr(settings.baseline.contacts, kind):
                self._contact(name, kind, contact)
        self.register_outputs(
            {"accountId": self.account_id, "accountArn": self.account_arn, "accessRoleArn": self.access_role_arn}
        )

    def _usable_id(self, name: str, settings: Settings) -> pulumi.Output[str]:
        account = self.account
        id_ = pulumi.Output.all(id=account.id, email=account.email).apply(
            lambda actual: _same_account(name, settings, actual)
        )
        # On its own: what an adopted account has not on record looks in a preview like something still to come.
        role = pulumi.Output.all(id=account.id, role_name=account.role_name).apply(
            lambda actual: _same_account(name, settings, actual)
        )
        if pulumi.runtime.is_dry_run() or not settings.accounts[name].access.enter:
            return id_
        return pulumi.Output.all(id_, role).apply(lambda known: _enterable(name, settings, known[0]))

    def _contact(self, name: str, kind: str, contact: ContactSettings) -> None:
        aws.account.AlternativeContact(
            f"{name}-{kind}",
            account_id=self.account.id,
            alternate_contact_type=kind.upper(),
            name=contact.name,
            title=contact.title,
            email_address=contact.email,
            phone_number=contact.phone,
            opts=pulumi.ResourceOptions(parent=self),
        )


async def _enterable(name: str, settings: Settings, account_id: str) -> str:
    role = AccessRole(
        arn=_role_arn(settings, name, account_id),
        session_name=session_name(),
        region=settings.region,
        external_id=settings.accounts[name].access.external_id,
    )
    await wait_until_assumable(role)
    return account_id


def _same_account(name: str, settings: Settings, actual: Mapping[str, str | None]) -> str:
    declared = {"email": settings.email_of(name), "role_name": settings.accounts[name].access.role}
    for key in declared.keys() & actual.keys():
        there, wanted = actual[key], declared[key]
        if there and _comparable(key, there) != _comparable(key, wanted):
            raise ProgramRefusal(
                f"another {key.replace('_', ' ')} of account {name}",
                where=f"account {actual['id']}",
                why=f"it has {there!r} and the config says {wanted!r}; Pulumi could only replace the account",
                next_step=_to_change(key, name, there, wanted),
            )
    return str(actual["id"])


def _to_change(key: str, account: str, there: str, wanted: str) -> str:
    back = f"put {there!r} back into the config"
    if key == "role_name":
        return f"{back}, or add a second account under another key"
    stack = pulumi.get_stack()
    return (
        f"{back} and have AWS change it: `twokeys account email {stack} {account} {shlex.quote(wanted)}`, which"
        " says what comes then; where AWS has it already, the state only has to learn it: `pulumi refresh`"
    )


def _comparable(key: str, value: str) -> str:
    return value.casefold() if key == "email" else value


def _role_arn(settings: Settings, name: str, account_id: str) -> str:
    return f"arn:{settings.partition}:iam::{account_id}:role/{settings.accounts[name].access.role}"
