//! Code that was not deployed from the repository, as its path tells: a language's own library, a
//! package, what a bundler or a browser adds.

/// Schemes under which runtimes name code of their own.
const RUNTIME_SCHEMES: [&str; 18] = [
    "node:",
    "dart:",
    "ext:",
    "bun:",
    "npm:",
    "jsr:",
    "internal:",
    "ng://",
    "chrome-extension://",
    "moz-extension://",
    "safari-extension://",
    "safari-web-extension://",
    "resource://",
    "chrome://",
    "data:",
    "blob:",
    "wasm://",
    "deno:",
];

/// Hosts that hand out other people's packages.
const PACKAGE_HOSTS: [&str; 14] = [
    "deno.land",
    "esm.sh",
    "jsr.io",
    "esm.run",
    "cdn.skypack.dev",
    "cdn.jsdelivr.net",
    "unpkg.com",
    "cdnjs.cloudflare.com",
    "ajax.googleapis.com",
    "www.googletagmanager.com",
    "www.google-analytics.com",
    "connect.facebook.net",
    "code.jquery.com",
    "js.stripe.com",
];

/// Folders, one below the other, under which there is only other people's code.
const RUNTIME_FOLDERS: [&[&str]; 16] = [
    &["usr", "local", "go", "src"],
    &["usr", "lib", "go", "src"],
    &["usr", "share", "php"],
    &["usr", "share", "perl"],
    &["usr", "lib", "ruby"],
    &["opt", "python"],
    &["opt", "nodejs"],
    &["opt", "ruby", "gems"],
    &["opt", "ruby", "lib"],
    &[".cargo", "git", "checkouts"],
    &["library", "std", "src"],
    &["library", "core", "src"],
    &["library", "alloc", "src"],
    &["webpack", "bootstrap"],
    &["webpack", "runtime"],
    &["libexec", "src"],
];

/// Folders that are so only at the beginning.
const FIRST_FOLDERS: [&str; 2] = ["rustc", "external"];

/// Whether a name is one that a runtime gives to code of its own.
pub(super) fn is_runtime_scheme(text: &str) -> bool {
    RUNTIME_SCHEMES.iter().any(|scheme| text.starts_with(scheme))
}

/// Whether it is the URL of a host that hands out packages.
pub(super) fn is_foreign_host(text: &str) -> bool {
    let Some((_, rest)) = text.split_once("://") else { return false };
    let host = rest.split(['/', ':']).next().unwrap_or_default();
    PACKAGE_HOSTS.contains(&host)
}

/// Whether a path is in a folder of a language's own library or of packages, whatever the settings
/// say.
pub(super) fn is_of_a_runtime(parts: &[String]) -> bool {
    let digit = |text: &str| text.starts_with(|c: char| c.is_ascii_digit());
    let folders = parts.get(..parts.len().saturating_sub(1)).unwrap_or_default();
    if folders.first().is_some_and(|first| FIRST_FOLDERS.contains(&first.as_str())) {
        return true;
    }
    // `python3.11/json`, `ruby/3.2.0/set.rb`, `gems/rack-2.2.8/lib`, `execroot/shop/external`.
    if folders.iter().any(|part| part.strip_prefix("python").is_some_and(digit)) {
        return true;
    }
    let is_pair = |pair: &[String]| match pair[0].as_str() {
        "ruby" => digit(&pair[1]) && pair[1].matches('.').count() == 2,
        "gems" => pair[1].rsplit_once('-').is_some_and(|(_, version)| digit(version)),
        _ => false,
    };
    // Where Elastic Beanstalk puts applications, beside a layer's packages.
    let is_beanstalk = |three: &[String]| three[1] == "python" && matches!(three[2].as_str(), "current" | "bundle");
    if folders.first().is_some_and(|first| first == "opt") && folders.windows(3).take(1).any(is_beanstalk) {
        return false;
    }
    folders.windows(2).any(is_pair)
        || folders.windows(3).any(|three| three[0] == "execroot" && three[2] == "external")
        || RUNTIME_FOLDERS.iter().any(|run| parts.windows(run.len()).any(|parts| parts.iter().eq(run.iter())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame_names::parts_of;

    #[test]
    fn what_no_repository_deployed_is_known_by_its_folder() {
        for foreign in [
            "/usr/lib/python3.11/json/decoder.py",
            "/usr/local/go/src/net/http/server.go",
            "/usr/lib/ruby/3.2.0/set.rb",
            "/usr/local/bundle/gems/rack-2.2.8/lib/rack/builder.rb",
            "/rustc/90b35a/library/core/src/option.rs",
            "/opt/python/money/rates.py",
            "webpack:///webpack/bootstrap",
            "webpack://shop/webpack/runtime/jsonp chunk loading",
            "external/pip_requests/requests/api.py",
            "/home/b/.cache/bazel/execroot/shop/external/guava/x.java",
        ] {
            assert!(is_of_a_runtime(&parts_of(foreign)), "{foreign}");
        }
        for ours in [
            "/srv/app/shop/cart.py",
            "/opt/shop/python/cart.py",
            "/srv/gems/cart.rb",
            "/srv/app/external/cart.py",
            "/home/ada/pythonic/cart.py",
            "/go/src/app/main.go",
            "/opt/python/current/app/shop/cart.py",
            "/srv/app/rustc/x.rs",
        ] {
            assert!(!is_of_a_runtime(&parts_of(ours)), "{ours}");
        }
        assert!(is_runtime_scheme("node:internal/process/task_queues"));
        assert!(is_foreign_host("https://deno.land/std@0.200.0/http/server.ts"));
        assert!(!is_foreign_host("https://shop.example.com/static/cart.js"));
        assert!(is_runtime_scheme("chrome-extension://abc/content.js"));
    }
}
