//! Signed links and cookies: what an e-mail's reader may open without signing in, and for how long.

use hmac::{Hmac, KeyInit, Mac};
use jiff::SignedDuration;
use sha2::Sha256;

/// How long a link out of an e-mail works: a quarter of a year, by when the mail is history.
pub const LINK_LIFE: SignedDuration = SignedDuration::from_hours(90 * 24);

/// Signs texts with the installation's secret. The secret never leaves the server.
#[derive(Clone)]
pub struct Signer(Vec<u8>);

impl std::fmt::Debug for Signer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Signer(…)")
    }
}

impl Signer {
    /// A signer with this secret (at least 32 random bytes).
    pub fn new(secret: &[u8]) -> Self {
        Self(secret.to_vec())
    }

    /// The signature of the fields for a purpose, in hexadecimal. Fields are separated
    /// unambiguously.
    pub fn sign(&self, purpose: &str, fields: &[&str]) -> String {
        hex::encode(self.mac(purpose, fields).finalize().into_bytes())
    }

    /// Whether a signature is the one of these fields; compared in constant time.
    pub fn verify(&self, purpose: &str, fields: &[&str], signature: &str) -> bool {
        let mut bytes = [0; 32];
        hex::decode_to_slice(signature, &mut bytes).is_ok() && self.mac(purpose, fields).verify_slice(&bytes).is_ok()
    }

    fn mac(&self, purpose: &str, fields: &[&str]) -> Hmac<Sha256> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).expect("HMAC takes keys of any length");
        for field in std::iter::once(&purpose).chain(fields) {
            mac.update(&(field.len() as u64).to_le_bytes());
            mac.update(field.as_bytes());
        }
        mac
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_fits_its_purpose_and_fields_only() {
        let signer = Signer::new(&[7; 32]);
        let signature = signer.sign("view", &["a", "bc"]);
        assert!(signer.verify("view", &["a", "bc"], &signature));
        assert!(!signer.verify("view", &["ab", "c"], &signature));
        assert!(!signer.verify("whitelist", &["a", "bc"], &signature));
        assert!(!signer.verify("view", &["a", "bc"], "é"));
        assert!(!Signer::new(&[8; 32]).verify("view", &["a", "bc"], &signature));
    }
}
