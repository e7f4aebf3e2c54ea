# What to deploy. `{{ package_command }}` and `{{ image_command }}` write these into artifacts.auto.tfvars.json; rendering never
# waits for them. All four are declared whatever the packaging, because Terraform warns about values without a variable.
{%- for variable in references %}

variable "{{ variable.name }}" {
{%- if variable.package == "zip" %}
  description = "Zip archive of the {{ variable.role }} function: its path and the base64 SHA-256 of its bytes.{% if not variable.is_used %} Not used by this packaging.{% endif %}"
  type = object({ path = string, sha256 = string, architecture = optional(string) })
{%- else %}
  description = "Container image of the {{ variable.role }} function, pinned by digest: repository@sha256:hex.{% if not variable.is_used %} Not used by this packaging.{% endif %}"
  type = string
{%- endif %}
{%- if variable.image_uri %}
  default = "{{ variable.image_uri }}"
{%- else %}
  default = null
{%- endif %}
{%- if variable.is_first_used %}

  # Both functions in one rule, so that one missing file is one error.
  validation {
    condition = {{ all_present }}
    error_message = "{{ missing_artifacts }}"
  }
{%- endif %}

  validation {
{%- if variable.package == "zip" %}
    condition = var.{{ variable.name }} == null || can(regex("^[0-9A-Za-z+/]{43}=$", var.{{ variable.name }}.sha256))
    error_message = "`{{ variable.name }}.sha256` must be the base64 SHA-256 of the archive, 44 characters."
{%- if variable.is_used %}
  }

  # Lambda takes an archive for another processor, and then every invocation fails.
  validation {
    condition = try(coalesce(var.{{ variable.name }}.architecture, "{{ architecture }}") == "{{ architecture }}", true)
    error_message = "`{{ variable.name }}` was built for another processor than deploy.toml says, {{ architecture }}: run `{{ package_command }}`."
{%- endif %}
{%- else %}
    # A tag can be moved to another image after the plan was read; a digest cannot.
    condition = var.{{ variable.name }} == null || can(regex("@sha256:[0-9a-f]{64}$", var.{{ variable.name }}))
    error_message = "`{{ variable.name }}` must end with `@sha256:` and 64 hexadecimal digits: images are pinned by digest."
{%- if variable.is_used %}
  }

  # Lambda takes images of its own region only, and says so when half of the rest is there.
  validation {
    condition = !can(regex("[.]dkr[.-]ecr[.]", var.{{ variable.name }})) || can(regex("[.]dkr[.-]ecr[.]{{ region }}[.]", var.{{ variable.name }}))
    error_message = "`{{ variable.name }}` is an image of another region: a function in {{ region }} runs images of {{ region }} only. {{ image_elsewhere }}"
{%- endif %}
{%- endif %}
  }
}
{%- endfor %}
{%- if has_canary %}

# `infragen deploy` says it while it watches a new version, and nobody else does: the next apply without it goes on.
variable "canary" {
  description = "By function, the version that stays behind the alias, and the weight of the newest one beside it, above 0 and below 1."
  type = map(object({ version = string, weight = number }))
  default = {}
}
{%- endif %}

# One value, so that both functions wait until all of it is there.
locals {
  artifacts = {
{%- for variable in references %}
{%- if variable.is_used %}
    {{ variable.role }} = var.{{ variable.name }}
{%- endif %}
{%- endfor %}
  }
}
