"""Says as JSON what exists in an AWS. Kinds of which there is nothing are left out.

It asks through the AWS API, as somebody would who looks whether `terraform destroy` forgot something and bills go on.
"""

import json

import boto3

REGION = "us-east-1"
# Service, operation, the list in the answer, and the name in an entry; empty where the entry is the name.
LISTED = (
    ("budgets", "describe_budgets", "Budgets", "BudgetName"),
    ("cloudformation", "describe_stacks", "Stacks", "StackName"),
    ("cloudfront", "list_distributions", "DistributionList.Items", "Id"),
    ("cloudfront", "list_origin_access_controls", "OriginAccessControlList.Items", "Name"),
    ("cloudwatch", "describe_alarms", "MetricAlarms", "AlarmName"),
    ("cloudwatch", "list_dashboards", "DashboardEntries", "DashboardName"),
    ("dynamodb", "list_tables", "TableNames", ""),
    ("ecr", "describe_repositories", "repositories", "repositoryName"),
    ("iam", "list_open_id_connect_providers", "OpenIDConnectProviderList", "Arn"),
    ("iam", "list_roles", "Roles", "RoleName"),
    ("kms", "list_aliases", "Aliases", "AliasName"),
    ("lambda", "list_functions", "Functions", "FunctionName"),
    ("logs", "describe_log_groups", "logGroups", "logGroupName"),
    ("logs", "describe_metric_filters", "metricFilters", "filterName"),
    ("s3", "list_buckets", "Buckets", "Name"),
    ("sns", "list_topics", "Topics", "TopicArn"),
    ("wafv2", "list_web_acls", "WebACLs", "Name"),
)
NEEDED = {
    "describe_budgets": {"AccountId": "123456789012"},
    "list_web_acls": {"Scope": "CLOUDFRONT"},
}


def client(service: str, port: str):
    """Returns a client of a service; nothing is signed for real."""
    return boto3.client(
        service,
        endpoint_url=f"http://127.0.0.1:{port}",
        region_name=REGION,
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )


def names(port: str, service: str, operation: str, path: str, key: str) -> list[str]:
    """Returns the names of everything of one kind, sorted."""
    answer = getattr(client(service, port), operation)(**NEEDED.get(operation, {}))
    for part in path.split("."):
        answer = answer.get(part) or {}
    found = sorted(entry[key] if key else entry for entry in answer)
    # AWS's own keys are there in every account.
    return [name for name in found if not name.startswith("alias/aws/")]


def url(port: str, function: str) -> dict | None:
    """Returns the URL of a function's alias, with what it lets in. Moto cannot list URLs, only get one."""
    api = client("lambda", port)
    try:
        found = api.get_function_url_config(FunctionName=function, Qualifier="live")
    except api.exceptions.ResourceNotFoundException:
        return None
    return {key: found[key] for key in ("AuthType", "Cors", "InvokeMode") if key in found}


def load() -> None:
    """Reads what clients know of their services, which is most of what an inventory takes."""
    for service in {service for service, *_ in LISTED}:
        client(service, "1")


def taken(port: str) -> str:
    """Returns the inventory."""
    found = {}
    for service, operation, path, key in LISTED:
        if listed := names(port, service, operation, path, key):
            found[f"{service}.{path.split('.')[0]}"] = listed
    functions = found.get("lambda.Functions", [])
    if functions:
        found["lambda.Urls"] = {function: url(port, function) for function in functions}
    return json.dumps(found, indent=2, sort_keys=True)
