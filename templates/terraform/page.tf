# The page's files, for CloudFront alone.
resource "aws_s3_bucket" "page" {
  # checkov:skip=CKV_AWS_18:Only CloudFront reads it, and only what everybody may read.
  # checkov:skip=CKV_AWS_21:Every file comes from the repository, which has its versions.
  # checkov:skip=CKV_AWS_144:Every file comes from the repository and can be uploaded anywhere.
{%- if not account.keys.buckets %}
  # checkov:skip=CKV_AWS_145:Everybody may read the page: encryption with a key of one's own would protect nothing.
{%- endif %}
  # checkov:skip=CKV2_AWS_61:There is one version of a dozen files, and it is needed.
  # checkov:skip=CKV2_AWS_62:Nothing waits for the page to change.
  bucket_prefix = "{{ names.page_bucket_prefix }}"
}

resource "aws_s3_bucket_public_access_block" "page" {
  bucket = aws_s3_bucket.page.id
  block_public_acls = true
  block_public_policy = true
  ignore_public_acls = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_server_side_encryption_configuration" "page" {
  bucket = aws_s3_bucket.page.id

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

resource "aws_cloudfront_origin_access_control" "page" {
  name = "{{ names.base }}-page"
  description = "Signs requests to the page's bucket."
  origin_access_control_origin_type = "s3"
  signing_protocol = "sigv4"
  signing_behavior = "always"
}

resource "aws_s3_bucket_policy" "page" {
  bucket = aws_s3_bucket.page.id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid = "ReadThroughDistribution"
        Effect = "Allow"
        Principal = { Service = "cloudfront.amazonaws.com" }
        Action = "s3:GetObject"
        Resource = "${aws_s3_bucket.page.arn}/*"
        Condition = { StringEquals = { "aws:SourceArn" = aws_cloudfront_distribution.front.arn } }
      },
      {
        Sid = "RefusePlainHttp"
        Effect = "Deny"
        Principal = "*"
        Action = "s3:*"
        Resource = [aws_s3_bucket.page.arn, "${aws_s3_bucket.page.arn}/*"]
        Condition = { Bool = { "aws:SecureTransport" = "false" } }
      },
    ]
  })

  # S3 refuses two changes of a bucket's access at once.
  depends_on = [aws_s3_bucket_public_access_block.page]
}

locals {
  page_folder = "${path.module}/{{ distribution.page_folder }}"

  # What a browser is told that a file is, by the end of its name. A file of any other kind is not uploaded.
  content_types = {
    avif = "image/avif"
    css = "text/css; charset=utf-8"
    gif = "image/gif"
    html = "text/html; charset=utf-8"
    ico = "image/x-icon"
    jpeg = "image/jpeg"
    jpg = "image/jpeg"
    js = "text/javascript; charset=utf-8"
    json = "application/json"
    mjs = "text/javascript; charset=utf-8"
    otf = "font/otf"
    png = "image/png"
    svg = "image/svg+xml"
    ttf = "font/ttf"
    txt = "text/plain; charset=utf-8"
    wasm = "application/wasm"
    webmanifest = "application/manifest+json"
    webp = "image/webp"
    woff = "font/woff"
    woff2 = "font/woff2"
    xml = "application/xml"
  }

  # The page and what lies in its folders. What lies beside it is not for the world: its tests, packages, what is hidden, and
  # config.js, which is uploaded with the live URLs in it.
  page_files = setsubtract(
    setunion(
      fileset(local.page_folder, "*.{${join(",", setsubtract(keys(local.content_types), ["js", "json", "mjs", "txt"]))}}"),
      fileset(local.page_folder, "robots.txt"),
      fileset(local.page_folder, "*/**/*.{${join(",", keys(local.content_types))}}"),
    ),
    setsubtract(
      setunion(
        fileset(local.page_folder, "test/**"),
        fileset(local.page_folder, "**/node_modules/**"),
        fileset(local.page_folder, "**/.*"),
        fileset(local.page_folder, "**/.*/**"),
      ),
      fileset(local.page_folder, ".well-known/**"),
    ),
  )
}

resource "aws_s3_object" "page" {
  for_each = local.page_files

  bucket = aws_s3_bucket.page.id
  key = each.value
  source = "${local.page_folder}/${each.value}"
{%- if account.keys.buckets %}
  # Under a key of one's own an object's tag is no hash of it.
  source_hash = filemd5("${local.page_folder}/${each.value}")
{%- else %}
  etag = filemd5("${local.page_folder}/${each.value}")
{%- endif %}
  content_type = local.content_types[regex("[a-z0-9]+$", each.value)]

  # Their names do not change with their text, so browsers ask each time, and CloudFront each second: a new page never
  # meets an old script. What did not change is answered in one line.
  cache_control = "no-cache"

  # What comes before the bucket's own encryption is not under its key.
  depends_on = [aws_s3_bucket_server_side_encryption_configuration.page]

  # An object takes ten tags, a project may have fifty.
  override_provider {
    default_tags {
      tags = {}
    }
  }
}

resource "aws_s3_object" "config_js" {
  bucket = aws_s3_bucket.page.id
  key = "config.js"
  content = local.config_js
{%- if account.keys.buckets %}
  # Under a key of one's own an object's tag is no hash of it.
  source_hash = md5(local.config_js)
{%- else %}
  etag = md5(local.config_js)
{%- endif %}
  content_type = local.content_types.js
  cache_control = "no-cache"

  depends_on = [aws_s3_bucket_server_side_encryption_configuration.page]

  override_provider {
    default_tags {
      tags = {}
    }
  }

  lifecycle {
    precondition {
      condition = contains(local.page_files, "index.html")
      error_message = "There is no page in {{ distribution.page_folder }}: index.html is missing."
    }
  }
}
