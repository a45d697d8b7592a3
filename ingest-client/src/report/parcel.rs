//! A report as it is sent and kept: whose it is, what is said about it, and the text.

use std::str::FromStr;

use sentry::types::Dsn;
use url::form_urlencoded;

/// First line of a kept report, so that a later version knows what it reads.
const FORM: &str = "flawless-report 1";

/// What a text can't say of itself.
#[derive(Debug, Default)]
pub(super) struct Circumstances {
    pub(super) release: Option<String>,
    pub(super) environment: Option<String>,
    pub(super) server_name: Option<String>,
    pub(super) count: Option<u64>,
    /// How a command ended, where that is worth a report by itself. Then the text's first line is
    /// the command: an address is written into the logs of whatever is on the way.
    pub(super) failed: Option<String>,
}

/// A printed traceback with the project that it goes to.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Parcel {
    /// The project. Each report keeps its own: one machine has jobs of several repositories.
    pub(super) dsn: Dsn,
    /// `release=…&environment=…`, encoded.
    query: String,
    /// The text.
    pub(super) text: Vec<u8>,
}

impl Parcel {
    pub(super) fn new(dsn: Dsn, told: &Circumstances, text: Vec<u8>) -> Self {
        let mut query = form_urlencoded::Serializer::new(String::new());
        let count = told.count.map(|count| count.to_string());
        for (name, value) in [
            ("release", &told.release),
            ("environment", &told.environment),
            ("server_name", &told.server_name),
            ("count", &count),
            ("failed", &told.failed),
        ] {
            if let Some(value) = value {
                query.append_pair(name, value);
            }
        }
        Self { dsn, query: query.finish(), text }
    }

    /// Where it is sent; the key is not part of it.
    pub(super) fn url(&self) -> String {
        let dsn = &self.dsn;
        let (scheme, host, port) = (dsn.scheme(), dsn.host(), dsn.port());
        format!("{scheme}://{host}:{port}{}api/{}/traceback?{}", dsn.path(), dsn.project_id(), self.query)
    }

    /// The bytes of a file that keeps it.
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = format!("{FORM}\n{}\n{}\n", self.dsn, self.query).into_bytes();
        bytes.extend_from_slice(&self.text);
        bytes
    }

    /// Reads what [`to_bytes`](Self::to_bytes) wrote; none where it did not.
    pub(super) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let mut parts = bytes.splitn(4, |byte| *byte == b'\n');
        let mut line = || std::str::from_utf8(parts.next()?).ok();
        let (form, dsn, query) = (line()?, line()?, line()?);
        let text = parts.next()?.to_vec();
        (form == FORM).then_some(())?;
        Some(Self { dsn: Dsn::from_str(dsn).ok()?, query: query.to_owned(), text })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parcel(dsn: &str) -> Parcel {
        let told = Circumstances {
            release: Some("v1 + é&".into()),
            server_name: Some("web\n1".into()),
            count: Some(3),
            ..Circumstances::default()
        };
        Parcel::new(dsn.parse().unwrap(), &told, b"a\n\n\xff\nb".to_vec())
    }

    #[test]
    fn the_address_is_that_of_the_dsn_with_what_is_told() {
        let key = "0123456789abcdef0123456789abcdef";
        let query = "release=v1+%2B+%C3%A9%26&server_name=web%0A1&count=3";
        let one = parcel(&format!("https://{key}@errors.example.com/7"));
        assert_eq!(one.url(), format!("https://errors.example.com:443/api/7/traceback?{query}"));
        let below = parcel(&format!("http://{key}@127.0.0.1:3000/flawless/7"));
        assert_eq!(below.url(), format!("http://127.0.0.1:3000/flawless/api/7/traceback?{query}"));
    }

    #[test]
    fn what_is_kept_is_read_back_byte_for_byte() {
        let one = parcel("https://0123456789abcdef0123456789abcdef@errors.example.com/flawless/7");
        assert_eq!(Parcel::from_bytes(&one.to_bytes()).as_ref(), Some(&one));
        for broken in
            [&b""[..], b"flawless-report 1\n", b"flawless-report 2\nx\ny\nz", b"flawless-report 1\nno\n\ntext"]
        {
            assert_eq!(Parcel::from_bytes(broken), None);
        }
    }
}
