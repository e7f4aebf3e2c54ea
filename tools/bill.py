"""Says what a program is made of: `bill.py materials PROGRAM PACKAGE TARGET FILE` writes its bill of materials, in CycloneDX 1.6, and
`bill.py licences PACKAGE TARGET...` the licence of every crate in it, with the texts. Both go to standard output.

The same sources give the same bytes, in any folder: no time but SOURCE_DATE_EPOCH, no path, no random number. It asks cargo, which alone
knows which crates and features a build takes, and it must not read the network.
"""

import hashlib
import json
import os
import re
import subprocess
import sys
import tomllib
from datetime import datetime, timezone
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TEXTS = re.compile(r"(licen[cs]e|copying|notice|copyright|unlicense)", re.IGNORECASE)
# What is in every program beside crates.
BESIDE = """\
Beside crates, each program holds Rust's standard library (MIT OR Apache-2.0, https://github.com/rust-lang/rust), and a static one musl
(MIT, copyright 2005-2020 Rich Felker and others, https://musl.libc.org). The texts of both licences are below, with those of the crates.
"""


def cargo(*arguments: str) -> str:
    return subprocess.run(["cargo", *arguments, "--locked"], cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout


def crates(package: str, target: str, edges: str) -> set[tuple[str, str]]:
    """Names and versions of what cargo builds for a package, the package itself included."""
    tree = cargo("tree", "-p", package, "--target", target, "-e", edges, "--prefix", "none", "-f", "{p}")
    words = (line.split() for line in tree.splitlines() if line)
    return {(name, version.removeprefix("v")) for name, version, *_ in words}


def metadata(target: str) -> dict:
    return json.loads(cargo("metadata", "--format-version", "1", "--filter-platform", target))


def licence(package: dict) -> str:
    """The expression; older crates write a slash for `OR`."""
    return re.sub(r"\s*/\s*", " OR ", package["license"] or "") or f"see {package['license_file']}"


def url(name: str, version: str) -> str:
    return f"pkg:cargo/{name}@{version}"


def component(package: dict, checksums: dict[tuple[str, str], str], is_linked: bool) -> dict:
    name, version = package["name"], package["version"]
    found = {
        "type": "library",
        "bom-ref": url(name, version),
        "name": name,
        "version": version,
        # What runs while the program is built is no part of it.
        "scope": "required" if is_linked else "excluded",
        "licenses": [{"expression": licence(package)}],
        "purl": url(name, version),
    }
    if (name, version) in checksums:
        found["hashes"] = [{"alg": "SHA-256", "content": checksums[name, version]}]
    if package["repository"]:
        found["externalReferences"] = [{"type": "vcs", "url": package["repository"]}]
    return found


def materials(program: str, package: str, target: str, file: str) -> dict:
    """The bill of materials of one program."""
    built = crates(package, target, "normal,build")
    linked = crates(package, target, "normal,no-proc-macro")
    described = metadata(target)
    packages = {(one["name"], one["version"]): one for one in described["packages"]}
    names = {one["id"]: (one["name"], one["version"]) for one in described["packages"]}
    lock = tomllib.loads((ROOT / "Cargo.lock").read_text(encoding="utf-8"))["package"]
    checksums = {(one["name"], one["version"]): one["checksum"] for one in lock if "checksum" in one}
    [own] = [crate for crate in built if crate[0] == package]
    of_program = f"{url(*own)}#{program}"
    edges = {}
    for node in described["resolve"]["nodes"]:
        kinds = [(names[dep["pkg"]], {kind["kind"] for kind in dep["dep_kinds"]}) for dep in node["deps"]]
        edges[names[node["id"]]] = [crate for crate, kind in kinds if kind & {None, "build"} and crate in built]
    depends = [{"ref": of_program, "dependsOn": sorted(url(*crate) for crate in edges[own])}]
    depends += [
        {"ref": url(*crate), "dependsOn": sorted({url(*other) for other in edges[crate]})} for crate in sorted(built - {own})
    ]
    digest = hashlib.sha256(Path(file).read_bytes()).hexdigest()
    moment = datetime.fromtimestamp(int(os.environ["SOURCE_DATE_EPOCH"]), timezone.utc)
    return {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "timestamp": moment.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "component": {
                "type": "application",
                "bom-ref": of_program,
                "name": program,
                "version": own[1],
                "licenses": [{"expression": licence(packages[own])}],
                "hashes": [{"alg": "SHA-256", "content": digest}],
                "properties": [{"name": "cargo:target", "value": target}],
            },
        },
        "components": [component(packages[crate], checksums, crate in linked) for crate in sorted(built - {own})],
        "dependencies": depends,
    }


def licences(package_targets: list[tuple[str, str]]) -> str:
    """Every crate that is in one of the programs with its licence, and each text once with the crates that carry it."""
    shipped = set()
    for package, target in package_targets:
        shipped |= crates(package, target, "normal,no-proc-macro")
    packages = {}
    for target in {target for _, target in package_targets}:
        packages |= {(one["name"], one["version"]): one for one in metadata(target)["packages"]}
    lines = [f"{name} {version}  {licence(packages[name, version])}" for name, version in sorted(shipped)]
    texts: dict[str, list[str]] = {}
    for name, version in sorted(shipped):
        folder = Path(packages[name, version]["manifest_path"]).parent
        # A crate of this workspace has the workspace's.
        places = [ROOT if folder.is_relative_to(ROOT) else folder]
        for path in sorted(path for place in places for path in place.iterdir() if path.is_file() and TEXTS.match(path.name)):
            texts.setdefault(path.read_text(encoding="utf-8", errors="replace").strip(), []).append(f"{name} {version}")
    parts = ["\n".join(lines) + "\n\n" + BESIDE]
    parts += [f"{'=' * 80}\n{', '.join(dict.fromkeys(owners))}\n\n{text}\n" for text, owners in texts.items()]
    return "\n".join(parts)


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["materials", program, package, target, file]:
            print(json.dumps(materials(program, package, target, file), indent=2, sort_keys=True))
        case ["licences", *rest] if rest and len(rest) % 2 == 0:
            print(licences(list(zip(rest[::2], rest[1::2]))), end="")
        case _:
            sys.exit("usage: bill.py materials PROGRAM PACKAGE TARGET FILE | bill.py licences PACKAGE TARGET [PACKAGE TARGET...]")
