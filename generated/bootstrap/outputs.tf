# Rendered by infragen from deploy.toml. Do not edit: change deploy.toml and run `infragen render`. [generated/bootstrap/outputs.tf f1bad228e6f0bda3]

output "state_bucket" {
  description = "Name of the state bucket, for `[terraform.backend] bucket` in deploy.toml."
  value       = aws_s3_bucket.state.id
}
