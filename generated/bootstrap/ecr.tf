# Rendered by infragen from deploy.toml. Do not edit: change deploy.toml and run `./justw render`. [generated/bootstrap/ecr.tf 5d4e3a4e572c97e5]

# Images of both functions. Made before everything else, because a function cannot be created without its image.
resource "aws_ecr_repository" "functions" {
  # checkov:skip=CKV_AWS_136:AWS encrypts images with a key of its own; they hold programs and no secrets, and a key of one's own costs a dollar a month.
  name = "sse-streaming-dev"
  # A tag that was read once means the same image for ever.
  image_tag_mutability = "IMMUTABLE"

  image_scanning_configuration {
    scan_on_push = true
  }
}

resource "aws_ecr_lifecycle_policy" "functions" {
  repository = aws_ecr_repository.functions.name

  policy = jsonencode({
    rules = [
      {
        rulePriority = 1
        description  = "Remove what lost its tag."
        selection = {
          tagStatus   = "untagged"
          countType   = "sinceImagePushed"
          countUnit   = "days"
          countNumber = 14
        }
        action = { type = "expire" }
      },
      {
        rulePriority = 2
        description  = "Keep the newest images, enough to roll back far."
        selection = {
          tagStatus   = "any"
          countType   = "imageCountMoreThan"
          countNumber = 50
        }
        action = { type = "expire" }
      },
    ]
  })
}
