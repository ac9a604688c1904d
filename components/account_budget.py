"""What an account may cost in a month, and who hears of it."""

from typing import TypedDict

import pulumi
import pulumi_aws as aws


class AccountBudgetArgs(TypedDict):
    """A monthly budget of one account."""

    account_id: pulumi.Input[str]
    """The id of the account whose costs count."""
    monthly: float
    """What it may cost in a month, in USD."""
    notify: list[str]
    """E-mail addresses."""
    actual: list[int]
    """At which percentages of actual costs they hear of it."""
    forecast: list[int]
    """At which percentages of forecast costs they hear of it."""


class AccountBudget(pulumi.ComponentResource):
    """A budget in the management account, whose provider is the component's, for the costs of one account.

    https://docs.aws.amazon.com/aws-cost-management/latest/APIReference/API_budgets_CreateBudget.html
    """

    budget_name: pulumi.Output[str]
    """The budget's name."""

    def __init__(self, name: str, args: AccountBudgetArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("twokeys:bill:AccountBudget", name, {}, opts)
        thresholds = [("ACTUAL", each) for each in args["actual"]] + [("FORECASTED", each) for each in args["forecast"]]
        budget = aws.budgets.Budget(
            name,
            name=name,
            budget_type="COST",
            time_unit="MONTHLY",
            limit_amount=f"{args['monthly']:.2f}",
            limit_unit="USD",
            cost_filters=[aws.budgets.BudgetCostFilterArgs(name="LinkedAccount", values=[args["account_id"]])],
            notifications=[
                aws.budgets.BudgetNotificationArgs(
                    comparison_operator="GREATER_THAN",
                    notification_type=kind,
                    threshold=float(percent),
                    threshold_type="PERCENTAGE",
                    subscriber_email_addresses=args["notify"],
                )
                for kind, percent in thresholds
            ],
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.budget_name = budget.name
        self.register_outputs({"budgetName": self.budget_name})
