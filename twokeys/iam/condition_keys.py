"""AWS's global condition keys, and some of STS: the type of each, whether it has several values, how a value looks.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_iam-condition-keys.html#condition-keys-sts
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final, Literal, NamedTuple


@dataclass(frozen=True)
class ValueForm:
    """What the values of a key look like."""

    type: Literal["string", "arn", "bool", "date", "ip", "numeric"]
    words: str = "text"
    whole: str = r".*"
    """What matches each of them."""
    begins: tuple[str, ...] = ()
    """How they begin; empty where that tells nothing."""
    step: str = "write it in that form"
    wild: bool = False
    """Whether a value may have a `*` or a `?` of its own."""
    named: Mapping[str, str] = field(default_factory=dict)
    """Values that are written otherwise, by their lower case."""


class ConditionKey(NamedTuple):
    """One key; the name of one that the key of a tag follows ends in a slash."""

    name: str
    form: ValueForm
    several: bool

    @property
    def page(self) -> str:
        """Where the user guide describes it."""
        service, _, name = self.name.lower().rstrip("/").partition(":")
        return _PAGES[service] + name


_PAGES = {
    "aws": "reference_policies_condition-keys.html#condition-keys-",
    "sts": "reference_policies_iam-condition-keys.html#ck_",
}
_OCTET = r"(?:25[0-5]|2[0-4]\d|1?\d?\d)"
_TYPES = ("Account", "User", "FederatedUser", "AssumedRole", "Anonymous")
_NAMED = {"role": "AssumedRole", "root": "Account"} | {one.lower(): one for one in _TYPES}
_PATH = "a path of an organization, which ends in a slash, as in o-a1b2c3d4e5/r-ab12/ou-ab12-11111111/"
_ARN = ValueForm("arn", "an ARN", r"arn:.+", ("arn:",))
_ROWS = (
    # Of an organization to come there is only a symbol, as of an account.
    ("PrincipalOrgID ResourceOrgID SourceOrgID VpceOrgID",
     ValueForm("string", "the id of an organization, as in o-a1b2c3d4e5", r"o-[a-z0-9]+|organization:.+", ("o-",))),
    ("PrincipalOrgPaths[] ResourceOrgPaths[] SourceOrgPaths[] VpceOrgPaths[]",
     ValueForm("string", _PATH, r"o-[a-z0-9]+/(r-[a-z0-9]+/(ou-[a-z0-9-]+/)*)?", ("o-",))),
    ("PrincipalAccount PrincipalOrgMasterAccountId ResourceAccount SourceAccount VpceAccount",
     ValueForm("string", "an account; its id has 12 digits", r"\d{12}|account:[\w-]+|anonymous",
               step="write all 12 digits, without hyphens")),
    ("Ec2InstanceSourceVpc SourceVpc",
     ValueForm("string", "the id of a VPC, as in vpc-1a2b3c4d", r"vpc-\w+", ("vpc-",))),
    ("SourceVpce", ValueForm("string", "the id of a VPC endpoint, as in vpce-1a2b3c4d", r"vpce-\w+", ("vpce-",))),
    ("PrincipalType", ValueForm("string", f"one of {', '.join(_TYPES)}", "|".join(_TYPES), _TYPES, named=_NAMED)),
    # AWS takes neither * nor ? in these:
    # https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
    # https://docs.aws.amazon.com/IAM/latest/UserGuide/id_tags.html and reference_iam-quotas.html
    ("PrincipalTag/ RequestedRegion SourceIdentity userid username", ValueForm("string")),
    ("sts:ExternalId sts:RoleSessionName sts:SourceIdentity", ValueForm("string")),
    ("CalledVia[] CalledViaAWSMCP CalledViaFirst CalledViaLast FederatedProvider PrincipalServiceName "
     "PrincipalServiceNamesList[] Referer RequestTag/ ResourceTag/ TagKeys[] UserAgent sts:TransitiveTagKeys[]",
     ValueForm("string", wild=True)),
    ("PrincipalArn", _ARN),
    # Those of some resources end in a star, as a log group's does.
    ("ChatbotSourceArn SignInSessionArn SourceArn SourceVpcArn", replace(_ARN, wild=True)),
    ("AssumedRoot IsMcpServiceAction MultiFactorAuthPresent PrincipalIsAWSService SecureTransport ViaAWSMCPService "
     "ViaAWSService", ValueForm("bool", "true or false", r"(?i:true|false)", step="write Bool with true or false")),
    ("CurrentTime EpochTime TokenIssueTime",
     ValueForm("date", "a date and time", step="write a date operator, such as DateLessThan or DateGreaterThan")),
    ("Ec2InstanceSourcePrivateIPv4 SourceIp VpcSourceIp",
     ValueForm("ip", "an IP address", rf"{_OCTET}(\.{_OCTET}){{3}}|(?i:[0-9a-f:.]*:[0-9a-f:.]*)",
               step="write IpAddress or NotIpAddress")),
    ("MultiFactorAuthAge",
     ValueForm("numeric", "a number", r"\d+(\.\d*)?", step="write a numeric operator, such as NumericLessThan")),
)  # fmt: skip
"""The keys, those of `aws:` without it, and the form of their values; `[]` stands behind one that has several."""
_OF_SERVICES = "aws:principalservicename aws:principalservicenameslist"
_OF_PRINCIPALS = "aws:principalarn aws:principalorgid aws:principalorgpaths aws:username"
_BY_SERVICES = "aws:sourceaccount aws:sourcearn aws:sourceorgid aws:sourceorgpaths"
_OF_SESSIONS = """
    aws:multifactorauthpresent aws:multifactorauthage aws:tokenissuetime aws:assumedroot aws:sourceidentity
"""
NEVER_OF: Final[Mapping[str, Mapping[str, tuple[str, ...]]]] = {
    caller: dict.fromkeys(" ".join(keys).split(), ())
    for caller, keys in {
        "principal": (_OF_SERVICES, _BY_SERVICES),
        "service": (_OF_PRINCIPALS, "aws:principalaccount aws:userid"),
        "federated": (_OF_PRINCIPALS, _OF_SERVICES, _BY_SERVICES, _OF_SESSIONS, "aws:principalisawsservice"),
    }.items()
}
"""The keys that a call never has, without a value, by who makes it: a principal of an account, an AWS service, or
somebody of an identity provider, whose call is not signed. By the Availability of each.
"""
CONDITION_KEYS: Final[Mapping[str, ConditionKey]] = {
    key.name.lower(): key
    for names, form in _ROWS
    for name in names.split()
    for key in (ConditionKey("aws:" * (":" not in name) + name.strip("[]"), form, name.endswith("[]")),)
}


def condition_key(key: str) -> ConditionKey | None:
    """What is known of a key, which may be spelled in any case; None for one that is not in the table."""
    start, slash, _ = key.lower().partition("/")
    return CONDITION_KEYS.get(start + slash)
