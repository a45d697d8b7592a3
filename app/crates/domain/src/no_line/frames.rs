//! What a frame that is in no file of the repository is, by its names alone.
//!
//! The names are those that clients and printed traces have for such frames: each list says whose.

use super::client::Client;
use crate::frame_names::{parts_of, resource_of};
use crate::frame_origin::{is_foreign_host, is_of_a_runtime};
use crate::not_ours::third_party_at;
use crate::report::{Frame, NO_FILES, is_name_of_r8};
use crate::rule::Rules;

/// People write no longer lines; bundlers put whole programs into one.
const LONG_COLUMN: u32 = 300;

/// From so many characters on, a part of a file's name with digits and letters is a hash.
const HASH: usize = 8;

/// What a frame is that is in no file of the repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Of this package or library.
    Package(String),
    /// Of an extension of a visitor's browser.
    Extension,
    /// The language's own library or interpreter.
    Runtime,
    /// Bundled, minified or otherwise compiled JavaScript.
    Minified,
    /// Renamed by R8 or ProGuard.
    Obfuscated,
    /// Without a line.
    NoLine,
    /// An address.
    NoSymbol,
    /// Code that was evaluated.
    Evaluated,
    /// Named, but of no file.
    NoFile,
    /// A path with a line.
    Path,
}

/// What a frame is.
pub(super) fn kind(frame: &Frame, client: Client, rules: &Rules) -> Kind {
    let path = resource_of(frame.path().unwrap_or("")).replace('\\', "/");
    let name = base_name(&path);
    let module = frame.module.as_deref().unwrap_or("");
    let function = frame.function_name();
    if is_evaluated(&path, name) {
        return Kind::Evaluated;
    }
    if let Some(package) = package(&path, module, client) {
        return Kind::Package(package);
    }
    if is_runtime(&path, name, module, function, client) {
        return Kind::Runtime;
    }
    if let Some(package) = third_party(&path, rules) {
        return Kind::Package(package);
    }
    if rules.in_package_directory(&path) {
        return Kind::Package(name.to_owned());
    }
    let host = path.split_once("://").and_then(|(scheme, rest)| Some((scheme, rest.split('/').next()?)));
    if let Some((_, host)) = host.filter(|_| is_foreign_host(&path)) {
        return Kind::Package(host.to_owned());
    }
    if host.is_some_and(|(scheme, _)| scheme.ends_with("-extension")) {
        return Kind::Extension;
    }
    if is_of_a_runtime(&parts_of(&path)) {
        return Kind::Runtime;
    }
    if path.starts_with("wasm://") || name.ends_with(".wasm") {
        return Kind::NoLine;
    }
    if client == Client::Jvm && is_obfuscated(name, module, function) {
        return Kind::Obfuscated;
    }
    if path.is_empty() || name.starts_with('<') || NO_FILES.contains(&name) {
        return without_file(function, name, client);
    }
    if is_minified(&path, name, frame.column, client) {
        return Kind::Minified;
    }
    if frame.line.is_none_or(|line| line == 0) { Kind::NoLine } else { Kind::Path }
}

fn without_file(function: &str, name: &str, client: Client) -> Kind {
    let is_hidden = ["<unknown>", "<redacted>", "<compiler-generated>", "???", "??"].contains(&function);
    let is_address = function.strip_prefix("0x").is_some_and(|rest| rest.bytes().all(|b| b.is_ascii_hexdigit()));
    if is_hidden || is_address || (function == "?" && client.is_compiled()) {
        return Kind::NoSymbol;
    }
    // Printed traces do not say what made them; a function without its file was compiled.
    let is_printed = client == Client::Other && name.is_empty();
    if client.is_compiled() || is_printed || name == "Unknown Source" { Kind::NoLine } else { Kind::NoFile }
}

fn base_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// Code of `eval`, of a console, of a notebook, of `-c` and `-e`.
fn is_evaluated(path: &str, name: &str) -> bool {
    const NAMES: &[&str] =
        &["-e", "-c", "-", "nofile", "iex", "REPL", "(irb)", "(pry)", "(stdin)", "evalmachine.<anonymous>"];
    const BEGINNINGS: &[&str] = &[
        "<string>",
        "<stdin>",
        "<console>",
        "<input>",
        "<ipython-input",
        "<cell",
        "<doctest",
        "<eval",
        "<command-",
        "<template>",
        "(eval",
        "(irb",
        "[eval",
        "[stdin]",
        "eval at ",
        "REPL",
        "iex#",
    ];
    const PARTS: &[&str] =
        &["/ipykernel_", "eval()'d code", "eval code", "php shell code", "Command line code", "(eval at "];
    let is_of_chrome = name.strip_prefix("VM").is_some_and(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()));
    NAMES.contains(&name)
        || is_of_chrome
        || BEGINNINGS.iter().any(|begin| name.starts_with(begin) || path.starts_with(begin))
        || PARTS.iter().any(|part| path.contains(part))
}

/// The package that an installed file belongs to.
fn package(path: &str, module: &str, client: Client) -> Option<String> {
    // The folder before the package's name, and how many components that has.
    const FOLDERS: &[(&str, usize)] = &[
        ("/site-packages/", 1),
        ("/dist-packages/", 1),
        ("node_modules/", 1),
        ("/gems/", 1),
        ("/pkg/mod/", 3),
        ("/.pub-cache/hosted/", 2),
        ("/registry/src/", 2),
        ("/git/checkouts/", 1),
        ("/deps/", 1),
    ];
    // Some clients name files from the folder in which packages are.
    let path = &format!("/{path}");
    for &(folder, parts) in FOLDERS {
        if folder == "/deps/" && client != Client::Other {
            continue;
        }
        let Some((_, rest)) = path.rsplit_once(folder) else { continue };
        let parts = if rest.starts_with('@') { 2 } else { parts };
        let names: Vec<&str> = rest.split('/').take(parts).collect();
        let names = if matches!(folder, "/.pub-cache/hosted/" | "/registry/src/") { &names[1..] } else { &names[..] };
        let name = names.join("/");
        if !name.is_empty() {
            return Some(name.trim_end_matches(".py").to_owned());
        }
    }
    if client == Client::Php
        && let Some((_, rest)) = path.rsplit_once("/vendor/")
    {
        return Some(rest.split('/').take(2).collect::<Vec<_>>().join("/"));
    }
    let own = module.rsplit_once('/').map_or(module, |(_, class)| class);
    LIBRARIES_OF_JVM.iter().find(|name| own.starts_with(*name)).map(|name| name.trim_end_matches('.').to_owned())
}

/// What a file belongs to that is in a folder for other people's code, as it was deployed.
fn third_party(path: &str, rules: &Rules) -> Option<String> {
    // Folders within those of package managers.
    const INNER: [&str; 3] = ["checkouts", "gems", "hosted"];
    let parts = parts_of(path);
    let at = third_party_at(&parts)?;
    if rules.is_own(&parts[at..].join("/")) {
        return None;
    }
    let (_, folders) = parts.split_last()?;
    let mut below = folders[at + 1..].iter().skip_while(|part| INNER.contains(&part.as_str()));
    let name = below.next().unwrap_or(&parts[at]);
    // `vendor/github.com/acme/money`: Go's and PHP's names have several parts.
    let more = below.take(if name.contains('.') { 2 } else { 0 });
    Some(std::iter::once(name).chain(more).map(String::as_str).collect::<Vec<_>>().join("/"))
}

/// Libraries that are on most stacks of JVMs, where no path tells a library.
const LIBRARIES_OF_JVM: &[&str] = &[
    "org.springframework.",
    "org.apache.",
    "org.hibernate.",
    "org.eclipse.",
    "org.junit.",
    "org.gradle.",
    "org.postgresql.",
    "com.fasterxml.",
    "com.google.",
    "com.zaxxer.",
    "com.mysql.",
    "io.netty.",
    "io.sentry.",
    "io.undertow.",
    "io.ktor.",
    "io.micronaut.",
    "io.quarkus.",
    "reactor.",
    "okhttp3.",
    "retrofit2.",
    "rx.",
    "akka.",
];

/// The language's own library, its interpreter, and what it makes by itself.
fn is_runtime(path: &str, name: &str, module: &str, function: &str, client: Client) -> bool {
    const PATHS: &[&str] = &[
        "node:",
        "internal/",
        "deno:",
        "ext:",
        "bun:",
        "/rustc/",
        "dart:",
        "org-dartlang",
        "[native code]",
        "native code",
        "<internal:",
        "<frozen ",
        "<builtin",
        "<__array_function__",
        "<decorator-gen",
        "<attrs ",
        "Native Method",
        "[internal function]",
        "{main}",
        "GOROOT/",
    ];
    const FOLDERS: &[&str] = &[
        "/lib/python3",
        "/lib/python2",
        "/lib/ruby/",
        "/usr/local/go/src/",
        "/lib/go/src/",
        "/libexec/src/runtime/",
        "/lib/rustlib/",
    ];
    const MODULES: &[&str] = &[
        "java.",
        "javax.",
        "jdk.",
        "sun.",
        "com.sun.",
        "kotlin.",
        "kotlinx.",
        "scala.",
        "android.",
        "androidx.",
        "dalvik.",
        "com.android.",
        "jakarta.",
        "groovy.",
        "clojure.",
    ];
    const FUNCTIONS: &[&str] =
        &["std::", "core::", "alloc::", "backtrace::", "tokio::", "<core::", "<alloc::", "<std::", "sentry"];
    const ENTRIES: &[&str] = &[
        "_start",
        "start",
        "clone",
        "clone3",
        "start_thread",
        "__libc_start_main",
        "__rust_try",
        "rust_begin_unwind",
        "main",
    ];
    let lower = path.to_ascii_lowercase();
    let of_windows = lower.contains("/python3") && lower.contains("/lib/");
    let module = module.rsplit_once('/').map_or(module, |(_, class)| class);
    let of_jvm = client == Client::Jvm
        && (MODULES.iter().any(|own| module.starts_with(own))
            || ["$$Lambda", "$Proxy", "EnhancerBy", "FastClassBy", "GeneratedMethodAccessor"]
                .iter()
                .any(|made| module.contains(made)));
    let of_dotnet = matches!(client, Client::DotNet | Client::Printed | Client::Other)
        && path.is_empty()
        && [module, function].iter().any(|text| text.starts_with("System.") || text.starts_with("Microsoft."));
    let of_native = path.is_empty()
        && matches!(client, Client::Rust | Client::Native | Client::Apple)
        && (FUNCTIONS.iter().any(|own| function.starts_with(own)) || ENTRIES.contains(&function));
    PATHS.iter().any(|own| path.starts_with(own) || name.starts_with(own))
        || FOLDERS.iter().any(|folder| path.contains(folder))
        || of_windows
        || of_jvm
        || of_dotnet
        || of_native
}

/// Names that R8 and ProGuard give: one or two letters each, and one name for all files.
fn is_obfuscated(name: &str, module: &str, function: &str) -> bool {
    if is_name_of_r8(name) {
        return true;
    }
    let mut parts = module.split('.').rev();
    let class = parts.next().unwrap_or("");
    let class = class.split('$').next().unwrap_or("");
    let is_short = |text: &str| (1..=2).contains(&text.len());
    module.contains('.') && is_short(class) && is_short(function.rsplit('.').next().unwrap_or(function))
}

/// Names that bundlers and compilers give to JavaScript.
fn is_minified(path: &str, name: &str, column: Option<u32>, client: Client) -> bool {
    let file = name.split(['?', '#']).next().unwrap_or(name).to_ascii_lowercase();
    let is_script = [".js", ".mjs", ".cjs", ".bundle", ".jsbundle", ".hbc"].iter().any(|end| file.ends_with(end));
    let is_of_hermes = client.is_javascript() && file.starts_with("address at ");
    if !is_script && !is_of_hermes {
        return false;
    }
    const FOLDERS: &[&str] = &[
        "/dist/",
        "/build/",
        "/out/",
        "/.next/",
        "/_next/",
        "/_nuxt/",
        "/.output/",
        "/.webpack/",
        "/.svelte-kit/",
        "/assets/",
        "/bundles/",
        "/chunks/",
        "/static/js/",
    ];
    const NAMES: &[&str] = &[".min.", "-min.", ".bundle", ".prod.", "chunk", "bundle.", "vendors", "internalbytecode"];
    column.is_some_and(|column| column > LONG_COLUMN)
        || is_of_hermes
        || [".bundle", ".jsbundle", ".hbc"].iter().any(|end| file.ends_with(end))
        || NAMES.iter().any(|part| file.contains(part))
        || FOLDERS.iter().any(|folder| format!("/{path}").contains(folder))
        || name.split(['.', '-', '_', '?', '#']).any(is_hash)
}

/// `3f9a8b7c`, `BsZ5f3aQ`: what a bundler puts into a name, so that caches know a new one.
fn is_hash(part: &str) -> bool {
    let has = |test: fn(&u8) -> bool| part.as_bytes().iter().any(test);
    let is_plain = part.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let is_mixed = has(u8::is_ascii_lowercase) && has(u8::is_ascii_uppercase);
    let is_hexadecimal = part.bytes().all(|byte| byte.is_ascii_hexdigit());
    part.len() >= HASH
        && is_plain
        && has(u8::is_ascii_digit)
        && has(u8::is_ascii_alphabetic)
        && (is_mixed || is_hexadecimal)
}
