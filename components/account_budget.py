"""What an account may cost in a month, and who hears of it."""

import pulumi
import pulumi_aws as aws

from twokeys.settings.bill import BudgetSettings


class AccountBudget(pulumi.ComponentResource):
    """A budget in the management account, whose provider is the component's, for the costs of one account.

    https://docs.aws.amazon.com/aws-cost-management/latest/APIReference/API_budgets_CreateBudget.html
    """

    def __init__(
        self,
        name: str,
        budget: BudgetSettings,
        account_id: pulumi.Input[str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("twokeys:bill:AccountBudget", name, {}, opts)
        thresholds = [("ACTUAL", each) for each in budget.actual] + [("FORECASTED", each) for each in budget.forecast]
        aws.budgets.Budget(
            name,
            name=name,
            budget_type="COST",
            time_unit="MONTHLY",
            limit_amount=f"{budget.monthly:.2f}",
            limit_unit="USD",
            cost_filters=[aws.budgets.BudgetCostFilterArgs(name="LinkedAccount", values=[account_id])],
            notifications=[
                aws.budgets.BudgetNotificationArgs(
                    comparison_operator="GREATER_THAN",
                    notification_type=kind,
                    threshold=float(percent),
                    threshold_type="PERCENTAGE",
                    subscriber_email_addresses=list(budget.notify),
                )
                for kind, percent in thresholds
            ],
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.register_outputs({})
