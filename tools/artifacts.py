"""Writes the values that tell Terraform which zips to deploy: `artifacts.py FOLDER ARCHITECTURE NAME=ZIP...`.

FOLDER is the Terraform root; paths in the result are relative to it, so that the checkout may lie anywhere. ARCHITECTURE
is the processor that the zips were built for. The hash is the one Terraform calls `source_code_hash`: base64 of SHA-256.
"""

import base64
import contextlib
import hashlib
import json
import os
import sys


def describe(folder: str, architecture: str, archive: str) -> dict[str, str]:
    """Returns where the archive lies, seen from the Terraform root, and what is in it."""
    with open(archive, "rb") as source:
        digest = hashlib.sha256(source.read()).digest()
    path = os.path.relpath(archive, folder).replace(os.sep, "/")
    return {"architecture": architecture, "path": path, "sha256": base64.b64encode(digest).decode("ascii")}


def main(folder: str, architecture: str, artifacts: list[str]) -> None:
    """Replaces `artifacts.auto.tfvars.json` in `folder`, keeping entries of artifacts that are not named."""
    target = os.path.join(folder, "artifacts.auto.tfvars.json")
    values = {}
    if os.path.exists(target):
        with open(target, encoding="utf-8") as source:
            values = json.load(source)
    for artifact in artifacts:
        name, archive = artifact.split("=", 1)
        values[f"{name}_zip"] = describe(folder, architecture, archive)
    scratch = target + ".new"
    try:
        os.makedirs(folder, exist_ok=True)
        with open(scratch, "w", encoding="utf-8") as sink:
            json.dump(values, sink, indent=2, sort_keys=True)
            sink.write("\n")
        os.replace(scratch, target)
    except OSError as error:
        with contextlib.suppress(OSError):
            os.remove(scratch)
        sys.exit(f"error: {target} cannot be written: {error.strerror}")


if __name__ == "__main__":
    if len(sys.argv) < 4:
        sys.exit("usage: artifacts.py FOLDER ARCHITECTURE NAME=ZIP...")
    main(sys.argv[1], sys.argv[2], sys.argv[3:])
