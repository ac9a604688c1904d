"""The way for emergencies: a role that few may assume, with MFA, and never unnoticed."""

import json
from collections.abc import Sequence
from typing import Any

import pulumi
import pulumi_aws as aws

from twokeys.settings.people import BreakGlassSettings


class BreakGlass(pulumi.ComponentResource):
    """A role with AdministratorAccess in the provider's account, and an alarm on every use of a role of its name.

    Within one account a trust that names a user needs no grant. The alarm hears what is assumed from this account, in
    the provider's region, for CloudTrail writes an AssumeRole of another account's role down on both sides.
    https://docs.aws.amazon.com/IAM/latest/UserGuide/cloudtrail-integration.html
    """

    role_arn: pulumi.Output[str]
    """The role's ARN."""
    topic_arn: pulumi.Output[str]
    """The ARN of the topic that every use is sent to."""
    users: list[str]
    """Who may assume the role."""

    def __init__(
        self,
        name: str,
        said: BreakGlassSettings,
        account_id: str,
        partition: str,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("twokeys:people:BreakGlass", name, {}, opts)
        child = pulumi.ResourceOptions(parent=self)
        role = aws.iam.Role(
            name,
            name=said.role,
            description="For emergencies; every use is reported",
            max_session_duration=said.session_seconds,
            assume_role_policy=json.dumps(trust_of(said.users, account_id, partition)),
            # AWS refuses a trust in a user who is not there.
            opts=pulumi.ResourceOptions(parent=self, depends_on=opts.depends_on if opts else None),
        )
        administrator = f"arn:{partition}:iam::aws:policy/AdministratorAccess"
        aws.iam.RolePolicyAttachment(name, role=role.name, policy_arn=administrator, opts=child)
        rule = aws.cloudwatch.EventRule(
            name,
            name=name,
            description=f"Somebody assumed a role {said.role}",
            event_pattern=json.dumps(pattern_of(said.role, partition)),
            # CloudTrail counts AssumeRole as read-only, and a rule that is merely enabled need not hear of that:
            # https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-service-event-cloudtrail-management.html
            state="ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS",
            opts=child,
        )
        topic = aws.sns.Topic(name, name=name, opts=child)
        policy = aws.sns.TopicPolicy(
            name,
            arn=topic.arn,
            policy=pulumi.Output.all(topic=topic.arn, rule=rule.arn).apply(
                lambda known: json.dumps(topic_policy(known["topic"], known["rule"]))
            ),
            opts=child,
        )
        aws.cloudwatch.EventTarget(
            name, rule=rule.name, arn=topic.arn, opts=pulumi.ResourceOptions(parent=self, depends_on=[policy])
        )
        for address in said.notify:
            aws.sns.TopicSubscription(
                f"{name}-{address}", topic=topic.arn, protocol="email", endpoint=address, opts=child
            )
        self.role_arn, self.topic_arn, self.users = role.arn, topic.arn, list(said.users)
        self.register_outputs({"roleArn": self.role_arn, "topicArn": self.topic_arn})


def trust_of(users: Sequence[str], account_id: str, partition: str) -> dict[str, Any]:
    """The role's trust: these users, with MFA. Pure.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_mfa_configure-api-require.html
    """
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"AWS": [f"arn:{partition}:iam::{account_id}:user/{user}" for user in users]},
                "Action": "sts:AssumeRole",
                "Condition": {"Bool": {"aws:MultiFactorAuthPresent": "true"}},
            }
        ],
    }


def pattern_of(role: str, partition: str) -> dict[str, Any]:
    """The events that are reported: every AssumeRole of a role of this name, in whichever account. Pure.

    https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html
    """
    return {
        "source": ["aws.sts"],
        "detail-type": ["AWS API Call via CloudTrail"],
        "detail": {
            "eventSource": ["sts.amazonaws.com"],
            "eventName": ["AssumeRole"],
            "requestParameters": {"roleArn": [{"wildcard": f"arn:{partition}:iam::*:role/{role}"}]},
        },
    }


def topic_policy(topic: str, rule: str) -> dict[str, Any]:
    """The topic's policy: this rule publishes, and no other. Pure.

    https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-resource-based.html#eb-sns-permissions
    """
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "AlarmOnUse",
                "Effect": "Allow",
                "Principal": {"Service": "events.amazonaws.com"},
                "Action": "sns:Publish",
                "Resource": topic,
                "Condition": {"ArnEquals": {"aws:SourceArn": rule}},
            }
        ],
    }
