//! Whom the program trusts: Mozilla's certificates, from a crate and not from the machine that builds, so that the image is the
//! same everywhere.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use webpki_root_certs::TLS_SERVER_ROOT_CERTS;

/// Characters of a line, as RFC 7468 wants it.
const LINE: usize = 64;

/// Returns all certificates as text, in the crate's order.
#[must_use]
pub fn pem() -> String {
    TLS_SERVER_ROOT_CERTS.iter().fold(String::new(), |mut text, certificate| {
        text.push_str("-----BEGIN CERTIFICATE-----\n");
        let base64 = STANDARD.encode(certificate);
        let mut rest = base64.as_str();
        while !rest.is_empty() {
            let (line, more) = rest.split_at(rest.len().min(LINE));
            // Writing into a text does not fail.
            let _written = writeln!(text, "{line}");
            rest = more;
        }
        text + "-----END CERTIFICATE-----\n"
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn certificates_are_text_in_short_lines_and_decode_again() {
        let text = pem();
        assert!(text.lines().all(|line| line.len() <= LINE), "{text}");
        let bodies = text.split("-----BEGIN CERTIFICATE-----\n").skip(1);
        let bodies = bodies.map(|body| body.split("-----END").next().unwrap().replace('\n', ""));
        let decoded: Vec<Vec<u8>> = bodies.map(|body| STANDARD.decode(body).unwrap()).collect();
        assert_eq!(decoded.len(), TLS_SERVER_ROOT_CERTS.len());
        assert!(decoded.iter().zip(TLS_SERVER_ROOT_CERTS).all(|(found, known)| found == known.as_ref()));
        // Amazon's own, without which the program could not speak to DynamoDB.
        assert!(decoded.iter().any(|bytes| bytes.windows(16).any(|part| part == b"Amazon Root CA 1")));
    }
}
