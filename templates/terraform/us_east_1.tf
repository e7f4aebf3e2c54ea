# CloudFront takes its certificate and its firewall from this region only.
provider "aws" {
  alias = "us_east_1"
  region = "us-east-1"

  default_tags {
    tags = {{ tags | hcl(indent=4) }}
  }
}
