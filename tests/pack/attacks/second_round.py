"""More programs that open an account by another road, and ordinary ones that must pass in silence (`fine_...`)."""

import json
from typing import Any

import pulumi
import pulumi_aws as aws
from attacks import MEMBER_OF_ANYBODY, OUTSIDER, _door, exported_door, retrusted
from scene import CI, DEPLOYER, FOREIGN, HUB, PROD, SERVICE, STAGE, Scene, arn, document, grants, text, trusts

from components.other_stack import OtherStack
from twokeys.declared import declared

ISSUER = "token.actions.githubusercontent.com"
TARGET = arn(PROD, "role/target")
WORKER = arn(STAGE, "role/worker")


# Documents in other shapes


def late_mapping(s: Scene) -> None:
    s.deployer(s.late(document(trusts(OUTSIDER))))


def late_outsider_in_a_list(s: Scene) -> None:
    key = s.grant(text(grants(DEPLOYER)), s.ci().name)
    s.deployer(document(trusts({"AWS": [CI, s.late(arn(FOREIGN, "root"))]})), depends_on=[key])


def late_session_of_an_outsider(s: Scene) -> None:
    session = f"arn:aws:sts::{FOREIGN}:assumed-role/ci/build"
    s.deployer(s.late(text(trusts({"AWS": session}))))


def late_duplicate_keys(s: Scene) -> None:
    """JSON lets a key stand twice: a reader that takes the first one sees a service only."""
    service, everyone = json.dumps(SERVICE["Principal"]), json.dumps(MEMBER_OF_ANYBODY)
    statement = f'{{"Effect": "Allow", "Principal": {service}, "Principal": {everyone}, "Action": "sts:AssumeRole"}}'
    s.deployer(s.late(f'{{"Version": "2012-10-17", "Statement": [{statement}]}}'))


def late_grant_by_not_action(s: Scene) -> None:
    s.grant(s.late(text({"Effect": "Allow", "NotAction": "s3:*", "Resource": "*"})), s.ci().name)


def late_federated_by_for_all_values(s: Scene) -> None:
    """ForAllValues holds of a token without the claim as well."""
    condition = {
        "StringEquals": {f"{ISSUER}:aud": "sts.amazonaws.com"},
        "ForAllValues:StringEquals": {f"{ISSUER}:sub": "repo:acme/app:ref:refs/heads/main"},
    }
    federated = {"Federated": arn(STAGE, f"oidc-provider/{ISSUER}")}
    statement = trusts(federated, Condition=condition) | {"Action": "sts:AssumeRoleWithWebIdentity"}
    s.deployer(s.late(text(statement)))


def name_in_another_case(s: Scene) -> None:
    """IAM compares the ARN in a trust with its case."""
    key = s.grant(text(grants(DEPLOYER)), s.ci().name)
    s.deployer(text(trusts({"AWS": arn(HUB, "role/CI")})), depends_on=[key])


# The second key of a way that is closed, by a resource that holds no document


def _closed_way(s: Scene) -> tuple[aws.iam.Role, aws.iam.Policy, aws.iam.Role]:
    """A role in stage, a policy that nobody holds yet, and a role in prod that trusts the first."""
    worker = aws.iam.Role("worker", name="worker", assume_role_policy=text(SERVICE), opts=s.at(s.stage))
    policy = aws.iam.Policy("enter", name="enter", policy=text(grants(TARGET)), opts=s.at(s.stage))
    trust = s.late(text(trusts({"AWS": WORKER})))
    target = aws.iam.Role("target", name="target", assume_role_policy=trust, opts=s.at(s.prod))
    return worker, policy, target


def late_exclusive_attachment(s: Scene) -> None:
    worker, policy, target = _closed_way(s)
    options = s.at(s.stage, depends_on=[target])
    aws.iam.RolePolicyAttachmentsExclusive("all", role_name=worker.name, policy_arns=[policy.arn], opts=options)


def late_attachment_to_many(s: Scene) -> None:
    worker, policy, target = _closed_way(s)
    options = s.at(s.stage, depends_on=[target])
    aws.iam.PolicyAttachment("many", roles=[worker.name], policy_arn=policy.arn, opts=options)


def late_role_of_a_grant(s: Scene) -> None:
    _worker, _policy, target = _closed_way(s)
    policy, options = text(grants(TARGET)), s.at(s.stage, depends_on=[target])
    aws.iam.RolePolicy("key", name="key", role=s.late("worker"), policy=policy, opts=options)


def late_role_of_a_grant_in_another_case(s: Scene) -> None:
    """IAM's API takes the name of a role in any case, while a trust names it as it is written.

    https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateRole.html
    """
    _worker, _policy, target = _closed_way(s)
    policy, options = text(grants(TARGET)), s.at(s.stage, depends_on=[target])
    aws.iam.RolePolicy("key", name="key", role=s.late("WORKER"), policy=policy, opts=options)


def late_group_grant_on_a_role_that_does_not_trust(s: Scene) -> None:
    """The group gets its grant, and then its member, after a trust that names neither it nor anybody else."""
    deployer = s.deployer(text(SERVICE))
    group = aws.iam.Group("all", name="all", opts=s.at(s.hub))
    user = aws.iam.User("alice", name="alice", opts=s.at(s.hub))
    policy, options = s.late(text(grants(DEPLOYER))), s.at(s.hub, depends_on=[deployer])
    key = aws.iam.GroupPolicy("key", name="key", group=group.name, policy=policy, opts=options)
    member = s.at(s.hub, depends_on=[key])
    aws.iam.UserGroupMembership("alice", user=user.name, groups=[group.name], opts=member)


def membership_taken_away(s: Scene) -> None:
    """Alice has the grant from a group, and leaves it: the trust that names her would stay."""
    group = aws.iam.Group("all", name="all", opts=s.at(s.hub))
    user = aws.iam.User("alice", name="alice", opts=s.at(s.hub))
    key = aws.iam.GroupPolicy("key", name="key", group=group.name, policy=text(grants(DEPLOYER)), opts=s.at(s.hub))
    after: list[pulumi.Resource] = [user, key]
    if s.step == 1:
        at = s.at(s.hub, depends_on=[key])
        after.append(aws.iam.UserGroupMembership("alice", user=user.name, groups=[group.name], opts=at))
    s.deployer(text(trusts({"AWS": arn(HUB, "user/alice")})), depends_on=after)


def late_role_of_aws_native(s: Scene) -> None:
    """The package aws-native makes a role whose trust preview does not know."""
    provider = pulumi.ProviderResource("aws-native", "native", {"region": "us-east-1", "allowedAccountIds": [HUB]})
    trust = s.late(document(trusts(MEMBER_OF_ANYBODY)))
    said = {"roleName": "open", "assumeRolePolicyDocument": trust}
    pulumi.CustomResource("aws-native:iam:Role", "open", said, pulumi.ResourceOptions(provider=provider))


# Two stacks


def other_stack(s: Scene) -> None:
    """The stack that the next two refer to: at first it has a role with a grant, then it has neither any more."""
    doors = [exported_door(HUB, "ci")] if s.step == 1 else []
    if s.step == 1:
        s.grant(text(grants(DEPLOYER)), s.ci().name)
    pulumi.export("doors", doors)
    pulumi.export("parent_account_id", HUB)


def joined_by_a_reference(s: Scene) -> None:
    other = OtherStack("other", {"stack": "organization/attacks/other"})
    aws.iam.Role(
        "deployer",
        name="deployer",
        assume_role_policy=_after_it_is_shown(other, trusts({"AWS": CI})),
        tags={"step": str(s.step)},
        opts=s.at(s.stage),
    )


def _after_it_is_shown(other: OtherStack, statement: dict[str, Any]) -> pulumi.Output[str]:
    """A component without children is waited for by its URN alone."""
    return other.urn.apply(lambda _urn: text(statement))


def rewritten_reference(s: Scene) -> None:
    """The program adds to what the other stack exports: a grant of an outsider, which makes it one of ours."""
    reference = pulumi.StackReference("organization/attacks/other")
    said = reference.outputs.apply(lambda outputs: {**outputs, "doors": [exported_door(FOREIGN, "x")]})
    other = OtherStack("other", {"stack": "organization/attacks/other", "outputs": said})
    s.deployer(_after_it_is_shown(other, trusts({"AWS": arn(FOREIGN, "role/x")})))


# Transforms and providers


def late_transformed_grant(s: Scene) -> None:
    late = s.late(text(grants("*")))

    def widen(args: pulumi.ResourceTransformArgs) -> pulumi.ResourceTransformResult | None:
        if args.type_ != "aws:iam/rolePolicy:RolePolicy":
            return None
        return pulumi.ResourceTransformResult({**args.props, "policy": late}, args.opts)

    pulumi.runtime.register_resource_transform(widen)
    s.grant(text(grants(DEPLOYER)), s.ci().name)


def transformed_provider(s: Scene) -> None:
    """The declared role is made in another account than it is declared for."""
    prod = s.prod

    def move(args: pulumi.ResourceTransformArgs) -> pulumi.ResourceTransformResult | None:
        if args.type_ != "aws:iam/role:Role" or args.name != "door":
            return None
        options = pulumi.ResourceOptions.merge(args.opts, pulumi.ResourceOptions(provider=prod))
        return pulumi.ResourceTransformResult(args.props, options)

    _door(s, transforms=[move])


def late_provider(s: Scene) -> None:
    """Preview does not know which account it works in: it is prod."""
    worker = aws.iam.Role("worker", name="worker", assume_role_policy=text(SERVICE), opts=s.at(s.stage))
    key = aws.iam.RolePolicy("key", name="key", role=worker.name, policy=text(grants(TARGET)), opts=s.at(s.stage))
    late = aws.Provider(
        "late",
        region="us-east-1",
        assume_roles=[aws.ProviderAssumeRoleArgs(role_arn=s.late(arn(PROD, "role/OrganizationAccountAccessRole")))],
        allowed_account_ids=[s.late(PROD)],
    )
    trust = text(trusts({"AWS": WORKER}))
    aws.iam.Role("target", name="target", assume_role_policy=trust, opts=s.at(late, depends_on=[key]))


# Several runs


def changed_managed_policy(s: Scene) -> None:
    """A new version of a policy that is attached already."""
    said = text(grants("*", action="s3:GetObject")) if s.step == 1 else s.late(text(grants("*")))
    policy = aws.iam.Policy("shared", name="shared", policy=said, opts=s.at(s.hub))
    aws.iam.RolePolicyAttachment("shared", role=s.ci().name, policy_arn=policy.arn, opts=s.at(s.hub))


def replaced_after_deletion(s: Scene) -> None:
    name, trust = ("first", text(SERVICE)) if s.step == 1 else ("second", s.late(text(trusts(OUTSIDER))))
    options = s.at(s.stage, delete_before_replace=True)
    aws.iam.Role("deployer", name=name, assume_role_policy=trust, opts=options)


def renamed_source(s: Scene) -> None:
    """The trust goes on naming a role that is called otherwise from now on: whoever makes that name anew comes in."""
    name = "ci" if s.step == 1 else "build"
    ci = aws.iam.Role("ci", name=name, assume_role_policy=text(SERVICE), opts=s.at(s.hub))
    s.deployer(text(trusts({"AWS": CI})), depends_on=[s.grant(text(grants(DEPLOYER)), ci.name)])


def ignored_inline_policy(s: Scene) -> None:
    """The first run (without a pack) grants everything; the second claims to grant little, and ignores that."""
    said = text(grants("*" if s.step == 1 else DEPLOYER))
    aws.iam.Role(
        "ci",
        name="ci",
        assume_role_policy=text(SERVICE),
        inline_policies=[aws.iam.RoleInlinePolicyArgs(name="enter", policy=said)],
        tags={"step": str(s.step)},
        opts=s.at(s.hub, ignore_changes=["inlinePolicies"]),
    )


def imported_and_ignored(s: Scene) -> None:
    """What is there is open; the program claims a service, and ignores the difference."""
    options = s.at(s.stage, import_="open", ignore_changes=["assumeRolePolicy"])
    role = aws.iam.Role("open", name="open", assume_role_policy=text(SERVICE), opts=options)
    _after(s, role)


def imported_open(s: Scene) -> None:
    options = s.at(s.stage, import_="open")
    role = aws.iam.Role("open", name="open", assume_role_policy=text(trusts(MEMBER_OF_ANYBODY)), opts=options)
    _after(s, role)


def _after(s: Scene, role: aws.iam.Role) -> None:
    aws.iam.Role("after", name="after", assume_role_policy=text(SERVICE), opts=s.at(s.stage, depends_on=[role]))


# In order


def _service(name: str) -> dict[str, Any]:
    return trusts({"Service": name})


def _allow(action: Any, *resources: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": list(resources)}


def _alone(s: Scene) -> pulumi.ResourceOptions:
    return s.at(s.hub)


def fine_roles_for_service_accounts(s: Scene) -> None:
    """EKS: the cluster's own identity provider, known only once the cluster is there."""
    at = _alone(s)
    cluster_role = aws.iam.Role("cluster", assume_role_policy=text(_service("eks.amazonaws.com")), opts=at)
    policy = "arn:aws:iam::aws:policy/AmazonEKSClusterPolicy"
    aws.iam.RolePolicyAttachment("cluster", role=cluster_role.name, policy_arn=policy, opts=at)
    issuer = s.late("oidc.eks.us-east-1.amazonaws.com/id/EXAMPLED539D4633E53DE1B71EXAMPLE")
    url = issuer.apply(lambda known: f"https://{known}")
    provider = aws.iam.OpenIdConnectProvider("eks", url=url, client_id_lists=["sts.amazonaws.com"], opts=at)
    trust = pulumi.Output.all(provider.arn, issuer).apply(
        lambda known: text(
            trusts(
                {"Federated": known[0]},
                Condition={
                    "StringEquals": {
                        f"{known[1]}:aud": "sts.amazonaws.com",
                        f"{known[1]}:sub": "system:serviceaccount:kube-system:aws-node",
                    }
                },
            )
            | {"Action": "sts:AssumeRoleWithWebIdentity"}
        )
    )
    role = aws.iam.Role("aws-node", assume_role_policy=trust, opts=at)
    queue = aws.sqs.Queue("interruptions", opts=at)
    hears = aws.iam.get_policy_document(  # not the `_output` of it, as many programs have it
        statements=[aws.iam.GetPolicyDocumentStatementArgs(actions=["sqs:ReceiveMessage"], resources=[queue.arn])],  # type: ignore[list-item]
        opts=pulumi.InvokeOptions(provider=at.provider),
    )
    aws.iam.RolePolicy("interruptions", role=role.id, policy=hears.json, opts=at)


def fine_function_with_a_queue(s: Scene) -> None:
    at = _alone(s)
    queue = aws.sqs.Queue("jobs", opts=at)
    role = aws.iam.Role("worker", assume_role_policy=text(_service("lambda.amazonaws.com")), opts=at)
    receive = ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"]
    aws.iam.RolePolicy(
        "queue", role=role.id, policy=queue.arn.apply(lambda known: text(_allow(receive, known))), opts=at
    )
    basic = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"
    aws.iam.RolePolicyAttachment("logs", role=role.name, policy_arn=basic, opts=at)


def fine_containers(s: Scene) -> None:
    at = _alone(s)
    trust = text(_service("ecs-tasks.amazonaws.com"))
    execution = aws.iam.Role("execution", assume_role_policy=trust, opts=at)
    basic = "arn:aws:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy"
    aws.iam.RolePolicyAttachment("execution", role=execution.name, policy_arn=basic, opts=at)
    task = aws.iam.Role("task", assume_role_policy=trust, opts=at)
    topic = aws.sns.Topic("events", opts=at)
    aws.iam.RolePolicy(
        "task", role=task.id, policy=topic.arn.apply(lambda known: text(_allow("sns:Publish", known))), opts=at
    )


def fine_state_machine(s: Scene) -> None:
    at = _alone(s)
    source = {"StringEquals": {"aws:SourceAccount": HUB}}
    role = aws.iam.Role(
        "steps", assume_role_policy=text(_service("states.amazonaws.com") | {"Condition": source}), opts=at
    )
    topic = aws.sns.Topic("done", opts=at)
    runs = pulumi.Output.json_dumps(
        document(
            _allow(["lambda:InvokeFunction"], f"arn:aws:lambda:us-east-1:{HUB}:function:step-*"),
            {"Effect": "Allow", "Action": "sns:Publish", "Resource": topic.arn},
            _allow("iam:PassRole", role.arn),
        )
    )
    aws.iam.RolePolicy("steps", role=role.id, policy=runs, opts=at)


def fine_replication_into_another_account(s: Scene) -> None:
    """The bucket in stage lets the hub's replication role write; nobody enters an account."""
    at = s.at(s.hub)
    role = aws.iam.Role(
        "replication", name="replication", assume_role_policy=text(_service("s3.amazonaws.com")), opts=at
    )
    writes = _allow(["s3:ReplicateObject", "s3:ReplicateDelete"], "arn:aws:s3:::acme-copy/*")
    aws.iam.RolePolicy("replication", role=role.id, policy=text(writes), opts=at)
    lets = {
        "Effect": "Allow",
        "Principal": {"AWS": role.arn},
        "Action": ["s3:ReplicateObject", "s3:ObjectOwnerOverrideToBucketOwner"],
        "Resource": "arn:aws:s3:::acme-copy/*",
    }
    aws.s3.BucketPolicy("copy", bucket="acme-copy", policy=pulumi.Output.json_dumps(document(lets)), opts=s.at(s.stage))


def fine_accepted_third_party(s: Scene) -> None:
    """Datadog with its external ID; the pack's configuration names it."""
    trust = trusts(
        {"AWS": arn("464622532012", "root")}, Condition={"StringEquals": {"sts:ExternalId": "0123456789abcdef"}}
    )
    role = aws.iam.Role("datadog", name="datadog", assume_role_policy=text(trust), opts=s.at(s.hub))
    aws.iam.RolePolicy(
        "read", role=role.id, policy=text(_allow(["cloudwatch:Get*", "ec2:Describe*"], "*")), opts=s.at(s.hub)
    )


# Declared in a program of one's own


def _declared_door(s: Scene) -> None:
    """Both documents wait for a topic, whose name is the external ID; they are declared, so preview proves the door."""
    ci = s.ci()
    enter, grants_it = declared(
        aws.iam.RolePolicy, "enter", document(grants(DEPLOYER), _allow("sns:Publish", s.late("arn:aws:sns:::late"))),
        account=HUB, name="enter", role="ci",
    )  # fmt: skip
    options = s.at(s.hub, parent=grants_it, depends_on=[ci])
    key = aws.iam.RolePolicy("enter", name="enter", role="ci", policy=enter, opts=options)
    condition = {"StringEquals": {"sts:ExternalId": s.late("late")}}
    trust, lets_in = declared(
        aws.iam.Role, "deployer", document(trusts({"AWS": CI}, Condition=condition)), account=STAGE, name="deployer"
    )
    options = s.at(s.stage, parent=lets_in, depends_on=[key])
    aws.iam.Role("deployer", name="deployer", assume_role_policy=trust, opts=options)


def declared_half(s: Scene) -> None:
    """The trust waits for a topic as well, but it is declared: preview sees that nobody grants it."""
    s.ci()
    condition = {"StringEquals": {"sts:ExternalId": s.late("late")}}
    trust, parent = declared(
        aws.iam.Role, "deployer", document(trusts({"AWS": CI}, Condition=condition)), account=STAGE, name="deployer"
    )
    aws.iam.Role("deployer", name="deployer", assume_role_policy=trust, opts=s.at(s.stage, parent=parent))


def fine_declared_documents(s: Scene) -> None:
    _declared_door(s)


def late_difference_from_what_is_declared(s: Scene) -> None:
    pulumi.runtime.register_resource_transform(retrusted(s.late(text(trusts(OUTSIDER))), "deployer"))
    _declared_door(s)
