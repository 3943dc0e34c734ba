"""What the account may cost in a month."""

from aws_cdk import aws_budgets as budgets
from constructs import Construct

from infra.settings import Environment

_WARNINGS = (("ACTUAL", 80), ("FORECASTED", 100))
"""What is compared with the budget, and the percentage of it that is told about."""


class MonthlyBudget(Construct):
    """Tells the environment's people by e-mail, which needs no confirmation and no topic that could fail.

    Of all that the account costs, not of this environment's tag: a tag counts only from the day on which somebody
    activates it in the account that pays (AWS Billing guide, "Activating user-defined cost allocation tags").
    """

    def __init__(self, scope: Construct, construct_id: str, *, environment: Environment) -> None:
        super().__init__(scope, construct_id)
        operations = environment.operations
        people = [
            budgets.CfnBudget.SubscriberProperty(subscription_type="EMAIL", address=address)
            for address in operations.emails
        ]
        budgets.CfnBudget(
            self,
            "Budget",
            budget=budgets.CfnBudget.BudgetDataProperty(
                budget_name=environment.resource_name(),
                budget_type="COST",
                time_unit="MONTHLY",
                budget_limit=budgets.CfnBudget.SpendProperty(amount=operations.monthly_budget_usd, unit="USD"),
            ),
            resource_tags=[  # which the library does not tag
                budgets.CfnBudget.ResourceTagProperty(key="application", value="sanctum"),
                budgets.CfnBudget.ResourceTagProperty(key="environment", value=environment.name),
            ],
            notifications_with_subscribers=[
                budgets.CfnBudget.NotificationWithSubscribersProperty(
                    notification=budgets.CfnBudget.NotificationProperty(
                        notification_type=kind,
                        comparison_operator="GREATER_THAN",
                        threshold=percent,
                        threshold_type="PERCENTAGE",
                    ),
                    subscribers=people,
                )
                for kind, percent in _WARNINGS
            ],
        )
