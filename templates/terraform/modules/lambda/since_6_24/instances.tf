variable "instances" {
  description = "Managed instances that the function runs on, and how it shares them. Null is Lambda itself."
  type = object({
    capacity_provider_arn     = string
    concurrency               = number
    memory_gibibytes_per_vcpu = number
  })
  default = null
}
