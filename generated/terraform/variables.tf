# Rendered by infragen from deploy.toml. Do not edit: change deploy.toml and run `infragen render`. [generated/terraform/variables.tf 1a16d63524889e7c]

# What to deploy. `./justw package` and `./justw image` write these into artifacts.auto.tfvars.json; rendering never
# waits for them. All four are declared whatever the packaging, because Terraform warns about values without a variable.

variable "stream_zip" {
  description = "Zip archive of the stream function: its path and the base64 SHA-256 of its bytes."
  type        = object({ path = string, sha256 = string, architecture = optional(string) })
  default     = null

  # Both functions in one rule, so that one missing file is one error.
  validation {
    condition     = var.stream_zip != null && var.dashboard_zip != null
    error_message = "The functions are not packaged yet: run `./justw package`."
  }

  validation {
    condition     = var.stream_zip == null || can(regex("^[0-9A-Za-z+/]{43}=$", var.stream_zip.sha256))
    error_message = "`stream_zip.sha256` must be the base64 SHA-256 of the archive, 44 characters."
  }

  # Lambda takes an archive for another processor, and then every invocation fails.
  validation {
    condition     = try(coalesce(var.stream_zip.architecture, "arm64") == "arm64", true)
    error_message = "`stream_zip` was built for another processor than deploy.toml says, arm64: run `./justw package`."
  }
}

variable "dashboard_zip" {
  description = "Zip archive of the dashboard function: its path and the base64 SHA-256 of its bytes."
  type        = object({ path = string, sha256 = string, architecture = optional(string) })
  default     = null

  validation {
    condition     = var.dashboard_zip == null || can(regex("^[0-9A-Za-z+/]{43}=$", var.dashboard_zip.sha256))
    error_message = "`dashboard_zip.sha256` must be the base64 SHA-256 of the archive, 44 characters."
  }

  # Lambda takes an archive for another processor, and then every invocation fails.
  validation {
    condition     = try(coalesce(var.dashboard_zip.architecture, "arm64") == "arm64", true)
    error_message = "`dashboard_zip` was built for another processor than deploy.toml says, arm64: run `./justw package`."
  }
}

variable "stream_image" {
  description = "Container image of the stream function, pinned by digest: repository@sha256:hex. Not used by this packaging."
  type        = string
  default     = null

  validation {
    # A tag can be moved to another image after the plan was read; a digest cannot.
    condition     = var.stream_image == null || can(regex("@sha256:[0-9a-f]{64}$", var.stream_image))
    error_message = "`stream_image` must end with `@sha256:` and 64 hexadecimal digits: images are pinned by digest."
  }
}

variable "dashboard_image" {
  description = "Container image of the dashboard function, pinned by digest: repository@sha256:hex. Not used by this packaging."
  type        = string
  default     = null

  validation {
    # A tag can be moved to another image after the plan was read; a digest cannot.
    condition     = var.dashboard_image == null || can(regex("@sha256:[0-9a-f]{64}$", var.dashboard_image))
    error_message = "`dashboard_image` must end with `@sha256:` and 64 hexadecimal digits: images are pinned by digest."
  }
}

# One value, so that both functions wait until all of it is there.
locals {
  artifacts = {
    stream    = var.stream_zip
    dashboard = var.dashboard_zip
  }
}
