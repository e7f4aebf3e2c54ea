//! Container images of the functions, made without a container engine: a program's bytes in, an OCI image's bytes out.
//!
//! The formats are those of the OCI image specification 1.1, typed by the crate `oci-spec`. Same program, same bytes: no time of
//! day, no machine, no map order. This room touches no disk and no network: `cli/image` does, and gives bytes and answers.

pub mod challenge;
pub mod credentials;
pub mod gzip;
pub mod layer;
pub mod layout;
pub mod repository;
pub mod retry;
pub mod roots;
pub mod upload;

use std::collections::{BTreeMap, HashMap};

use oci_spec::OciSpecError;
use oci_spec::image::{
    Arch, ConfigBuilder, Descriptor, HistoryBuilder, ImageConfiguration, ImageConfigurationBuilder,
    ImageManifestBuilder, MediaType, Os, RootFsBuilder, SCHEMA_VERSION, Sha256Digest,
};
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use crate::manifest::types::Architecture;
use crate::program;

/// User and group of the program: nobody. It writes no file and binds no port below 1024.
const USER: &str = "65532:65532";
/// Where the program lies, and what Lambda starts.
pub const PROGRAM: &str = "bootstrap";
/// Where programs look for the certificates of those whom they trust, as Debian and Alpine have it.
pub const CERTIFICATES: &str = "etc/ssl/certs/ca-certificates.crt";
/// Where Lambda looks for extensions, and what the AWS Lambda Web Adapter is called there.
pub const ADAPTER: &str = "opt/extensions/lambda-adapter";

/// Everything that an image is made of.
#[derive(Clone, Debug)]
pub struct Recipe<'a> {
    /// Processor of the program.
    pub architecture: Architecture,
    /// The program.
    pub program: &'a [u8],
    /// The AWS Lambda Web Adapter, where the function asks for one.
    pub adapter: Option<&'a [u8]>,
    /// What `image inspect` shows: `org.opencontainers.image.…` and their values.
    pub labels: BTreeMap<&'static str, String>,
    /// Seconds since 1970 that are written as the time of making; none means 1970 itself.
    pub created_secs: u32,
    /// Where the program listens, for whoever runs the container; a function of Lambda listens nowhere.
    pub listens: Option<Listens>,
}

/// What an image says of the address that its program listens at.
#[derive(Clone, Copy, Debug)]
pub struct Listens {
    /// Variables of the environment: their names and values.
    pub environment: &'static [(&'static str, &'static str)],
    /// The port, of TCP.
    pub port: u16,
}

/// The server in a container: on every address, because its own loopback is reached by nobody else. Its own default is the port.
pub const SERVER: Listens = Listens { environment: &[("SERVER_ADDRESS", "0.0.0.0")], port: 8080 };

/// Bytes that a registry keeps under their digest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Blob {
    /// `sha256:` and 64 hexadecimal digits.
    pub digest: String,
    /// The bytes.
    pub bytes: Vec<u8>,
}

impl Blob {
    /// Bytes with their digest.
    #[must_use]
    pub fn new(bytes: Vec<u8>) -> Self {
        Self { digest: format!("sha256:{}", hex(&bytes)), bytes }
    }

    /// The 64 hexadecimal digits alone.
    #[must_use]
    pub fn hex(&self) -> &str {
        self.digest.strip_prefix("sha256:").unwrap_or(&self.digest)
    }
}

/// An image for one processor: a manifest that names a configuration and one layer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image {
    /// The manifest; its digest is the image's.
    pub manifest: Blob,
    /// What to start, as whom, on which processor.
    pub config: Blob,
    /// The files, compressed.
    pub layer: Blob,
    /// Processor that the configuration names, as OCI calls it: `arm64` or `amd64`.
    pub architecture: String,
}

impl Image {
    /// The digest that pins the image.
    #[must_use]
    pub fn digest(&self) -> &str {
        &self.manifest.digest
    }

    /// Bytes that a registry keeps of it, and that Lambda loads.
    #[must_use]
    pub const fn size(&self) -> usize {
        self.manifest.bytes.len() + self.config.bytes.len() + self.layer.bytes.len()
    }
}

/// Why an image cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum ImageError {
    /// A file is no program that the image could run.
    #[error(transparent)]
    Program(#[from] program::ProgramError),
    /// The archive cannot be made.
    #[error("the layer cannot be made")]
    Layer(#[from] std::io::Error),
    /// The description cannot be made.
    #[error("the image cannot be described")]
    Spec(#[from] OciSpecError),
    /// The description cannot be written.
    #[error("the image's description cannot be written")]
    Json(#[from] serde_json::Error),
}

/// How OCI calls a processor.
#[must_use]
pub const fn oci_architecture(architecture: Architecture) -> &'static str {
    match architecture {
        Architecture::Arm64 => "arm64",
        Architecture::X86 => "amd64",
    }
}

/// Makes an image.
///
/// # Errors
/// [`ImageError`] where a program is none for this processor, or needs files that the image does not have.
pub fn build(recipe: &Recipe<'_>) -> Result<Image, ImageError> {
    program::check_static("the program", recipe.program, recipe.architecture)?;
    let certificates = roots::pem();
    let mut files = vec![
        layer::File { path: PROGRAM, bytes: recipe.program, is_program: true },
        layer::File { path: CERTIFICATES, bytes: certificates.as_bytes(), is_program: false },
    ];
    if let Some(adapter) = recipe.adapter {
        program::check_static("the adapter", adapter, recipe.architecture)?;
        files.push(layer::File { path: ADAPTER, bytes: adapter, is_program: true });
    }
    let archive = layer::archive(&files)?;
    let layer = Blob::new(gzip::compress(&archive));
    let config = Blob::new(json(&configuration(recipe, &format!("sha256:{}", hex(&archive)))?)?);
    let manifest = ImageManifestBuilder::default()
        .schema_version(SCHEMA_VERSION)
        .media_type(MediaType::ImageManifest)
        .config(descriptor(MediaType::ImageConfig, &config)?)
        .layers(vec![descriptor(MediaType::ImageLayerGzip, &layer)?])
        .build()?;
    let architecture = oci_architecture(recipe.architecture).to_owned();
    Ok(Image { manifest: Blob::new(json(&manifest)?), config, layer, architecture })
}

fn configuration(recipe: &Recipe<'_>, diff_id: &str) -> Result<ImageConfiguration, ImageError> {
    let created = created(recipe.created_secs);
    let labels: HashMap<String, String> =
        recipe.labels.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
    let mut config =
        ConfigBuilder::default().user(USER).entrypoint(vec![format!("/{PROGRAM}")]).working_dir("/").labels(labels);
    if let Some(Listens { environment, port }) = recipe.listens {
        config = config
            .env(environment.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>())
            .exposed_ports(vec![format!("{port}/tcp")]);
    }
    let config = config.build()?;
    let history = HistoryBuilder::default()
        .created(created.clone())
        .created_by("infragen image build")
        .comment("the program and Mozilla's certificates, on nothing")
        .build()?;
    let files = RootFsBuilder::default().typ("layers").diff_ids(vec![diff_id.to_owned()]).build()?;
    Ok(ImageConfigurationBuilder::default()
        .created(created)
        .architecture(Arch::from(oci_architecture(recipe.architecture)))
        .os(Os::Linux)
        .config(config)
        .rootfs(files)
        .history(vec![history])
        .build()?)
}

/// A moment as the specification writes it, RFC 3339.
fn created(secs: u32) -> String {
    stream_core::timestamp::Timestamp::from_millis(u64::from(secs) * 1000).to_string()
}

fn descriptor(media_type: MediaType, blob: &Blob) -> Result<Descriptor, OciSpecError> {
    let digest: Sha256Digest = blob.hex().parse()?;
    Ok(Descriptor::new(media_type, blob.bytes.len() as u64, digest))
}

/// JSON with sorted keys. The types of `oci-spec` keep labels in a map whose order differs from run to run, and a JSON value
/// sorts them.
fn json(value: &impl Serialize) -> Result<Vec<u8>, serde_json::Error> {
    serde_json::to_vec(&serde_json::to_value(value)?)
}

/// SHA-256 of bytes as 64 hexadecimal digits.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::program::tests::elf;

    fn recipe(program: &[u8]) -> Recipe<'_> {
        let labels = BTreeMap::from([
            ("org.opencontainers.image.version", "1.2.3".to_owned()),
            ("org.opencontainers.image.revision", "abc".to_owned()),
            ("org.opencontainers.image.source", "https://example.com/a".to_owned()),
            ("org.opencontainers.image.licenses", "MIT".to_owned()),
        ]);
        Recipe { architecture: Architecture::Arm64, program, adapter: None, labels, created_secs: 0, listens: None }
    }

    #[test]
    fn the_same_program_gives_the_same_image() {
        let program = elf(Architecture::Arm64, false);
        let first = build(&recipe(&program)).unwrap();
        // Labels are in a map whose order differs each time: one success of ten would be luck.
        for _ in 0..10 {
            assert_eq!(build(&recipe(&program)).unwrap(), first);
        }
        assert!(String::from_utf8_lossy(&first.config.bytes).contains(r#""created":"1970-01-01T00:00:00"#));
    }

    #[test]
    fn what_runs_is_in_the_configuration() {
        let program = elf(Architecture::Arm64, false);
        let image = build(&recipe(&program)).unwrap();
        let config: serde_json::Value = serde_json::from_slice(&image.config.bytes).unwrap();
        assert_eq!(config["architecture"], "arm64");
        assert_eq!(config["os"], "linux");
        assert_eq!(config["config"]["User"], "65532:65532");
        assert_eq!(config["config"]["Entrypoint"], serde_json::json!(["/bootstrap"]));
        assert_eq!(config["config"]["Labels"]["org.opencontainers.image.version"], "1.2.3");
        let manifest: serde_json::Value = serde_json::from_slice(&image.manifest.bytes).unwrap();
        assert_eq!(manifest["mediaType"], "application/vnd.oci.image.manifest.v1+json");
        assert_eq!(manifest["config"]["digest"], image.config.digest.as_str());
        assert_eq!(manifest["layers"][0]["digest"], image.layer.digest.as_str());
        assert_eq!(manifest["layers"][0]["mediaType"], "application/vnd.oci.image.layer.v1.tar+gzip");
        assert_eq!(manifest["layers"].as_array().unwrap().len(), 1);
        let archive = gzip::tests::decompress(&image.layer.bytes);
        assert_eq!(config["rootfs"]["diff_ids"][0], format!("sha256:{}", hex(&archive)));
    }

    #[test]
    fn an_adapter_is_an_extension_and_a_time_can_be_given() {
        let (program, adapter) = (elf(Architecture::Arm64, false), elf(Architecture::Arm64, false));
        let plain = recipe(&program);
        let image = build(&Recipe { adapter: Some(&adapter), created_secs: 1_700_000_000, ..plain.clone() }).unwrap();
        assert_ne!(image.layer, build(&plain).unwrap().layer);
        assert!(String::from_utf8_lossy(&image.config.bytes).contains("2023-11-14T22:13:20"));
        let other = elf(Architecture::X86, false);
        assert!(build(&Recipe { adapter: Some(&other), ..plain }).is_err());
    }
}
