"""A member account: created once or adopted, never replaced, and handed on only when it can be entered."""

import shlex
from collections.abc import Mapping
from typing import NotRequired, TypedDict

import pulumi
import pulumi_aws as aws

from components.readiness import AccessRole, wait_until_assumable
from components.refusing import ProgramRefusal

_FIXED = ("email", "role_name")
"""What CreateAccount fixes for the provider: a change of either would replace the account. A name changes in place."""


class AlternateContactArgs(TypedDict):
    """Whom AWS writes to beside the root user."""

    name: str
    """The contact's name."""
    title: str
    """The contact's title."""
    email: str
    """The contact's e-mail address."""
    phone: str
    """The contact's phone number."""


class MemberAccountArgs(TypedDict):
    """What a member account is."""

    account_name: str
    """The account's name as AWS shows it."""
    email: str
    """The address of its root user; it belongs to this account alone."""
    role_name: str
    """The access role that AWS makes in the account, trusting the management account."""
    session_name: str
    """The session name under which the access role is tried."""
    region: str
    """The region whose STS is asked."""
    partition: NotRequired[str]
    """The partition that stands in ARNs, `aws` by default."""
    parent_id: NotRequired[pulumi.Input[str]]
    """The id of its organizational unit; the organization's root by default."""
    enter: NotRequired[bool]
    """Whether the access role is waited for; false for an account that the program does not work in."""
    adopt: NotRequired[str]
    """The id of an existing account of the organization to take over instead of creating one."""
    external_id: NotRequired[str]
    """The external ID that the access role asks for, if it does."""
    ready_seconds: NotRequired[int]
    """How long to wait, at most, until the access role can be assumed; 600 by default."""
    contacts: NotRequired[dict[str, AlternateContactArgs]]
    """Alternate contacts by type: BILLING, OPERATIONS or SECURITY."""
    tags: NotRequired[dict[str, str]]
    """The account's tags."""


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

    def __init__(self, name: str, args: MemberAccountArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("twokeys:accounts:MemberAccount", name, {}, opts)
        self.account = aws.organizations.Account(
            name,
            name=args["account_name"],
            email=args["email"],
            role_name=args["role_name"],
            parent_id=args.get("parent_id"),
            tags=args.get("tags") or None,
            opts=pulumi.ResourceOptions(
                parent=self,
                protect=True,
                retain_on_delete=True,
                ignore_changes=list(_FIXED),
                import_=args.get("adopt"),
            ),
        )
        self.account_arn = self.account.arn
        self.account_id = self._usable_id(name, args)
        partition = args.get("partition", "aws")
        self.access_role_arn = self.account_id.apply(lambda id_: _role_arn(partition, id_, args["role_name"]))
        for kind, contact in args.get("contacts", {}).items():
            self._contact(name, kind, contact)
        self.register_outputs(
            {
                "accountId": self.account_id,
                "accountArn": self.account_arn,
                "accessRoleArn": self.access_role_arn,
            }
        )

    def _usable_id(self, name: str, args: MemberAccountArgs) -> pulumi.Output[str]:
        account = self.account
        id_ = pulumi.Output.all(id=account.id, email=account.email).apply(
            lambda actual: _same_account(name, args, actual)
        )
        # On its own: what an adopted account has not on record looks in a preview like something still to come.
        role = pulumi.Output.all(id=account.id, role_name=account.role_name).apply(
            lambda actual: _same_account(name, args, actual)
        )
        if pulumi.runtime.is_dry_run() or not args.get("enter", True):
            return id_
        return pulumi.Output.all(id_, role).apply(lambda known: _enterable(args, known[0]))

    def _contact(self, name: str, kind: str, contact: AlternateContactArgs) -> None:
        aws.account.AlternativeContact(
            f"{name}-{kind.lower()}",
            account_id=self.account.id,
            alternate_contact_type=kind,
            name=contact["name"],
            title=contact["title"],
            email_address=contact["email"],
            phone_number=contact["phone"],
            opts=pulumi.ResourceOptions(parent=self),
        )


async def _enterable(args: MemberAccountArgs, account_id: str) -> str:
    role = AccessRole(
        arn=_role_arn(args.get("partition", "aws"), account_id, args["role_name"]),
        session_name=args["session_name"],
        region=args["region"],
        external_id=args.get("external_id"),
    )
    await wait_until_assumable(role, timeout_seconds=args.get("ready_seconds", 600))
    return account_id


def _same_account(name: str, args: MemberAccountArgs, actual: Mapping[str, str | None]) -> str:
    declared = {"email": args["email"], "role_name": args["role_name"]}
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


def _role_arn(partition: str, account_id: str, role: str) -> str:
    return f"arn:{partition}:iam::{account_id}:role/{role}"
