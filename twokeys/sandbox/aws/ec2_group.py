"""The default security group of a VPC: https://docs.aws.amazon.com/vpc/latest/userguide/default-security-group.html.

As with the provider, the resource adopts the group and removes every rule that the program does not declare; removing
the resource leaves the group as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from twokeys.sandbox.aws import tags
from twokeys.sandbox.aws.client import Aws, or_none
from twokeys.sandbox.aws.resource_type import ResourceType
from twokeys.sandbox.engine.plugin import ProviderError
from twokeys.sandbox.engine.values import Properties

_OWN = "self"
_SOURCES = {
    "cidrBlocks": ("IpRanges", "CidrIp"),
    "ipv6CidrBlocks": ("Ipv6Ranges", "CidrIpv6"),
    "prefixListIds": ("PrefixListIds", "PrefixListId"),
    "securityGroups": ("UserIdGroupPairs", "GroupId"),
}
_ALL_PROTOCOLS = "-1"


class _Rule(NamedTuple):
    """One source for one range of ports; what a program declares and what the API tells are sets of these."""

    protocol: str
    from_port: int
    to_port: int
    kind: str  # a key of _SOURCES
    source: str  # an address range or an id; _OWN for the group itself
    description: str


# boto3's clients are generated at run time; `Any` is what boto3 itself declares without its stubs.
def _client(aws: Aws, known: Properties) -> Any:  # noqa: ANN401
    return aws.client("ec2", known.get("region"))


def _declared(rules: Iterable[Properties] | None) -> set[_Rule]:
    found = set()
    for rule in rules or ():
        everything = str(rule["protocol"]) in (_ALL_PROTOCOLS, "all")
        protocol = _ALL_PROTOCOLS if everything else str(rule["protocol"]).lower()
        ports = (0, 0) if everything else (int(rule["fromPort"]), int(rule["toPort"]))
        sources = [(kind, source) for kind in _SOURCES for source in rule.get(kind) or ()]
        if rule.get("self"):
            sources.append(("securityGroups", _OWN))
        found |= {_Rule(protocol, *ports, kind, source, rule.get("description") or "") for kind, source in sources}
    return found


def _told(permissions: Iterable[Any], group: str) -> set[_Rule]:
    return {
        _Rule(
            one["IpProtocol"],
            max(one.get("FromPort") or 0, 0) if one["IpProtocol"] != _ALL_PROTOCOLS else 0,
            max(one.get("ToPort") or 0, 0) if one["IpProtocol"] != _ALL_PROTOCOLS else 0,
            kind,
            _OWN if source[key] == group else source[key],
            source.get("Description") or "",
        )
        for one in permissions
        for kind, (sources, key) in _SOURCES.items()
        for source in one.get(sources) or ()
    }


def _as_permission(rule: _Rule, group: str) -> Properties:
    sources, key = _SOURCES[rule.kind]
    source = {key: group if rule.source == _OWN else rule.source}
    if rule.description:
        source["Description"] = rule.description
    ports = {} if rule.protocol == _ALL_PROTOCOLS else {"FromPort": rule.from_port, "ToPort": rule.to_port}
    return {"IpProtocol": rule.protocol, **ports, sources: [source]}


def _as_property(rule: _Rule) -> Properties:
    source: Properties = {"self": True} if rule.source == _OWN else {rule.kind: [rule.source]}
    return {
        "description": rule.description or None,
        "fromPort": rule.from_port,
        "protocol": rule.protocol,
        "toPort": rule.to_port,
        **source,
    }


def _group(client: Any, identifier: str) -> Any:  # noqa: ANN401 - as above
    found = or_none(client.describe_security_groups, GroupIds=[identifier])
    return found["SecurityGroups"][0] if found and found["SecurityGroups"] else None


def _adopt(aws: Aws, inputs: Properties) -> str:
    client = _client(aws, inputs)
    filters = [{"Name": "group-name", "Values": ["default"]}]
    vpc = inputs.get("vpcId")
    if not vpc:
        vpcs = client.describe_vpcs(Filters=[{"Name": "is-default", "Values": ["true"]}])["Vpcs"]
        vpc = vpcs[0]["VpcId"] if vpcs else "none"
    filters.append({"Name": "vpc-id", "Values": [vpc]})
    groups = client.describe_security_groups(Filters=filters)["SecurityGroups"]
    if not groups:
        raise ProviderError(f"the VPC {vpc} has no default security group", ("It does not exist in this account.",))
    group = groups[0]
    _apply(aws, client, group, inputs)
    return str(group["GroupId"])


def _apply(aws: Aws, client: Any, group: Any, inputs: Properties) -> None:  # noqa: ANN401 - as above
    identifier = group["GroupId"]
    for direction, permissions in (("ingress", "IpPermissions"), ("egress", "IpPermissionsEgress")):
        now, wanted = _told(group.get(permissions) or (), identifier), _declared(inputs.get(direction))
        for call, rules in (("authorize", wanted - now), ("revoke", now - wanted)):
            for rule in sorted(rules):
                change = getattr(client, f"{call}_security_group_{direction}")
                change(GroupId=identifier, IpPermissions=[_as_permission(rule, identifier)])
    put, removed = tags.changes(tags.from_pairs(group.get("Tags")), tags.all_tags(aws, inputs))
    if put:
        client.create_tags(Resources=[identifier], Tags=put)
    if removed:
        client.delete_tags(Resources=[identifier], Tags=[{"Key": key} for key in removed])


def _read(aws: Aws, identifier: str, known: Properties) -> Properties | None:
    group = _group(_client(aws, known), identifier)
    if group is None:
        return None
    region = str(known.get("region") or aws.region)
    ingress, egress = (_told(group.get(name) or (), identifier) for name in ("IpPermissions", "IpPermissionsEgress"))
    return {
        "arn": f"arn:aws:ec2:{region}:{group['OwnerId']}:security-group/{identifier}",
        "description": group["Description"],
        "egress": [_as_property(rule) for rule in sorted(egress)] or None,
        "ingress": [_as_property(rule) for rule in sorted(ingress)] or None,
        "name": group["GroupName"],
        "namePrefix": "",
        "ownerId": group["OwnerId"],
        "region": region,
        "tagsAll": tags.from_pairs(group.get("Tags")),
        "vpcId": group["VpcId"],
    }


def _update(aws: Aws, identifier: str, _old: Properties, new: Properties) -> None:
    client = _client(aws, new)
    _apply(aws, client, _group(client, identifier), new)


def _same_rules(old: list[Properties], new: list[Properties]) -> bool:
    return _declared(old) == _declared(new)


RESOURCE_TYPES = (
    ResourceType(
        type="aws:ec2/defaultSecurityGroup:DefaultSecurityGroup",
        inputs=frozenset({"egress", "ingress", "region", "revokeRulesOnDelete", "tags", "vpcId"}),
        computed=frozenset({"arn", "description", "name", "namePrefix", "ownerId"}),
        replaces=frozenset({"region", "vpcId"}),
        defaults={"revokeRulesOnDelete": False},
        also_computed=frozenset({"region", "vpcId"}),
        same={"egress": _same_rules, "ingress": _same_rules},
        unreadable=frozenset({"revokeRulesOnDelete"}),
        taggable=True,
        create=_adopt,
        read=_read,
        update=_update,
        delete=lambda _aws, _identifier, _known: None,
    ),
)

INVOKES: dict[str, Callable[[Aws, Properties], Properties]] = {}
