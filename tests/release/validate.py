"""Holds bills of materials against CycloneDX's own JSON schema: `validate.py FOLDER_OF_SCHEMAS FILE...`; a line for each fault."""

import json
import sys
from pathlib import Path

from jsonschema import Draft7Validator
from referencing import Registry, Resource

folder, *files = sys.argv[1:]
schemas = [json.loads(path.read_text(encoding="utf-8")) for path in Path(folder).glob("*.SNAPSHOT.schema.json")]
registry = Registry().with_resources((schema["$id"], Resource.from_contents(schema)) for schema in schemas)
[schema] = [schema for schema in schemas if schema["$id"].endswith("/bom-1.6.schema.json")]
validator = Draft7Validator(schema, registry=registry)
for file in files:
    for fault in validator.iter_errors(json.loads(Path(file).read_text(encoding="utf-8"))):
        print(f"{file}: {fault.json_path}: {fault.message}")
