provider "aws" {
  region = "{{ region }}"

  # On the provider, so that no resource can be forgotten.
  default_tags {
    tags = {{ tags | hcl(indent=4) }}
  }
}
