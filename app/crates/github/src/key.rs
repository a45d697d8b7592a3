//! The App's private key, in all the shapes in which operators paste it.

use super::error::GitHubError;
use super::jwt;
use base64::Engine;
use domain::timestamp::Timestamp;
use jsonwebtoken::EncodingKey;

/// Reads an RSA private key: PEM in PKCS#1 (as GitHub hands it out) or PKCS#8. As Probot does, line
/// breaks written as `\n` (environment files) and a PEM that is base64-encoded once more are taken
/// too, as are line breaks turned into blanks.
pub(super) fn read(app_id: u64, text: &str) -> Result<EncodingKey, GitHubError> {
    let pem = normalise(text)?;
    let wrong = |what: &str| Err(GitHubError::Key(what.to_owned()));
    let kind = pem.split("-----").nth(1).unwrap_or_default().trim_start_matches("BEGIN ");
    match kind {
        "RSA PRIVATE KEY" if pem.contains("ENCRYPTED") => return wrong("it is encrypted; GitHub's own is not"),
        "ENCRYPTED PRIVATE KEY" => return wrong("it is encrypted; GitHub's own is not"),
        "RSA PRIVATE KEY" | "PRIVATE KEY" => {}
        other if other.contains("PUBLIC KEY") || other == "CERTIFICATE" => {
            return wrong("this is a public key or certificate; the private key is needed");
        }
        "EC PRIVATE KEY" | "OPENSSH PRIVATE KEY" => {
            return wrong("not an RSA key in PEM; take the .pem file that the App's settings page generates");
        }
        _ => return wrong("unknown kind of PEM; take the .pem file that the App's settings page generates"),
    }
    let key = EncodingKey::from_rsa_pem(pem.as_bytes()).map_err(|_| {
        GitHubError::Key("no RSA key can be read from it: damaged, cut off, or of another kind".to_owned())
    })?;
    // The PEM's outside may be well while the key inside is not: only signing tells.
    jwt::sign(app_id, &key, Timestamp::UNIX_EPOCH)?;
    Ok(key)
}

fn normalise(text: &str) -> Result<String, GitHubError> {
    let text = text.trim().trim_matches(['"', '\'']).trim();
    if text.is_empty() {
        return Err(GitHubError::Key("it is empty".to_owned()));
    }
    let text = if text.contains("-----BEGIN") { text.to_owned() } else { decode(text)? };
    let text = text.replace("\\r", "").replace("\\n", "\n").replace('\r', "");
    if text.trim().lines().count() > 1 {
        return Ok(text);
    }
    // All on one line: shells and compose files turn line breaks into blanks.
    let parts: Vec<&str> = text.split("-----").collect();
    match parts.as_slice() {
        [_, begin, body, end, ..] => {
            let body = body.split_whitespace().collect::<Vec<_>>().join("\n");
            Ok(format!("-----{begin}-----\n{body}\n-----{end}-----\n"))
        }
        _ => Err(GitHubError::Key("its last line, `-----END …-----`, is missing".to_owned())),
    }
}

fn decode(text: &str) -> Result<String, GitHubError> {
    if text.ends_with(".pem") || text.starts_with('/') || text.starts_with("./") {
        return Err(GitHubError::Key("it looks like a path: PRIVATE_KEY_PATH takes that".to_owned()));
    }
    let packed: String = text.split_whitespace().collect();
    base64::engine::general_purpose::STANDARD
        .decode(packed)
        .ok()
        .and_then(|bytes| String::from_utf8(bytes).ok())
        .filter(|pem| pem.contains("-----BEGIN"))
        .ok_or_else(|| {
            GitHubError::Key("it is neither a PEM (`-----BEGIN RSA PRIVATE KEY-----`) nor one in base64".to_owned())
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    const PKCS1: &str = include_str!("../../../../tests/data/app-key.pem");
    const PKCS8: &str = include_str!("../../../../tests/data/app-key.pkcs8.pem");
    const PUBLIC: &str = include_str!("../../../../tests/data/app-key.pub.pem");
    const EC: &str = include_str!("../../../../tests/data/ec-key.pem");

    fn refusal(text: &str) -> String {
        read(1, text).expect_err("refused").to_string()
    }

    #[test]
    fn every_usual_shape_is_read() {
        let base64 = base64::engine::general_purpose::STANDARD.encode(PKCS1);
        let shapes = [
            PKCS1.to_owned(),
            PKCS8.to_owned(),
            PKCS1.replace('\n', "\r\n"),
            PKCS1.replace('\n', "\\n"),
            format!("\"{}\"", PKCS8.trim().replace('\n', "\\n")),
            PKCS1.replace('\n', " "),
            base64.clone(),
            base64.as_bytes().chunks(64).map(|line| String::from_utf8_lossy(line) + "\n").collect(),
        ];
        for shape in shapes {
            assert!(read(1, &shape).is_ok(), "{}", &shape[..40]);
        }
    }

    #[test]
    fn a_wrong_key_is_told_apart() {
        assert!(refusal("").ends_with("it is empty"));
        assert!(refusal(PUBLIC).contains("the private key is needed"));
        assert!(refusal(EC).contains("no RSA key can be read"));
        assert!(refusal("/etc/flawless/app.pem").contains("PRIVATE_KEY_PATH"));
        assert!(refusal("s3cret").contains("neither a PEM"));
        assert!(refusal("-----BEGIN RSA PRIVATE KEY-----").contains("END"));
        let cut: String =
            PKCS1.lines().take(10).chain(["-----END RSA PRIVATE KEY-----"]).collect::<Vec<_>>().join("\n");
        assert!(refusal(&cut).contains("damaged, cut off"));
    }

    #[test]
    fn no_refusal_repeats_the_key() {
        let garbled = PKCS1.replace("MII", "MI!");
        assert!(!refusal(&garbled).contains("MI!"));
    }
}
