resource "aws_sqs_queue" "late" {
  name = "{{ queue.name }}"
  message_retention_seconds = {{ queue.retention_secs }}
  tags = { base = "{{ names.base }}" }
}
