"""The one bill: tags that split it, budgets, anomalies and the exported report."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from twokeys.settings.base import Model
from twokeys.settings.values import BucketName, ContactEmail, Once, UnitPath, check_enforced_type, must_match, within

Emails = Annotated[
    tuple[ContactEmail, ...],
    Once,
    within(
        1,
        10,
        "AWS notifies 1 to 10 addresses",
        "https://docs.aws.amazon.com/cost-management/latest/userguide/budgets-create.html",
    ),
]
Percents = Annotated[tuple[Annotated[int, Field(ge=1, le=1000)], ...], Once]


class BudgetSettings(Model):
    """What an account may cost in a month (USD), and who hears of it, at which percentages.

    https://docs.aws.amazon.com/aws-cost-management/latest/APIReference/API_budgets_Notification.html
    """

    monthly: Annotated[float, Field(gt=0, allow_inf_nan=False)]
    notify: Emails
    actual: Percents = (80, 100)
    forecast: Percents = (100,)


class CostTagSettings(Model):
    """A tag that splits the bill: its allowed values (any, if none), and the resource types that are held to them.

    https://docs.aws.amazon.com/organizations/latest/userguide/supported-resources-enforcement.html
    """

    values: tuple[Annotated[str, Field(min_length=1, max_length=256)], ...] = ()
    enforced_for: tuple[
        Annotated[
            str,
            must_match(
                r"[a-z0-9-]+:([A-Za-z0-9-/]+|\*)",
                "a tag policy names what it holds as service:type",
                "write it as in ec2:instance or s3:bucket",
            ),
            AfterValidator(check_enforced_type),
        ],
        ...,
    ] = ()


class AnomaliesSettings(Model):
    """Who hears of costs that are not as usual, from which impact on (USD), how often."""

    notify: Emails
    minimum_impact: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 100
    frequency: Literal["DAILY", "WEEKLY"] = "DAILY"


class ReportSettings(Model):
    """The cost and usage report (CUR 2.0), exported every day into a bucket of the management account."""

    bucket: BucketName | None = None
    keep_days: Annotated[int, Field(ge=31)] = 1095


class BillSettings(Model):
    """How the bill is split and watched. Each tag is activated as a cost allocation tag and put into a tag policy."""

    tags: dict[
        Annotated[
            str,
            must_match(
                r"[\w .:/=+@-]{1,128}",
                "a tag's key has 1 to 128 letters, digits, spaces and .:/=+@_-",
                "choose such a key",
            ),
        ],
        CostTagSettings,
    ] = {}
    tag_targets: Annotated[tuple[UnitPath, ...], Field(min_length=1)] = ("root",)
    anomalies: AnomaliesSettings | None = None
    report: ReportSettings | None = None
