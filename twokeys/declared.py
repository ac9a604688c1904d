"""For Pulumi programs in Python: a policy document that preview can prove although ids in it are not known yet."""

from collections.abc import Mapping
from typing import Any, Final

import pulumi

from twokeys.doors import PROPERTY, SYMBOL_PREFIX, resolve

_TYPE: Final = "twokeys:access:DeclaredDocument"


def declared(  # noqa: PLR0913 - what a declaration says, by name
    resource: type[pulumi.CustomResource],
    logical_name: str,
    document: Mapping[str, Any],
    /,
    *,
    account: str,
    accounts: Mapping[str, pulumi.Input[str]] | None = None,
    opts: pulumi.ResourceOptions | None = None,
    **properties: str,
) -> tuple[pulumi.Output[str], pulumi.ComponentResource]:
    """A policy document as JSON, and the parent that the resource which gets it needs: it declares the document.

    JSON made from one unknown value is unknown as a whole; the declaration stays a structure, of which only that value
    is unknown. The pack reads it in preview, and compares the real document with it before that is made. A grant on a
    role of an account that the same program makes, `aws.organizations.Account("shop", ...)`:

        said = {"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "arn:aws:iam::account:shop:role/deploy"}
        policy, parent = declared(
            aws.iam.RolePolicy, "enter", {"Version": "2012-10-17", "Statement": [said]},
            account="333333333333", accounts={"shop": account.id}, name="enter", role="ci",
        )
        opts = pulumi.ResourceOptions(parent=parent, provider=tools)
        aws.iam.RolePolicy("enter", name="enter", role="ci", policy=policy, opts=opts)

    Args:
        resource: the class of the resource that gets the document: `aws.iam.Role`, or an inline policy's.
        logical_name: its logical name.
        document: the document with outputs wherever a value comes late, and `account:NAME` for the id of an account to
            come, alone or in an ARN.
        account: the 12-digit id of the account that the resource lives in, or `account:NAME`.
        accounts: the ids of the accounts to come, by the NAMEs.
        opts: of the parent.
        properties: what identifies the resource, as it is given there: a role's `name` and `path`, an inline policy's
            `name` and its `role`, `user` or `group`.
    """
    kind = str(resource.pulumi_type)  # type: ignore[attr-defined] # every class of a provider's SDK has it
    said = {
        "type": kind,
        "name": logical_name,
        "account": account,
        "property": "assumeRolePolicy" if kind == "aws:iam/role:Role" else "policy",
        "properties": properties,
        "document": dict(document),
    }
    parent = pulumi.ComponentResource(_TYPE, logical_name, {PROPERTY: [said]}, opts)
    ids = {SYMBOL_PREFIX + one: pulumi.Output.from_input(known) for one, known in (accounts or {}).items()}
    real = pulumi.Output.all(document=dict(document), ids=ids).apply(lambda it: resolve(it["document"], it["ids"]))
    return pulumi.Output.json_dumps(real), parent
