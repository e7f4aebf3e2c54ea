// {{ signature }}
{% if is_same_origin -%}
// Empty base URLs mean same origin: page, REST and stream are on one domain. `terraform apply` uploads this text itself.
{% else -%}
// An empty base URL means same origin. The URLs of Lambda functions are known only after apply; `infragen page` then leaves
// the page with them in {{ page }}, and `terraform -chdir={{ root }} output -raw config_js` prints this file with them.
{% endif -%}
window.CONFIG = Object.freeze({{ json }});
