"""What AWS's own managed policies say of `sts:AssumeRole`, as far as it is a published fact.

https://docs.aws.amazon.com/aws-managed-policy/latest/reference/policy-list.html shows each policy's document. Only what
bears on `sts:AssumeRole` is kept; a policy that is not listed here is UNKNOWN, never taken to be harmless.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

_ARN = re.compile(r"arn:[^:]+:iam::aws:policy/(?:.*/)?([^/]+)")

_EVERYTHING: Mapping[str, object] = {"Effect": "Allow", "Action": "*", "Resource": "*"}
_GRANTS: Mapping[str, Mapping[str, object]] = {
    "AdministratorAccess": _EVERYTHING,
    "AWSDenyAll": {"Effect": "Deny", "Action": "*", "Resource": "*"},
    "PowerUserAccess": {
        "Effect": "Allow",
        "NotAction": ["iam:*", "organizations:*", "account:*"],
        "Resource": "*",
    },
}
_NO_ASSUME_ROLE = frozenset(
    {
        "AmazonAPIGatewayInvokeFullAccess",
        "AmazonAPIGatewayPushToCloudWatchLogs",
        "AmazonAthenaFullAccess",
        "AmazonDynamoDBFullAccess",
        "AmazonDynamoDBReadOnlyAccess",
        "AmazonEBSCSIDriverPolicy",
        "AmazonEC2ContainerRegistryFullAccess",
        "AmazonEC2ContainerRegistryPowerUser",
        "AmazonEC2ContainerRegistryReadOnly",
        "AmazonEC2ContainerServiceforEC2Role",
        "AmazonEC2FullAccess",
        "AmazonEC2ReadOnlyAccess",
        "AmazonECS_FullAccess",
        "AmazonECSTaskExecutionRolePolicy",
        "AmazonEKS_CNI_Policy",
        "AmazonEKSClusterPolicy",
        "AmazonEKSServicePolicy",
        "AmazonEKSVPCResourceController",
        "AmazonEKSWorkerNodePolicy",
        "AmazonElastiCacheFullAccess",
        "AmazonElastiCacheReadOnlyAccess",
        "AmazonKinesisFullAccess",
        "AmazonKinesisReadOnlyAccess",
        "AmazonRDSEnhancedMonitoringRole",
        "AmazonRDSFullAccess",
        "AmazonRDSReadOnlyAccess",
        "AmazonRoute53FullAccess",
        "AmazonRoute53ReadOnlyAccess",
        "AmazonS3FullAccess",
        "AmazonS3ReadOnlyAccess",
        "AmazonSNSFullAccess",
        "AmazonSNSReadOnlyAccess",
        "AmazonSQSFullAccess",
        "AmazonSQSReadOnlyAccess",
        "AmazonSSMFullAccess",
        "AmazonSSMManagedInstanceCore",
        "AmazonSSMReadOnlyAccess",
        "AmazonVPCFullAccess",
        "AmazonVPCReadOnlyAccess",
        "AWSBillingReadOnlyAccess",
        "AWSCertificateManagerFullAccess",
        "AWSCertificateManagerReadOnly",
        "AWSCloudFormationFullAccess",
        "AWSCloudFormationReadOnlyAccess",
        "AWSCloudTrail_ReadOnlyAccess",
        "AWSKeyManagementServicePowerUser",
        "AWSLambda_FullAccess",
        "AWSLambda_ReadOnlyAccess",
        "AWSLambdaBasicExecutionRole",
        "AWSLambdaDynamoDBExecutionRole",
        "AWSLambdaKinesisExecutionRole",
        "AWSLambdaSQSQueueExecutionRole",
        "AWSLambdaVPCAccessExecutionRole",
        "AWSOrganizationsFullAccess",
        "AWSOrganizationsReadOnlyAccess",
        "AWSSupportAccess",
        "AWSXRayDaemonWriteAccess",
        "Billing",
        "CloudWatchAgentServerPolicy",
        "CloudWatchFullAccess",
        "CloudWatchFullAccessV2",
        "CloudWatchLambdaInsightsExecutionRolePolicy",
        "CloudWatchLogsFullAccess",
        "CloudWatchLogsReadOnlyAccess",
        "CloudWatchReadOnlyAccess",
        "ElasticLoadBalancingFullAccess",
        "ElasticLoadBalancingReadOnly",
        "IAMFullAccess",
        "IAMReadOnlyAccess",
        "IAMUserChangePassword",
        "ReadOnlyAccess",
        "SecretsManagerReadWrite",
        "SecurityAudit",
        "ViewOnlyAccess",
    }
)


def is_aws_managed(arn: str) -> bool:
    """Whether an ARN is that of a policy which AWS owns."""
    return _ARN.fullmatch(arn) is not None


def statements(arn: str) -> tuple[Mapping[str, object], ...] | None:
    """The statements of an AWS-managed policy that bear on `sts:AssumeRole`; None if they are not known here."""
    found = _ARN.fullmatch(arn)
    name = found.group(1) if found else ""
    if name in _GRANTS:
        return (_GRANTS[name],)
    return () if name in _NO_ASSUME_ROLE else None
