locals {
  # Policies that AWS manages; their identifiers are the same in every account.
  caching_disabled = "4135ea2d-6df8-44a3-9df3-4b5a84be39ad"
  caching_optimized = "658327ea-f89d-4fab-a63d-7e88639e58f6"
  # Host must stay behind: a function URL answers to its own name only. CloudFront's own headers come along, such as
  # CloudFront-Viewer-Address, by which the stream counts the connections of one address: a viewer cannot write that one.
  all_viewer_except_host = "b689b0a8-53d0-40ab-baf2-68738e2966ac"
{%- if distribution.domain %}

  site_url = "https://{{ distribution.domain.name }}"
{%- else %}

  site_url = "https://${aws_cloudfront_distribution.front.domain_name}"
{%- endif %}
}

# CloudFront signs what it asks of the functions, and they answer to nobody else.
resource "aws_cloudfront_origin_access_control" "functions" {
  name = "{{ names.base }}-functions"
  description = "Signs requests to the URLs of the functions."
  origin_access_control_origin_type = "lambda"
  signing_protocol = "sigv4"

  # The signature takes the place of a viewer's Authorization header: the functions learn who calls from the cookie
  # `session` or from the query. A body is signed by its hash, which the page must send as x-amz-content-sha256.
  signing_behavior = "always"
}

# One domain for page, REST and stream: no request is cross-origin, and HTTP/2 has room for any number of tabs.
resource "aws_cloudfront_distribution" "front" {
{%- if access_log %}
  # checkov:skip=CKV_AWS_86:Lines are delivered to CloudWatch: see aws_cloudwatch_log_delivery.access. The form that is asked for here cannot leave out the query, which may have a token.
{%- else %}
  # checkov:skip=CKV_AWS_86:`front.access_log` in deploy.toml writes one: a log of every address needs a reason and a period of its own.
{%- endif %}
  # checkov:skip=CKV_AWS_310:There is one region and so no second origin to turn to.
  # checkov:skip=CKV_AWS_374:The dashboard is for everybody, wherever they are.
  # checkov:skip=CKV2_AWS_47:The functions are Rust programs, and the page is files: there is no Log4j to attack.
{%- if not firewall %}
  # checkov:skip=CKV_AWS_68:`front.rate_limit` in deploy.toml makes a firewall, for about six dollars a month.
{%- endif %}
{%- if not distribution.domain %}
  # checkov:skip=CKV_AWS_174:Without `front.domain` the certificate is CloudFront's own, and so are the versions of TLS.
  # checkov:skip=CKV2_AWS_42:`front.domain` in deploy.toml brings a certificate of one's own.
{%- endif %}
  comment = "{{ distribution.comment }}"
  enabled = true
  is_ipv6_enabled = true
  http_version = "http2and3"
  price_class = "{{ distribution.price_class }}"
  default_root_object = "index.html"
{%- if distribution.domain %}
  aliases = ["{{ distribution.domain.name }}"]
{%- endif %}
{%- if firewall %}
  web_acl_id = aws_wafv2_web_acl.front.arn
{%- endif %}

  origin {
    origin_id = "page"
    domain_name = aws_s3_bucket.page.bucket_regional_domain_name
    origin_access_control_id = aws_cloudfront_origin_access_control.page.id
  }
{%- for function in functions %}

  origin {
    origin_id = "{{ function.role }}"
    domain_name = module.{{ function.role }}.url_host
    origin_access_control_id = aws_cloudfront_origin_access_control.functions.id
{%- if function.role == "stream" %}

    # CloudFront asks three times where a GET has no answer, and each is an invocation that is billed. A browser comes back by itself.
    connection_attempts = 1
{%- endif %}

    custom_origin_config {
      http_port = 80
      https_port = 443
      origin_protocol_policy = "https-only"
      origin_ssl_protocols = ["TLSv1.2"]

      # The longest silence that CloudFront takes; a stream's heartbeat comes sooner.
      origin_read_timeout = {{ distribution.read_timeout_secs }}
    }
  }
{%- endfor %}

  # The page. What the bucket says of each file decides how long it is kept.
  default_cache_behavior {
    target_origin_id = "page"
    viewer_protocol_policy = "redirect-to-https"
    allowed_methods = ["GET", "HEAD"]
    cached_methods = ["GET", "HEAD"]
    cache_policy_id = local.caching_optimized
    response_headers_policy_id = aws_cloudfront_response_headers_policy.page.id
    compress = true
  }

  # The functions. CloudFront takes the first pattern that fits, so their order matters. Nothing is cached{% if distribution.segment_secs %} but segments{% endif %}, because every
  # answer is live and meant for one viewer; nothing is compressed, because that would hold events back.
{%- for behavior in distribution.behaviors %}

  # {{ behavior.comment }}
  ordered_cache_behavior {
    path_pattern = "{{ behavior.pattern }}"
    target_origin_id = "{{ behavior.role }}"
    viewer_protocol_policy = "https-only"
    allowed_methods = {{ behavior.methods | hcl(indent=4) }}
    cached_methods = ["GET", "HEAD"]
{%- if behavior.is_shared %}

    # Nothing is sent along but what is in the key: with a cookie in either policy CloudFront would ask for each viewer.
    cache_policy_id = aws_cloudfront_cache_policy.segments.id
{%- else %}
    cache_policy_id = local.caching_disabled
    origin_request_policy_id = local.all_viewer_except_host
{%- endif %}
    compress = false
{%- if distribution.viewer_function_arn %}

    # Proves the viewer and sets X-User-ID, whatever the viewer wrote there.
    function_association {
      event_type = "viewer-request"
      function_arn = "{{ distribution.viewer_function_arn }}"
    }
{%- endif %}
  }
{%- endfor %}

  # Without these CloudFront keeps an error for ten seconds, even where caching is disabled, and hands one viewer's 404 or
  # 503 to all the others.
  dynamic "custom_error_response" {
    for_each = [400, 403, 404, 405, 414, 416, 500, 501, 502, 503, 504]

    content {
      error_code = custom_error_response.value
      error_caching_min_ttl = 0
    }
  }

  restrictions {
    geo_restriction {
      restriction_type = "none"
    }
  }

  viewer_certificate {
{%- if not distribution.domain %}
    # Of CloudFront's own domain; the lowest protocol is settled with a certificate of one's own only.
    cloudfront_default_certificate = true
{%- else %}
{%- if distribution.domain.certificate_arn %}
    acm_certificate_arn = "{{ distribution.domain.certificate_arn }}"
{%- else %}
    acm_certificate_arn = aws_acm_certificate_validation.front.certificate_arn
{%- endif %}
    minimum_protocol_version = "TLSv1.2_2021"
    ssl_support_method = "sni-only"
{%- endif %}
  }
}
{%- if distribution.segment_secs %}

# One answer for all who ask the same: those who ask while it comes get what has come and then what comes. That is so only where the
# shortest time is not nothing, and no cookie is in a policy.
resource "aws_cloudfront_cache_policy" "segments" {
  name = "{{ names.base }}-segments"
  comment = "Segments of the stream, until they end."

  # The function says to the second how long an answer lasts.
  min_ttl = 1
  default_ttl = 1
  max_ttl = {{ distribution.segment_secs }}

  parameters_in_cache_key_and_forwarded_to_origin {
    enable_accept_encoding_brotli = false
    enable_accept_encoding_gzip = false

    cookies_config {
      cookie_behavior = "none"
    }

    # Where a viewer goes on from, and whether it is an EventSource, which is refused in words that it survives.
    headers_config {
      header_behavior = "whitelist"

      headers {
        items = ["Accept", "Last-Event-ID"]
      }
    }

    query_strings_config {
      query_string_behavior = "whitelist"

      query_strings {
        items = {{ distribution.segment_queries | hcl(indent=8) }}
      }
    }
  }
}
{%- endif %}

# Wins over what a page of the bucket says of itself.
resource "aws_cloudfront_response_headers_policy" "page" {
  # checkov:skip=CKV_AWS_259:HTTPS is asked for, for a year; other names under the same domain and the browsers' built-in lists are their owner's to decide.
  name = "{{ names.base }}-page"
  comment = "What the page of {{ names.base }} may do."

  security_headers_config {
    content_security_policy {
      content_security_policy = "{{ distribution.page_policy }}"
      override = true
    }

    content_type_options {
      override = true
    }

{%- if not distribution.is_framed %}
    frame_options {
      frame_option = "DENY"
      override = true
    }
{%- endif %}

    referrer_policy {
      referrer_policy = "no-referrer"
      override = true
    }

    strict_transport_security {
      access_control_max_age_sec = 31536000
      override = true
    }
  }
}
