"""Who comes through a door, as one value that everything that speaks of doors compares by."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal, TypeAlias

from twokeys.iam import Arn, account_as_a_whole
from twokeys.iam.sts import SUFFIX_TO_COME

_LABELS = {
    "identity-center-user": "Identity Center user",
    "identity-center-group": "Identity Center group",
    "saml": "SAML",
    "service": "AWS service",
}

Kind: TypeAlias = Literal[
    "role", "user", "group", "root", "identity-center-user", "identity-center-group", "web-identity", "saml", "service",
    "everyone", "root-user", "outsider", "principal", "set",
]  # fmt: skip
IAM_PEOPLE: tuple[Kind, ...] = ("user", "group")
"""The kinds of principal of IAM that stand for people."""
ACCOUNT_ACCESS = "account-access.amazonaws.com"
ROLES_ANYWHERE = "rolesanywhere.amazonaws.com"
CARRIERS = {
    "access-grants.s3.amazonaws.com": "those whom S3 Access Grants names",
    ACCOUNT_ACCESS: "people of IAM Identity Center",
    "appstream.amazonaws.com": "people of AppStream fleets",
    "chatbot.amazonaws.com": "members of a chat channel",
    "codecatalyst-runner.amazonaws.com": "workflows of a CodeCatalyst space",
    "codecatalyst.amazonaws.com": "people of a CodeCatalyst space",
    "credentials.deadline.amazonaws.com": "workers and people of a Deadline Cloud farm",
    "credentials.iot.amazonaws.com": "devices with a certificate of AWS IoT",
    "datazone.amazonaws.com": "members of a DataZone project",
    "drs.amazonaws.com": "source servers of Elastic Disaster Recovery",
    "ds.amazonaws.com": "people of a directory",
    "lakeformation.amazonaws.com": "those whom Lake Formation grants tables, and their query engines",
    "mgn.amazonaws.com": "source servers of Application Migration Service",
    "partnercentral-account-management.amazonaws.com": "people of AWS Partner Central",
    "pods.eks.amazonaws.com": "pods of EKS clusters",
    "ssm.amazonaws.com": "machines that Systems Manager manages, also those registered with an activation code",
    ROLES_ANYWHERE: "whoever holds a certificate of a trust anchor's authority",
}
"""Services that hand a role to others than themselves, and whom."""
OF_IDENTITY_CENTER = re.compile(r"AWSSSO_[0-9a-f]+_DO_NOT_DELETE")


def name_of(path_and_name: str) -> str:
    """The name at the end of a path: `ci` of `deploy/ci`."""
    return path_and_name.rpartition("/")[2]


def path_of(path_and_name: str) -> str:
    """The IAM path in front of a name: `/deploy/` of `deploy/ci`, `/` of `ci`."""
    path = path_and_name.rpartition("/")[0]
    return f"/{path}/" if path else "/"


@dataclass(frozen=True, slots=True)
class Who:
    """A principal: what it is, the account it belongs to (id or symbol) and its name.

    `kind` `root` is an account as a whole, `root-user` a session of sts:AssumeRoot, `outsider` an organization that is
    not ours, `principal` somebody of an account whom a record does not name, `set` a permission set as what is
    entered. Names are compared without path: AWS keeps them unique among their kind in an account whatever their path
    (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html). `account` is empty for those that
    belong to none, `name` for a root and for everyone.
    """

    kind: Kind
    account: str
    name: str = ""

    def __post_init__(self) -> None:
        if self.kind in ("role", "user", "group"):
            object.__setattr__(self, "name", name_of(self.name))

    @classmethod
    def named(cls, principal: str) -> Who | None:
        """Whom an ARN or a name in a Principal element stands for, a session for its role; None for another text.

        https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
        """
        if account := account_as_a_whole(principal):
            return cls("root", account)
        if principal == "*":
            return cls("everyone", "")
        arn = Arn.parse(principal)
        if arn is None or arn.kind not in ("role", "user", "assumed-role"):
            return None
        return cls("role" if arn.kind == "assumed-role" else arn.kind, arn.account, arn.name)

    @property
    def assigned(self) -> str:
        """Of those who come by the SAML provider that IAM Identity Center makes, which of its users: `*`; else empty.

        https://docs.aws.amazon.com/singlesignon/latest/userguide/permissionsetsconcept.html
        """
        if self.kind != "saml":
            return ""
        provider, _, user = self.name.partition(" ")
        return user if OF_IDENTITY_CENTER.fullmatch(provider) else ""

    @property
    def called(self) -> str:
        """Its name for people, who know no suffix that AWS is still to give."""
        return self.name.replace(SUFFIX_TO_COME, "*")

    @property
    def label(self) -> str:
        """What people call it, without its account: "role ci", "Identity Center group everyone"."""
        if self.assigned:
            return f"{_LABELS['identity-center-user']} {self.assigned}"
        if self.kind == "root":
            return "the account as a whole"
        if self.kind == "root-user":
            return self.name  # the root user, or a session of it
        if self.kind == "everyone":
            return "anybody in AWS"
        if self.kind == "service" and self.name == "*":
            return "any AWS service"
        if self.kind == "web-identity":
            return self.name
        if self.kind == "outsider":
            return f"anybody of organization {self.name}" if self.name.startswith("o-") else self.name
        whom = f" ({CARRIERS[self.name]})" if self.kind == "service" and self.name in CARRIERS else ""
        return f"{_LABELS.get(self.kind, self.kind)} {self.called}{whom}".strip()
