//! Which room may name which outside library: one each, so that a library can be replaced in one place.

use super::source::{blanked, mentions, production};
use super::{Broken, assert_kept, broken, read, rust_files};

/// Named in every room: words of the language, as it were.
const ANYWHERE: &[&str] = &["base64", "hex", "jiff", "serde", "serde_json", "sha2", "strsim", "thiserror", "url"];

/// Dependencies for the sake of their features (app/Cargo.toml says why): no room names them.
const NOWHERE: &[&str] = &["email_address", "num_bigint", "num_iter", "rand", "regex_automata", "time"];

/// The workspace's own crates: their direction is Cargo's to keep.
const OWN: &[&str] = &["domain", "email", "github", "mirror", "render", "source", "store", "wire"];

/// A library, and the rooms that may name it. A room is a file or folder of app/src.
const FENCES: &[(&str, &[&str])] = &[
    // The HTTP side; serve only opens the listener.
    ("axum", &["server", "serve"]),
    // The command line and the configuration file.
    ("clap", &["commands", "main"]),
    ("toml", &["commands", "config", "main"]),
    // Randomness is an argument: where the program is put together, it comes from here.
    ("getrandom", &["commands", "config", "main", "serve", "server", "wiring"]),
    // The wiring chooses the TLS for all.
    ("reqwest", &["commands", "main", "serve"]),
    ("rustls", &["commands", "main", "wiring"]),
    // What is encrypted in the database; it is the TLS's as well.
    ("ring", &["vault"]),
    // The demo shows a mail as a person reads it.
    ("quoted_printable", &["commands"]),
    ("rpassword", &["commands"]),
    ("tokio", &["commands", "main", "services", "steps", "serve", "server", "wiring", "worker"]),
    // What is logged is logged once, where it is handled.
    ("tracing", &["commands", "config", "main", "services", "steps", "serve", "server", "worker"]),
    ("tracing_subscriber", &["commands", "main", "serve"]),
];

/// What the middle may not touch, with what it is: the domain is pure.
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
fn libraries_stay_in_their_rooms() {
    assert_kept(
        rust_files(&["app/src/", "app/crates/domain/src/"]).iter().flat_map(|(path, text)| check(path, text)).collect(),
    );
}

#[test]
fn each_dependency_has_a_fence() {
    assert_kept(unfenced(&read("app/Cargo.toml")));
}

/// Dependencies that no table here names, and names here that are no dependency.
fn unfenced(manifest: &str) -> Vec<Broken> {
    let manifest: toml::Table = toml::from_str(manifest).expect("app/Cargo.toml is TOML");
    let dependencies = manifest["dependencies"].as_table().expect("dependencies are a table");
    let dependencies: Vec<String> = dependencies.keys().map(|name| name.replace('-', "_")).collect();
    let fenced: Vec<&str> =
        FENCES.iter().map(|(name, _)| name).chain(ANYWHERE).chain(NOWHERE).chain(OWN).copied().collect();
    let new = dependencies.iter().filter(|name| !fenced.contains(&name.as_str())).map(|name| {
        broken("app/Cargo.toml", 1, format!("`{name}` is new: say in tests/tidy/fences.rs which room may name it"))
    });
    let gone = fenced.iter().filter(|name| !dependencies.iter().any(|known| known == *name)).map(|name| {
        broken("tests/tidy/fences.rs", 1, format!("`{name}` is no longer a dependency: take its fence down"))
    });
    new.chain(gone).collect()
}

fn check(path: &str, text: &str) -> Vec<Broken> {
    let inside = path.trim_start_matches("app/crates/").trim_start_matches("app/src/").trim_end_matches(".rs");
    let room = inside.split('/').next().unwrap_or_default();
    if inside.ends_with("/tests") {
        return Vec::new();
    }
    let text = blanked(text);
    // What is wrong with `cfg(test)` is another rule's to say.
    let text = production(&text).unwrap_or(&text);
    let mut places = Vec::new();
    for mention in mentions(text) {
        let name = &mention.names[0];
        if NOWHERE.contains(&name.as_str()) {
            let rule = format!("`{name}` is a dependency for its features only (app/Cargo.toml): no code names it");
            places.push(broken(path, mention.line, rule));
        }
        if let Some((_, rooms)) = FENCES.iter().find(|(library, _)| library == name)
            && !rooms.contains(&room)
        {
            let rooms = rooms.join(", ");
            let rule = format!("`{name}` may be named in {rooms} only: `{room}` takes that room's own types");
            places.push(broken(path, mention.line, rule));
        }
        if room == "domain" {
            let full = mention.names.join("::");
            let impure = |(prefix, _): &&(&str, &str)| full == *prefix || full.starts_with(&format!("{prefix}::"));
            if let Some((prefix, what)) = NOT_IN_DOMAIN.iter().find(impure) {
                let rule =
                    format!("`domain` is pure and `{prefix}` is {what}: do it at the rim and hand in the result");
                places.push(broken(path, mention.line, rule));
            }
        }
    }
    if room == "domain" {
        let waits = |line: &str| {
            line.split(|c: char| !c.is_alphanumeric() && c != '_').any(|it| it == "async" || it == "await")
        };
        let lines = text.lines().enumerate().filter(|(_, line)| waits(line));
        let rule = "`domain` is pure: what waits stands at the rim";
        places.extend(lines.map(|(number, _)| broken(path, number + 1, rule)));
    }
    places
}

#[cfg(test)]
mod tests {
    use super::*;

    const NONE: [usize; 0] = [];

    fn lines(path: &str, text: &str) -> Vec<usize> {
        check(path, text).into_iter().map(|place| place.line).collect()
    }

    #[test]
    fn a_library_outside_its_room_is_found_however_it_is_written() {
        assert_eq!(lines("app/src/steps/deliver.rs", "use axum::Json;"), [1]);
        assert_eq!(lines("app/src/steps/deliver.rs", "\nfn f(row: ::ring::aead::Nonce) {}"), [2]);
        assert_eq!(lines("app/src/server/mod.rs", "#[derive(clap::Parser)]\nstruct A;"), [1]);
        assert_eq!(lines("app/src/server/mod.rs", "use reqwest as web;\nuse {toml, serde};"), [1, 2]);
        assert_eq!(lines("app/src/vault.rs", "rand::random::<u64>()"), [1]);
    }

    #[test]
    fn a_library_in_its_room_is_none_of_ours() {
        assert_eq!(lines("app/src/vault.rs", "use ring::aead;\nuse crate::domain::axum::X;"), NONE);
        assert_eq!(lines("app/src/serve.rs", "axum::serve(a, b)"), NONE);
        assert_eq!(lines("app/src/vault.rs", "// axum::x\n#[cfg(test)]\nmod tests { use clap::x; }"), NONE);
    }

    #[test]
    fn an_impure_middle_is_found() {
        assert_eq!(
            lines(
                "app/crates/domain/src/rule.rs",
                "use std::{fmt, fs};\nstd::sync::atomic::fence(x);\nasync fn f() {}"
            ),
            [1, 2, 3]
        );
        assert_eq!(lines("app/crates/domain/src/rule.rs", "use std::sync::Mutex;\nuse std::fmt;"), [1]);
        assert_eq!(lines("app/src/vault.rs", "use std::fs;\nasync fn f() {}"), NONE);
    }

    #[test]
    fn a_dependency_without_a_fence_is_found() {
        let manifest = read("app/Cargo.toml").replace("\n[dependencies]\n", "\n[dependencies]\nleft-pad = \"1\"\n");
        assert_eq!(unfenced(&manifest).len(), 1);
        assert_eq!(unfenced(&read("app/Cargo.toml").replace("\nring.workspace", "\nrung.workspace")).len(), 2);
    }
}
