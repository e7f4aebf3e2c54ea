resource "aws_api_gateway_domain_name" "front" {
  domain_name = "{{ gateway.domain.name }}"
  regional_certificate_arn = "{{ gateway.domain.certificate_arn }}"
  security_policy = "TLS_1_2"

  endpoint_configuration {
    types = ["REGIONAL"]
  }
}

# All of the domain is the one stage: its name is in no path.
resource "aws_api_gateway_base_path_mapping" "front" {
  api_id = aws_api_gateway_rest_api.front.id
  stage_name = aws_api_gateway_stage.front.stage_name
  domain_name = aws_api_gateway_domain_name.front.domain_name
}
