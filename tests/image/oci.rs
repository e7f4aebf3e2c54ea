//! The documents of an image against the rules of the OCI Image Format Specification 1.1, written down as JSON schemas, and read by a
//! validator that is not ours. The specification's own schemas are in no registry of packages.

use serde_json::{Value, json};

use super::{Folder, manifest, noise};
use crate::support::json_schema::validated;

const INDEX: &str = "application/vnd.oci.image.index.v1+json";
const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
const LAYER: &str = "application/vnd.oci.image.layer.v1.tar+gzip";

/// Sections "Content Descriptors", "Digests" and "Platform"; a digest is SHA-256, which every implementation knows.
fn descriptor(media_type: &str) -> Value {
    let name = "[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}";
    json!({
        "type": "object",
        "required": ["mediaType", "digest", "size"],
        "properties": {
            "mediaType": { "type": "string", "pattern": format!("^{name}/{name}$"), "const": media_type },
            "digest": { "type": "string", "pattern": "^sha256:[a-f0-9]{64}$" },
            "size": { "type": "integer", "minimum": 0, "maximum": i64::MAX },
            "urls": { "type": "array", "items": { "type": "string", "format": "uri" } },
            "annotations": { "$ref": "#/definitions/strings" },
            "data": { "type": "string", "contentEncoding": "base64" },
            "artifactType": { "type": "string", "pattern": format!("^{name}/{name}$") },
            "platform": {
                "type": "object",
                "required": ["architecture", "os"],
                "properties": {
                    "architecture": { "type": "string" }, "os": { "type": "string" }, "os.version": { "type": "string" },
                    "os.features": { "type": "array", "items": { "type": "string" } }, "variant": { "type": "string" },
                },
            },
        },
    })
}

/// A schema of a document.
fn schema(required: &[&str], properties: &Value) -> String {
    json!({
        "$schema": "http://json-schema.org/draft-07/schema#",
        "type": "object",
        "required": required,
        "properties": properties,
        "definitions": { "strings": { "type": "object", "additionalProperties": { "type": "string" } } },
    })
    .to_string()
}

/// Section "Image Layout", file `oci-layout`.
fn layout() -> String {
    schema(&["imageLayoutVersion"], &json!({ "imageLayoutVersion": { "const": "1.0.0" } }))
}

/// Section "Image Index".
fn index() -> String {
    let properties = json!({
        "schemaVersion": { "const": 2 },
        "mediaType": { "const": INDEX },
        "manifests": { "type": "array", "items": descriptor(MANIFEST) },
        "annotations": { "$ref": "#/definitions/strings" },
    });
    schema(&["schemaVersion", "manifests"], &properties)
}

/// Section "Image Manifest".
fn manifest_schema() -> String {
    let properties = json!({
        "schemaVersion": { "const": 2 },
        "mediaType": { "const": MANIFEST },
        "config": descriptor(CONFIG),
        "layers": { "type": "array", "minItems": 1, "items": descriptor(LAYER) },
        "annotations": { "$ref": "#/definitions/strings" },
    });
    schema(&["schemaVersion", "config", "layers"], &properties)
}

/// Section "Image Configuration".
fn configuration() -> String {
    let words = json!({ "type": ["array", "null"], "items": { "type": "string" } });
    let time = json!({ "type": "string", "pattern": "^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d(\\.\\d+)?(Z|[+-]\\d\\d:\\d\\d)$" });
    let set = json!({ "type": "object", "additionalProperties": { "type": "object", "maxProperties": 0 } });
    let properties = json!({
        "created": time,
        "author": { "type": "string" },
        "architecture": { "enum": ["amd64", "arm64"] },
        "os": { "const": "linux" },
        "variant": { "type": "string" },
        "config": {
            "type": "object",
            "properties": {
                "User": { "type": "string" },
                "ExposedPorts": { "allOf": [set, { "propertyNames": { "pattern": "^\\d+(/(tcp|udp))?$" } }] },
                "Env": { "type": "array", "items": { "type": "string", "pattern": "^[^=]+=" } },
                "Entrypoint": words, "Cmd": words,
                "Volumes": set, "WorkingDir": { "type": "string" }, "StopSignal": { "type": "string" },
                "Labels": { "$ref": "#/definitions/strings" },
            },
        },
        "rootfs": {
            "type": "object",
            "required": ["type", "diff_ids"],
            "properties": {
                "type": { "const": "layers" },
                "diff_ids": { "type": "array", "items": { "type": "string", "pattern": "^sha256:[a-f0-9]{64}$" } },
            },
        },
        "history": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "created": time, "author": { "type": "string" }, "created_by": { "type": "string" },
                    "comment": { "type": "string" }, "empty_layer": { "type": "boolean" },
                },
                "additionalProperties": false,
            },
        },
    });
    schema(&["architecture", "os", "rootfs"], &properties)
}

/// Layout, index, manifest and configuration of an image.
fn documents(folder: &Folder, function: &str) -> [Value; 4] {
    let read = |name: &str| {
        let path = folder.path().join("dist/images").join(function).join(name);
        serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
    };
    let (_, manifest, config) = folder.image(function);
    [read("oci-layout"), read("index.json"), manifest, config]
}

#[test]
fn every_document_of_an_image_keeps_the_rules_of_its_format() {
    let [arm64, x86_64] = ["arm64", "x86_64"].map(|architecture| Folder::built(architecture, 10_000));
    let server = Folder::new(&manifest("x86_64"));
    std::fs::write(server.path().join("program"), noise("x86_64", 10_000)).unwrap();
    server.build("server");
    let images = [(&arm64, "stream"), (&arm64, "dashboard"), (&x86_64, "stream"), (&server, "server")];
    let found = images.map(|(folder, function)| documents(folder, function));
    for (at, schema) in [layout(), index(), manifest_schema(), configuration()].iter().enumerate() {
        let documents = found.clone().map(|documents| documents[at].clone());
        assert_eq!(validated(schema, &documents), [true; 4], "{documents:#?}");
    }
    for [_, _, manifest, config] in &found {
        let [layers, ids] =
            [&manifest["layers"], &config["rootfs"]["diff_ids"]].map(|list| list.as_array().unwrap().len());
        let made = config["history"].as_array().unwrap().iter().filter(|one| one["empty_layer"] != true).count();
        assert_eq!((ids, made), (layers, layers), "a digest and a line of history for each layer");
    }

    // The schemas are not blind.
    let [_, index_found, manifest_found, config_found] = &found[0];
    let without = |document: &Value, pointer: &str, value: Value| {
        let mut other = document.clone();
        *other.pointer_mut(pointer).unwrap_or_else(|| panic!("{pointer}: {document:#}")) = value;
        other
    };
    let digest = "sha256:00";
    let bad = |document: &Value, changes: &[(&str, Value)]| -> Vec<Value> {
        changes.iter().map(|(pointer, value)| without(document, pointer, value.clone())).collect()
    };
    let bad_indexes =
        [("/schemaVersion", json!(1)), ("/manifests/0/digest", json!(digest)), ("/manifests/0/size", json!(-1))];
    assert_eq!(validated(&index(), &bad(index_found, &bad_indexes)), [false; 3]);
    let bad_manifests = [
        ("/layers", json!([])),
        ("/layers/0/mediaType", json!("application/x-tar")),
        ("/config/digest", json!(digest)),
        ("/config", json!({})),
    ];
    assert_eq!(validated(&manifest_schema(), &bad(manifest_found, &bad_manifests)), [false; 4]);
    let bad_configs = [
        ("/architecture", json!("x86_64")),
        ("/rootfs/type", json!("files")),
        ("/rootfs/diff_ids/0", json!(digest)),
        ("/config/Labels", json!({ "a": 1 })),
        ("/history/0", json!({ "by": "somebody" })),
    ];
    assert_eq!(validated(&configuration(), &bad(config_found, &bad_configs)), [false; 5]);
}
