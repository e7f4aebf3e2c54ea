# Rendered by infragen from deploy.toml. Do not edit: change deploy.toml and run `infragen render`. [generated/terraform/modules/lambda/variables.tf dab71f341a7d9c04]

variable "name" {
  description = "Name of the function, its role and its log group."
  type        = string
}

variable "description" {
  description = "Description of the function, for people who read the console."
  type        = string
  default     = null
}

variable "image_uri" {
  description = "Container image, pinned by digest."
  type        = string
  default     = null
}

variable "s3_bucket" {
  description = "Bucket with a zip archive, in the function's region."
  type        = string
  default     = null

  validation {
    condition     = (var.s3_bucket == null) == (var.s3_key == null)
    error_message = "Give `s3_bucket` and `s3_key` together."
  }
}

variable "s3_key" {
  description = "Key of that archive. Other bytes under the same key are seen only through `s3_object_version` or `s3_sha256`."
  type        = string
  default     = null
}

variable "s3_object_version" {
  description = "Version of that archive, where the bucket keeps versions."
  type        = string
  default     = null

  validation {
    condition     = var.s3_object_version == null || var.s3_key != null
    error_message = "`s3_object_version` is of an archive in S3: give `s3_bucket` and `s3_key`."
  }
}

variable "s3_sha256" {
  description = "Base64 SHA-256 of that archive's bytes. Lambda does not look at it; a version with other bytes does not get behind the alias."
  type        = string
  default     = null

  validation {
    condition     = var.s3_sha256 == null || var.s3_key != null
    error_message = "`s3_sha256` is of an archive in S3: give `s3_bucket` and `s3_key`."
  }
}

variable "zip" {
  description = "Zip archive on this machine: its path and the base64 SHA-256 of its bytes."
  type        = object({ path = string, sha256 = string })
  default     = null

  validation {
    condition     = length([for is_given in [var.image_uri != null, var.s3_bucket != null || var.s3_key != null, var.zip != null] : true if is_given]) == 1
    error_message = "Give the code once: either `image_uri`, or `s3_bucket` and `s3_key`, or `zip`."
  }
}

variable "image_config" {
  description = "What replaces the image's own command, entry point or working folder."
  type = object({
    command           = optional(list(string))
    entry_point       = optional(list(string))
    working_directory = optional(string)
  })
  default = null

  validation {
    condition     = var.image_config == null || (var.zip == null && var.s3_key == null)
    error_message = "`image_config` is of an image: an archive has a `handler`."
  }
}

variable "runtime" {
  description = "Runtime of an archive. An image brings its own."
  type        = string
  default     = "provided.al2023"
}

variable "handler" {
  description = "What the runtime starts of an archive: on the bare runtime, a program of this name."
  type        = string
  default     = "bootstrap"
}

variable "layers" {
  description = "ARNs of layer versions under an archive."
  type        = list(string)
  default     = []

  validation {
    condition     = length(var.layers) == 0 || var.zip != null || var.s3_key != null
    error_message = "`layers` are for archives: an image has its own."
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

variable "ephemeral_storage_mebibytes" {
  description = "Size of /tmp. Null is Lambda's own, 512."
  type        = number
  default     = null
}

variable "timeout_secs" {
  description = "Time after which Lambda ends an invocation."
  type        = number
}

variable "reserved_concurrency" {
  description = "Most instances at once, taken out of the account's share; with 0 Lambda refuses every invocation. Null takes none."
  type        = number
  default     = null
}

variable "log_retention_days" {
  description = "Days for which CloudWatch keeps the log."
  type        = number
  default     = 14
}

variable "log_group_name" {
  description = "Name of a log group that exists, in the place of one that is made for the function; its retention and key are its owner's. Null makes one."
  type        = string
  default     = null
}

variable "logging" {
  description = "How Lambda writes the log: format Text or JSON, and for JSON the lowest levels of the program's lines and of Lambda's own, each INFO unless said. Null is Text; managed instances write JSON whatever this says."
  type = object({
    format                = string
    application_log_level = optional(string)
    system_log_level      = optional(string)
  })
  default = null

  validation {
    condition     = contains(["JSON", "Text"], var.logging == null ? "Text" : var.logging.format)
    error_message = "`logging.format` must be Text or JSON."
  }
}

variable "tracing" {
  description = "Whether X-Ray gets traces."
  type        = bool
  default     = false
  nullable    = false
}

variable "environment" {
  description = "Environment variables."
  type        = map(string)
  default     = {}
  nullable    = false
}

variable "kms_key_arn" {
  description = "KMS key for the environment and the log, whose policy must let CloudWatch Logs use it. Null is keys of AWS."
  type        = string
  default     = null
}

variable "policy" {
  description = "What the function may do beside writing its own log: an IAM policy as `jsonencode` makes it. Whether there is one must be known before apply. Null is nothing."
  type        = string
  default     = null
}

variable "permissions_boundary" {
  description = "ARN of the policy that bounds the role. Null is none."
  type        = string
  default     = null
}

variable "role_path" {
  description = "Path of the role."
  type        = string
  default     = "/"
}

variable "vpc" {
  description = "Network that the function runs in; `policy` must let it make network interfaces. Null is none."
  type        = object({ subnet_ids = list(string), security_group_ids = list(string) })
  default     = null
}

variable "canary" {
  description = "While a new version is watched: the version that stays behind the alias, and the weight of the newest one beside it. Null gives the newest one everything."
  type        = object({ version = string, weight = number })
  default     = null

  validation {
    condition     = var.canary == null || try(var.canary.weight > 0 && var.canary.weight < 1, false)
    error_message = "`canary.weight` is a share of the requests: above 0 and below 1."
  }
}

variable "invoke_mode" {
  description = "How the URL answers: BUFFERED at the end, or RESPONSE_STREAM as the program writes."
  type        = string
  default     = "BUFFERED"

  validation {
    condition     = contains(["BUFFERED", "RESPONSE_STREAM"], var.invoke_mode)
    error_message = "`invoke_mode` must be BUFFERED or RESPONSE_STREAM."
  }
}

# Not asked of `rest_api_source_arn`, which is known only after apply.
variable "url" {
  description = "Whether it has a URL. Otherwise `rest_api_source_arn` alone may call it."
  type        = bool
  default     = true
  nullable    = false
}

variable "rest_api_source_arn" {
  description = "Stage and paths of a REST API of API Gateway that may call the function where it has no URL: an execution ARN, with stars."
  type        = string
  default     = null

  validation {
    condition     = (var.rest_api_source_arn == null) == var.url
    error_message = "Say who may call the function: either `url`, or `rest_api_source_arn`."
  }
}

# Not asked of `distribution_arn`, which is known only after apply, and of a distribution that itself asks for the URL.
variable "public" {
  description = "Whether everybody may call the URL. Otherwise `distribution_arn` alone may, with signed requests."
  type        = bool
  default     = false
  nullable    = false
}

variable "distribution_arn" {
  description = "CloudFront distribution that may call the URL; nobody else may. Null where it is public."
  type        = string
  default     = null

  validation {
    condition     = (var.distribution_arn == null) == (var.public || !var.url)
    error_message = "Say who may call the URL: either `public = true`, or `distribution_arn`."
  }
}

variable "cors" {
  description = "Which pages of other origins may call the URL, and with what. Null is none."
  type = object({
    allow_origins     = list(string)
    allow_credentials = bool
    allow_methods     = list(string)
    allow_headers     = list(string)
    expose_headers    = list(string)
    max_age_secs      = number
  })
  default = null
}
