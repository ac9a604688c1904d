"""An account's defaults in EC2: EBS encryption and the default VPC. https://docs.aws.amazon.com/AWSEC2/latest/APIReference/."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twokeys.sandbox.aws import tags
from twokeys.sandbox.aws.client import Aws
from twokeys.sandbox.aws.resource_type import Created, ResourceType
from twokeys.sandbox.engine.values import Properties

_DNS = {"enableDnsHostnames": "EnableDnsHostnames", "enableDnsSupport": "EnableDnsSupport"}


# boto3's clients are generated at run time; `Any` is what boto3 itself declares without its stubs.
def _client(aws: Aws, known: Properties) -> Any:  # noqa: ANN401
    return aws.client("ec2", known.get("region"))


def _encryption_set(aws: Aws, inputs: Properties, *, enabled: bool) -> str:
    client = _client(aws, inputs)
    (client.enable_ebs_encryption_by_default if enabled else client.disable_ebs_encryption_by_default)()
    return str(inputs.get("region") or aws.region)


def _encryption_read(aws: Aws, identifier: str, _: Properties) -> Properties:
    client = _client(aws, {"region": identifier})
    return {"enabled": client.get_ebs_encryption_by_default()["EbsEncryptionByDefault"], "region": identifier}


def _default_vpc(client: Any) -> Any:  # noqa: ANN401 - as above
    found = client.describe_vpcs(Filters=[{"Name": "is-default", "Values": ["true"]}])["Vpcs"]
    return found[0] if found else None


def _vpc_create(aws: Aws, inputs: Properties) -> Created:
    """The default VPC is adopted, or made where somebody removed it."""
    client = _client(aws, inputs)
    existing = _default_vpc(client)
    vpc = existing or client.create_default_vpc()["Vpc"]
    _vpc_settings(aws, client, vpc["VpcId"], tags.from_pairs(vpc.get("Tags")), inputs)
    return Created(str(vpc["VpcId"]), {"existingDefaultVpc": existing is not None})


def _vpc_settings(aws: Aws, client: Any, vpc: str, tagged: dict[str, str], inputs: Properties) -> None:  # noqa: ANN401
    for ours, theirs in _DNS.items():
        client.modify_vpc_attribute(VpcId=vpc, **{theirs: {"Value": inputs[ours]}})
    put, removed = tags.changes(tagged, tags.all_tags(aws, inputs))
    if put:
        client.create_tags(Resources=[vpc], Tags=put)
    if removed:
        client.delete_tags(Resources=[vpc], Tags=[{"Key": key} for key in removed])


def _vpc_read(aws: Aws, identifier: str, known: Properties) -> Properties | None:
    client = _client(aws, known)
    vpc = _default_vpc(client)
    if vpc is None or vpc["VpcId"] != identifier:
        return None
    region, here = str(known.get("region") or aws.region), [{"Name": "vpc-id", "Values": [identifier]}]
    by_default = [*here, {"Name": "default", "Values": ["true"]}]
    main = [*here, {"Name": "association.main", "Values": ["true"]}]
    security = client.describe_security_groups(Filters=[*here, {"Name": "group-name", "Values": ["default"]}])
    table = _first(client.describe_route_tables(Filters=main)["RouteTables"], "RouteTableId")
    return {
        "arn": f"arn:aws:ec2:{region}:{vpc['OwnerId']}:vpc/{identifier}",
        "cidrBlock": vpc["CidrBlock"],
        "defaultNetworkAclId": _first(client.describe_network_acls(Filters=by_default)["NetworkAcls"], "NetworkAclId"),
        "defaultRouteTableId": table,
        "defaultSecurityGroupId": _first(security["SecurityGroups"], "GroupId"),
        "dhcpOptionsId": vpc["DhcpOptionsId"],
        **{
            ours: client.describe_vpc_attribute(VpcId=identifier, Attribute=ours)[theirs]["Value"]
            for ours, theirs in _DNS.items()
        },
        "existingDefaultVpc": known.get("existingDefaultVpc", True),
        "instanceTenancy": vpc["InstanceTenancy"],
        "mainRouteTableId": table,
        "ownerId": vpc["OwnerId"],
        "region": region,
        "tagsAll": tags.from_pairs(vpc.get("Tags")),
    }


def _first(found: list[Any], key: str) -> str | None:
    return found[0][key] if found else None


def _vpc_update(aws: Aws, identifier: str, old: Properties, new: Properties) -> None:
    _vpc_settings(aws, _client(aws, new), identifier, old.get("tagsAll") or {}, new)


def _vpc_delete(aws: Aws, identifier: str, inputs: Properties) -> None:
    """Without `forceDestroy` the VPC is left as it is; with it, it goes with its subnets and its internet gateway."""
    client = _client(aws, inputs)
    vpc = _default_vpc(client)
    if not inputs.get("forceDestroy") or vpc is None or vpc["VpcId"] != identifier:
        return
    for subnet in client.describe_subnets(Filters=[{"Name": "vpc-id", "Values": [identifier]}])["Subnets"]:
        client.delete_subnet(SubnetId=subnet["SubnetId"])
    attached = [{"Name": "attachment.vpc-id", "Values": [identifier]}]
    for gateway in client.describe_internet_gateways(Filters=attached)["InternetGateways"]:
        client.detach_internet_gateway(InternetGatewayId=gateway["InternetGatewayId"], VpcId=identifier)
        client.delete_internet_gateway(InternetGatewayId=gateway["InternetGatewayId"])
    client.delete_vpc(VpcId=identifier)


RESOURCE_TYPES = (
    ResourceType(
        type="aws:ebs/encryptionByDefault:EncryptionByDefault",
        inputs=frozenset({"enabled", "region"}),
        replaces=frozenset({"region"}),
        defaults={"enabled": True},
        also_computed=frozenset({"region"}),
        create=lambda aws, inputs: _encryption_set(aws, inputs, enabled=inputs["enabled"]),
        read=_encryption_read,
        update=lambda aws, _identifier, _old, new: _encryption_set(aws, new, enabled=new["enabled"]),
        delete=lambda aws, identifier, _known: _encryption_set(aws, {"region": identifier}, enabled=False),
        record=True,
    ),
    ResourceType(
        type="aws:ec2/defaultVpc:DefaultVpc",
        inputs=frozenset({*_DNS, "forceDestroy", "region", "tags"}),
        computed=frozenset(
            {
                "arn",
                "cidrBlock",
                "defaultNetworkAclId",
                "defaultRouteTableId",
                "defaultSecurityGroupId",
                "dhcpOptionsId",
                "existingDefaultVpc",
                "instanceTenancy",
                "mainRouteTableId",
                "ownerId",
            }
        ),
        replaces=frozenset({"region"}),
        defaults={"enableDnsHostnames": True, "enableDnsSupport": True, "forceDestroy": False},
        also_computed=frozenset({"region"}),
        unreadable=frozenset({"forceDestroy"}),
        taggable=True,
        create=_vpc_create,
        read=_vpc_read,
        update=_vpc_update,
        delete=_vpc_delete,
    ),
)

INVOKES: dict[str, Callable[[Aws, Properties], Properties]] = {}
