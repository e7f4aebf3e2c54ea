# Rendered by infragen from deploy.toml. Do not edit: change deploy.toml and run `infragen render`. [generated/terraform/tables.tf 8583adf71c0648ba]

resource "aws_dynamodb_table" "items" {
  # checkov:skip=CKV_AWS_119:DynamoDB encrypts with a key of its own; a key of one's own costs a dollar a month, and every call that must ask for it.
  name                        = "sse-streaming-dev-items"
  billing_mode                = "PAY_PER_REQUEST"
  hash_key                    = "source_id"
  range_key                   = "timestamp"
  deletion_protection_enabled = true

  attribute {
    name = "sentiment"
    type = "S"
  }

  attribute {
    name = "source_id"
    type = "S"
  }

  attribute {
    name = "timestamp"
    type = "S"
  }

  # Carries exactly what the functions read beside the keys: a poll never touches the table itself, and columns that
  # nobody streams cost nothing here.
  global_secondary_index {
    name               = "by_sentiment"
    hash_key           = "sentiment"
    range_key          = "timestamp"
    projection_type    = "INCLUDE"
    non_key_attributes = ["confidence", "matched_tickers", "score", "source", "status"]
  }

  ttl {
    attribute_name = "ttl"
    enabled        = true
  }

  # AWS's own key. Left out, a table would keep the key that it had.
  server_side_encryption {
    enabled = false
  }

  point_in_time_recovery {
    enabled = true
  }
}

resource "aws_dynamodb_table" "users" {
  # checkov:skip=CKV_AWS_119:DynamoDB encrypts with a key of its own; a key of one's own costs a dollar a month, and every call that must ask for it.
  name                        = "sse-streaming-dev-users"
  billing_mode                = "PAY_PER_REQUEST"
  hash_key                    = "PK"
  range_key                   = "SK"
  deletion_protection_enabled = true

  attribute {
    name = "PK"
    type = "S"
  }

  attribute {
    name = "SK"
    type = "S"
  }

  # AWS's own key. Left out, a table would keep the key that it had.
  server_side_encryption {
    enabled = false
  }

  point_in_time_recovery {
    enabled = true
  }
}
