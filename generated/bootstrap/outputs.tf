# Rendered by infragen from deploy.toml. Do not edit: change deploy.toml and run `./justw render`. [generated/bootstrap/outputs.tf f1eed739dc26c846]

output "repository_url" {
  description = "Where to push images: registry and repository."
  value       = aws_ecr_repository.functions.repository_url
}

output "state_bucket" {
  description = "Name of the state bucket, for `[terraform.backend] bucket` in deploy.toml."
  value       = aws_s3_bucket.state.id
}
