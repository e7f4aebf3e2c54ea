{%- for record in records.kinds %}
resource "aws_route53_record" "front_{{ record[0] }}" {
  zone_id = "{{ records.zone_id }}"
  name = "{{ records.name }}"
  type = "{{ record[1] }}"

  alias {
    name = {{ records.target_name }}
    zone_id = {{ records.target_zone }}
    evaluate_target_health = false
  }
}
{% endfor %}
