"""Says of each manifest in manifests.json whether schema.json, itself checked first, takes it."""

import json

from jsonschema import Draft7Validator

with open("schema.json", encoding="utf-8") as file:
    schema = json.load(file)
with open("manifests.json", encoding="utf-8") as file:
    manifests = json.load(file)
Draft7Validator.check_schema(schema)
validator = Draft7Validator(schema)
print(json.dumps([validator.is_valid(manifest) for manifest in manifests]))
