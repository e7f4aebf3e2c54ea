//! Why a file cannot be a logo, and what to do about it.

use contract::limits::PAGE_LOGO_BYTES_MAX;

/// Why a file cannot be a logo.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LogoError {
    /// There is none.
    #[error("there is no such file beside the manifest")]
    Missing,
    /// It cannot be read.
    #[error("it cannot be read: {0}")]
    Unreadable(String),
    /// It is too large.
    #[error("it has more than {} KiB", PAGE_LOGO_BYTES_MAX / 1024)]
    TooLarge,
    /// It is not what its name says.
    #[error("it is no PNG: it does not begin as one")]
    NotPng,
    /// It is not what its name says.
    #[error("it is no SVG: {0}")]
    NotSvg(String),
    /// It does more than showing a picture.
    #[error("it has {0}")]
    Active(String),
}

impl LogoError {
    /// Returns what to do.
    #[must_use]
    pub const fn hint(&self) -> &'static str {
        match self {
            Self::Missing => "name a file by its path from the manifest's folder",
            Self::Unreadable(_) => "make it readable",
            Self::TooLarge => "make it smaller: it is in config.js, which comes before the first numbers",
            Self::NotPng | Self::NotSvg(_) => "export it again as PNG or as plain SVG",
            Self::Active(_) => {
                "export it as plain SVG, with everything in it and nothing that runs or comes from elsewhere"
            }
        }
    }
}
