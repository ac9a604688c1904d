"""Every table of ours is measured against the classes of the pulumi-aws SDK: no property is forgotten or invented."""

from __future__ import annotations

import importlib
import inspect
import re

import pytest

from twokeys.sandbox.aws.catalogue import INVOKES, RESOURCE_TYPES
from twokeys.sandbox.aws.resource_type import ResourceType

# Importing pulumi_aws.s3 warns of classes of its own that are deprecated.
pytestmark = pytest.mark.filterwarnings("ignore:.*has been deprecated:DeprecationWarning")

# Declared by the SDK, not known to the local AWS or deprecated there, and named as unsupported when a program sets it.
NOT_OURS = {
    "aws:s3/bucket:Bucket": {
        "accelerationStatus",
        "acl",
        "bucketNamespace",
        "corsRules",
        "grants",
        "lifecycleRules",
        "logging",
        "objectLockConfiguration",
        "policy",
        "replicationConfiguration",
        "requestPayer",
        "serverSideEncryptionConfiguration",
        "versioning",
        "website",
    },
    "aws:s3/bucketV2:BucketV2": {
        "accelerationStatus",
        "acl",
        "bucketNamespace",
        "corsRules",
        "grants",
        "lifecycleRules",
        "loggings",
        "objectLockConfiguration",
        "policy",
        "replicationConfigurations",
        "requestPayer",
        "serverSideEncryptionConfigurations",
        "versionings",
        "websites",
    },
    "aws:s3/bucketVersioning:BucketVersioning": {"expectedBucketOwner"},
    "aws:s3/bucketVersioningV2:BucketVersioningV2": {"expectedBucketOwner"},
    "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration": {"expectedBucketOwner", "timeouts"},
    "aws:s3/bucketLifecycleConfigurationV2:BucketLifecycleConfigurationV2": {"expectedBucketOwner", "timeouts"},
    "aws:s3/bucketObjectLockConfiguration:BucketObjectLockConfiguration": {"expectedBucketOwner", "token"},
    "aws:s3/bucketObjectLockConfigurationV2:BucketObjectLockConfigurationV2": {"expectedBucketOwner", "token"},
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration": {"expectedBucketOwner"},
    "aws:s3/bucketServerSideEncryptionConfigurationV2:BucketServerSideEncryptionConfigurationV2": {
        "expectedBucketOwner"
    },
    "aws:cloudtrail/trail:Trail": {"insightSelectors"},
    "aws:kms/key:Key": {"customKeyStoreId", "xksKeyId"},
    "aws:kms/alias:Alias": {"namePrefix"},
    "aws:sns/topic:Topic": {
        *(
            f"{protocol}{outcome}"
            for protocol in ("application", "firehose", "http", "lambda", "sqs")
            for outcome in ("FailureFeedbackRoleArn", "SuccessFeedbackRoleArn", "SuccessFeedbackSampleRate")
        ),
        "archivePolicy",
        "contentBasedDeduplication",
        "fifoTopic",
        "fifoThroughputScope",
        "maximumMessageSize",
    },
    "aws:cloudwatch/eventRule:EventRule": {"isEnabled", "roleArn"},
    "aws:cloudwatch/eventTarget:EventTarget": {
        "appsyncTarget",
        "batchTarget",
        "ecsTarget",
        "httpTarget",
        "kinesisTarget",
        "redshiftTarget",
        "runCommandTargets",
        "sagemakerPipelineTarget",
        "sqsTarget",
    },
    "aws:cloudwatch/metricAlarm:MetricAlarm": {
        "evaluateLowSampleCountPercentiles",
        "evaluationCriteria",
        "evaluationInterval",
        "evaluationWindow",
        "metricQueries",
        "thresholdMetricId",
        "warmUpConfiguration",
    },
    "aws:budgets/budget:Budget": {
        "autoAdjustData",
        "billingViewArn",
        "filterExpression",
        "metrics",
        "plannedLimits",
    },
    "aws:bcmdata/export:Export": {"timeouts"},
    "aws:ec2/defaultVpc:DefaultVpc": {
        "assignGeneratedIpv6CidrBlock",
        "enableNetworkAddressUsageMetrics",
        "ipv6CidrBlock",
        "ipv6CidrBlockNetworkBorderGroup",
        "ipv6IpamPoolId",
        "ipv6NetmaskLength",
    },
    "aws:iam/policy:Policy": {"delayAfterPolicyCreationInMs"},
    "aws:iam/accessKey:AccessKey": {"pgpKey"},
}
OUTPUTS_NOT_OURS = {
    "aws:iam/accessKey:AccessKey": {"encryptedSecret", "encryptedSesSmtpPasswordV4", "keyFingerprint"},
    "aws:s3/bucket:Bucket": {"hostedZoneId", "websiteDomain", "websiteEndpoint"},
    "aws:s3/bucketV2:BucketV2": {"hostedZoneId", "websiteDomain", "websiteEndpoint"},
    "aws:sns/topic:Topic": {"beginningArchiveTime"},
    "aws:ec2/defaultVpc:DefaultVpc": {"ipv6AssociationId"},
}


def camel(name: str) -> str:
    head, *rest = name.split("_")
    return head + "".join(part.capitalize() for part in rest)


def sdk(type: str) -> tuple[set[str], set[str], set[str]]:
    """(inputs, required inputs, outputs) as the SDK's class declares them."""
    _, module, name = type.split(":")
    resource = getattr(importlib.import_module(f"pulumi_aws.{module.split('/')[0]}"), name)
    inputs = set(inspect.signature(resource._internal_init).parameters)
    inputs -= {"__self__", "self", "resource_name", "opts", "__props__"}
    required = re.findall(r"Missing required property '(\w+)'", inspect.getsource(resource._internal_init))
    outputs = {name for name, value in vars(resource).items() if isinstance(value, property)}
    return {camel(one) for one in inputs}, {camel(one) for one in required}, {camel(one) for one in outputs}


@pytest.mark.parametrize("known", RESOURCE_TYPES.values(), ids=RESOURCE_TYPES)
def test_inputs_are_those_of_the_sdk(known: ResourceType) -> None:
    inputs, required, _ = sdk(known.type)
    # BucketV2 of the SDK takes tagsAll as an input, a remnant of its deprecation.
    assert known.inputs | NOT_OURS.get(known.type, set()) == inputs - {"tagsAll"}
    assert known.required == required
    assert known.unsupported.keys() <= NOT_OURS.get(known.type, set())


@pytest.mark.parametrize("known", RESOURCE_TYPES.values(), ids=RESOURCE_TYPES)
def test_outputs_are_those_of_the_sdk(known: ResourceType) -> None:
    inputs, _, outputs = sdk(known.type)
    ours = known.computed | ({"tagsAll"} if known.taggable else set())
    assert ours | OUTPUTS_NOT_OURS.get(known.type, set()) == outputs - (inputs - {"tagsAll"})


@pytest.mark.parametrize("known", RESOURCE_TYPES.values(), ids=RESOURCE_TYPES)
def test_the_table_speaks_only_of_inputs_that_exist(known: ResourceType) -> None:
    spoken = {
        *known.replaces,
        *known.defaults,
        *known.documents,
        *known.unordered,
        *known.same,
        *known.unreadable,
        *known.also_computed,
        *known.validations,
    }
    assert spoken <= known.inputs
    assert known.volatile <= known.computed
    assert known.secret <= known.computed


@pytest.mark.parametrize("token", INVOKES)
def test_functions_are_those_of_the_sdk(token: str) -> None:
    _, module, name = token.split(":")
    package = module.split("/")[0]
    where = importlib.import_module("pulumi_aws" if package == "index" else f"pulumi_aws.{package}")
    assert hasattr(where, re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower())
