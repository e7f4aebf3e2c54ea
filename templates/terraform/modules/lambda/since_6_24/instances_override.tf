# Terraform merges this into the function of function.tf: older providers do not know the block.
# On managed instances Lambda writes JSON, and takes no other format.
locals {
  log_format = var.instances == null ? try(var.logging.format, "Text") : "JSON"
}

resource "aws_lambda_function" "this" {
  # checkov:skip=CKV_AWS_50:Of the whole function, in function.tf: this is merged into it.
  # checkov:skip=CKV_AWS_115:Of the whole function, in function.tf: this is merged into it.
  # checkov:skip=CKV_AWS_116:Of the whole function, in function.tf: this is merged into it.
  # checkov:skip=CKV_AWS_117:Of the whole function, in function.tf: this is merged into it.
  # checkov:skip=CKV_AWS_272:Of the whole function, in function.tf: this is merged into it.
  # Each published version gets environments of its own on the instances; the alias moves when the new ones are there.
  dynamic "capacity_provider_config" {
    for_each = var.instances == null ? [] : [var.instances]

    content {
      lambda_managed_instances_capacity_provider_config {
        capacity_provider_arn                     = capacity_provider_config.value.capacity_provider_arn
        per_execution_environment_max_concurrency = capacity_provider_config.value.concurrency
        execution_environment_memory_gib_per_vcpu = capacity_provider_config.value.memory_gibibytes_per_vcpu
      }
    }
  }

  # The first instances take their time.
  timeouts {
    create = "30m"
    update = "30m"
  }
}
