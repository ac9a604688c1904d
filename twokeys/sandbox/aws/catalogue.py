"""Everything the sandbox's AWS provider knows, by token; a type that is not here is kept as declared.

docs/local-aws.md names what is really made.
"""

from collections.abc import Callable, Mapping

from twokeys.preview.policy_document import TOKEN as POLICY_DOCUMENT
from twokeys.preview.policy_document import policy_document
from twokeys.sandbox.aws import iam, organizations
from twokeys.sandbox.aws.client import Aws, ProviderError
from twokeys.sandbox.aws.generic import generic
from twokeys.sandbox.aws.resource_type import Properties, ResourceType

RESOURCE_TYPES: Mapping[str, ResourceType] = {
    known.type: known for known in (*iam.RESOURCE_TYPES, *organizations.RESOURCE_TYPES)
}


def resource_type(token: str) -> ResourceType:
    """The type of a token."""
    return RESOURCE_TYPES.get(token) or generic(token)


def is_kept(token: str) -> bool:
    """Whether objects of an AWS type are only kept as declared."""
    return token.startswith("aws:") and token not in RESOURCE_TYPES


def _get_caller_identity(aws: Aws, _: Properties) -> Properties:
    """https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html."""
    found = aws.client("sts").get_caller_identity()
    return {"id": found["Account"], "accountId": found["Account"], "arn": found["Arn"], "userId": found["UserId"]}


_PARTITION = {"id": "aws", "partition": "aws", "dnsSuffix": "amazonaws.com", "reverseDnsPrefix": "com.amazonaws"}


def _get_region(aws: Aws, args: Properties) -> Properties:
    region = args.get("region") or args.get("name") or aws.region
    endpoint = f"ec2.{region}.amazonaws.com"
    return {"id": region, "name": region, "region": region, "endpoint": endpoint, "description": region}


def _get_instances(aws: Aws, _: Properties) -> Properties:
    """IAM Identity Center, as an organization that has it shows it; the local AWS signs nobody in through it."""
    arn, store = "arn:aws:sso:::instance/ssoins-0000000000000001", "d-0000000001"
    return {"id": aws.region, "region": aws.region, "arns": [arn], "identityStoreIds": [store]}


def _get_policy_document(_: Aws, args: Properties) -> Properties:
    try:
        return policy_document(args)
    except ValueError as error:
        raise ProviderError("a given policy document is no JSON", (str(error),)) from error


INVOKES: Mapping[str, Callable[[Aws, Properties], Properties]] = {
    POLICY_DOCUMENT: _get_policy_document,
    "aws:iam/getPolicy:getPolicy": iam.get_policy,
    "aws:iam/getRole:getRole": iam.get_role,
    "aws:index/getCallerIdentity:getCallerIdentity": _get_caller_identity,
    "aws:index/getPartition:getPartition": lambda _aws, _args: dict(_PARTITION),
    "aws:index/getRegion:getRegion": _get_region,
    "aws:organizations/getOrganization:getOrganization": organizations.get_organization,
    "aws:organizations/getOrganizationalUnits:getOrganizationalUnits": organizations.get_units,
    "aws:ssoadmin/getInstances:getInstances": _get_instances,
}
