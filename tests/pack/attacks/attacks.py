"""Programs that open an account, or leave half a door, and those in order that look alike (`fine_...`).

`known` of a program is `s.late` where preview does not know its documents.
"""

import json
from typing import Any

import pulumi
import pulumi_aws as aws
from scene import CI, DEPLOYER, FOREIGN, HUB, PROD, SERVICE, STAGE, Scene, arn, document, grants, text, trusts

from components.cross_account_access import CrossAccountAccess
from twokeys.doors import OTHER_STACK

MEMBER_OF_ANYBODY = {"AWS": "*"}
OUTSIDER = {"AWS": arn(FOREIGN, "root")}


# What preview knows


def everyone(s: Scene) -> None:
    s.deployer(text(trusts(MEMBER_OF_ANYBODY)))


def everyone_with_an_external_id(s: Scene) -> None:
    s.deployer(text(trusts(MEMBER_OF_ANYBODY, Condition={"StringEquals": {"sts:ExternalId": "x"}})))


def outsider(s: Scene, known: Any = str) -> None:
    s.deployer(known(text(trusts(OUTSIDER))))


def outsider_among_ours(s: Scene) -> None:
    ci = s.ci()
    s.grant(text(grants(DEPLOYER)), ci.name)
    s.deployer(text(trusts({"AWS": [CI, arn(FOREIGN, "role/ci")]})))


def trust_without_grant(s: Scene) -> None:
    s.ci()
    s.deployer(text(trusts({"AWS": CI})))


def grant_without_trust(s: Scene) -> None:
    ci = s.ci()
    s.grant(text(grants(DEPLOYER)), ci.name)
    s.deployer(text(SERVICE))


class _SaysItIsAnotherStack(pulumi.ComponentResource):
    def __init__(self, outputs: Any) -> None:
        said = {"name": "organization/vendor/prod", "outputs": outputs}
        super().__init__(OTHER_STACK, "vendor", said)
        self.register_outputs(said)


def exported_door(account: str, role: str) -> dict[str, Any]:
    """A door into stage as a stack exports it, with the grant of a role of that account."""
    place = {"type": "aws:iam/rolePolicy:RolePolicy", "name": "grant", "account": account, "property": "policy"}
    said = {**place, "properties": {"role": role, "name": "grant"}, "document": document(grants(DEPLOYER))}
    source, target = {"kind": "role", "account": account, "names": [role]}, {"account": STAGE, "role": "deployer"}
    return {"name": "d", "door": {"name": "d", "source": source, "target": target}, "documents": [said]}


def outsider_by_a_forged_stack(s: Scene) -> None:
    _SaysItIsAnotherStack(pulumi.Output.from_input({"doors": [exported_door(FOREIGN, "x")]}))
    s.deployer(text(trusts({"AWS": arn(FOREIGN, "role/x")})))


def wildcard_grant(s: Scene) -> None:
    s.grant(text(grants("*")), s.ci().name)


def wildcard_in_a_managed_policy(s: Scene) -> None:
    policy = aws.iam.Policy("wide", name="wide", policy=text(grants("*")), opts=s.at(s.hub))
    aws.iam.RolePolicyAttachment("wide", role=s.ci().name, policy_arn=policy.arn, opts=s.at(s.hub))


def wildcard_in_inline_policies(s: Scene) -> None:
    s.ci(inline_policies=[aws.iam.RoleInlinePolicyArgs(name="wide", policy=text(grants("*")))])


def trust_as_a_mapping_in_an_account_to_come(s: Scene) -> None:
    _account, new = s.new_account()
    ci = s.ci()
    statement = trusts({"AWS": ci.arn})
    aws.iam.Role("payroll", name="payroll", assume_role_policy=document(statement), opts=s.at(new))


def trust_in_an_account_to_come(s: Scene) -> None:
    account, _new = s.new_account()
    trust = account.id.apply(lambda known: text(trusts({"AWS": arn(known, "root")})))
    aws.iam.Role("payroll", name="payroll", assume_role_policy=trust, opts=s.at(s.hub))


def cloud_control(s: Scene, known: Any = str) -> None:
    state = {"RoleName": "open", "AssumeRolePolicyDocument": document(trusts(MEMBER_OF_ANYBODY))}
    aws.cloudcontrol.Resource(
        "open", type_name="AWS::IAM::Role", desired_state=known(json.dumps(state)), opts=s.at(s.stage)
    )


def stack_set(s: Scene) -> None:
    role = {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": document(trusts(MEMBER_OF_ANYBODY))}}
    aws.cloudformation.StackSet(
        "open",
        name="open",
        permission_model="SERVICE_MANAGED",
        auto_deployment=aws.cloudformation.StackSetAutoDeploymentArgs(enabled=True),
        capabilities=["CAPABILITY_NAMED_IAM"],
        template_body=json.dumps({"Resources": {"R": role}}),
        opts=s.at(s.hub),
    )


def account_that_a_change_would_replace(s: Scene) -> None:
    member = pulumi.ComponentResource("twokeys:accounts:MemberAccount", "new")
    aws.organizations.Account("new", name="new", email="a+new@example.com", opts=s.at(s.hub, parent=member))


def github_without_a_subject(s: Scene) -> None:
    issuer = "token.actions.githubusercontent.com"
    audience = {"StringEquals": {f"{issuer}:aud": "sts.amazonaws.com"}}
    federated = {"Federated": arn(STAGE, f"oidc-provider/{issuer}")}
    statement = trusts(federated, Condition=audience) | {"Action": "sts:AssumeRoleWithWebIdentity"}
    s.deployer(text(statement))


def stage_into_prod(s: Scene, known: Any = str) -> None:
    worker = aws.iam.Role("worker", name="worker", assume_role_policy=text(SERVICE), opts=s.at(s.stage))
    policy = known(text(grants(arn(PROD, "role/target"))))
    key = aws.iam.RolePolicy("key", name="key", role=worker.name, policy=policy, opts=s.at(s.stage))
    trust = known(text(trusts({"AWS": arn(STAGE, "role/worker")})))
    aws.iam.Role("target", name="target", assume_role_policy=trust, opts=s.at(s.prod, depends_on=[key]))


# What preview does not know: only the update can refuse it. The gate is shown values then, as it is of the programs
# above, so that one of those has a second form here only where what holds the value is of a kind of its own.


def late_outsider(s: Scene) -> None:
    outsider(s, s.late)


def late_outsider_by_condition(s: Scene) -> None:
    only = {"StringEquals": {"aws:PrincipalAccount": FOREIGN}}
    s.deployer(s.late(text(trusts(MEMBER_OF_ANYBODY, Condition=only))))


def late_not_principal(s: Scene) -> None:
    statement = {"Effect": "Allow", "NotPrincipal": {"AWS": arn(FOREIGN, "root")}, "Action": "sts:AssumeRole"}
    s.deployer(s.late(text(statement)))


def late_leaf_of_a_document(s: Scene) -> None:
    s.deployer(pulumi.Output.json_dumps(document(trusts({"AWS": s.late(arn(FOREIGN, "root"))}))))


def late_managed_policy_arns(s: Scene) -> None:
    policy = aws.iam.Policy("wide", name="wide", policy=s.late(text(grants("*"))), opts=s.at(s.hub))
    s.ci(managed_policy_arns=[policy.arn])


def late_policy_attached_to_many(s: Scene) -> None:
    ci = s.ci()
    policy = aws.iam.Policy("wide", name="wide", policy=s.late(text(grants("*"))), opts=s.at(s.hub))
    aws.iam.PolicyAttachment("wide", roles=[ci.name], policy_arn=policy.arn, opts=s.at(s.hub))


def late_group_policy(s: Scene) -> None:
    group = aws.iam.Group("all", name="all", opts=s.at(s.hub))
    aws.iam.GroupPolicy("wide", name="wide", group=group.name, policy=s.late(text(grants("*"))), opts=s.at(s.hub))


def late_user_policy(s: Scene) -> None:
    user = aws.iam.User("alice", name="alice", opts=s.at(s.hub))
    aws.iam.UserPolicy("wide", name="wide", user=user.name, policy=s.late(text(grants("*"))), opts=s.at(s.hub))


def late_grant_on_a_role_that_does_not_trust(s: Scene) -> None:
    ci, deployer = s.ci(), s.deployer(text(SERVICE))
    s.grant(s.late(text(grants(DEPLOYER))), ci.name, depends_on=[deployer])


def late_way_from_stage_into_prod(s: Scene) -> None:
    stage_into_prod(s, s.late)


def late_cloud_control(s: Scene) -> None:
    cloud_control(s, s.late)


# Declarations


class _Door(pulumi.ComponentResource):
    """A component that declares one trust in an account to come, and says what it likes."""

    def __init__(self, name: str, new: aws.Provider, said: list[dict[str, Any]]) -> None:
        documents = [
            {
                "type": "aws:iam/role:Role",
                "name": "payroll",
                "account": "account:new",
                "property": "assumeRolePolicy",
                "properties": {"name": "payroll", "path": "/"},
                "document": document(statement),
            }
            for statement in said
        ]
        super().__init__("test:doors:Door", name, {"symbolicDocuments": documents})
        self.new = new

    def role(self, trust: Any) -> None:
        options = pulumi.ResourceOptions(parent=self, provider=self.new)
        aws.iam.Role("payroll", name="payroll", path="/", assume_role_policy=trust, opts=options)


def false_declaration(s: Scene) -> None:
    account, new = s.new_account()
    real = account.id.apply(lambda _known: text(trusts(MEMBER_OF_ANYBODY)))
    _Door("door", new, [SERVICE]).role(real)


def contradictory_declarations(s: Scene) -> None:
    account, new = s.new_account()
    real = account.id.apply(lambda _known: text(trusts(MEMBER_OF_ANYBODY)))
    _Door("door", new, [trusts(MEMBER_OF_ANYBODY), SERVICE]).role(real)


# The product's own component, and what one can do to it


def _door(s: Scene, **options: Any) -> None:
    account, new = s.new_account()
    ci = s.ci()
    CrossAccountAccess(
        "door",
        {
            "source_kind": "role",
            "source": "ci",
            "source_account_id": HUB,
            "target_account": "new",
            "target_account_id": account.id,
            "role": "deployer",
            "source_provider": s.hub,
            "target_provider": new,
        },
        pulumi.ResourceOptions(depends_on=[ci], **options),
    )


def component(s: Scene) -> None:
    """In order as it is; left out, targeted or transformed by what the command line or the program adds."""
    _door(s)


def retrusted(trust: Any, name: str = "door") -> Any:
    """A transform that gives the role of this name another trust policy."""

    def change(args: pulumi.ResourceTransformArgs) -> pulumi.ResourceTransformResult | None:
        if args.type_ != "aws:iam/role:Role" or args.name != name:
            return None
        return pulumi.ResourceTransformResult({**args.props, "assumeRolePolicy": trust}, args.opts)

    return change


def transformed_trust(s: Scene, known: Any = str) -> None:
    _door(s, transforms=[retrusted(known(text(trusts(MEMBER_OF_ANYBODY))))])


def late_transformed_trust(s: Scene) -> None:
    transformed_trust(s, s.late)


# Several runs


def ignored_change(s: Scene) -> None:
    """The first run (without a pack) opens; the second claims to close, and ignores its own change."""
    trust = text(trusts(MEMBER_OF_ANYBODY if s.step == 1 else {"Service": "ec2.amazonaws.com"}))
    options = s.at(s.stage, ignore_changes=["assumeRolePolicy"])
    aws.iam.Role("deployer", name="deployer", assume_role_policy=trust, tags={"step": str(s.step)}, opts=options)


def changed_trust(s: Scene) -> None:
    s.deployer(text(SERVICE) if s.step == 1 else s.late(text(trusts(MEMBER_OF_ANYBODY))))


def changed_grant(s: Scene) -> None:
    ci = s.ci()
    s.grant(text(grants("*", action="s3:GetObject")) if s.step == 1 else s.late(text(grants("*"))), ci.name)


def replaced_role(s: Scene) -> None:
    name, trust = ("first", text(SERVICE)) if s.step == 1 else ("second", s.late(text(trusts(OUTSIDER))))
    aws.iam.Role("deployer", name=name, assume_role_policy=trust, opts=s.at(s.stage))


def renamed_resource(s: Scene) -> None:
    if s.step == 1:
        s.deployer(text(SERVICE))
    else:
        options = s.at(s.stage, aliases=[pulumi.Alias(name="deployer")])
        trust = s.late(text(trusts(MEMBER_OF_ANYBODY)))
        aws.iam.Role("moved", name="deployer", assume_role_policy=trust, opts=options)


def imported_role(s: Scene) -> None:
    trust = text(trusts(MEMBER_OF_ANYBODY))
    options = s.at(s.stage, import_="open", protect=False)
    aws.iam.Role("open", name="open", assume_role_policy=trust, opts=options)


def grant_taken_away(s: Scene) -> None:
    ci = s.ci()
    after = [s.grant(text(grants(DEPLOYER)), ci.name)] if s.step == 1 else []
    s.deployer(text(trusts({"AWS": CI})), depends_on=after)


# In order


def fine_two_keys(s: Scene) -> None:
    ci = s.ci()
    s.deployer(text(trusts({"AWS": CI})), depends_on=[s.grant(text(grants(DEPLOYER)), ci.name)])


def fine_late_keys(s: Scene) -> None:
    """Both keys wait for something: the trust comes first, then the grant."""
    ci = s.ci()
    role = s.deployer(s.late(text(trusts({"AWS": CI}))), depends_on=[ci])  # AWS refuses a trust in who is not there
    s.grant(role.arn.apply(lambda known: text(grants(known))), ci.name)


def fine_bucket_policy(s: Scene) -> None:
    bucket = aws.sns.Topic("topic", opts=s.at(s.hub))
    policy = bucket.arn.apply(lambda known: text(grants(known, action="sns:Publish")))
    s.grant(policy, s.ci().name)


def fine_names_made_up(_: Scene) -> None:
    """A role whose name the provider makes up is handed to pods, below a boundary that allows everything of STS."""
    boundary = aws.iam.Policy("limit", name="limit", policy=text(grants("*", action="sts:*")))
    pods = trusts({"Service": "pods.eks.amazonaws.com"}, Action=["sts:AssumeRole", "sts:TagSession"])
    role = aws.iam.Role("pods", assume_role_policy=text(pods), permissions_boundary=boundary.arn)
    names = {"cluster_name": "c", "namespace": "n", "service_account": "s"}
    aws.eks.PodIdentityAssociation("pods", role_arn=role.arn, **names)


def fine_own_account(_: Scene) -> None:
    """No provider at all: one role may be assumed by another of the same account, whose ARN comes late."""
    first = aws.iam.Role("first", assume_role_policy=text(SERVICE))
    trust = first.arn.apply(lambda known: text(trusts({"AWS": known})))
    aws.iam.Role("second", assume_role_policy=trust)
