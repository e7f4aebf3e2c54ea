{%- if distribution %}
output "site_url" {
  description = "Address of the page, without a slash at the end."
  value = local.site_url
}

output "distribution_id" {
  description = "Identifier of the CloudFront distribution."
  value = aws_cloudfront_distribution.front.id
}

output "distribution_domain_name" {
  description = "Domain name that CloudFront gave the distribution: what a domain of one's own points to."
  value = aws_cloudfront_distribution.front.domain_name
}

output "page_bucket_name" {
  description = "Name of the page's bucket."
  value = aws_s3_bucket.page.bucket
}
{% endif %}
{%- for function in functions %}
output "{{ function.role }}_url" {
  description = "Base URL of the {{ function.role }} function, without a slash at the end."
{%- if distribution %}
  value = local.site_url
{%- elif gateway %}
  value = local.api_url
{%- else %}
  value = trimsuffix(module.{{ function.role }}.url, "/")
{%- endif %}
}

output "{{ function.role }}_function_name" {
  description = "Name of the {{ function.role }} function."
  value = module.{{ function.role }}.function_name
}

output "{{ function.role }}_function_version" {
  description = "Version of the {{ function.role }} function that the alias `live` points to."
  value = module.{{ function.role }}.version
}

output "{{ function.role }}_log_group_name" {
  description = "Log group of the {{ function.role }} function."
  value = module.{{ function.role }}.log_group_name
}
{% endfor %}
{%- for table in tables %}
output "{{ table.label }}_table_name" {
  description = "Name of the table of {{ table.label }}."
  value = {{ table.address }}.name
}
{% endfor %}
{%- if session_keys %}
output "session_key_arns" {
  description = "KMS keys that session tokens are signed with, by their names in deploy.toml."
  value = { for name, key in aws_kms_key.session : name => key.arn }
}
{% endif %}
output "estimated_monthly_usd" {
  description = "What a month costs in US dollars with the viewers and items that deploy.toml expects; `infragen cost` says how."
  value = {{ estimated_monthly_usd }}
}

output "region" {
  description = "Region that functions and tables are in."
  value = "{{ region }}"
}

{% if distribution -%}
# Behind CloudFront everything is of the page's own origin, so that the URLs stay empty.
{%- else -%}
# The URLs are known only after apply, so the page's configuration is an output as well.
{%- endif %}
locals {
  page = {
{%- for pair in page_literals %}
    {{ pair[0] }} = {{ pair[1] | hcl(indent=4) }}
{%- endfor %}
{%- for pair in page_urls %}
{%- if gateway %}
    {{ pair[0] }} = local.api_url
{%- else %}
    {{ pair[0] }} = trimsuffix(module.{{ pair[1] }}.url, "/")
{%- endif %}
{%- endfor %}
  }

  config_js = "// {{ signature }}\nwindow.CONFIG = Object.freeze(${jsonencode(local.page)});\n"
}

output "config_js" {
  description = "Whole text of config.js with the live URLs."
  value = local.config_js
}
