# Rendered by infragen from deploy.toml. Do not edit: change deploy.toml and run `./justw render`. [generated/terraform/modules/lambda/variables.tf 4e4494432514b178]

variable "name" {
  description = "Name of the function, its role and its log group."
  type        = string
}

variable "description" {
  description = "Description of the function, for people who read the console."
  type        = string
}

variable "image_uri" {
  description = "Container image, pinned by digest. Without it the function is a zip archive."
  type        = string
  default     = null
}

variable "zip" {
  description = "Zip archive with a program called bootstrap: its path and the base64 SHA-256 of its bytes."
  type        = object({ path = string, sha256 = string })
  default     = null

  validation {
    condition     = (var.zip == null) != (var.image_uri == null)
    error_message = "Give either `image_uri` or `zip`."
  }
}

variable "architecture" {
  description = "Processor that the package was built for: arm64 or x86_64."
  type        = string

  # Neither the provider nor Lambda compares it with the image before the first invocation fails.
  validation {
    condition     = contains(["arm64", "x86_64"], var.architecture)
    error_message = "`architecture` must be arm64 or x86_64."
  }
}

variable "memory_mebibytes" {
  description = "Memory of an instance; the processor share grows with it."
  type        = number
}

variable "timeout_secs" {
  description = "Time after which Lambda ends an invocation."
  type        = number
}

variable "reserved_concurrency" {
  description = "Most instances at once, taken out of the account's share. Null takes none."
  type        = number
  default     = null
}

variable "log_retention_days" {
  description = "Days for which CloudWatch keeps the log."
  type        = number
}

variable "environment" {
  description = "Environment variables."
  type        = map(string)
}

variable "policy" {
  description = "What the function may do beside writing its own log: an IAM policy, JSON."
  type        = string
}

variable "invoke_mode" {
  description = "How the URL answers: BUFFERED at the end, or RESPONSE_STREAM as the program writes."
  type        = string

  validation {
    condition     = contains(["BUFFERED", "RESPONSE_STREAM"], var.invoke_mode)
    error_message = "`invoke_mode` must be BUFFERED or RESPONSE_STREAM."
  }
}

variable "cors" {
  description = "Which pages of other origins may call the URL, and with what."
  type = object({
    allow_origins     = list(string)
    allow_credentials = bool
    allow_methods     = list(string)
    allow_headers     = list(string)
    expose_headers    = list(string)
    max_age_secs      = number
  })
}
