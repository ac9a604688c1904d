"""Who the caller is, and where: look-ups only."""

from __future__ import annotations

from twokeys.sandbox.aws.client import Aws
from twokeys.sandbox.aws.resource_type import ResourceType
from twokeys.sandbox.engine.plugin import ProviderError
from twokeys.sandbox.engine.values import Properties


def _get_caller_identity(aws: Aws, _: Properties) -> Properties:
    """https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html."""
    identity = aws.client("sts").get_caller_identity()
    return {
        "id": identity["Account"],
        "accountId": identity["Account"],
        "arn": identity["Arn"],
        "userId": identity["UserId"],
    }


def _get_partition(_: Aws, _args: Properties) -> Properties:
    return {"id": "aws", "partition": "aws", "dnsSuffix": "amazonaws.com", "reverseDnsPrefix": "com.amazonaws"}


def _get_region(aws: Aws, args: Properties) -> Properties:
    if args.keys() - {"region", "name"}:
        raise ProviderError("the sandbox looks a region up by its name only", (", ".join(sorted(args)),))
    region = args.get("region") or args.get("name") or aws.region
    return {
        "id": region,
        "name": region,
        "region": region,
        "endpoint": f"ec2.{region}.amazonaws.com",
        "description": region,
    }


RESOURCE_TYPES: tuple[ResourceType, ...] = ()

INVOKES = {
    "aws:index/getCallerIdentity:getCallerIdentity": _get_caller_identity,
    "aws:index/getPartition:getPartition": _get_partition,
    "aws:index/getRegion:getRegion": _get_region,
}
