"""A door: both keys from one declaration, the trust in the target account and the grant in the source account."""

from collections.abc import Sequence
from typing import Any, NotRequired, TypedDict, cast

import pulumi
import pulumi_aws as aws

from twokeys.doors import PROPERTY, TRUST_AFTER_GRANT, render, resolve, symbol, symbols
from twokeys.doors.documents import (
    DoorPlan,
    door,
    grant_document,
    grant_resource,
    permissions_document,
    permissions_resource,
    symbolic_documents,
    trust_document,
)
from twokeys.doors.who import name_of, path_of

_After = pulumi.Input[Sequence[pulumi.Input[pulumi.Resource]] | pulumi.Resource] | None


class CrossAccountAccessArgs(TypedDict):
    """Who may enter which account, as which role, on what conditions."""

    source_kind: str
    """Who comes: `role`, `user`, `group` or `root` (the whole account, as far as it gets the grant)."""
    source_account_id: pulumi.Input[str]
    """The 12-digit id of the account they come from: known, unless `source_account` names its resource."""
    source_account: NotRequired[str]
    """The logical name of the account they come from, where that is a member account: of its resource, or in the
    exports of the `OtherStack` that has it."""
    target_account: str
    """The logical name of the target account's resource (`account:<name>` stands where its id will), or the id of an
    account that is no resource of this stack."""
    target_account_id: pulumi.Input[str]
    """The id of the target account."""
    role: str
    """The role to make in the target account, with its path if it has one: `deployer`, `deploy/deployer`."""
    source_provider: aws.Provider
    """The provider of the source account."""
    target_provider: aws.Provider
    """The provider of the target account."""
    source: NotRequired[str]
    """The role, user or group, with its path if it has one; left out for `root`."""
    members: NotRequired[pulumi.Input[list[str]]]
    """The users that the trust names for a group: AWS takes no group as a principal."""
    grant_to_kind: NotRequired[str]
    """For `root`: what gets the grant, `role`, `user` or `group`."""
    grant_to: NotRequired[str]
    """For `root`: who gets the grant."""
    managed_policy_arns: NotRequired[list[str]]
    """Managed policies of the role."""
    statements: NotRequired[list[dict[str, Any]]]
    """Statements of the role's inline policy."""
    permissions_boundary: NotRequired[str]
    """The ARN of the role's permissions boundary."""
    session_seconds: NotRequired[int]
    """The longest session of the role, 3600 to 43200 seconds; 3600 by default."""
    mfa: NotRequired[bool]
    """Whether the trust asks for MFA; by default it does for people (`user`, `group`)."""
    external_id: NotRequired[str]
    """The external ID that the trust asks for."""
    conditions: NotRequired[dict[str, dict[str, Any]]]
    """Further conditions of the trust: operator, key, value or values."""
    keys: NotRequired[list[str]]
    """The keys to make, `trust` and `grant` by default; one of them if the other lives elsewhere."""
    reason: NotRequired[str]
    """What the door is for."""
    owner: NotRequired[str]
    """Who answers for it."""
    expires: NotRequired[str]
    """When it closes at AWS: the end of a day in UTC, as in 2027-01-31, or a moment, as in 2027-01-31T15:00Z."""
    partition: NotRequired[str]
    """The partition that stands in ARNs, `aws` by default."""


class CrossAccountAccess(pulumi.ComponentResource):
    """A role in one account that exactly the named principals of another account can assume.

    The door is declared with symbols for the ids that are not known yet (`symbolicDocuments`, `door`), and the real
    documents are rendered from the same structure. The trust is made last, after the grant and after everything in the
    component's `depends_on`: a grant that fails or is left out leaves no role that waits for it. Pass the principals
    that the same stack makes, since AWS refuses a trust in somebody who is not there, and what proves a key that lives
    elsewhere (`OtherStack`).
    """

    role_arn: pulumi.Output[str]
    """The ARN of the role behind the door."""
    door: pulumi.Output[dict[str, Any]]
    """The door with real ids, as `ExportedDoor` describes it."""

    def __init__(self, name: str, args: CrossAccountAccessArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        plan = pulumi.Output.from_input(args.get("members", [])).apply(lambda members: _plan(name, args, members))
        # Only the members of a group can be unknown; nothing but the Principal of the trust depends on them.
        shape = _plan(name, args, [])
        documents: list[dict[str, Any]] = [each.to_props() for each in symbolic_documents(shape)]
        if shape.kind == "group" and "trust" in shape.keys:
            named = plan.apply(lambda it: trust_document(it)["Statement"][0]["Principal"])
            documents[0]["document"]["Statement"][0]["Principal"] = named
        declared = {PROPERTY: documents, "door": door(shape).to_props()}
        in_order = {TRUST_AFTER_GRANT: True} if {"trust", "grant"} <= set(shape.keys) else {}
        super().__init__("twokeys:access:CrossAccountAccess", name, {**declared, **in_order}, opts)
        self._args = args
        self._ids = pulumi.Output.all(target=args["target_account_id"], source=args["source_account_id"]).apply(
            lambda known: _ids(args, known["target"], known["source"])
        )
        after = opts.depends_on if opts else None
        grant = [self._grant(shape, after)] if "grant" in shape.keys else []
        if "trust" in shape.keys:
            self._trust(shape, plan, after, grant)
        self.role_arn = self._ids.apply(lambda ids: str(resolve(shape.role_arn, ids)))
        self.door = pulumi.Output.all(plan=plan, ids=self._ids).apply(
            lambda known: _exported(known["plan"], known["ids"])
        )
        self.register_outputs({**declared, "roleArn": self.role_arn})

    def _trust(
        self, shape: DoorPlan, plan: pulumi.Output[DoorPlan], after: _After, grant: list[pulumi.Resource]
    ) -> None:
        args, name = self._args, shape.name
        child = pulumi.ResourceOptions(parent=self, provider=args["target_provider"])
        last = pulumi.ResourceOptions.merge(
            pulumi.ResourceOptions(depends_on=after), pulumi.ResourceOptions(depends_on=grant)
        )
        role = aws.iam.Role(
            name,
            name=name_of(shape.role),
            path=path_of(shape.role),
            description=shape.reason,
            max_session_duration=shape.session_seconds,
            permissions_boundary=args.get("permissions_boundary"),
            assume_role_policy=pulumi.Output.all(plan=plan, ids=self._ids).apply(
                lambda known: render(trust_document(known["plan"]), known["ids"])
            ),
            opts=pulumi.ResourceOptions.merge(child, last),
        )
        for arn in args.get("managed_policy_arns", []):
            aws.iam.RolePolicyAttachment(f"{name}-{_policy_name(arn)}", role=role.name, policy_arn=arn, opts=child)
        if shape.statements:
            aws.iam.RolePolicy(
                permissions_resource(shape),
                name=name,
                role=role.name,
                policy=self._rendered(permissions_document(shape)),
                opts=child,
            )

    def _grant(self, shape: DoorPlan, after: _After) -> pulumi.Resource:
        args, name = self._args, grant_resource(shape)
        policy = self._rendered(grant_document(shape))
        # The engine would change a grant in place when its source moves into another account: there it is another one.
        child = pulumi.ResourceOptions(
            parent=self, provider=args["source_provider"], depends_on=after, replacement_trigger=shape.source_account
        )
        holder = name_of(shape.grantee)
        return inline_policy(name, shape.grantee_kind, holder, policy_name=shape.grant_name, policy=policy, opts=child)

    def _rendered(self, document: dict[str, Any]) -> pulumi.Input[str]:
        if not symbols(document):
            return render(document, {})  # known also in the preview of an account that does not exist yet
        return self._ids.apply(lambda ids: render(document, ids))


def inline_policy(  # noqa: PLR0913 - all but what it is called and whose it is by name
    name: str, kind: str, holder: str, *, policy_name: str, policy: pulumi.Input[str], opts: pulumi.ResourceOptions
) -> pulumi.Resource:
    """The inline policy of a `role`, a `user` or a `group`."""
    if kind == "role":
        return aws.iam.RolePolicy(name, name=policy_name, role=holder, policy=policy, opts=opts)
    if kind == "user":
        return aws.iam.UserPolicy(name, name=policy_name, user=holder, policy=policy, opts=opts)
    return aws.iam.GroupPolicy(name, name=policy_name, group=holder, policy=policy, opts=opts)


def _policy_name(arn: str) -> str:
    """A managed policy's path and name, after its account unless it is AWS's own: unique in a role."""
    account, _, path = arn.split(":", 4)[4].partition(":policy/")
    return path if account == "aws" else f"{account}-{path}"


def _plan(name: str, args: CrossAccountAccessArgs, members: list[str]) -> DoorPlan:
    kind, source = args["source_kind"], args.get("source_account")
    grantee_kind, grantee = (args["grant_to_kind"], args["grant_to"]) if kind == "root" else (kind, args["source"])
    said = {key: value for key, value in args.items() if key in DoorPlan.model_fields}
    return DoorPlan.model_validate(
        {
            "mfa": grantee_kind != "role",
            **said,
            "name": name,
            "kind": kind,
            "source_account": symbol(source) if source is not None else str(args["source_account_id"]),
            "members": members,
            "grantee_kind": grantee_kind,
            "grantee": grantee,
            "target_account": _target(args),
        }
    )


def _target(args: CrossAccountAccessArgs) -> str:
    """The target account as documents name it before its id is known; one that is there already has its id."""
    given = args["target_account"]
    return given if len(given) == 12 and given.isdigit() else symbol(given)


def _ids(args: CrossAccountAccessArgs, target_id: str, source_id: str) -> dict[str, str]:
    ids = {_target(args): target_id}
    return ids | {symbol(args["source_account"]): source_id} if "source_account" in args else ids


def _exported(plan: DoorPlan, ids: dict[str, str]) -> dict[str, Any]:
    declared = {
        "name": plan.name,
        "door": door(plan).to_props(),
        "documents": [each.to_props() for each in symbolic_documents(plan)],
    }
    return cast("dict[str, Any]", resolve(declared, ids))
