# Rendered by infragen from deploy.toml. Do not edit: change deploy.toml and run `./justw render`. [generated/terraform/providers.tf 21327bdfc24a7eff]

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
