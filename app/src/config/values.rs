//! Single values of the configuration: each is checked at the start, in words that say what is
//! wrong and what to write.

use super::{AppConfig, ConfigError, LEVELS, NAMES};
use crate::client_address::TrustedProxies;
use domain::access::SignIn;
use domain::address::fault_of_address;
use domain::counted::counted;
use domain::retention::{Kept, MOST_WEEKS};
use domain::secret::Secret;
use domain::url_text::{without_secrets, without_secrets_within};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use std::borrow::Cow;
use std::fmt::Display;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::str::FromStr;

/// Characters that a token needs at least: 16 random ones have 64 bits where they are hexadecimal,
/// which nobody guesses at any pace.
const SHORTEST_TOKEN: usize = 16;

/// Paths that answer whatever the path of PUBLIC_URL is.
const PROBES: [&str; 2] = ["healthz", "readyz"];

/// Bytes that a path has at most: the shortest key, in base64 as some write it, has more.
const LONGEST_PATH: usize = 1_000;

/// Settings that mean nothing without APP_ID.
const OF_APP: [&str; 5] =
    ["PRIVATE_KEY", "PRIVATE_KEY_PATH", "WEBHOOK_SECRET", "GITHUB_CLIENT_ID", "GITHUB_CLIENT_SECRET"];

/// What a setting says, without white space around it; `None` where it is not set.
pub(super) type Get<'a> = &'a dyn Fn(&str) -> Option<String>;

/// A number that is not more than this.
pub(super) fn number_of<N>(get: Get<'_>, name: &str, most: N) -> Result<Option<N>, ConfigError>
where
    N: FromStr + PartialOrd + Display,
{
    let Some(text) = get(name) else { return Ok(None) };
    match text.parse() {
        Ok(number) if number <= most => Ok(Some(number)),
        _ => {
            let shown = without_secrets(&text);
            Err(ConfigError(format!("{name} is {shown:?}: it has to be a number from 0 to {most}")))
        }
    }
}

/// Most MiB of tracebacks that a setting can ask for: a TiB.
const MOST_MIB: u32 = 1 << 20;

/// How long what was counted and kept stays.
pub(super) fn kept_of(get: Get<'_>) -> Result<Kept, ConfigError> {
    let usual = Kept::default();
    let weeks = |name: &str, usual: u32| Ok(number_of(get, name, MOST_WEEKS)?.unwrap_or(usual));
    Ok(Kept {
        hours_weeks: weeks("KEEP_HOURS_WEEKS", usual.hours_weeks)?,
        days_weeks: weeks("KEEP_DAYS_WEEKS", usual.days_weeks)?,
        tracebacks_weeks: weeks("KEEP_TRACEBACKS_WEEKS", usual.tracebacks_weeks)?,
        archive_weeks: weeks("ARCHIVE_WEEKS", usual.archive_weeks)?,
        tracebacks_mib: number_of(get, "KEEP_TRACEBACKS_MIB", MOST_MIB)?.unwrap_or(usual.tracebacks_mib),
        outbox_weeks: weeks("KEEP_OUTBOX_WEEKS", usual.outbox_weeks)?,
    })
}

/// Whether lines of the log are JSON.
pub(super) fn is_json(format: &str) -> Result<bool, ConfigError> {
    match format {
        "text" | "pretty" => Ok(false),
        "json" => Ok(true),
        other => Err(ConfigError(format!("LOG_FORMAT is {:?}: it has to be text or json", without_secrets(other)))),
    }
}

/// With what people sign in.
pub(super) fn sign_in_of(get: Get<'_>) -> Result<Option<SignIn>, ConfigError> {
    let without = |set: &str, missing: &str| Err(ConfigError(format!("{set} is set, but {missing} is not")));
    match (get("GITHUB_CLIENT_ID"), get("GITHUB_CLIENT_SECRET")) {
        (Some(client_id), Some(client_secret)) => Ok(Some(SignIn { client_id, client_secret: client_secret.into() })),
        (None, None) => Ok(None),
        (Some(_), None) => without("GITHUB_CLIENT_ID", "GITHUB_CLIENT_SECRET"),
        (None, Some(_)) => without("GITHUB_CLIENT_SECRET", "GITHUB_CLIENT_ID"),
    }
}

/// The App. Its other settings mean nothing without its number, and whoever sets them means them.
pub(super) fn app_of(get: Get<'_>) -> Result<Option<AppConfig>, ConfigError> {
    let Some(id) = get("APP_ID") else {
        return match OF_APP.iter().find(|name| get(name).is_some()) {
            Some(name) => Err(ConfigError(format!(
                "{name} is set, but APP_ID is not: set it to the number on the App's page on GitHub, or take {name} away"
            ))),
            None => Ok(None),
        };
    };
    let id = id.parse().ok().filter(|id| *id > 0).ok_or_else(|| {
        let shown = without_secrets(&id);
        ConfigError(format!("APP_ID is {shown:?}: it has to be the number on the App's page on GitHub"))
    })?;
    let private_key = match (get("PRIVATE_KEY"), get("PRIVATE_KEY_PATH")) {
        (Some(key), _) => key,
        (None, Some(path)) => key_in(&path)?,
        (None, None) => {
            return Err(ConfigError("APP_ID is set, but neither PRIVATE_KEY nor PRIVATE_KEY_PATH is".to_owned()));
        }
    };
    Ok(Some(AppConfig { id, private_key: private_key.into() }))
}

/// The text of PRIVATE_KEY_PATH's file.
fn key_in(path: &str) -> Result<String, ConfigError> {
    if path.contains("PRIVATE KEY") || path.len() > LONGEST_PATH {
        let what = "PRIVATE_KEY_PATH holds a key: it has to be the path of a file; PRIVATE_KEY takes the key";
        return Err(ConfigError(what.to_owned()));
    }
    std::fs::read_to_string(Path::new(path)).map_err(|error| {
        ConfigError(format!("PRIVATE_KEY_PATH names {}, which can't be read: {error}", without_secrets(path)))
    })
}

/// A level, or a filter as `tracing` reads it, but that a part of the program by itself is refused:
/// a level that is misspelt would be one, and silence all others.
pub(super) fn checked_log_level(text: &str) -> Result<String, ConfigError> {
    for part in text.split(',').map(str::trim) {
        // `tracing` reads 0 (nothing) to 5 (trace) as well, and passes over what is empty.
        let is_number = part.is_empty() || part.parse::<u8>().is_ok_and(|number| number <= 5);
        let is_level = is_number || LEVELS.iter().any(|level| level.eq_ignore_ascii_case(part));
        if !is_level && !part.contains(['=', '[']) {
            let near = LEVELS.iter().find(|level| strsim::damerau_levenshtein(level, &part.to_lowercase()) <= 2);
            let near = near.map_or_else(String::new, |level| format!("; did you mean {level}?"));
            let (text, part) = (without_secrets_within(text), without_secrets_within(part));
            return Err(ConfigError(format!(
                "LOG_LEVEL is {text:?}: {part:?} is no level ({}), nor a filter like sqlx=debug{near} (all of a part of the program is NAME=trace)",
                LEVELS.join(", ")
            )));
        }
    }
    Ok(text.to_owned())
}

/// An address of a server, to which paths are added: without a slash at its end.
pub(super) fn checked_url(name: &str, text: &str) -> Result<String, ConfigError> {
    let wrong = |why: &str| {
        // It may hold a password, which has no business in a log.
        let shown = without_secrets(text);
        ConfigError(format!("{name} is {shown:?}{why}: it has to be an address like https://flawless.example.com"))
    };
    let url = url::Url::parse(text).map_err(|_| wrong(""))?;
    if !matches!(url.scheme(), "http" | "https") || url.host().is_none() || text.contains(char::is_whitespace) {
        return Err(wrong(""));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(wrong(", which names a user"));
    }
    if url.query().is_some() {
        return Err(wrong(", which has a query (?)"));
    }
    if url.fragment().is_some() {
        return Err(wrong(", which has a fragment (#)"));
    }
    Ok(text.trim_end_matches('/').to_owned())
}

/// The address that people reach the server by. Its path stands before that of each route: what is
/// a pattern to the router, or is written otherwise by browsers and proxies, is refused.
pub(super) fn checked_public_url(text: &str) -> Result<String, ConfigError> {
    let url = checked_url("PUBLIC_URL", text)?;
    let wrong = |why: String| Err(ConfigError(format!("PUBLIC_URL is {:?}{why}", without_secrets(text))));
    let Some((_, address)) = url.split_once("://").filter(|(_, address)| !address.contains('\\')) else {
        return wrong(": it has to be an address like https://flawless.example.com".to_owned());
    };
    let Some((_, path)) = address.split_once('/') else { return Ok(url) };
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-._~".contains(c);
    let is_usual = |part: &str| !matches!(part, "" | "." | "..") && part.chars().all(is_plain);
    if let Some(part) = path.split('/').find(|part| !is_usual(part)) {
        return wrong(format!(
            ", whose path has {part:?}: each part of it may have letters (a to z), digits, and - . _ ~ only, like \
             https://example.com/tools/errors"
        ));
    }
    if PROBES.contains(&path) {
        return wrong(", whose path is that of a probe: write another, like https://example.com/errors".to_owned());
    }
    Ok(url)
}

/// An address to listen on, or a name that leads to one.
pub(super) fn checked_host(text: &str) -> Result<String, ConfigError> {
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    if bare.parse::<IpAddr>().is_ok() {
        return Ok(bare.to_owned());
    }
    // What ends in a number is read as an address of old by some, and as a name by others.
    let is_name = matches!(url::Host::parse(text), Ok(url::Host::Domain(_)));
    if is_name { Ok(text.to_owned()) } else { Err(no_host(text)) }
}

fn no_host(text: &str) -> ConfigError {
    let todo = match text.rsplit_once(':') {
        Some((_, port)) if port.parse::<u16>().is_ok() => "; the port is set by PORT",
        _ => "",
    };
    let shown = without_secrets(text);
    ConfigError(format!(
        "HOST is {shown:?}, which is no address: write 127.0.0.1 (this machine only), 0.0.0.0 or :: (all of its addresses), or a name like localhost{todo}"
    ))
}

/// The database, as far as its URL says where it is. What else is wrong with it says who opens it.
pub(super) fn checked_database_url(text: &str) -> Result<String, ConfigError> {
    if is_in_memory(text) {
        return Err(ConfigError(format!(
            "DATABASE_URL is {:?}: a database in memory is gone with each connection; name a file, as in \
             sqlite:///path/to/file.db",
            without_secrets(text)
        )));
    }
    let is_known = match text.split_once(':') {
        Some(("sqlite", path)) => !path.trim_start_matches("//").split('?').next().unwrap_or_default().is_empty(),
        // The host may be a folder with a socket, which is a parameter.
        Some(("postgres" | "postgresql", _)) => url::Url::parse(text).is_ok_and(|url| {
            url.host_str().is_some_and(|host| !host.is_empty()) || url.query_pairs().any(|(name, _)| name == "host")
        }),
        _ => false,
    };
    if is_known {
        return Ok(text.to_owned());
    }
    let shown = without_secrets(text);
    Err(ConfigError(format!(
        "DATABASE_URL is {shown:?}: it has to be like sqlite:///path/to/file.db or postgres://user@host/name"
    )))
}

/// Whether it names a database of SQLite's that would be another one in each connection.
fn is_in_memory(text: &str) -> bool {
    let Some(path) = text.strip_prefix("sqlite:") else { return false };
    let (file, parameters) = path.split_once('?').unwrap_or((path, ""));
    let says = |(name, value): (Cow<'_, str>, Cow<'_, str>)| {
        matches!((&*name, &*value), ("mode", "memory") | ("vfs", "memdb"))
    };
    file.trim_start_matches("//") == ":memory:" || url::form_urlencoded::parse(parameters.as_bytes()).any(says)
}

/// The URL of the database in this folder, whatever the folder is called.
pub(super) fn database_in(data_dir: &Path) -> String {
    const PLAIN: AsciiSet = NON_ALPHANUMERIC.remove(b'/').remove(b'-').remove(b'_').remove(b'.').remove(b'~');
    let file = data_dir.join("flawless.db");
    format!("sqlite://{}", utf8_percent_encode(&file.to_string_lossy(), &PLAIN))
}

/// A folder, which may be made yet.
pub(super) fn checked_data_dir(text: &str) -> Result<PathBuf, ConfigError> {
    let path = PathBuf::from(text);
    match std::fs::metadata(&path) {
        Ok(found) if !found.is_dir() => {
            Err(ConfigError(format!("DATA_DIR is {:?}, which is a file: it has to be a folder", without_secrets(text))))
        }
        _ => Ok(path),
    }
}

/// An address that mail can be sent to.
pub(super) fn address_of(get: Get<'_>, name: &str) -> Result<Option<String>, ConfigError> {
    let Some(text) = get(name) else { return Ok(None) };
    // What stands there may be another setting's, a secret.
    match fault_of_address(&text) {
        Some(_) => Err(ConfigError(format!("{name} is no address: write it as name@example.com"))),
        None => Ok(Some(text)),
    }
}

/// A secret that admits whoever has it.
pub(super) fn token_of(get: Get<'_>, name: &str) -> Result<Option<Secret>, ConfigError> {
    let Some(text) = get(name) else { return Ok(None) };
    let length = text.chars().count();
    if length < SHORTEST_TOKEN {
        return Err(ConfigError(format!(
            "{name} has {}: it has to have {SHORTEST_TOKEN} at least, random ones (openssl rand -hex 32)",
            counted(length, "character", "characters")
        )));
    }
    Ok(Some(text.into()))
}

/// The token for metrics, which lies about on another machine: it is not to open anything else.
pub(super) fn metrics_token_of(get: Get<'_>) -> Result<Option<Secret>, ConfigError> {
    let token = token_of(get, "METRICS_TOKEN")?;
    if token.is_some() && get("METRICS_TOKEN") == get("ADMIN_TOKEN") {
        return Err(ConfigError("METRICS_TOKEN is the same as ADMIN_TOKEN: set it to another one".to_owned()));
    }
    Ok(token)
}

/// The proxies whose word is taken on where a request comes from.
pub(super) fn trusted_proxies_of(get: Get<'_>) -> Result<TrustedProxies, ConfigError> {
    TrustedProxies::parse(&get("TRUSTED_PROXIES").unwrap_or_default()).map_err(|part| {
        let part = without_secrets(&part);
        ConfigError(format!(
            "TRUSTED_PROXIES has {part:?}, which is neither an address nor a network: write 127.0.0.1, 10.0.0.0/8"
        ))
    })
}

/// `; did you mean "port"?` for a name that is nearly one of ours.
pub(super) fn nearest(name: &str) -> String {
    /// Letters that may be wrong in a typing error.
    const SLIP: usize = 3;
    NAMES
        .iter()
        .map(|known| (strsim::damerau_levenshtein(known, name), known))
        .filter(|(distance, _)| *distance <= SLIP)
        .min()
        .map_or_else(String::new, |(_, known)| format!("; did you mean {:?}?", known.to_ascii_lowercase()))
}
