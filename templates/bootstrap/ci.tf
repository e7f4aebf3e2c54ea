# Lets the workflow of {{ ci.owner }}/{{ ci.repository }} in, without a key that could leak: GitHub signs a token for each
# run, and AWS gives a role for it.
{%- if ci.provider_arn %} The account knows of these tokens already.
{%- elif ci.makes_provider %} An account has one such provider for GitHub; where it is there already,
# name it in deploy.toml: `oidc_provider_arn` under `[ci]`.
resource "aws_iam_openid_connect_provider" "github" {
  url = "https://{{ ci.issuer }}"
  client_id_list = ["sts.amazonaws.com"]
}
{%- else %} An account has one such provider for GitHub, and the bootstrap root of another environment makes it.
# Where that is in another account, make it here first:
# `aws iam create-open-id-connect-provider --url https://token.actions.githubusercontent.com --client-id-list sts.amazonaws.com`
data "aws_iam_openid_connect_provider" "github" {
  url = "https://{{ ci.issuer }}"
}
{%- endif %}
{%- for role in ["deploy", "plan"] %}
{% if role == "deploy" %}
# What a push to the branch `{{ ci.branch }}` may do once GitHub lets it into the environment `{{ ci.environment }}`. No other branch,
# no pull request, no fork. Whoever can write a function's role and the program that has it can do what any role can: guard that
# branch like an administrator's key.
{%- else %}
# What a pull request may do: read. Who can open one in the repository decides what runs in it, so it gets nothing that
# changes anything; from a fork GitHub signs no token at all. It does read the state, and with it every value in there.
{%- endif %}
resource "aws_iam_role" "{{ role }}" {
  name = "{{ names.base }}-{{ role }}"
{%- if account.role_path != "/" %}
  path = "{{ account.role_path }}"
{%- endif %}
{%- if account.permissions_boundary %}
  permissions_boundary = "{{ account.permissions_boundary }}"
{%- endif %}
  # Longer than any run.
  max_session_duration = 3600

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Effect = "Allow"
        Action = "sts:AssumeRoleWithWebIdentity"
        Principal = { Federated = {% if ci.provider_arn %}"{{ ci.provider_arn }}"{% else %}{% if not ci.makes_provider %}data.{% endif %}aws_iam_openid_connect_provider.github.arn{% endif %} }
        Condition = {
          StringEquals = {
            "{{ ci.issuer }}:aud" = "sts.amazonaws.com"
{%- if role == "deploy" %}
            # The subject of a job in an environment does not say the branch.
            "{{ ci.issuer }}:ref" = "refs/heads/{{ ci.branch }}"
{%- endif %}
          }
          # The second form is that of repositories made or renamed since July 2026: owner and name with their numbers,
          # which cannot be reused. Put them in place of the stars to be safe from a name that changes hands.
          StringLike = {
            "{{ ci.issuer }}:sub" = [
{%- if role == "deploy" %}
              "repo:{{ ci.owner }}/{{ ci.repository }}:environment:{{ ci.environment }}",
              "repo:{{ ci.owner }}@*/{{ ci.repository }}@*:environment:{{ ci.environment }}",
{%- else %}
              "repo:{{ ci.owner }}/{{ ci.repository }}:pull_request",
              "repo:{{ ci.owner }}@*/{{ ci.repository }}@*:pull_request",
{%- endif %}
            ]
          }
        }
      },
    ]
  })
}

resource "aws_iam_role_policy" "{{ role }}" {
  name = "{{ role }}"
  role = aws_iam_role.{{ role }}.id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
{%- for statement in ci.statements %}
{%- if role == "deploy" or statement.read %}
      # {{ statement.comment | safe }}
      {
        Sid = "{{ statement.sid }}"
        Effect = "Allow"
{%- if role == "deploy" %}
        Action = {{ statement.all | hcl(indent=8) }}
{%- else %}
        Action = {{ statement.read | hcl(indent=8) }}
{%- endif %}
        Resource = {{ statement.resources | hcl(indent=8) }}
{%- if statement.conditions | length == 1 and statement.conditions[0][1] | length == 1 and not statement.is_true %}
        Condition = { StringEquals = { "{{ statement.conditions[0][0] }}" = "{{ statement.conditions[0][1][0] }}" } }
{%- elif statement.conditions %}
        Condition = {
          StringEquals = {
{%- for condition in statement.conditions %}
            "{{ condition[0] }}" = {{ condition[1] | hcl(indent=12) }}
{%- endfor %}
          }
{%- if statement.is_true %}
          Bool = { "{{ statement.is_true }}" = "true" }
{%- endif %}
        }
{%- endif %}
      },
{%- endif %}
{%- endfor %}
    ]
  })
}
{%- endfor %}
