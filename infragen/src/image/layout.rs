//! An image as a folder, in OCI's layout: what `skopeo`, `crane`, `podman` and others read, and `infragen image push` too.

use std::io;

use oci_spec::image::{
    Descriptor, ImageConfiguration, ImageIndexBuilder, ImageManifest, MediaType, OciLayoutBuilder, PlatformBuilder,
    SCHEMA_VERSION,
};

use super::{Blob, Image, ImageError, json};

/// The file that says that a folder is such a layout.
pub const MARKER: &str = "oci-layout";
const INDEX: &str = "index.json";

/// Why a folder holds no image that could be pushed.
#[derive(Debug, thiserror::Error)]
pub enum LayoutError {
    /// A file is not there, or cannot be read.
    #[error("`{path}` cannot be read")]
    Unreadable {
        /// The file, from the folder.
        path: String,
        /// Why not.
        source: io::Error,
    },
    /// A file is no JSON of this kind.
    #[error("`{path}` is no {what} of OCI")]
    Malformed {
        /// The file, from the folder.
        path: String,
        /// What it should be.
        what: &'static str,
        /// Why not.
        source: oci_spec::OciSpecError,
    },
    /// Several images, or none.
    #[error("`index.json` names {count} images, and a function runs exactly one")]
    NotOne {
        /// How many.
        count: usize,
    },
    /// Several layers, or none: not made by infragen.
    #[error("the image has {count} layers, and one of `infragen image build` has one")]
    Layers {
        /// How many.
        count: usize,
    },
    /// A blob is not what its name says.
    #[error("`{path}` has the digest sha256:{found}: it was changed after it was written")]
    Changed {
        /// The file, from the folder.
        path: String,
        /// The digest of its bytes.
        found: String,
    },
}

/// Returns the files of an image's layout, with their paths from the folder. The marker comes last: a folder without it is none.
///
/// # Errors
/// [`ImageError`] where the description cannot be written.
pub fn files(image: &Image) -> Result<Vec<(String, Vec<u8>)>, ImageError> {
    let platform = PlatformBuilder::default().architecture(image.architecture.as_str()).os("linux").build()?;
    let mut manifest = super::descriptor(MediaType::ImageManifest, &image.manifest)?;
    manifest.set_platform(Some(platform));
    let index = ImageIndexBuilder::default()
        .schema_version(SCHEMA_VERSION)
        .media_type(MediaType::ImageIndex)
        .manifests(vec![manifest])
        .build()?;
    let marker = OciLayoutBuilder::default().image_layout_version("1.0.0").build()?;
    let blobs = [&image.layer, &image.config, &image.manifest].map(|blob| (path(blob.hex()), blob.bytes.clone()));
    let described = [(INDEX.to_owned(), json(&index)?), (MARKER.to_owned(), json(&marker)?)];
    Ok(blobs.into_iter().chain(described).collect())
}

fn path(hex: &str) -> String {
    format!("blobs/sha256/{hex}")
}

/// Reads an image back; `read` gives the bytes of a file of the folder. Every blob is compared with its digest.
///
/// # Errors
/// [`LayoutError`].
pub fn read(read: &dyn Fn(&str) -> io::Result<Vec<u8>>) -> Result<Image, LayoutError> {
    let get = |path: &str| read(path).map_err(|source| LayoutError::Unreadable { path: path.to_owned(), source });
    get(MARKER)?;
    let malformed = |path: &str, what: &'static str| {
        let path = path.to_owned();
        move |source| LayoutError::Malformed { path, what, source }
    };
    let index = oci_spec::image::ImageIndex::from_reader(get(INDEX)?.as_slice()).map_err(malformed(INDEX, "index"))?;
    let [manifest] = index.manifests().as_slice() else {
        return Err(LayoutError::NotOne { count: index.manifests().len() });
    };
    let blob = |descriptor: &Descriptor| {
        let path = path(descriptor.digest().digest());
        let blob = Blob::new(get(&path)?);
        if blob.digest == descriptor.digest().to_string() {
            Ok(blob)
        } else {
            Err(LayoutError::Changed { path, found: blob.hex().to_owned() })
        }
    };
    let at = path(manifest.digest().digest());
    let manifest = blob(manifest)?;
    let parsed = ImageManifest::from_reader(manifest.bytes.as_slice()).map_err(malformed(&at, "manifest"))?;
    let [layer] = parsed.layers().as_slice() else {
        return Err(LayoutError::Layers { count: parsed.layers().len() });
    };
    let (config, layer) = (blob(parsed.config())?, blob(layer)?);
    let at = path(config.hex());
    let described =
        ImageConfiguration::from_reader(config.bytes.as_slice()).map_err(malformed(&at, "configuration"))?;
    let architecture = described.architecture().to_string();
    Ok(Image { manifest, config, layer, architecture })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::super::{Recipe, build};
    use super::*;
    use crate::manifest::types::Architecture;
    use crate::program::tests::elf;

    fn folder() -> (Image, BTreeMap<String, Vec<u8>>) {
        let program = elf(Architecture::X86, false);
        let labels = BTreeMap::new();
        let recipe = Recipe {
            architecture: Architecture::X86,
            program: &program,
            adapter: None,
            labels,
            created_secs: 0,
            listens: None,
        };
        let image = build(&recipe).unwrap();
        let files = files(&image).unwrap().into_iter().collect();
        (image, files)
    }

    fn read_from(files: &BTreeMap<String, Vec<u8>>) -> Result<Image, LayoutError> {
        read(&|path| files.get(path).cloned().ok_or_else(|| io::ErrorKind::NotFound.into()))
    }

    #[test]
    fn a_layout_reads_back_and_names_one_image() {
        let (image, files) = folder();
        assert_eq!(read_from(&files).unwrap(), image);
        assert_eq!(files["oci-layout"], br#"{"imageLayoutVersion":"1.0.0"}"#);
        let index: serde_json::Value = serde_json::from_slice(&files["index.json"]).unwrap();
        assert_eq!(index["manifests"][0]["digest"], image.digest());
        assert_eq!(index["manifests"][0]["platform"]["architecture"], "amd64");
        assert_eq!(index["manifests"].as_array().unwrap().len(), 1);
    }

    #[test]
    fn every_file_that_is_gone_or_changed_is_named() {
        let (_, whole) = folder();
        for path in whole.keys() {
            let mut files = whole.clone();
            files.remove(path);
            let error = read_from(&files).unwrap_err();
            assert_eq!(error.to_string(), format!("`{path}` cannot be read"));
            if path.starts_with("blobs/") {
                let mut files = whole.clone();
                files.get_mut(path).unwrap().push(b' ');
                let error = read_from(&files).unwrap_err().to_string();
                assert!(error.starts_with(&format!("`{path}` has the digest sha256:")), "{error}");
            }
        }
    }

    #[test]
    fn another_number_of_images_or_of_layers_is_refused() {
        let (image, mut files) = folder();
        let mut index: serde_json::Value = serde_json::from_slice(&files["index.json"]).unwrap();
        index["manifests"] = serde_json::json!([]);
        files.insert("index.json".into(), index.to_string().into());
        assert_eq!(read_from(&files).unwrap_err().to_string().find("names 0 images"), Some(13));
        let mut manifest: serde_json::Value = serde_json::from_slice(&image.manifest.bytes).unwrap();
        let layer = manifest["layers"][0].clone();
        manifest["layers"].as_array_mut().unwrap().push(layer);
        let two = Image { manifest: Blob::new(manifest.to_string().into()), ..image };
        let files = super::files(&two).unwrap().into_iter().collect();
        assert!(read_from(&files).unwrap_err().to_string().contains("has 2 layers"));
    }
}
