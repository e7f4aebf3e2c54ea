# Each function derives the secret that session tokens are signed with from one of these at its start. The keys never leave
# KMS, and the secret stands in no state, plan or variable. The first in `auth.session_keys` signs, all verify.
resource "aws_kms_key" "session" {
  # checkov:skip=CKV2_AWS_64:The default policy leaves it to IAM, where the policies of both functions allow one operation with it.
  # checkov:skip=CKV_AWS_7:KMS rotates no HMAC key by itself: `auth.session_keys` in deploy.toml does.
  for_each = toset({{ session_keys.names | hcl(indent=2) }})

  description = "Session tokens of {{ names.base }}, key ${each.key}."
  key_usage = "GENERATE_VERIFY_MAC"
  customer_master_key_spec = "HMAC_256"

  # For so long a key that is no longer listed can be had back.
  deletion_window_in_days = 7
}

resource "aws_kms_alias" "session" {
  for_each = aws_kms_key.session

  name = "{{ session_keys.alias_prefix }}${each.key}"
  target_key_id = each.value.key_id
}
