//! Printed tracebacks: for what has no SDK, such as a shell script or a program in another language.

use std::fmt;
use std::time::Duration;

use sentry::types::Dsn;

use crate::options::{self, InitError, Options, Settings};
use crate::transport::agent;

/// Where a printed traceback goes, and under which circumstances it was printed.
#[derive(Clone)]
pub struct Destination {
    address: String,
    key: String,
    dsn: String,
    circumstances: Vec<(&'static str, String)>,
}

impl fmt::Debug for Destination {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Destination").field("address", &self.address).finish_non_exhaustive()
    }
}

/// What became of a traceback.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sent {
    /// The server has it, under this id where it said one.
    Accepted(String),
    /// The server will never take it, and says why.
    Refused(String),
    /// It may be taken later: nobody answered, or the server is not itself.
    NotNow(String),
}

impl Destination {
    /// The destination that options and environment name, as [`crate::init`] reads them; none without a DSN.
    ///
    /// # Errors
    /// The DSN can't be used.
    pub fn from_options(options: Options) -> Result<Option<Self>, InitError> {
        let settings = options::resolve(options, |name| std::env::var(name).ok())?;
        Ok(Self::of(&settings))
    }

    fn of(settings: &Settings) -> Option<Self> {
        let dsn = settings.dsn.as_ref()?;
        let circumstances = [
            ("release", &settings.release),
            ("environment", &settings.environment),
            ("server_name", &settings.server_name),
        ];
        let circumstances =
            circumstances.into_iter().filter_map(|(name, value)| Some((name, value.clone()?))).collect();
        Some(Self { address: address(dsn), key: dsn.public_key().to_owned(), dsn: dsn.to_string(), circumstances })
    }

    /// The DSN, which is a secret.
    pub fn dsn(&self) -> &str {
        &self.dsn
    }

    /// `release`, `environment` and `server_name`, where they are known.
    pub fn circumstances(&self) -> &[(&'static str, String)] {
        &self.circumstances
    }

    /// Sends a text in which the last traceback is the one that counts. Takes no longer than `timeout`.
    pub fn send(&self, text: &[u8], timeout: Duration) -> Sent {
        let mut request = agent(timeout).post(&self.address);
        for (name, value) in &self.circumstances {
            request = request.query(name, value);
        }
        let request = request
            .header("Authorization", format!("Bearer {}", self.key))
            .header("Content-Type", "text/plain")
            .config()
            .http_status_as_error(false)
            .build();
        match request.send(text) {
            Ok(mut answer) => {
                let said = answer.body_mut().read_to_string().unwrap_or_default();
                match answer.status().as_u16() {
                    200..=299 => Sent::Accepted(field(&said, "id").unwrap_or_default()),
                    // What the next try may get past: a limit, a proxy that gave up, a server that starts.
                    status @ (408 | 429 | 500..=599) => Sent::NotNow(format!("the server answered {status}")),
                    status => {
                        let why = field(&said, "detail").unwrap_or_else(|| said.trim().chars().take(200).collect());
                        Sent::Refused(format!("the server answered {status}: {why}"))
                    }
                }
            }
            Err(error) => Sent::NotNow(error.to_string()),
        }
    }
}

/// `https://HOST/PREFIX/api/PROJECT/traceback`.
fn address(dsn: &Dsn) -> String {
    let port = match (dsn.scheme().to_string().as_str(), dsn.port()) {
        ("https", 443) | ("http", 80) => String::new(),
        (_, port) => format!(":{port}"),
    };
    let host = dsn.host();
    format!("{}://{host}{port}{}api/{}/traceback", dsn.scheme(), dsn.path(), dsn.project_id())
}

/// A text of a small JSON answer, `{"id": "…"}`.
fn field(json: &str, name: &str) -> Option<String> {
    let answer: serde_json::Value = serde_json::from_str(json).ok()?;
    answer.get(name)?.as_str().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_is_beside_the_projects_other_doors() {
        let key = "0123456789abcdef0123456789abcdef";
        for (dsn, expected) in [
            (format!("https://{key}@errors.example.com/7"), "https://errors.example.com/api/7/traceback"),
            (format!("http://{key}@127.0.0.1:3000/errors/7"), "http://127.0.0.1:3000/errors/api/7/traceback"),
        ] {
            let destination = Destination::from_options(Options::with_dsn(&dsn)).unwrap().unwrap();
            assert_eq!(destination.address, expected);
            assert!(!format!("{destination:?}").contains(key), "a key has no business in a log");
        }
    }
}
