"""The audit trail: where every call of every account is written down, for how long, and who looks after it."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from twokeys.settings.base import Model
from twokeys.settings.values import BucketName, Slug, must_match, refuse, within

_LOCK_PAGE = "https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-lock.html"

DelegatedService = Literal["access-analyzer", "config", "guardduty"]
"""Services that one account of the organization can look after for all."""

TRUSTED_SERVICES: dict[DelegatedService, tuple[str, ...]] = {
    "access-analyzer": ("access-analyzer.amazonaws.com",),
    "config": ("config.amazonaws.com", "config-multiaccountsetup.amazonaws.com"),
    "guardduty": ("guardduty.amazonaws.com",),
}
"""The service principals behind them.

https://docs.aws.amazon.com/organizations/latest/userguide/orgs_integrate_services_list.html
"""


class RetentionSettings(Model):
    """How long logs are kept, in days: in reach, in the archive, and so that nobody can delete them.

    In GOVERNANCE mode who holds s3:BypassGovernanceRetention can; in COMPLIANCE mode nobody can, AWS included.
    """

    archive_after_days: Annotated[int, Field(ge=30)] = 90
    keep_days: Annotated[int, Field(ge=1, le=36500)] = 2555
    locked_days: Annotated[int, within(1, 36_500, "objects are locked for 1 to 36500 days", _LOCK_PAGE)] = 365
    lock_mode: Literal["GOVERNANCE", "COMPLIANCE"] = "GOVERNANCE"

    @model_validator(mode="after")
    def _in_order(self) -> RetentionSettings:
        if self.keep_days <= max(self.archive_after_days, self.locked_days):
            raise refuse(
                f"logs are kept for {self.keep_days} days, so they cannot be archived after {self.archive_after_days}"
                f" or locked for {self.locked_days}",
                "set keepDays above both",
            )
        return self


class AuditSettings(Model):
    """The organization's trail, in an account that holds nothing else.

    `account` is the member account of this stack that gets the logs. `delegatedAdministrators` says which member
    account looks after which services; `accessAnalyzer` makes an analyzer of the organization, in the account that
    looks after it, else in the management account.
    """

    account: Slug
    trail: Annotated[
        str,
        must_match(
            r"(?=.{3,128}\Z)(?!\d+(\.\d+){3}\Z)[A-Za-z0-9]+([._-][A-Za-z0-9]+)*",
            "a trail's name has 3 to 128 letters, digits and single ._- between them, and is no IP address"
            " (https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_CreateTrail.html)",
            "choose such a name",
        ),
    ] = "organization"
    bucket: BucketName | None = None
    retention: RetentionSettings = RetentionSettings()
    delegated_administrators: dict[Slug, Annotated[tuple[DelegatedService, ...], Field(min_length=1)]] = {}
    access_analyzer: bool = False
