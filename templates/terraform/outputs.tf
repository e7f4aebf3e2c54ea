{%- for function in functions %}
output "{{ function.role }}_url" {
  description = "Base URL of the {{ function.role }} function, without a slash at the end."
  value = trimsuffix(module.{{ function.role }}.url, "/")
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
output "region" {
  description = "Region that everything is in."
  value = "{{ region }}"
}

# The URLs are known only after apply, so the page's configuration is an output as well:
# `terraform -chdir={{ root }} output -raw config_js > {{ config_js_path }}`
locals {
  page = {
{%- for pair in page_literals %}
    {{ pair[0] }} = {{ pair[1] | hcl(indent=4) }}
{%- endfor %}
{%- for pair in page_urls %}
    {{ pair[0] }} = trimsuffix(module.{{ pair[1] }}.url, "/")
{%- endfor %}
  }
}

output "config_js" {
  description = "Whole text of config.js with the live URLs."
  value = "// {{ signature }}\nwindow.CONFIG = Object.freeze(${jsonencode(local.page)});\n"
}
