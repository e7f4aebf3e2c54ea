# Sees what carries the tag `project`, every environment included, once somebody has made it a cost allocation tag in the
# console (Billing, Cost allocation tags), which AWS allows a day after the first apply. Until then it sees nothing.
resource "aws_budgets_budget" "monthly" {
  name = "{{ names.base }}-monthly"
  budget_type = "COST"
  time_unit = "MONTHLY"
  limit_amount = "{{ operations.budget.dollars }}"
  limit_unit = "USD"

  cost_filter {
    name = "TagKeyValue"
    values = ["user:project${{ tags.project }}"]
  }

  # Money that is spent.
  notification {
    notification_type = "ACTUAL"
    comparison_operator = "GREATER_THAN"
    threshold_type = "PERCENTAGE"
    threshold = 100
    subscriber_email_addresses = ["{{ operations.budget.email }}"]
  }

  # Money that will be, at this rate: in time to do something about it.
  notification {
    notification_type = "FORECASTED"
    comparison_operator = "GREATER_THAN"
    threshold_type = "PERCENTAGE"
    threshold = 100
    subscriber_email_addresses = ["{{ operations.budget.email }}"]
  }
}
