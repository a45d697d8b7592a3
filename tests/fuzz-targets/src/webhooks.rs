//! What GitHub sends: signed, and of some event.

use github::hook::{parse, verify};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// The first line is the event's name, the rest is its body. Our own signature of it holds, any
/// other does not; and nothing that stands there is an error but of its own kind.
pub(super) fn webhook(data: &[u8]) {
    let (name, body) = match data.iter().position(|byte| *byte == b'\n') {
        Some(end) => (&data[..end], &data[end + 1..]),
        None => (data, &data[..0]),
    };
    let name = String::from_utf8_lossy(name);
    let _ = parse(&name, body);
    let mut mac = Hmac::<Sha256>::new_from_slice(b"a secret").unwrap();
    mac.update(body);
    let signature = format!("sha256={}", hex::encode(mac.finalize().into_bytes()));
    assert_eq!(verify("a secret", Some(&signature), body), Ok(()), "our own signature does not hold");
    assert!(verify("another secret", Some(&signature), body).is_err(), "another secret's signature holds");
    if name != signature {
        assert!(verify("a secret", Some(&name), body).is_err(), "{name:?} holds as a signature");
    }
}
