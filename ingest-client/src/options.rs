//! What reporting is set up with, from arguments first and the environment second.

use sentry::types::{Dsn, ParseDsnError};
use thiserror::Error;

use crate::revision;

/// Digits in the key of a DSN: Flawless gives out keys of 32 hexadecimal digits, as the Sentry
/// protocol has them.
const KEY_DIGITS: usize = 32;

/// Where a DSN was read that the program itself gave.
pub(crate) const GIVEN: &str = "Options::dsn";

/// What reporting is set up with. All of it may be left out.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// `http(s)://KEY@HOST[/PREFIX]/PROJECT`, as the repository's page shows it; else
    /// `FLAWLESS_DSN`, else `SENTRY_DSN`.
    pub dsn: Option<String>,
    /// The commit or tag that is running; else `FLAWLESS_RELEASE`, else `SENTRY_RELEASE`, else the
    /// commit that is checked out where the program was started. Flawless finds the failing line in
    /// this revision. A program that is deployed without its repository should be told at build
    /// time: `release: option_env!("…").map(Into::into)`.
    pub release: Option<String>,
    /// Where this runs, such as `production`; else `SENTRY_ENVIRONMENT`, else `development` in a
    /// debug build.
    pub environment: Option<String>,
    /// The server's name; else the machine's.
    pub server_name: Option<String>,
}

impl Options {
    /// Options that name the project and leave the rest to the environment.
    pub fn with_dsn(dsn: impl Into<String>) -> Self {
        Self { dsn: Some(dsn.into()), ..Self::default() }
    }

    /// The same options with the commit or tag that is running.
    pub fn release(self, release: impl Into<String>) -> Self {
        Self { release: Some(release.into()), ..self }
    }
}

/// Why reporting can't start. The key is left out of the message, which may end in a log.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("the DSN in {origin} can't be used: {fault}")]
pub struct InitError {
    /// Where the DSN was read: `Options::dsn` or the name of a variable.
    pub origin: &'static str,
    /// What is wrong with it.
    pub fault: DsnFault,
}

/// What is wrong with a DSN.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum DsnFault {
    /// Not a URL at all.
    #[error("it is not a URL (https://KEY@HOST/PROJECT)")]
    NoUrl,
    /// Neither http nor https.
    #[error("it begins with neither http:// nor https://")]
    Scheme,
    /// The part before the `@` is missing.
    #[error("it has no key (https://KEY@HOST/PROJECT)")]
    NoKey,
    /// The part before the `@` is no key of Flawless.
    #[error("its key is not 32 hexadecimal digits")]
    Key,
    /// The number at the end is missing or no number.
    #[error("it does not end in the project's number (https://KEY@HOST/PROJECT)")]
    Project,
}

/// Options with the environment applied.
#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) dsn: Option<Dsn>,
    pub(crate) release: Option<String>,
    pub(crate) environment: Option<String>,
    pub(crate) server_name: Option<String>,
}

/// Applies the environment, which `variable` looks up. Empty values count as absent: that is how a
/// shell or a container switches a variable off.
pub(crate) fn resolve(options: Options, variable: impl Fn(&str) -> Option<String>) -> Result<Settings, InitError> {
    let given = |value: String| Some(value.trim().to_owned()).filter(|value| !value.is_empty());
    let variable = |name: &'static str| variable(name).and_then(given);
    let candidates = [
        (GIVEN, options.dsn.and_then(given)),
        ("FLAWLESS_DSN", variable("FLAWLESS_DSN")),
        ("SENTRY_DSN", variable("SENTRY_DSN")),
    ];
    let dsn = match candidates.into_iter().find_map(|(origin, dsn)| dsn.map(|dsn| (origin, dsn))) {
        Some((origin, dsn)) => Some(parse(&dsn).map_err(|fault| InitError { origin, fault })?),
        None => None,
    };
    let release = options
        .release
        .and_then(given)
        .or_else(|| variable("FLAWLESS_RELEASE"))
        .or_else(|| variable("SENTRY_RELEASE"))
        .or_else(|| revision::checked_out_at(&std::env::current_dir().ok()?));
    Ok(Settings {
        dsn,
        release,
        environment: options.environment.and_then(given),
        server_name: options.server_name.and_then(given),
    })
}

fn parse(dsn: &str) -> Result<Dsn, DsnFault> {
    let dsn: Dsn = dsn.parse().map_err(|error| match error {
        ParseDsnError::InvalidUrl => DsnFault::NoUrl,
        ParseDsnError::InvalidScheme => DsnFault::Scheme,
        ParseDsnError::NoUsername => DsnFault::NoKey,
        ParseDsnError::NoProjectId | ParseDsnError::InvalidProjectId(_) => DsnFault::Project,
    })?;
    let key = dsn.public_key();
    if key.len() != KEY_DIGITS || !key.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(DsnFault::Key);
    }
    if dsn.project_id().value().parse::<u64>().is_err() {
        return Err(DsnFault::Project);
    }
    Ok(dsn)
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "0123456789abcdef0123456789abcdef";

    fn with(variables: &[(&str, &str)], options: Options) -> Result<Settings, InitError> {
        resolve(options, |name| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).into()))
    }

    fn project(settings: &Settings) -> String {
        settings.dsn.as_ref().map(|dsn| dsn.project_id().to_string()).unwrap_or_default()
    }

    #[test]
    fn an_argument_wins_over_flawless_over_sentry() {
        let flawless = format!("https://{KEY}@errors.example.com/2");
        let sentry = format!("https://{KEY}@errors.example.com/3");
        let both = [
            ("FLAWLESS_DSN", flawless.as_str()),
            ("SENTRY_DSN", sentry.as_str()),
            ("FLAWLESS_RELEASE", "two"),
            ("SENTRY_RELEASE", "three"),
        ];
        let given = Options::with_dsn(format!("https://{KEY}@errors.example.com/1")).release("one");
        let settings = with(&both, given).unwrap();
        assert_eq!((project(&settings).as_str(), settings.release.as_deref()), ("1", Some("one")));
        let settings = with(&both, Options::default()).unwrap();
        assert_eq!((project(&settings).as_str(), settings.release.as_deref()), ("2", Some("two")));
        let settings = with(&[both[1], both[3], ("FLAWLESS_DSN", " "), ("FLAWLESS_RELEASE", "")], Options::default());
        let settings = settings.unwrap();
        assert_eq!((project(&settings).as_str(), settings.release.as_deref()), ("3", Some("three")));
    }

    #[test]
    fn no_dsn_is_no_error() {
        assert!(with(&[("FLAWLESS_DSN", "")], Options::default()).unwrap().dsn.is_none());
    }

    #[test]
    fn a_bad_dsn_is_named_with_its_fault() {
        let cases = [
            ("errors.example.com".to_owned(), DsnFault::NoUrl),
            (format!("ftp://{KEY}@errors.example.com/1"), DsnFault::Scheme),
            ("https://errors.example.com/1".to_owned(), DsnFault::NoKey),
            ("https://public@errors.example.com/1".to_owned(), DsnFault::Key),
            (format!("https://{KEY}@errors.example.com"), DsnFault::Project),
            (format!("https://{KEY}@errors.example.com/shop"), DsnFault::Project),
        ];
        for (dsn, fault) in cases {
            let error = with(&[("FLAWLESS_DSN", &dsn)], Options::default()).unwrap_err();
            assert_eq!(error, InitError { origin: "FLAWLESS_DSN", fault }, "{dsn}");
            assert!(!error.to_string().contains(KEY), "{error}");
        }
    }
}
