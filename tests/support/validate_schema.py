"""Says of each value in values.json whether schema.json, itself checked first, takes it."""

import json

from jsonschema import Draft7Validator
from jsonschema.validators import validator_for

with open("schema.json", encoding="utf-8") as file:
    schema = json.load(file)
with open("values.json", encoding="utf-8") as file:
    values = json.load(file)
kind = validator_for(schema, default=Draft7Validator)
kind.check_schema(schema)
validator = kind(schema)
print(json.dumps([validator.is_valid(value) for value in values]))
