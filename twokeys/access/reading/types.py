"""What each type of resource means for the question who can enter: read, harmless or not read.

A type that can make IAM, or hand a role to somebody, is either read or never passed over in silence. AWS's types are
named here as CloudFormation does, in lower case and without `AWS::` (`iam::role`), whichever package makes them:
`aws:iam/role:Role`, `aws-native:iam:Role`, Cloud Control's and a template's `AWS::IAM::Role`.
https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-template-resource-type-ref.html
"""

import re
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache


class Reading(Enum):
    """What is done with the resources of a type."""

    READ = "read"
    HARMLESS = "harmless"
    NOT_READ = "not read"
    BY_CONTENT = "by what it says"
    """Its inputs tell: a template, a command, code."""


@dataclass(frozen=True, slots=True)
class TypeOf:
    """How a type is treated; `why` says of one that is not read what it may do, as a clause after its name.

    `lets_in` tells whether a new resource of it may let somebody in: then an update judges it before it is made.
    """

    reading: Reading
    why: str = ""
    lets_in: bool = True


_READ = TypeOf(Reading.READ)
_HARMLESS = TypeOf(Reading.HARMLESS, lets_in=False)
_BY_CONTENT = TypeOf(Reading.BY_CONTENT)

_IAM_READ = (
    "role", "rolepolicy", "rolepolicyattachment", "rolepoliciesexclusive", "rolepolicyattachmentsexclusive", "user",
    "userpolicy", "userpolicyattachment", "userpoliciesexclusive", "userpolicyattachmentsexclusive",
    "usergroupmembership", "usertogroupaddition", "group", "grouppolicy", "grouppolicyattachment",
    "grouppoliciesexclusive", "grouppolicyattachmentsexclusive", "groupmembership", "policy", "managedpolicy",
    "policyattachment", "oidcprovider", "samlprovider", "organizationsfeatures",
    "accesskey", "userloginprofile",
)  # fmt: skip
_IAM_HARMLESS = (
    "accountalias", "accountpasswordpolicy", "instanceprofile", "openidconnectprovider",
    "outboundwebidentityfederation", "securitytokenservicepreferences", "servercertificate", "servicelinkedrole",
    "servicespecificcredential", "signingcertificate", "sshkey", "virtualmfadevice",
)  # fmt: skip
"""They make nobody and grant nothing. A service-linked role trusts its service only, an instance profile hands its role
to EC2 and a provider lets in whom a role's trust policy admits from it, which the role says, and the rest belong to a
user or an account that is there already.
"""
_SSO_HARMLESS = (
    "application", "applicationaccessscope", "applicationassignment", "applicationassignmentconfiguration",
    "instance", "instanceaccesscontrolattributeconfiguration", "instanceaccesscontrolattributes", "region",
    "trustedtokenissuer",
)  # fmt: skip
"""Applications of Identity Center: people sign in to them, and enter no account by that."""

_OTHERS_READ = (
    "ssoadmin::accountassignment", "ssoadmin::assignment", "ssoadmin::permissionset",
    "ssoadmin::permissionsetinlinepolicy", "ssoadmin::permissionsboundaryattachment",
    "ssoadmin::managedpolicyattachment", "ssoadmin::managedpolicyattachmentsexclusive",
    "ssoadmin::customermanagedpolicyattachment", "ssoadmin::customermanagedpolicyattachmentsexclusive",
    "identitystore::group", "identitystore::groupmembership", "identitystore::user", "organizations::account",
    "organizations::delegatedadministrator", "organizations::organization", "organizations::organizationalunit",
    "organizations::policy", "organizations::policyattachment",
)  # fmt: skip
_CLOSING = ("organizations::organizationalunit", "organizations::policy", "organizations::policyattachment")
"""A new one can only close what others open: one that no longer does is a change."""
_LET_NOBODY_IN = (
    "iam::oidcprovider", "iam::samlprovider", "identitystore::group", "identitystore::groupmembership",
    "identitystore::user", *_CLOSING,
)  # fmt: skip
"""Read, and alone they let nobody in: a trust in a provider and the assignment of a group of Identity Center, which is
for whoever is a member, are resources of their own.
"""
_TOLD_BY_CONTENT = (
    "cloudcontrol::resource", "index::extensionresource", "cloudformation::stack", "cloudformation::stackset",
    "cloudformation::stackinstances", "cloudformation::stacksetinstance", "cloudformation::customresource",
    "cloudformation::customresourceemulator", "serverlessrepository::cloudformationstack", "lambda::invocation",
)  # fmt: skip
_WHY_NOT = {
    "makes Control Tower's roles, also in member accounts": ("controltower::landingzone",),
    "makes Control Tower's roles in the accounts of a unit": (
        "controltower::baseline", "controltower::enabledbaseline",
    ),
    "makes roles for the users of its project": ("datazone::environment",),
    "lets whoever holds a certificate of its authority into the roles of Roles Anywhere profiles": (
        "rolesanywhere::trustanchor",
    ),
    "hands its roles to whoever holds a certificate of a trust anchor's authority": ("rolesanywhere::profile",),
    "provisions a Service Catalog product, whose template may make IAM": ("sagemaker::project",),
    "makes a role that trusts the subscriber's account": ("securitylake::subscriber",),
    "provisions a template, which may make IAM": (
        "servicecatalog::provisionedproduct", "servicecatalog::cloudformationprovisionedproduct",
    ),
    "deploys templates with roles to its accounts": (
        "ssm::quicksetupconfigurationmanager", "ssmquicksetup::configurationmanager",
    ),
}  # fmt: skip
"""What those that are not read may do, with the types of which it is true."""
_OF_AWS: dict[str, TypeOf] = {
    **{f"iam::{name}": _READ for name in _IAM_READ},
    **{f"iam::{name}": _HARMLESS for name in _IAM_HARMLESS},
    **{f"ssoadmin::{name}": _HARMLESS for name in _SSO_HARMLESS},
    **dict.fromkeys(_OTHERS_READ, _READ),
    **dict.fromkeys(_LET_NOBODY_IN, TypeOf(Reading.READ, lets_in=False)),
    **dict.fromkeys(_TOLD_BY_CONTENT, _BY_CONTENT),
    "accountaccess::application": _HARMLESS,
    "accountaccess::entitlement": _READ,
    **{name: TypeOf(Reading.NOT_READ, why) for why, names in _WHY_NOT.items() for name in names},
}
"""AWS's types that make IAM or hand a role to somebody, by whether a module here reads whom (docs/what-is-read.md).

One that is read is also a row of `_READERS` in `reading.cloudformation`, for what aws-native and templates make, and of
`MAKERS` in `model.translation`, if it holds other types.
"""
_NEW = TypeOf(Reading.NOT_READ, "is a type of a service that decides who may enter, and this version does not know it")
_DECIDES = ("iam::", "ssoadmin::", "accountaccess::")
"""Services of which every type must be known: a new one may let somebody in."""
_SAME = {"sso": "ssoadmin", "serverlessrepo": "serverlessrepository"}

_READ_BUT_HARMLESS = frozenset({
    *_CLOSING, "organizations::organization", "cloudformation::customresource",
    "cloudformation::customresourceemulator", "lambda::invocation",
})  # fmt: skip
_BY_TERRAFORM = {
    "cloudcontrol": "cloudcontrolapi", "serverlessrepository": "serverlessapplicationrepository", "ssoadmin": "sso",
}  # fmt: skip
_MAY_LET_IN = {
    f"{service}{kind}": one.reading is not Reading.HARMLESS and name not in _READ_BUT_HARMLESS
    for name, one in _OF_AWS.items()
    for own, kind in [name.split("::")]
    for service in (own, _BY_TERRAFORM.get(own, own))
}
"""Whether a type lets somebody in where nobody reads it, by its name in Terraform's providers: `iamrole`."""
_OF_KUBERNETES_ITSELF = re.compile(r"[a-z0-9]+/|[a-z.]+\.k8s\.io/")  # others may have a controller make IAM
TERRAFORM_MODULE = "index:Module"
_KNOWN_PACKAGES = frozenset({
    "archive", "auth0", "aws-apigateway", "awsx", "azure", "azure-native", "cloudflare", "cloudinit", "datadog",
    "digitalocean", "docker", "docker-build", "eks", "external", "fastly", "gcp", "github", "gitlab", "google-native",
    "helm", "http", "kafka", "local", "mongodbatlas", "mysql", "newrelic", "null", "okta", "pagerduty", "postgresql",
    "pulumi", "pulumiservice", "random", "snowflake", "std", "time", "tls", "vault", "vercel",
})  # fmt: skip
"""Packages whose resources make nothing in IAM, or, as components (awsx, eks), only by resources that are shown too."""


@lru_cache(maxsize=1024)
def type_of(token: str) -> TypeOf | None:
    """How resources of a type are treated, by its token; None for one of a package that is not known here.

    Tokens: https://www.pulumi.com/docs/iac/concepts/resources/names/#types
    """
    package, _, rest = token.partition(":")
    if rest == TERRAFORM_MODULE:
        return None
    if rest.startswith("tf:"):  # the package of a module is named by whoever adds it, as `aws` or `github` too
        why = "is made by a Terraform module, whose resources are not read"
        provider, _, kind = rest.removeprefix("tf:").partition("_")
        return TypeOf(Reading.NOT_READ, why) if provider in ("aws", "awscc") and _may_let_in(kind) else _HARMLESS
    if (name := aws_type(token)) is not None:
        service, kind = rest.partition("/")[0].lower(), token.rpartition(":")[2]
        written = package != "aws" or rest == f"{service}/{kind[:1].lower()}{kind[1:]}:{kind}"
        return _NEW if not written and of_aws(name).reading is Reading.READ else of_aws(name)
    if token.startswith(("pulumi-python:dynamic", "pulumi-nodejs:dynamic")) or package == "command":
        return _BY_CONTENT
    if package == "kubernetes":
        return _HARMLESS if _OF_KUBERNETES_ITSELF.match(rest) else None
    if package == "awscc" and _may_let_in(rest.partition("/")[2].partition(":")[0]):
        return TypeOf(Reading.NOT_READ, "is of package awscc, which is not read, and by its name it makes IAM")
    return _HARMLESS if package in _KNOWN_PACKAGES else None


def reading_of(token: str) -> Reading | None:
    """What is done with resources of a type, by its token; None for one of a package that is not known here."""
    known = type_of(token)
    return known.reading if known else None


def aws_type(token: str) -> str | None:
    """The AWS type behind a token of the packages aws and aws-native, such as `iam::role`; None for other packages."""
    parts = token.split(":")
    if len(parts) != 3 or parts[0] not in ("aws", "aws-native"):
        return None
    service = parts[1].partition("/")[0].lower()
    return f"{_SAME.get(service, service)}::{parts[2].lower()}"


def cloudformation_type(name: str) -> str | None:
    """The AWS type behind CloudFormation's name of it (`AWS::IAM::Role`); None for one that is not AWS's own."""
    owner, _, rest = name.lower().partition("::")
    service, _, kind = rest.partition("::")
    return f"{_SAME.get(service, service)}::{kind}" if owner == "aws" and kind else None


def of_aws(name: str) -> TypeOf:
    """How an AWS type, as `aws_type` and `cloudformation_type` name it, is treated."""
    found = _OF_AWS.get(name)
    if found is None:
        bridged = name.startswith("index::") and _may_let_in(name.removeprefix("index::"))
        return _NEW if name.startswith(_DECIDES) or bridged else _HARMLESS
    return found


def _may_let_in(name: str) -> bool:
    """Whether a type of Terraform's providers may let somebody in: `iam_role` of a module, `iamRole` of a package."""
    flat = name.lower().replace("_", "")
    return _MAY_LET_IN.get(flat, flat.startswith(("iam", "sso")))
