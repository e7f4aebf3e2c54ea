{%- if makes_repository %}
output "repository_url" {
  description = "Where to push images: registry and repository."
  value = aws_ecr_repository.functions.repository_url
}
{%- endif %}
{%- if terraform.makes_state_bucket %}

output "state_bucket" {
  description = "Name of the state bucket, for `[terraform.backend] bucket` in deploy.toml."
  value = aws_s3_bucket.state.id
}
{%- endif %}
{%- if ci %}

output "deploy_role_arn" {
  description = "Role of pushes, for the variable DEPLOY_ROLE_ARN of the environment {{ ci.environment }} on GitHub."
  value = aws_iam_role.deploy.arn
}

output "plan_role_arn" {
  description = "Role of pull requests, for the repository's variable PLAN_ROLE_ARN_{{ ci.environment | upper | replace(from="-", to="_") }} on GitHub."
  value = aws_iam_role.plan.arn
}
{%- endif %}
