"""Reads Prometheus' text format with the parser of its own Python client: text in, a JSON object of families out."""

import json
import sys

from prometheus_client.parser import text_string_to_metric_families


def key(sample):
    return sample.name + "{" + ",".join(f"{name}={value}" for name, value in sorted(sample.labels.items())) + "}"


families = {}
for family in text_string_to_metric_families(sys.stdin.read()):
    if family.name in families:
        sys.exit(f"{family.name} is there twice")
    samples = {key(sample): sample.value for sample in family.samples}
    if len(samples) < len(family.samples):
        sys.exit(f"{family.name} has a sample twice")
    families[family.name] = {"help": family.documentation, "type": family.type, "samples": samples}
json.dump(families, sys.stdout)
