# A stream behind CloudFront, which alone may call it.
terraform {
  required_version = ">= 1.9.0"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.100.0"
    }
  }
}

provider "aws" {
  region = "us-east-1"
}

variable "image_uri" {
  description = "Container image, pinned by digest: repository@sha256:hex."
  type        = string
}

module "function" {
  source = "../.."

  name             = "example-cloudfront"
  image_uri        = var.image_uri
  architecture     = "arm64"
  memory_mebibytes = 128
  timeout_secs     = 120
  invoke_mode      = "RESPONSE_STREAM"
  distribution_arn = aws_cloudfront_distribution.this.arn
}

resource "aws_cloudfront_origin_access_control" "this" {
  name                              = "example-cloudfront"
  origin_access_control_origin_type = "lambda"
  signing_behavior                  = "always"
  signing_protocol                  = "sigv4"
}

resource "aws_cloudfront_distribution" "this" {
  enabled = true

  origin {
    origin_id                = "function"
    domain_name              = module.function.url_host
    origin_access_control_id = aws_cloudfront_origin_access_control.this.id

    custom_origin_config {
      http_port              = 80
      https_port             = 443
      origin_protocol_policy = "https-only"
      origin_ssl_protocols   = ["TLSv1.2"]
      origin_read_timeout    = 60
    }
  }

  # Neither cached nor compressed, which would hold events back: the managed policies CachingDisabled and
  # AllViewerExceptHostHeader.
  default_cache_behavior {
    target_origin_id         = "function"
    viewer_protocol_policy   = "https-only"
    allowed_methods          = ["GET", "HEAD"]
    cached_methods           = ["GET", "HEAD"]
    cache_policy_id          = "4135ea2d-6df8-44a3-9df3-4b5a84be39ad"
    origin_request_policy_id = "b689b0a8-53d0-40ab-baf2-68738e2966ac"
  }

  restrictions {
    geo_restriction {
      restriction_type = "none"
    }
  }

  viewer_certificate {
    cloudfront_default_certificate = true
  }
}

output "function" {
  description = "Everything that the module says of the function."
  value       = module.function
}
