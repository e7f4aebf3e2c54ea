# State of both roots, for `[terraform.backend] kind = "s3"`: its name goes into deploy.toml after the first apply, and the next
# `infragen bootstrap` moves the state of this root there, too.
resource "aws_s3_bucket" "state" {
  # checkov:skip=CKV_AWS_18:Who reads or writes a state is in CloudTrail; a second bucket of access logs would need the same guards.
  # checkov:skip=CKV_AWS_144:Versions bring back a state that was overwritten; a lost region would take what the state describes with it.
{%- if not account.keys.buckets %}
  # checkov:skip=CKV_AWS_145:AES256 encrypts with a key of S3; a key of one's own costs a dollar a month and keeps nobody out who may read the bucket.
{%- endif %}
  # checkov:skip=CKV2_AWS_61:Old versions of a state are small, and the only way back.
  # checkov:skip=CKV2_AWS_62:Nothing waits for a state to change.
{%- if state_bucket %}
  bucket = "{{ state_bucket }}"
{%- else %}
  bucket_prefix = "{{ names.state_bucket_prefix }}"
{%- endif %}
}

# A state that was overwritten by mistake can be fetched back.
resource "aws_s3_bucket_versioning" "state" {
  bucket = aws_s3_bucket.state.id

  versioning_configuration {
    status = "Enabled"
  }
}

resource "aws_s3_bucket_server_side_encryption_configuration" "state" {
  bucket = aws_s3_bucket.state.id

  rule {
{%- if account.keys.buckets %}
    # One data key for many objects: KMS is asked, and billed, far less often.
    bucket_key_enabled = true

    apply_server_side_encryption_by_default {
      sse_algorithm = "aws:kms"
      kms_master_key_id = "{{ account.keys.buckets }}"
    }
{%- else %}
    apply_server_side_encryption_by_default {
      sse_algorithm = "AES256"
    }
{%- endif %}
  }
}

# A state holds every value of every resource: nobody outside the account may read it, whatever a policy says.
resource "aws_s3_bucket_public_access_block" "state" {
  bucket = aws_s3_bucket.state.id
  block_public_acls = true
  block_public_policy = true
  ignore_public_acls = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_policy" "state" {
  bucket = aws_s3_bucket.state.id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid = "RefusePlainHttp"
        Effect = "Deny"
        Principal = "*"
        Action = "s3:*"
        Resource = [aws_s3_bucket.state.arn, "${aws_s3_bucket.state.arn}/*"]
        Condition = { Bool = { "aws:SecureTransport" = "false" } }
      },
    ]
  })

  # S3 refuses two changes of a bucket's access at once.
  depends_on = [aws_s3_bucket_public_access_block.state]
}
