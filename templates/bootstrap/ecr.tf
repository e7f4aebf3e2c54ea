# Images of both functions. Made before everything else, because a function cannot be created without its image.
resource "aws_ecr_repository" "functions" {
{%- if not account.keys.repository %}
  # checkov:skip=CKV_AWS_136:AWS encrypts images with a key of its own; they hold programs and no secrets, and a key of one's own costs a dollar a month.
{%- endif %}
  name = "{{ names.repository }}"
  # A tag that was read once means the same image for ever.
  image_tag_mutability = "IMMUTABLE"

  image_scanning_configuration {
    scan_on_push = true
  }
{%- if account.keys.repository %}

  encryption_configuration {
    encryption_type = "KMS"
    kms_key = "{{ account.keys.repository }}"
  }
{%- endif %}
}

resource "aws_ecr_lifecycle_policy" "functions" {
  repository = aws_ecr_repository.functions.name

  # Images are pushed by digest and have no tag: a rule for those without one would remove what runs.
  policy = jsonencode({
    rules = [
      {
        rulePriority = 1
        description = "Keep the newest images, enough to roll back far."
        selection = {
          tagStatus = "any"
          countType = "imageCountMoreThan"
          countNumber = 50
        }
        action = { type = "expire" }
      },
    ]
  })
}
