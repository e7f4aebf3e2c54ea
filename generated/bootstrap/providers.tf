# Rendered by infragen from deploy.toml. Do not edit: change deploy.toml and run `infragen render`. [generated/bootstrap/providers.tf 409d7a43adfe914d]

provider "aws" {
  region = "us-east-1"

  # On the provider, so that no resource can be forgotten.
  default_tags {
    tags = {
      environment = "dev"
      managed-by  = "infragen"
      project     = "sse-streaming"
    }
  }
}
