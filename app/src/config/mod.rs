//! Configuration: `flawless.toml`, overridden by environment variables.

mod file;
mod values;

use crate::client_address::TrustedProxies;
use domain::access::SignIn;
use domain::key_limits::{DefaultLimits, MOST_BUDGET, MOST_RATE};
use domain::retention::Kept;
use domain::secret::Secret;
use domain::url_text::{without_secrets, without_secrets_within};
use std::collections::BTreeMap;
use std::fmt::Display;
use std::path::{Path, PathBuf};
use values::{
    address_of, app_of, checked_data_dir, checked_database_url, checked_host, checked_log_level, checked_public_url,
    checked_url, database_in, is_json, kept_of, metrics_token_of, number_of, sign_in_of, token_of, trusted_proxies_of,
};

/// Every setting, by the name of its environment variable; in `flawless.toml` in lower case.
pub const NAMES: [&str; 32] = [
    "HOST",
    "PORT",
    "PUBLIC_URL",
    "DATABASE_URL",
    "DATA_DIR",
    "LOG_LEVEL",
    "LOG_FORMAT",
    "APP_ID",
    "PRIVATE_KEY",
    "PRIVATE_KEY_PATH",
    "WEBHOOK_SECRET",
    "GITHUB_CLIENT_ID",
    "GITHUB_CLIENT_SECRET",
    "GITHUB_API_URL",
    "GITHUB_SERVER_URL",
    "SMTP_URL",
    "MAIL_FROM",
    "OPERATOR_EMAIL",
    "ADMIN_TOKEN",
    "METRICS_TOKEN",
    "TRUSTED_PROXIES",
    "SECRET_KEY",
    "SHADOW_DAYS",
    "KEY_RATE",
    "KEY_BUDGET",
    "KEEP_HOURS_WEEKS",
    "KEEP_DAYS_WEEKS",
    "KEEP_TRACEBACKS_WEEKS",
    "KEEP_TRACEBACKS_MIB",
    "ARCHIVE_WEEKS",
    "KEEP_OUTBOX_WEEKS",
    "FLAWLESS_CONFIG",
];

/// What LOG_LEVEL says by itself.
const LEVELS: [&str; 6] = ["error", "warn", "info", "debug", "trace", "off"];

/// Longest shadow mode that a setting can ask for: a year is no trial any more.
const MOST_SHADOW_DAYS: u32 = 365;

/// Requests that one key may send a minute: more than any application that is well, and a tenth of
/// what one server takes, so that no key alone keeps the others out.
const KEY_RATE: u32 = 60_000;

/// Kinds of errors never seen before that one key may bring at once: more than a deploy breaks, and
/// a minute's work. A flood of made-up ones gets no further than one in a second.
const KEY_BUDGET: u32 = 1_000;

/// The file that is read where it exists, unless `FLAWLESS_CONFIG` names another.
pub const FILE: &str = "flawless.toml";

/// A server's configuration. Every setting has a default that works on one machine.
#[derive(Clone, PartialEq, Eq)]
pub struct Config {
    /// Address to listen on.
    pub host: String,
    /// Port to listen on; 0: any free one.
    pub port: u16,
    /// Address that people and SDKs reach the server by, without a slash at its end.
    pub public_url: Option<String>,
    /// `sqlite://…` or `postgres://…`.
    pub database_url: String,
    /// Where the database file, mirrors and outbox are.
    pub data_dir: PathBuf,
    /// `error`, `warn`, `info`, `debug`, `trace`, or a filter as `tracing` reads it.
    pub log_level: String,
    /// Lines of JSON instead of text.
    pub log_json: bool,
    /// The GitHub App, where one is configured.
    pub app: Option<AppConfig>,
    /// What GitHub signs webhooks with.
    pub webhook_secret: Option<Secret>,
    /// Client id and secret with which people sign in.
    pub sign_in: Option<SignIn>,
    /// REST API.
    pub github_api_url: String,
    /// Pages and git.
    pub github_server_url: String,
    /// Mail server, as lettre reads it.
    pub smtp_url: Option<String>,
    /// Sender of mails.
    pub mail_from: String,
    /// Who is mailed, once, of a line that nobody else could be told of.
    pub operator_email: Option<String>,
    /// Admits to the pages.
    pub admin_token: Option<Secret>,
    /// Admits to the metrics, and to nothing else.
    pub metrics_token: Option<Secret>,
    /// Proxies whose word is taken on where a request comes from.
    pub trusted_proxies: TrustedProxies,
    /// What secrets in the database are encrypted with; else the key in the data directory.
    pub secret_key: Option<Secret>,
    /// Days that a repository which is new here spends in shadow mode.
    pub shadow_days: u32,
    /// How much one key may bring, unless it has limits of its own.
    pub key_limits: DefaultLimits,
    /// How long what was counted and kept stays.
    pub kept: Kept,
}

/// A GitHub App's credentials.
#[derive(Clone, PartialEq, Eq)]
pub struct AppConfig {
    /// Its number.
    pub id: u64,
    /// Its private key, PEM.
    pub private_key: Secret,
}

/// Why a configuration can't be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ConfigError(String);

impl ConfigError {
    /// A LOG_LEVEL that `tracing` can't read.
    pub fn log_level(text: &str, why: impl Display) -> Self {
        let (text, why) = (without_secrets_within(text), without_secrets_within(&why.to_string()));
        Self(format!("LOG_LEVEL is {text:?}, which can't be read: {why}"))
    }
}

impl std::fmt::Debug for Config {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Secrets have no business in logs.
        f.debug_struct("Config").field("settings", &self.shown()).finish()
    }
}

impl Config {
    /// Where people and applications reach the server: as it is said, else on this machine.
    pub fn address(&self) -> String {
        self.public_url.clone().unwrap_or_else(|| format!("http://{}:{}", self.host, self.port))
    }

    /// Reads `flawless.toml` (or the file that FLAWLESS_CONFIG names) and the environment.
    ///
    /// # Errors
    /// A file that is there and can't be read, a key that there is none of, or a value that a
    /// setting can't have.
    pub fn load() -> Result<Self, ConfigError> {
        let mut env = BTreeMap::new();
        for name in NAMES {
            if let Some(value) = std::env::var_os(name) {
                let value = value.into_string().map_err(|_| ConfigError(format!("{name} is no text in UTF-8")))?;
                env.insert((*name).to_owned(), value);
            }
        }
        match env.get("FLAWLESS_CONFIG").filter(|path| !path.trim().is_empty()).cloned() {
            Some(path) => {
                let text = std::fs::read_to_string(&path).map_err(|error| {
                    ConfigError(format!(
                        "FLAWLESS_CONFIG names {}, which can't be read: {error}",
                        without_secrets(&path)
                    ))
                })?;
                Self::from_parts(Some((&path, &text)), env)
            }
            None => Self::from_parts(own_file(Path::new(FILE))?.as_deref().map(|text| (FILE, text)), env),
        }
    }

    /// Puts a file (its path and text) and variables together; variables win. An empty variable
    /// counts as unset.
    ///
    /// # Errors
    /// As [`Self::load`].
    pub fn from_parts(file: Option<(&str, &str)>, env: BTreeMap<String, String>) -> Result<Self, ConfigError> {
        let mut settings = BTreeMap::new();
        if let Some((path, text)) = file {
            settings = file::read(path, text)?;
        }
        settings.extend(env);
        settings.retain(|_, value| !value.trim().is_empty());
        Self::from_settings(&settings)
    }

    fn from_settings(settings: &BTreeMap<String, String>) -> Result<Self, ConfigError> {
        let get = |name: &str| settings.get(name).map(|value| value.trim().to_owned());
        let or = |name: &str, default: &str| get(name).unwrap_or_else(|| default.to_owned());
        let data_dir = checked_data_dir(&or("DATA_DIR", "data"))?;
        let checked = |name: &str, default: &str| checked_url(name, &or(name, default));
        Ok(Self {
            host: checked_host(&or("HOST", "127.0.0.1"))?,
            port: number_of(&get, "PORT", u16::MAX)?.unwrap_or(3000),
            public_url: get("PUBLIC_URL").map(|url| checked_public_url(&url)).transpose()?,
            database_url: match get("DATABASE_URL") {
                Some(url) => checked_database_url(&url)?,
                None => database_in(&data_dir),
            },
            log_level: checked_log_level(&or("LOG_LEVEL", "info"))?,
            log_json: is_json(&or("LOG_FORMAT", "text"))?,
            app: app_of(&get)?,
            webhook_secret: get("WEBHOOK_SECRET").map(Secret::from),
            sign_in: sign_in_of(&get)?,
            github_api_url: checked("GITHUB_API_URL", "https://api.github.com")?,
            github_server_url: checked("GITHUB_SERVER_URL", "https://github.com")?,
            smtp_url: get("SMTP_URL"),
            mail_from: or("MAIL_FROM", "Flawless <flawless@localhost>"),
            operator_email: address_of(&get, "OPERATOR_EMAIL")?,
            admin_token: token_of(&get, "ADMIN_TOKEN")?,
            metrics_token: metrics_token_of(&get)?,
            trusted_proxies: trusted_proxies_of(&get)?,
            secret_key: get("SECRET_KEY").map(Secret::from),
            shadow_days: number_of(&get, "SHADOW_DAYS", MOST_SHADOW_DAYS)?.unwrap_or(0),
            key_limits: DefaultLimits {
                rate: number_of(&get, "KEY_RATE", MOST_RATE)?.unwrap_or(KEY_RATE),
                budget: number_of(&get, "KEY_BUDGET", MOST_BUDGET)?.unwrap_or(KEY_BUDGET),
            },
            kept: kept_of(&get)?,
            data_dir,
        })
    }

    /// Where mails and issues go while no server for them is configured.
    pub fn outbox(&self) -> PathBuf {
        self.data_dir.join("outbox")
    }

    /// Where mirrors are.
    pub fn mirrors(&self) -> PathBuf {
        self.data_dir.join("mirrors")
    }

    /// Every setting and its value for people to read, secrets left out.
    pub fn shown(&self) -> Vec<(&'static str, String)> {
        let secret = |set: bool| if set { "set" } else { "not set" }.to_owned();
        let mut shown = vec![
            ("HOST", self.host.clone()),
            ("PORT", self.port.to_string()),
            ("PUBLIC_URL", self.public_url.clone().unwrap_or_default()),
            ("DATABASE_URL", without_secrets(&self.database_url)),
            ("DATA_DIR", self.data_dir.display().to_string()),
            ("LOG_LEVEL", self.log_level.clone()),
            ("LOG_FORMAT", if self.log_json { "json" } else { "text" }.to_owned()),
            ("APP_ID", self.app.as_ref().map(|app| app.id.to_string()).unwrap_or_default()),
            ("PRIVATE_KEY", secret(self.app.is_some())),
            ("WEBHOOK_SECRET", secret(self.webhook_secret.is_some())),
            ("GITHUB_CLIENT_ID", self.sign_in.as_ref().map(|app| app.client_id.clone()).unwrap_or_default()),
            ("GITHUB_CLIENT_SECRET", secret(self.sign_in.is_some())),
            ("GITHUB_API_URL", self.github_api_url.clone()),
            ("GITHUB_SERVER_URL", self.github_server_url.clone()),
            ("SMTP_URL", self.smtp_url.as_deref().map(without_secrets).unwrap_or_default()),
            ("MAIL_FROM", self.mail_from.clone()),
            ("OPERATOR_EMAIL", self.operator_email.clone().unwrap_or_default()),
            ("ADMIN_TOKEN", secret(self.admin_token.is_some())),
            ("METRICS_TOKEN", secret(self.metrics_token.is_some())),
            ("TRUSTED_PROXIES", self.trusted_proxies.shown()),
            ("SECRET_KEY", secret(self.secret_key.is_some())),
            ("SHADOW_DAYS", self.shadow_days.to_string()),
            ("KEY_RATE", self.key_limits.rate.to_string()),
            ("KEY_BUDGET", self.key_limits.budget.to_string()),
            ("KEEP_HOURS_WEEKS", self.kept.hours_weeks.to_string()),
            ("KEEP_DAYS_WEEKS", self.kept.days_weeks.to_string()),
            ("KEEP_TRACEBACKS_WEEKS", self.kept.tracebacks_weeks.to_string()),
            ("KEEP_TRACEBACKS_MIB", self.kept.tracebacks_mib.to_string()),
            ("ARCHIVE_WEEKS", self.kept.archive_weeks.to_string()),
            ("KEEP_OUTBOX_WEEKS", self.kept.outbox_weeks.to_string()),
        ];
        for (_, value) in shown.iter_mut().filter(|(_, value)| value.is_empty()) {
            "not set".clone_into(value);
        }
        shown
    }
}

/// The text of the file beside which the server is started; `None` where there is no such file.
fn own_file(path: &Path) -> Result<Option<String>, ConfigError> {
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        // Started without it, the server would be another one: with an empty database, or open to
        // nobody.
        Err(error) => Err(ConfigError(format!(
            "{} is there, but can't be read: {error}; make it readable or take it away",
            path.display()
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn env(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn nothing_configured_works_on_one_machine() {
        let config = Config::from_parts(None, env(&[])).expect("defaults");
        assert_eq!((config.host.as_str(), config.port), ("127.0.0.1", 3000));
        assert_eq!(config.database_url, "sqlite://data/flawless.db");
        assert!(config.app.is_none());
    }

    #[test]
    fn variables_win_over_the_file_and_empty_ones_do_not_count() {
        let file = "port = 4000\nhost = \"0.0.0.0\"\n";
        let config = Config::from_parts(Some((FILE, file)), env(&[("PORT", "5000"), ("HOST", "")])).expect("fits");
        assert_eq!((config.host.as_str(), config.port), ("127.0.0.1", 5000));
    }

    #[test]
    fn what_is_wrong_is_said_with_the_nearest_name() {
        let said = |file: Option<&str>, pairs: &[(&str, &str)]| {
            Config::from_parts(file.map(|text| ("my.toml", text)), env(pairs)).expect_err("refused").to_string()
        };
        assert!(said(Some("prot = 1"), &[]).contains("did you mean \"port\"?"));
        assert!(said(None, &[("PORT", "http")]).contains("0 to 65535"));
        assert!(said(None, &[("SHADOW_DAYS", "400")]).contains("0 to 365"));
        assert!(said(None, &[("KEY_RATE", "1000001")]).contains("0 to 1000000"));
        assert!(said(None, &[("KEEP_HOURS_WEEKS", "521")]).contains("0 to 520"));
        assert!(
            said(None, &[("APP_ID", "1"), ("PRIVATE_KEY", "k"), ("GITHUB_CLIENT_ID", "Iv1")])
                .contains("GITHUB_CLIENT_SECRET is not")
        );
        assert!(said(None, &[("LOG_LEVEL", "inof")]).contains("did you mean info?"));
        assert!(said(None, &[("LOG_LEVEL", "info,verbose")]).contains("\"verbose\" is no level"));
        assert!(said(None, &[("APP_ID", "1")]).contains("PRIVATE_KEY"));
        assert!(said(None, &[("PUBLIC_URL", "flawless.example")]).contains("PUBLIC_URL"));
        let syntax = said(Some("host = \"::\"\nport = "), &[]);
        assert!(syntax.contains("my.toml, line 2, column ") && syntax.contains("(port)"), "{syntax}");
        let kind = said(Some("\n  webhook_secret = [1]"), &[]);
        assert!(kind.contains("my.toml, line 2, column 20 (webhook_secret): it has to be"), "{kind}");
    }

    #[test]
    fn each_value_says_what_is_wrong_with_it() {
        let cases: &[(&[(&str, &str)], &str)] = &[
            (&[("HOST", "256.1.1.1")], "HOST is \"256.1.1.1\", which is no address: write 127.0.0.1"),
            (&[("HOST", "127.0.0.1:80")], "the port is set by PORT"),
            (&[("HOST", "http://here")], "which is no address"),
            (&[("PUBLIC_URL", "https://f.example/?a=b")], "which has a query (?)"),
            (&[("PUBLIC_URL", "https://f.example/#top")], "which has a fragment (#)"),
            (&[("PUBLIC_URL", "https://ada@f.example")], "which names a user"),
            (&[("PUBLIC_URL", "https://f.example/a b")], "it has to be an address like"),
            (&[("PUBLIC_URL", "http://x.example/a/:c")], "whose path has \":c\": each part of it may have letters"),
            (&[("PUBLIC_URL", "http://x.example/*a")], "whose path has \"*a\""),
            (&[("PUBLIC_URL", "http://x.example/a/{b}/c")], "whose path has \"{b}\""),
            (&[("PUBLIC_URL", "http://x.example/a//b")], "whose path has \"\""),
            (&[("PUBLIC_URL", "http://x.example/a/../b")], "whose path has \"..\""),
            (&[("PUBLIC_URL", "http://x.example/a%2Fb")], "whose path has \"a%2Fb\""),
            (&[("PUBLIC_URL", "http://x.example/caf\u{e9}")], "whose path has \"caf\u{e9}\""),
            (&[("PUBLIC_URL", "http://x.example\\a")], "it has to be an address like"),
            (&[("PUBLIC_URL", "http:x.example/a")], "it has to be an address like"),
            (&[("PUBLIC_URL", "http://x.example/healthz/")], "whose path is that of a probe: write another"),
            (&[("PUBLIC_URL", "http://x.example/readyz")], "whose path is that of a probe"),
            (&[("GITHUB_API_URL", "https://f.example/?a=b")], "GITHUB_API_URL"),
            (&[("DATABASE_URL", "mysql://ada:hidden@db/f")], "it has to be like sqlite:///path/to/file.db"),
            (&[("DATABASE_URL", "sqlite:")], "it has to be like sqlite:///path/to/file.db"),
            (&[("DATABASE_URL", "sqlite::memory:")], "a database in memory is gone with each connection; name a file"),
            (&[("DATABASE_URL", "sqlite://x.db?mode=memory")], "name a file, as in sqlite:///path/to/file.db"),
            (&[("DATABASE_URL", "sqlite://x.db?cache=shared&mode=%6demory")], "name a file"),
            (&[("DATABASE_URL", "sqlite://x.db?vfs=memdb")], "name a file"),
            (&[("DATABASE_URL", "postgres://")], "it has to be like sqlite:///path/to/file.db"),
            (&[("ADMIN_TOKEN", "fifteen letters")], "ADMIN_TOKEN has 15 characters: it has to have 16 at least"),
            (&[("METRICS_TOKEN", "short")], "METRICS_TOKEN has 5 characters"),
            (&[("METRICS_TOKEN", "s")], "METRICS_TOKEN has 1 character:"),
            (
                &[("METRICS_TOKEN", "the very same token"), ("ADMIN_TOKEN", "the very same token")],
                "METRICS_TOKEN is the same as ADMIN_TOKEN",
            ),
            (&[("TRUSTED_PROXIES", "10.0.0.1, nginx")], "TRUSTED_PROXIES has \"nginx\""),
            (&[("APP_ID", "0"), ("PRIVATE_KEY", "k")], "APP_ID is \"0\""),
            (&[("WEBHOOK_SECRET", "w")], "WEBHOOK_SECRET is set, but APP_ID is not"),
            (&[("GITHUB_CLIENT_ID", "Iv1")], "GITHUB_CLIENT_ID is set, but APP_ID is not"),
        ];
        for (pairs, says) in cases {
            let said = Config::from_parts(None, env(pairs)).expect_err("refused").to_string();
            assert!(said.contains(says) && !said.contains("hidden"), "{pairs:?}: {said}");
        }
        for host in ["0.0.0.0", "::", "[::1]", "localhost", "flawless-1.example"] {
            assert!(Config::from_parts(None, env(&[("HOST", host)])).is_ok(), "{host}");
        }
        for url in ["sqlite://a.db", "sqlite:a.db?mode=rwc", "postgres:///f?host=/run/postgresql", "postgresql://db/f"]
        {
            assert!(Config::from_parts(None, env(&[("DATABASE_URL", url)])).is_ok(), "{url}");
        }
        for url in ["https://f.example/My-tools/errors_2.0~x", "https://f.example/a/healthz", "http://[::1]:3000/e"] {
            assert!(Config::from_parts(None, env(&[("PUBLIC_URL", url)])).is_ok(), "{url}");
        }
        let path = Config::from_parts(None, env(&[("PUBLIC_URL", "https://f.example/errors/")])).expect("fits");
        assert_eq!(path.public_url.as_deref(), Some("https://f.example/errors"));
    }

    #[test]
    fn a_data_dir_may_have_any_name() {
        let config =
            Config::from_parts(None, env(&[("DATA_DIR", "/srv/a b%25?c#d\ne/é_-.~")])).expect("a configuration");
        assert_eq!(config.database_url, "sqlite:///srv/a%20b%2525%3Fc%23d%0Ae/%C3%A9_-.~/flawless.db");
    }

    #[test]
    fn a_data_dir_that_is_a_file_is_refused() {
        let file = tempfile::NamedTempFile::new().expect("a file");
        let path = file.path().display().to_string();
        let said = Config::from_parts(None, env(&[("DATA_DIR", &path)])).expect_err("refused").to_string();
        assert!(said.contains("which is a file"), "{said}");
    }

    #[test]
    fn levels_and_filters_are_taken() {
        for text in ["info", "WARN", "info,sqlx=debug", "off", "app[step{job=1}]=trace"] {
            let config = Config::from_parts(None, env(&[("LOG_LEVEL", text)])).expect("fits");
            assert_eq!(config.log_level, text);
        }
    }

    #[test]
    fn a_file_that_is_there_and_cannot_be_read_is_no_missing_one() {
        let folder = tempfile::tempdir().expect("a folder");
        assert_eq!(own_file(&folder.path().join("flawless.toml")), Ok(None));
        let refused = own_file(folder.path()).expect_err("a folder is no file").to_string();
        assert!(refused.contains("is there, but can't be read"), "{refused}");
        std::fs::write(folder.path().join("latin.toml"), b"host = \"caf\xe9\"").expect("written");
        assert!(own_file(&folder.path().join("latin.toml")).is_err());
    }

    /// Forms of a setting's line that fail, each with the secret in it.
    fn wrong_lines(key: &str) -> Vec<String> {
        let values = [
            "\"hunter2",
            "hunter2",
            "'hunter2",
            "\"\"\"hunter2",
            "\"hunter2\" hunter2",
            "[\"hunter2\"]",
            "{ a = \"hunter2\" }",
            "\"hunter2\\q\"",
            "\"hunter2\u{1}\"",
            "\"hun\nter2 hunter2\"",
            "1e5 # hunter2",
            "\"hunter2\"\nhunter2: 1",
        ];
        let mut lines: Vec<String> = values.iter().map(|value| format!("{key} = {value}\n")).collect();
        lines.push(format!("{key}: \"hunter2\"\n"));
        lines.push(format!("{key} \"hunter2\"\n"));
        lines.push(format!("{key} = \"hunter2\"\n{key} = \"hunter2\"\n"));
        lines.push(format!("[{key}]\nx = \"hunter2\"\n"));
        lines
    }

    #[test]
    fn no_line_of_the_file_is_repeated_where_it_is_wrong() {
        for name in NAMES {
            for line in wrong_lines(&name.to_ascii_lowercase()) {
                let file = format!("host = \"::\"\n{line}port = 3000\n");
                let said = Config::from_parts(Some((FILE, &file)), env(&[])).expect_err(&line).to_string();
                assert!(said.contains("flawless.toml, line ") && !said.contains("hunter"), "{line}: {said}");
            }
        }
    }

    #[test]
    fn no_value_that_is_wrong_shows_the_secret_in_it() {
        const FORMS: [&str; 15] = [
            "postgres://ada:a#hunter2@db/f",
            "postgres://ada:hunter2#b@db/f",
            "postgres://ada:hunter2@:x/f",
            "mysql://ada:hunter2@db/f",
            "mysql://db/f?password=hunter2",
            "postgres://?password=hunter2",
            "ada:hunter2@db/f",
            "host=db password=hunter2",
            "https://ada:hunter2@f.example",
            "https://ada:hunter2",
            "https://ada:hunter2#x@f.example",
            "https://f.example/?token=hunter2",
            "https://f.example/#hunter2",
            "-----BEGIN PRIVATE KEY-----\nhunter2\n-----END PRIVATE KEY-----",
            "http://ada:hunter2@10.0.0.1:80",
        ];
        for name in NAMES {
            // What a level or a folder is called is no secret.
            let is_plain = matches!(name, "LOG_LEVEL" | "DATA_DIR" | "MAIL_FROM" | "FLAWLESS_CONFIG");
            for form in FORMS.iter().filter(|_| !is_plain) {
                let app = [("APP_ID", "7")].into_iter().filter(|_| name == "PRIVATE_KEY_PATH");
                let pairs: Vec<_> = app.chain([(name, *form)]).collect();
                let said = match Config::from_parts(None, env(&pairs)) {
                    Ok(config) => format!("{config:?}"),
                    Err(error) => error.to_string(),
                };
                assert!(!said.contains("hunter2"), "{name}={form}: {said}");
            }
        }
        for name in ["WEBHOOK_SECRET", "GITHUB_CLIENT_SECRET", "ADMIN_TOKEN", "METRICS_TOKEN", "PRIVATE_KEY"] {
            let said = Config::from_parts(None, env(&[(name, "hunter2")])).expect_err(name).to_string();
            assert!(said.contains(name) && !said.contains("hunter2"), "{said}");
        }
    }

    #[test]
    fn secrets_are_not_shown() {
        let config = Config::from_parts(
            None,
            env(&[
                ("DATABASE_URL", "postgres://ada:secret@db/flawless"),
                ("SMTP_URL", "smtp://ada:secret@mail:587"),
                ("APP_ID", "7"),
                ("PRIVATE_KEY", "secret"),
                ("WEBHOOK_SECRET", "secret"),
                ("ADMIN_TOKEN", "a secret of many letters"),
                ("METRICS_TOKEN", "another secret of many letters"),
            ]),
        )
        .expect("fits");
        assert!(!format!("{config:?}").contains("secret"));
        let blank = Config::from_parts(None, env(&[])).expect("defaults").shown();
        assert!(blank.contains(&("PUBLIC_URL", "not set".to_owned())), "{blank:?}");
        assert!(blank.iter().all(|(_, value)| !value.is_empty()), "{blank:?}");
        let parameter = [("DATABASE_URL", "postgres://db/flawless?sslmode=require&password=secret")];
        let shown = Config::from_parts(None, env(&parameter)).expect("fits").shown();
        let shown = shown.iter().find(|(name, _)| *name == "DATABASE_URL").expect("it is shown");
        assert_eq!(shown.1, "postgres://db/flawless?sslmode=require&password=…");
        for url in ["https://h?token=secret", "https://h#secret", "https://secret@h", "h:secret@x"] {
            let error = Config::from_parts(None, env(&[("GITHUB_API_URL", url)])).expect_err(url).to_string();
            assert!(!error.contains("secret"), "{error}");
        }
    }
}
