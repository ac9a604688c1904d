"""Inline policies and attachments: three kinds of IAM identities, one shape.

https://docs.aws.amazon.com/IAM/latest/APIReference/API_PutRolePolicy.html, API_AttachRolePolicy.html and the same for
groups and users.
"""

from __future__ import annotations

from collections.abc import Callable

from twokeys.sandbox.aws.client import Aws, or_none
from twokeys.sandbox.aws.iam_rules import ARN, POLICY_NAME, as_text, name_of
from twokeys.sandbox.aws.resource_type import AutoName, ResourceType
from twokeys.sandbox.engine.values import Properties


def _inline_policy(kind: str) -> ResourceType:
    """`RolePolicy`, `GroupPolicy` or `UserPolicy`; the id is `<identity>:<name>`."""
    identity = f"{kind.capitalize()}Name"

    def put(aws: Aws, owner: str, name: str, document: str) -> None:
        call = getattr(aws.client("iam"), f"put_{kind}_policy")
        call(**{identity: owner, "PolicyName": name, "PolicyDocument": document})

    def create(aws: Aws, inputs: Properties) -> str:
        name = name_of(inputs)
        put(aws, inputs[kind], name, inputs["policy"])
        return f"{inputs[kind]}:{name}"

    def read(aws: Aws, identifier: str, _known: Properties) -> Properties | None:
        owner, _, name = identifier.partition(":")
        found = or_none(getattr(aws.client("iam"), f"get_{kind}_policy"), **{identity: owner, "PolicyName": name})
        return None if found is None else {kind: owner, "name": name, "policy": as_text(found["PolicyDocument"])}

    def update(aws: Aws, identifier: str, _known: Properties, new: Properties) -> None:
        owner, _, name = identifier.partition(":")
        put(aws, owner, name, new["policy"])

    def delete(aws: Aws, identifier: str, _known: Properties) -> None:
        owner, _, name = identifier.partition(":")
        getattr(aws.client("iam"), f"delete_{kind}_policy")(**{identity: owner, "PolicyName": name})

    return ResourceType(
        type=f"aws:iam/{kind}Policy:{kind.capitalize()}Policy",
        inputs=frozenset({"name", "namePrefix", "policy", kind}),
        required=frozenset({"policy", kind}),
        replaces=frozenset({"name", "namePrefix", kind}),
        documents=frozenset({"policy"}),
        unreadable=frozenset({"namePrefix"}),
        validations={"name": POLICY_NAME},
        auto_name=AutoName(prefix_property="namePrefix", longest=128),
        create=create,
        read=read,
        update=update,
        delete=delete,
        identify=_both(kind, "name", ":"),
    )


def _attachment(kind: str) -> ResourceType:
    """`RolePolicyAttachment` and the same for groups and users; the id is `<identity>/<policy ARN>`."""
    identity = f"{kind.capitalize()}Name"

    def call(aws: Aws, verb: str, owner: str, arn: str) -> None:
        getattr(aws.client("iam"), f"{verb}_{kind}_policy")(**{identity: owner, "PolicyArn": arn})

    def create(aws: Aws, inputs: Properties) -> str:
        call(aws, "attach", inputs[kind], inputs["policyArn"])
        return f"{inputs[kind]}/{inputs['policyArn']}"

    def read(aws: Aws, identifier: str, _known: Properties) -> Properties | None:
        owner, _, arn = identifier.partition("/")
        if or_none(getattr(aws.client("iam"), f"get_{kind}"), **{identity: owner}) is None:
            return None
        attached = aws.pages("iam", f"list_attached_{kind}_policies", "AttachedPolicies", **{identity: owner})
        return {kind: owner, "policyArn": arn} if arn in {one["PolicyArn"] for one in attached} else None

    def delete(aws: Aws, identifier: str, _known: Properties) -> None:
        owner, _, arn = identifier.partition("/")
        call(aws, "detach", owner, arn)

    return ResourceType(
        type=f"aws:iam/{kind}PolicyAttachment:{kind.capitalize()}PolicyAttachment",
        inputs=frozenset({"policyArn", kind}),
        required=frozenset({"policyArn", kind}),
        validations={"policyArn": ARN},
        create=create,
        read=read,
        delete=delete,
        identify=_both(kind, "policyArn", "/"),
    )


def _both(first: str, second: str, separator: str) -> Callable[[Aws, Properties], str | None]:
    def identify(_: Aws, inputs: Properties) -> str | None:
        return f"{inputs[first]}{separator}{inputs[second]}" if inputs.get(second) else None

    return identify


_KINDS = ("role", "group", "user")
RESOURCE_TYPES = (*map(_inline_policy, _KINDS), *map(_attachment, _KINDS))
INVOKES: dict[str, Callable[[Aws, Properties], Properties]] = {}
