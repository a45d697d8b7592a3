//! Which crate may depend on which, and on which libraries: one crate for each library, so that it
//! can be replaced there.

use super::source::{Source, below};
use super::{Broken, assert_kept, broken, crate_folders, read};

/// Words of the language, as it were: every crate may have them.
const ANYWHERE: &[&str] =
    &["base64", "hex", "hmac", "jiff", "regex", "serde", "serde_json", "sha2", "strsim", "thiserror", "url"];

/// A crate, which of our own it may know, and the libraries that it has beyond those of everybody.
const CRATES: &[(&str, &[&str], &[&str])] = &[
    // What is decided: no input or output, nothing that waits, no log. Look-around in path
    // expressions; names and tokens of secrets, looked for all at once; which characters are
    // invisible, and which are the same in another spelling.
    ("domain", &[], &["aho-corasick", "fancy-regex", "icu_normalizer", "icu_properties"]),
    // A library for others: it knows nothing of the product. Commits are in any encoding; what it
    // keeps for a file ends with a checksum.
    ("blame", &[], &["clru", "crc32fast", "encoding_rs", "gix"]),
    // For tests; it runs the program git.
    ("git-fixture", &[], &[]),
    // For programs that test or measure; it runs PostgreSQL's own.
    ("postgres-fixture", &[], &[]),
    // A parser of its own for each language would be six programs.
    (
        "source",
        &["domain"],
        &[
            "tree-sitter",
            "tree-sitter-go",
            "tree-sitter-java",
            "tree-sitter-javascript",
            "tree-sitter-python",
            "tree-sitter-ruby",
            "tree-sitter-rust",
            "tree-sitter-typescript",
        ],
    ),
    // Compressed requests.
    ("wire", &["domain"], &["brotli-decompressor", "flate2", "ruzstd"]),
    // Compressed tracebacks in rows; it tells processes on one database apart by randomness.
    // Connections are kept by deadpool: sqlx's own pool hides what is wrong with a database, and
    // takes connections back whose transaction could not be ended. Statements are streams.
    ("store", &["domain"], &["deadpool", "flate2", "futures-util", "getrandom", "percent-encoding", "sqlx", "tokio"]),
    // The repository's own settings are read from the mirror; git fetches with reqwest, or from
    // sockets and pipes that rustix waits for. Files are in any encoding, which some do not name.
    (
        "mirror",
        &["blame", "domain"],
        &["chardetng", "clru", "encoding_rs", "gix", "reqwest", "rustix", "rustls", "serde-saphyr", "tracing"],
    ),
    // app.yml is YAML. An answer is read as far as it has room.
    ("github", &["domain"], &["http-body-util", "jsonwebtoken", "octocrab", "serde-saphyr", "tokio", "tracing"]),
    // A connection that is encrypted from its beginning is opened here, so that what a server says
    // is bounded: lettre holds a line whole.
    ("email", &["domain"], &["lettre", "percent-encoding", "rustls-native-certs", "tokio", "tokio-rustls"]),
    ("render", &["domain"], &["minijinja", "minijinja-embed"]),
    // Which of its modules may name which of these: layers.rs.
    (
        "app",
        &["domain", "email", "github", "mirror", "render", "source", "store", "wire"],
        &[
            "axum",
            "clap",
            "getrandom",
            "hyper",
            "hyper-util",
            "ipnet",
            "percent-encoding",
            "quoted_printable",
            "reqwest",
            "ring",
            "rlimit",
            "rpassword",
            "rustls",
            "signal-hook",
            "tokio",
            "toml",
            "tracing",
            "tracing-appender",
            "tracing-subscriber",
            // For their features only (app/Cargo.toml says why); no code names them.
            "email_address",
            "num-bigint",
            "num-iter",
            "rand",
            "regex-automata",
            "rustix",
            "time",
        ],
    ),
    // For developers, no part of what ships: it judges by the app's own steps.
    ("evaluate", &["app", "domain", "mirror", "source"], &["clap", "tempfile"]),
];

/// What the domain may not touch, with what it is: Cargo can't take the standard library away.
const NOT_IN_DOMAIN: &[(&str, &str)] = &[
    ("std::env", "the environment"),
    ("std::fs", "files"),
    ("std::io", "input and output"),
    ("std::net", "the network"),
    ("std::process", "processes"),
    ("std::sync::Condvar", "shared state"),
    ("std::sync::Mutex", "shared state"),
    ("std::sync::RwLock", "shared state"),
    ("std::sync::atomic", "shared state"),
    ("std::sync::mpsc", "shared state"),
    ("std::thread", "threads"),
    ("std::time::Instant", "a clock"),
    ("std::time::SystemTime", "a clock"),
];

#[test]
fn crates_depend_on_what_the_table_says() {
    let folders = crate_folders();
    let mut places: Vec<Broken> = folders.iter().flat_map(|it| check(&read(&format!("{it}/Cargo.toml")))).collect();
    let exists = |name: &str| folders.iter().any(|folder| folder.rsplit('/').next() == Some(name));
    let gone = CRATES.iter().filter(|(name, ..)| !exists(name));
    places.extend(gone.map(|(name, ..)| table(format!("there is no crate `{name}` any more: take it off the table"))));
    assert_kept(places);
}

#[test]
fn the_domain_is_pure() {
    assert_kept(below(&["app/crates/domain/src/"]).iter().flat_map(|file| impure(file)).collect());
}

/// Dependencies of a manifest that the table does not have, and those of the table that the
/// manifest does not have.
fn check(manifest: &str) -> Vec<Broken> {
    let manifest: toml::Table = toml::from_str(manifest).expect("a Cargo.toml is TOML");
    let name = manifest["package"]["name"].as_str().expect("a package has a name");
    let Some((_, crates, libraries)) = CRATES.iter().find(|(known, ..)| *known == name) else {
        return vec![table(format!("`{name}` is a new crate: say what it may know, and draw it on the map"))];
    };
    let known = |part: &str| {
        manifest.get(part).and_then(toml::Value::as_table).into_iter().flatten().map(|(key, _)| key.as_str())
    };
    let known: Vec<&str> = known("dependencies").chain(known("build-dependencies")).collect();
    let listed: Vec<&str> = crates.iter().chain(*libraries).copied().collect();
    let new = known.iter().filter(|it| !listed.contains(it) && !ANYWHERE.contains(it));
    let new = new.map(|it| table(format!("`{name}` may not know `{it}`: who may has what it needs, or say here why")));
    let gone = listed.iter().filter(|it| !known.contains(it));
    new.chain(gone.map(|it| table(format!("`{name}` does not need `{it}` any more: take it off the table")))).collect()
}

fn table(rule: String) -> Broken {
    broken("tests/tidy/crates.rs", 1, rule)
}

fn impure(file: &Source) -> Vec<Broken> {
    let touches = file.mentions.iter().filter_map(|mention| {
        let full = mention.names.join("::");
        let is_within = |(prefix, _): &&(&str, &str)| full == *prefix || full.starts_with(&format!("{prefix}::"));
        let (prefix, what) = NOT_IN_DOMAIN.iter().find(is_within)?;
        let rule = format!("the domain is pure and `{prefix}` is {what}: do it at the rim and hand in the result");
        Some(broken(&file.path, mention.line, rule))
    });
    let rule = "the domain is pure: what waits stands at the rim";
    touches.chain(file.waits.iter().map(|line| broken(&file.path, *line, rule))).collect()
}

#[cfg(test)]
mod tests {
    use super::super::source::source;
    use super::*;

    #[test]
    fn an_impure_domain_is_found() {
        let lines = |text| impure(&source("a.rs", text)).into_iter().map(|place| place.line).collect::<Vec<_>>();
        assert_eq!(lines("use std::{fmt, fs};\nfn f() { std::sync::atomic::fence(x); }\nasync fn g() {}"), [1, 2, 3]);
        assert_eq!(lines("use std::sync::Mutex;\nuse std::fmt;"), [1]);
    }

    #[test]
    fn a_dependency_that_is_not_in_the_table_is_found() {
        let manifest = read("app/crates/email/Cargo.toml");
        assert_eq!(check(&manifest), []);
        assert_eq!(check(&manifest.replace("\nlettre.", "\nleft-pad.")).len(), 2);
        assert_eq!(check(&manifest.replace("\ndomain.", "\nstore.")).len(), 2);
        assert_eq!(check(&manifest.replace("\"email\"", "\"fax\"")).len(), 1);
    }
}
