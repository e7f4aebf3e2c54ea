//! The first bytes of a connection: what the server answers by itself is one whole request for a stream, however it arrives, and everything
//! else is left alone.
#![no_main]

use http::{Method, Version, header};
use lambda::serve::head::{HEAD_BYTES_MAX, Head, read};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let request = match read(bytes) {
        Head::Stream(request) => request,
        Head::Partial => {
            assert!(bytes.len() < HEAD_BYTES_MAX);
            return;
        }
        Head::Other => return,
    };
    assert_eq!(request.method(), Method::GET);
    let (path, headers) = (request.uri().path(), request.headers());
    assert!(request.uri().authority().is_none() && path.trim_end_matches('/').ends_with("/stream"), "{path}");
    for none in [header::CONTENT_LENGTH, header::TRANSFER_ENCODING, header::UPGRADE, header::EXPECT, header::TRAILER] {
        assert!(!headers.contains_key(&none), "{none}");
    }
    let hosts = headers.get_all(header::HOST).iter().count();
    assert!(hosts == 1 || hosts == 0 && request.version() == Version::HTTP_10);
    // Its end is the end of what came: nothing of it could be the body of this request, or the next one.
    let text = String::from_utf8_lossy(bytes).replace("\r\n", "\n");
    assert!(text.ends_with("\n\n") && !text.trim_start_matches('\n').trim_end_matches('\n').contains("\n\n"));
    // How the network cuts it changes nothing.
    for end in 0..bytes.len() {
        assert!(matches!(read(&bytes[..end]), Head::Partial), "{end} bytes of it");
    }
    let longer = [bytes, b"G"].concat();
    assert!(matches!(read(&longer), Head::Other));
});
