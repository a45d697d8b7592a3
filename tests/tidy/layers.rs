//! Within the app: which module may know which, and which library. Between the crates, `crates.rs`
//! says so.

use super::modules::{Module, Modules, Reached, module};
use super::source::{Mention, Source, below};
use super::{Broken, assert_kept, broken};
use std::collections::BTreeSet;

const FOLDER: &str = "app/src/";

/// A module of the app (a file or folder of `app/src`), and the modules below that it may know.
/// `*` is everything: there the program is put together.
const LAYERS: &[(&str, &[&str])] = &[
    // The one reader of the system's clock. Time is an argument to all but the upper modules.
    ("clock", &[]),
    // Who a request comes from; TRUSTED_PROXIES is read by it.
    ("allocator", &[]),
    ("client_address", &[]),
    ("config", &["client_address"]),
    // What commands print, and what goes to the log.
    ("terminal", &[]),
    ("log", &["config"]),
    ("data_dir", &[]),
    ("random", &[]),
    ("vault", &[]),
    // What several steps and pages share.
    ("services", &["vault"]),
    // The steps between the rows.
    ("steps", &["services"]),
    ("worker", &["clock", "services", "steps"]),
    // The HTTP side takes in and shows; what takes long is left to the worker.
    ("server", &["client_address", "clock", "log", "random", "services", "steps::accept"]),
    // Its parts, by who calls, each with less.
    ("server::github", &["random", "services"]),
    ("server::operators", &["log", "services"]),
    ("server::people", &["random", "services"]),
    ("server::sdks", &[]),
    ("commands", &["*"]),
    ("lib", &["*"]),
    ("main", &["*"]),
    ("serve", &["*"]),
    ("wiring", &["*"]),
];

/// Modules whose own modules never call each other: between two steps there is a row.
const NO_SIBLINGS: &[&str] = &["steps"];

/// A library or crate of ours, and the only modules that may name it. What is not here may be named
/// anywhere in the app.
const LIBRARIES: &[(&str, &[&str])] = &[
    // The HTTP side; connections are bounded in number and time below axum.
    ("axum", &["server"]),
    ("hyper", &["server"]),
    ("hyper_util", &["server"]),
    // How many files and connections may be open; how the process ends.
    ("rlimit", &["serve"]),
    ("signal_hook", &["commands"]),
    // The command line and the configuration file.
    ("clap", &["commands", "main"]),
    ("toml", &["commands", "config"]),
    // Randomness is an argument, or asked for in one place; the others name its error.
    ("getrandom", &["random", "serve", "server", "wiring"]),
    ("reqwest", &["commands"]),
    // Networks of trusted proxies.
    ("ipnet", &["client_address"]),
    // One TLS for all.
    ("rustls", &["wiring"]),
    // What is encrypted in the database; it is the TLS's as well.
    ("ring", &["vault"]),
    // The demo shows a mail as a person reads it.
    ("quoted_printable", &["commands"]),
    ("rpassword", &["commands"]),
    ("tokio", &["commands", "main", "serve", "server", "services", "steps", "wiring", "worker"]),
    // What is logged is logged once, where it is handled.
    ("tracing", &["commands", "log", "serve", "server", "services", "steps", "worker"]),
    ("tracing_appender", &["log"]),
    ("tracing_subscriber", &["log"]),
    // Our own, as the map of ARCHITECTURE.md has them; all may know the domain.
    ("email", &["commands", "services", "steps", "wiring"]),
    ("github", &["server::github", "services", "steps", "wiring"]),
    ("mirror", &["commands", "server", "services", "steps", "wiring"]),
    ("render", &["commands", "server", "services", "steps"]),
    ("source", &["commands", "steps"]),
    ("store", &["commands", "serve", "server", "services", "steps", "wiring", "worker"]),
    ("wire", &["commands", "server::ingest", "server::sdks"]),
];

#[test]
fn modules_know_only_those_below() {
    let files = below(&[FOLDER]);
    assert_kept(check(&files).into_iter().chain(unused(&files)).collect());
}

#[test]
fn what_ships_has_no_switch_for_tests() {
    let rule = "`cfg(test)` only on a module of tests at the file's end: what ships has no switch for tests";
    let switches =
        |file: &&Source| file.switches.iter().map(|line| broken(&file.path, *line, rule)).collect::<Vec<_>>();
    assert_kept(below(&["app/src/", "app/crates/"]).iter().flat_map(switches).collect());
}

fn check(files: &[&Source]) -> Vec<Broken> {
    let modules = Modules::read(FOLDER, files);
    files.iter().filter(|file| !file.path.ends_with("/tests.rs")).flat_map(|file| check_file(file, &modules)).collect()
}

fn check_file(file: &Source, modules: &Modules) -> Vec<Broken> {
    let own = module(FOLDER, &file.path);
    let module = own.first().map_or("lib", String::as_str);
    let Some(allowed) = allowed(&own) else {
        let rule =
            format!("`{module}` is a new module: say in tests/tidy/layers.rs whom it may know, and draw it on the map");
        return vec![broken(&file.path, 1, rule)];
    };
    let check = |mention: &Mention| {
        let rule = match modules.target(&own, mention) {
            Some(reached) => arrow(module, allowed, &reached).or_else(|| sibling(&own, &reached)),
            None => library(&own, &mention.names[0]),
        };
        Some(broken(&file.path, mention.line, rule?))
    };
    file.mentions.iter().filter_map(check).collect()
}

/// What a module may know: the row of the nearest module around it that has one.
fn allowed(own: &Module) -> Option<&'static [&'static str]> {
    let own = if own.is_empty() { "lib".to_owned() } else { own.join("::") };
    LAYERS
        .iter()
        .filter(|(module, _)| is_within(&own, module))
        .max_by_key(|(module, _)| module.len())
        .map(|(_, allowed)| *allowed)
}

fn arrow(module: &str, allowed: &[&str], reached: &Reached) -> Option<String> {
    let other = reached.module.first()?;
    let known = [reached.module.as_slice(), &reached.item].concat();
    let leads_there = |to: &str| to == "*" || to.split("::").eq(known.iter().take(to.split("::").count()));
    if other == module || allowed.iter().any(|to| leads_there(to)) {
        return None;
    }
    let may = if allowed.is_empty() { "nobody".to_owned() } else { allowed.join(", ") };
    Some(format!(
        "`{module}` may not know `{}` (it may know: {may}): hand it in as an argument, or move what both need down",
        known.join("::")
    ))
}

fn sibling(own: &Module, reached: &Reached) -> Option<String> {
    let ([module, step, ..], [other_module, other, ..]) = (own.as_slice(), reached.module.as_slice()) else {
        return None;
    };
    if !NO_SIBLINGS.contains(&module.as_str()) || other_module != module || other == step {
        return None;
    }
    Some(format!(
        "`{module}::{step}` may not know its sibling `{other}`: between two steps there is a row, never a call; \
         what both need stands in services"
    ))
}

fn library(own: &Module, name: &str) -> Option<String> {
    let (_, modules) = LIBRARIES.iter().find(|(library, _)| *library == name)?;
    let own = if own.is_empty() { "lib".to_owned() } else { own.join("::") };
    let rule =
        || format!("`{name}` may be named in {} only: `{own}` takes that module's own types", modules.join(", "));
    (!modules.iter().any(|module| is_within(&own, module))).then(rule)
}

/// Whether a module, written out, is another one or within it.
fn is_within(own: &str, module: &str) -> bool {
    own.strip_prefix(module).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
}

/// What may be named where nobody names it: the table says more than is so.
fn unused(files: &[&Source]) -> Vec<Broken> {
    let modules = Modules::read(FOLDER, files);
    let named: BTreeSet<(String, &str)> = files
        .iter()
        .flat_map(|file| {
            let own = module(FOLDER, &file.path);
            let foreign = file.mentions.iter().filter(|mention| modules.target(&own, mention).is_none());
            foreign.map(|mention| (own.join("::"), mention.names[0].as_str())).collect::<Vec<_>>()
        })
        .collect();
    let allowed = LIBRARIES.iter().flat_map(|(library, modules)| modules.iter().map(move |module| (*library, *module)));
    let unused =
        allowed.filter(|(library, module)| !named.iter().any(|(own, name)| name == library && is_within(own, module)));
    let rule = |(library, module): (&str, &str)| format!("`{module}` may name `{library}`, and does not: take it out");
    unused.map(|it| broken("tests/tidy/layers.rs", 1, rule(it))).collect()
}

#[cfg(test)]
mod tests {
    use super::super::source::source;
    use super::*;

    const NONE: [usize; 0] = [];

    /// Where a file breaks a rule, in an app with some other modules.
    fn lines(path: &str, text: &str) -> Vec<usize> {
        let others = [
            "clock",
            "config",
            "serve",
            "server/lines",
            "server/mod",
            "steps/accept",
            "steps/decide",
            "steps/mod",
            "vault",
        ];
        let others = others.iter().map(|name| format!("{FOLDER}{name}.rs")).filter(|other| other != path);
        let mut files: Vec<Source> = others.map(|other| source(&other, "")).collect();
        files.push(source(path, text));
        check(&files.iter().collect::<Vec<_>>()).into_iter().map(|place| place.line).collect()
    }

    #[test]
    fn an_arrow_sideways_or_up_is_found_however_it_is_written() {
        assert_eq!(lines("app/src/config.rs", "use crate::serve::Flawless;"), [1]);
        assert_eq!(lines("app/src/services/rules.rs", "use crate::{\n vault::Vault,\n server::router,\n};"), [3]);
        assert_eq!(lines("app/src/steps/decide.rs", "use super::super::server;"), [1]);
        assert_eq!(lines("app/src/vault.rs", "\nfn f() { super::config::g() }"), [2]);
        assert_eq!(lines("app/src/config.rs", "fn f(c: &crate::clock::Clock) {}"), [1]);
        assert_eq!(lines("app/src/config.rs", "fn f() { println!(\"{}\", crate::clock::now()) }"), [1]);
        assert_eq!(lines("app/src/worker.rs", "use crate::server::Server;"), [1]);
        assert_eq!(lines("app/src/server/pages.rs", "use crate::steps::decide::decide;"), [1]);
        assert_eq!(lines("app/src/server/pages.rs", "use crate::steps::*;"), [1]);
        assert_eq!(lines("app/src/server/operators/health.rs", "use crate::steps::accept;"), [1]);
        assert_eq!(lines("app/src/server/pages.rs", "use crate::steps as s;\nfn f() { s::decide::g() }"), [1, 2]);
    }

    #[test]
    fn an_arrow_down_is_none_of_ours() {
        assert_eq!(
            lines("app/src/services/rules.rs", "use crate::vault::Vault;\nuse super::Failure;\nuse lettre::X;"),
            NONE
        );
        assert_eq!(lines("app/src/vault.rs", "// use crate::config;\nconst S: &str = \"crate::config::x\";"), NONE);
        assert_eq!(lines("app/src/vault.rs", "#[cfg(test)]\nmod tests {\n use crate::config::x;\n}"), NONE);
        assert_eq!(lines("app/src/server/hook.rs", "use crate::{clock::Clock, steps::accept::{self, Answer}};"), NONE);
        assert_eq!(lines("app/src/serve.rs", "use crate::{config, server};"), NONE);
    }

    #[test]
    fn a_step_that_calls_its_sibling_is_found() {
        assert_eq!(lines("app/src/steps/accept.rs", "use crate::steps::decide::decide;"), [1]);
        assert_eq!(lines("app/src/steps/accept.rs", "use super::{Retry, decide};"), [1]);
        assert_eq!(lines("app/src/steps/accept/fold.rs", "use super::super::decide::decide;"), [1]);
        assert_eq!(lines("app/src/steps/accept.rs", "use super::Retry;\nuse crate::steps::accept::x;"), NONE);
        assert_eq!(lines("app/src/steps/mod.rs", "use self::decide::decide;"), NONE);
        assert_eq!(lines("app/src/server/rules.rs", "use super::lines::x;"), NONE);
    }

    #[test]
    fn a_module_that_is_not_on_the_map_is_found() {
        assert_eq!(lines("app/src/sundries/mod.rs", ""), [1]);
    }

    #[test]
    fn a_library_outside_its_module_is_found_however_it_is_written() {
        assert_eq!(lines("app/src/steps/deliver.rs", "use axum::Json;"), [1]);
        assert_eq!(lines("app/src/steps/deliver.rs", "\nfn f(row: ::ring::aead::Nonce) {}"), [2]);
        assert_eq!(lines("app/src/server/mod.rs", "#[derive(clap::Parser)]\nstruct A;"), [1]);
        assert_eq!(lines("app/src/server/mod.rs", "use reqwest as web;\nuse {toml, serde};"), [1, 2]);
    }

    #[test]
    fn a_library_in_its_module_is_none_of_ours() {
        assert_eq!(lines("app/src/vault.rs", "use ring::aead;\nuse crate::vault::axum::X;"), NONE);
        assert_eq!(lines("app/src/serve.rs", "fn f() { rlimit::increase_nofile_limit(a) }"), NONE);
        assert_eq!(lines("app/src/vault.rs", "// axum::x\n#[cfg(test)]\nmod tests { use clap::x; }"), NONE);
    }
}
