"""Who comes through a door, as one value that everything that speaks of doors compares by."""

from __future__ import annotations

from dataclasses import dataclass

_LABELS = {
    "identity-center-user": "Identity Center user",
    "identity-center-group": "Identity Center group",
    "saml": "SAML",
    "service": "AWS service",
}


@dataclass(frozen=True, slots=True)
class Who:
    """A principal: what it is, the account it belongs to (id or symbol) and its name.

    `kind` is role, user, group, root (an account as a whole), identity-center-user, identity-center-group,
    web-identity, saml, service, everyone or outsider (an organization that is not ours). Names are compared without
    path: AWS keeps them unique among their kind in an account whatever their path
    (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html). `account` is empty for those that
    belong to none, `name` for a root and for everyone.
    """

    kind: str
    account: str
    name: str = ""

    def __post_init__(self) -> None:
        if self.kind in ("role", "user", "group"):
            object.__setattr__(self, "name", self.name.rpartition("/")[2])

    @property
    def label(self) -> str:
        """What people call it, without its account: "role ci", "Identity Center group everyone"."""
        if self.kind == "root":
            return "the account as a whole"
        if self.kind == "everyone":
            return "anybody in AWS"
        if self.kind == "web-identity":
            return self.name
        if self.kind == "outsider":
            return f"anybody of organization {self.name}" if self.name.startswith("o-") else self.name
        return f"{_LABELS.get(self.kind, self.kind)} {self.name}".strip()
