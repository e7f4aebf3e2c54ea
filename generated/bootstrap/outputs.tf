# Rendered by infragen from deploy.toml. Do not edit: change deploy.toml and run `./justw render`. [generated/bootstrap/outputs.tf 1fa2472460e07bfd]

output "state_bucket" {
  description = "Name of the state bucket, for `[terraform.backend] bucket` in deploy.toml."
  value       = aws_s3_bucket.state.id
}
