resource "aws_acm_certificate" "front" {
{%- if distribution.cloudfront_provider %}
  provider = {{ distribution.cloudfront_provider }}
{% endif %}
  domain_name = "{{ distribution.domain.name }}"
  validation_method = "DNS"

  # A distribution cannot be without its certificate, not even while it gets another.
  lifecycle {
    create_before_destroy = true
  }
}

# The proof that the domain is ours; it stays, because ACM looks again whenever it renews.
resource "aws_route53_record" "certificate" {
  zone_id = "{{ distribution.domain.hosted_zone_id }}"
  name = one(aws_acm_certificate.front.domain_validation_options).resource_record_name
  type = one(aws_acm_certificate.front.domain_validation_options).resource_record_type
  records = [one(aws_acm_certificate.front.domain_validation_options).resource_record_value]
  ttl = 300

  # ACM asks for the same record for every certificate of a domain: another's may be there already.
  allow_overwrite = true
}

# Waits until ACM has seen the record.
resource "aws_acm_certificate_validation" "front" {
{%- if distribution.cloudfront_provider %}
  provider = {{ distribution.cloudfront_provider }}
{% endif %}
  certificate_arn = aws_acm_certificate.front.arn
  validation_record_fqdns = [aws_route53_record.certificate.fqdn]
}
