"""Every type that is not of IAM, STS or Organizations: kept as it was declared, with ids and ARNs that look like AWS's.

Nothing of it is in the local AWS: it has no effect there, and there is no drift. What is computed of it is made up.
What replaces an object is known of the types that the components make; of others every change is one in place.
"""

import re
import uuid
from functools import cache
from typing import Any, Final

from twokeys.sandbox.aws.client import Aws
from twokeys.sandbox.aws.resource_type import AutoName, Properties, ResourceType
from twokeys.sandbox.aws.schema import schema

_NAMES: Final = ("name", "bucket", "userName", "displayName")
"""Inputs by which an object is called: its id, too, so that `twokeys access diff` can compare two runs."""
_BARE: Final = ("s3", "sns", "sqs")
"""Services whose ARNs have no kind before the name: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html."""
_BUCKET: Final = "aws:s3/bucket:Bucket"
_REPLACES: Final = {
    "aws:accessanalyzer/analyzer:Analyzer": "analyzerName type",
    "aws:account/alternativeContact:AlternativeContact": "accountId alternateContactType",
    "aws:budgets/budget:Budget": "accountId name",
    "aws:cloudtrail/trail:Trail": "name",
    "aws:cloudwatch/eventRule:EventRule": "eventBusName name",
    "aws:cloudwatch/eventTarget:EventTarget": "eventBusName rule targetId",
    "aws:costexplorer/anomalyMonitor:AnomalyMonitor": "monitorDimension monitorSpecification monitorType",
    "aws:costexplorer/anomalySubscription:AnomalySubscription": "accountId name",
    "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup": "vpcId",
    "aws:guardduty/organizationAdminAccount:OrganizationAdminAccount": "adminAccountId",
    "aws:identitystore/group:Group": "identityStoreId",
    "aws:identitystore/groupMembership:GroupMembership": "groupId identityStoreId memberId",
    "aws:identitystore/user:User": "identityStoreId userName",
    "aws:kms/alias:Alias": "name",
    "aws:kms/key:Key": "customKeyStoreId customerMasterKeySpec keyUsage multiRegion",
    "aws:organizations/delegatedAdministrator:DelegatedAdministrator": "accountId servicePrincipal",
    "aws:s3/accountPublicAccessBlock:AccountPublicAccessBlock": "accountId",
    _BUCKET: "bucket objectLockEnabled",
    "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration": "bucket expectedBucketOwner",
    "aws:s3/bucketObjectLockConfiguration:BucketObjectLockConfiguration": "bucket objectLockEnabled",
    "aws:s3/bucketOwnershipControls:BucketOwnershipControls": "bucket",
    "aws:s3/bucketPolicy:BucketPolicy": "bucket",
    "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": "bucket",
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration": "bucket",
    "aws:s3/bucketVersioning:BucketVersioning": "bucket expectedBucketOwner",
    "aws:sns/topic:Topic": "fifoTopic name",
    "aws:sns/topicPolicy:TopicPolicy": "arn",
    "aws:sns/topicSubscription:TopicSubscription": "endpoint protocol topic",
    "aws:ssoadmin/accountAssignment:AccountAssignment": "permissionSetArn principalId principalType targetId",
    "aws:ssoadmin/managedPolicyAttachment:ManagedPolicyAttachment": "instanceArn managedPolicyArn permissionSetArn",
    "aws:ssoadmin/permissionSet:PermissionSet": "instanceArn name",
    "aws:ssoadmin/permissionSetInlinePolicy:PermissionSetInlinePolicy": "instanceArn permissionSetArn",
}
"""Inputs whose change needs a new object, as the schemas of terraform-provider-aws 6.48 have them (ForceNew)."""
_CLOSED_TO_THE_PUBLIC: Final = ("blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets")
_DEFAULTS: Final[dict[str, dict[str, Any]]] = {
    "aws:s3/accountPublicAccessBlock:AccountPublicAccessBlock": dict.fromkeys(_CLOSED_TO_THE_PUBLIC, False),
    "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": dict.fromkeys(_CLOSED_TO_THE_PUBLIC, False),
}
"""What the provider fills in, where it matters to a reader: AWS's console would block, and the provider does not."""


@cache
def generic(token: str) -> ResourceType:
    """The type of this token."""
    known = schema(token)
    named = "bucket" if token == _BUCKET else "name"
    return ResourceType(
        type=token,
        replaces=frozenset(_REPLACES.get(token, "").split()),
        defaults=_DEFAULTS.get(token, {}),
        auto_name=AutoName(named, 63) if known.inputs.get(named) == "str" else None,
        create=lambda aws, inputs: _made(aws, token, inputs),
        # What it was last given, but for the tags that come of the provider: those may have changed since.
        read=lambda _aws, _id, declared: {name: value for name, value in declared.items() if name != "tagsAll"} or None,
        update=lambda _aws, _id, _old, _new: None,
        delete=lambda _aws, _id, _inputs: None,
    )


def _made(aws: Aws, token: str, inputs: Properties) -> tuple[str, Properties]:
    service, _, rest = token.partition(":")[2].partition("/")
    kind = re.sub(r"(?<!^)(?=[A-Z])", "-", rest.rpartition(":")[2]).lower()
    named = next((inputs[name] for name in _NAMES if isinstance(inputs.get(name), str) and inputs[name]), None)
    identifier = named or f"{kind}-{uuid.uuid4().hex[:17]}"
    region = str(inputs.get("region") or aws.region)
    place = "::" if service == "s3" else f"{region}:{aws.account}:"
    arn = f"arn:aws:{service}:{place}{identifier if service in _BARE else f'{kind}/{identifier}'}"
    known = schema(token)
    computed = known.computed if known.inputs else {"arn": "str"}
    return identifier, {
        name: _plausible(name, of, identifier, arn)
        for name, of in computed.items()
        if name != "tagsAll" and name not in inputs
    }


def _plausible(name: str, kind: str, identifier: str, arn: str) -> Any:  # noqa: ANN401 - as the property has it
    if kind != "str":
        return {"list": [], "dict": {}, "number": 0}[kind]
    return arn if name == "arn" or name.endswith("Arn") else identifier
