//! What the fuzzer begins with: the recordings in `tests/data`, and a few lines for the rest.

use serde_json::Value;
use std::path::{Path, PathBuf};
use wire::encoding::{MAX_DECODED, decode};

/// Settings with every kind of value.
const SETTINGS: &str = "report_only_after_minimum_date: 2025-01-01\nonly_blame_filepaths_matching: ['^src/', '(a+)+$']
path_mappings: [{ from: /srv/app/, to: src/ }]\nbuilding_blocks: [{ file: shop/db.py, function: execute }]
known_errors:\n  - { file: shop/cart.py, function: total, code: 'price = items[sku]', min_alert_threshold: 100 }
issues: { labels: [a], assign: true, comment_at: [10, 100] }\nemail: { remap: { 'old@example.com': new@example.com } }
watchers: [{ email: lead@example.com, path: shop/, all_errors: true }]\nstorm: { lines: 20, minutes: 10 }\nshadow: true\n";
const OWNERS: &str = "shop/cart.py\n# owners\n* @acme/all\n/shop/**/*.py ada@example.com @ada\nshop/\n!x @y\n\\#a @b\n";
const PATHS: &str = "/srv/app/shop/cart/a.py\nC:\\app\\shop\\a.py\nfile:///x/../shop/./a.py?v=1\nhttps://x.example/lib/shop/a.py\nwebpack://a/src/b.rs\n";
const LINKS: &str = "acme/shop\nshop/cart.py\ntotal\namount += PRICES[sku]\nffff\namount\n";

/// Seeds of the target of this name.
///
/// # Panics
/// Where the recordings are not there.
pub fn seeds(name: &str) -> Vec<Vec<u8>> {
    let text = |texts: &[&str]| texts.iter().map(|text| text.as_bytes().to_vec()).collect();
    match name {
        "encoding" => bodies().into_iter().map(|(encoding, body)| [&[encoding], body.as_slice()].concat()).collect(),
        "envelope" => unpacked(),
        "event" => unpacked().iter().filter_map(|it| Some(wire::sentry::envelope(it).ok()?.event?.to_vec())).collect(),
        "webhook" => hooks(),
        "settings" => text(&[SETTINGS, "", "a: [", "a: &b [*b]\n"]),
        "codeowners" => text(&[OWNERS]),
        "path_expression" => text(&["^src/(?!gen/)\nsrc/a.py\nsrc/gen/b.py\n", "(a+)+$\naaaaaaaaaaaaaaaaaaaaaaaa!\n"]),
        "links" => text(&[LINKS, "a/b\n%00&=+\n\u{202e}\n \n\n"]),
        "paths" => text(&[PATHS, "a.py\n"]),
        "source" => sources(),
        _ => {
            let language = name.trim_start_matches("traceback_");
            let of_it =
                |(path, _): &(PathBuf, Vec<u8>)| path.file_name().unwrap().to_string_lossy().starts_with(language);
            read("tracebacks", "txt").into_iter().filter(of_it).map(|(_, text)| text).collect()
        }
    }
}

/// Bodies as they were sent, with the number of their encoding in the target.
fn bodies() -> Vec<(u8, Vec<u8>)> {
    let encoding = |body: &Path| {
        let head = std::fs::read(body.with_extension("http.json")).unwrap();
        let head: Value = serde_json::from_slice(&head).unwrap();
        let headers = head["headers"].as_array().unwrap().clone();
        let named = headers.iter().find(|it| it[0].as_str().unwrap().eq_ignore_ascii_case("content-encoding"));
        match named.map(|it| it[1].as_str().unwrap().to_owned()).as_deref() {
            Some("gzip") => 0,
            Some("deflate") => 1,
            Some("br") => 2,
            _ => 4,
        }
    };
    read("envelopes", "body").into_iter().map(|(path, body)| (encoding(&path), body)).collect()
}

fn unpacked() -> Vec<Vec<u8>> {
    let names = ["gzip", "deflate", "br", "zstd", "identity"];
    let unpack = |(encoding, body): (u8, Vec<u8>)| {
        Some(decode(Some(names[usize::from(encoding)]), &body, MAX_DECODED).ok()?.into_owned())
    };
    bodies().into_iter().filter_map(unpack).collect()
}

/// Recorded payloads, each below the name of its event.
fn hooks() -> Vec<Vec<u8>> {
    let events = ["issues", "push", "repository", "installation", "installation_repositories", "issue_comment"];
    let of_event = |event: &&'static str| {
        let payloads = read(&format!("webhooks/{event}"), "json").into_iter();
        payloads.map(|(_, body)| [event.as_bytes(), b"\n", &body].concat()).collect::<Vec<_>>()
    };
    events.iter().flat_map(of_event).collect()
}

/// Our own source and that of the live clients, by the number of its language.
fn sources() -> Vec<Vec<u8>> {
    let own: [(u8, &str); 3] =
        [(7, include_str!("paths.rs")), (0, git_fixture::CART), (1, "class A { f(a) { return a.b?.c\n } }\n")];
    let small: [(u8, &str); 4] = [
        (2, "export const f = (a: B): C => {\n  return a.b!\n}\n"),
        (4, "module A\n  def f(a)\n    a.b\n  end\nend\n"),
        (5, "package a\n\nfunc (b *B) F(c int) error {\n\treturn b.d[c]\n}\n"),
        (6, "class A {\n  int f(int b) {\n    return b / 0;\n  }\n}\n"),
    ];
    own.iter().chain(&small).map(|(language, text)| [&[*language], text.as_bytes()].concat()).collect()
}

fn read(folder: &str, extension: &str) -> Vec<(PathBuf, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../data").join(folder);
    let files = std::fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut paths: Vec<PathBuf> = files.map(|file| file.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|it| it == extension));
    paths.sort();
    paths.into_iter().map(|path| (path.clone(), std::fs::read(path).unwrap())).collect()
}
