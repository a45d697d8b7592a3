//! What git says, rightly: commits and files in any encoding, author lines that no tool would write
//! today, checkouts that have not all of it, and code that is not the repository's people's.

use crate::harness::browser::squeezed;
use crate::harness::git_repo::{ADA, GRACE, GitRepo, LINUS};
use crate::harness::story::{Story, run_test};
use encoding_rs::{EUC_JP, Encoding, KOI8_R, SHIFT_JIS, WINDOWS_1251, WINDOWS_1252};
use serde_json::{Value, json};
use std::fs;
use std::path::Path;
use std::process::{Command, Output};
use tempfile::TempDir;

fn app(folder: &Path, arguments: &[&str], environment: &[(&str, &str)]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_flawless"));
    command.args(arguments).current_dir(folder).env_remove("FLAWLESS_CONFIG").env("LOG_LEVEL", "error");
    command.envs(environment.iter().copied()).output().expect("flawless starts")
}

#[track_caller]
fn says(folder: &Path, arguments: &[&str]) -> String {
    let output = app(folder, arguments, &[]);
    // 3: nobody is known to have written the line.
    assert!(matches!(output.status.code(), Some(0 | 3)), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("text")
}

#[track_caller]
fn refuses(folder: &Path, arguments: &[&str]) -> String {
    let output = app(folder, arguments, &[]);
    assert!(!output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    String::from_utf8(output.stderr).expect("text")
}

fn fresh() -> (TempDir, GitRepo) {
    let folder = TempDir::new().expect("a folder");
    let repo = GitRepo::init(folder.path().join("shop"));
    (folder, repo)
}

fn write(repo: &GitRepo, path: &str, bytes: &[u8]) {
    repo.write(path, "");
    fs::write(repo.path().join(path), bytes).expect("written");
}

fn encoded(encoding: &'static Encoding, text: &str) -> Vec<u8> {
    let (bytes, _, is_partial) = encoding.encode(text);
    assert!(!is_partial, "{text:?} in {}", encoding.name());
    bytes.into_owned()
}

/// Commits what is there with a header of any bytes: from the word after `author` on.
fn raw_commit(repo: &GitRepo, header: &[u8], message: &[u8]) {
    repo.git(&["add", "--all"]);
    let tree = repo.git(&["write-tree"]);
    let parent = repo.git(&["for-each-ref", "--format=parent %(objectname)", "refs/heads/main"]);
    let parent = if parent.is_empty() { parent } else { format!("{parent}\n") };
    let commit = [format!("tree {tree}\n{parent}author ").as_bytes(), header, b"\n\n", message, b"\n"].concat();
    let file = repo.git_dir().join("raw");
    fs::write(&file, commit).expect("written");
    let id = repo.git(&["hash-object", "-t", "commit", "-w", "--literally", &file.display().to_string()]);
    repo.git(&["update-ref", "refs/heads/main", &id]);
}

/// The same in an encoding, by somebody.
fn commit_in(repo: &GitRepo, encoding: &'static Encoding, header: &str, who: (&str, &str), subject: &str) {
    let (name, address) = who;
    let name = encoded(encoding, name);
    let person = [&name, format!(" <{address}> 1790000000 +0200").as_bytes()].concat();
    let named = if header.is_empty() { String::new() } else { format!("\nencoding {header}") };
    let header = [&person, &b"\ncommitter "[..], &person, named.as_bytes()].concat();
    raw_commit(repo, &header, &encoded(encoding, subject));
}

#[test]
fn names_and_subjects_are_as_git_log_has_them_in_any_encoding_of_a_commit() {
    let (_folder, repo) = fresh();
    for (at, (encoding, header, name, subject)) in [
        (WINDOWS_1252, "ISO-8859-1", "Jörg Müßig", "Größe geprüft"),
        (WINDOWS_1252, "", "Béatrice Lefèvre", "Prix vérifiés"),
        (WINDOWS_1251, "windows-1251", "Иван Петров", "корзина"),
        (KOI8_R, "KOI8-R", "Иван Петров", "цены"),
        (EUC_JP, "EUC-JP", "山田 太郎", "在庫"),
        (SHIFT_JIS, "SHIFT_JIS", "山田 太郎", "表示"),
    ]
    .into_iter()
    .enumerate()
    {
        repo.write("shop/cart.py", &format!("def f(row):\n    return row[{at}]\n"));
        commit_in(&repo, encoding, header, (name, "someone@example.com"), subject);
        let said = says(repo.path(), &["blame", "shop/cart.py:2"]);
        let expected = format!("{name} <someone@example.com> wrote it on 2026-09-21 in {}", &repo.head()[..7]);
        assert!(said.contains(&format!("{expected} ({subject}).")), "{said}");
        if !header.is_empty() {
            assert_eq!(repo.git(&["log", "-1", "--format=%an|%s"]), format!("{name}|{subject}"));
        }
    }
}

#[test]
fn a_mail_names_its_reader_as_the_commit_does_in_its_own_encoding() {
    run_test(async |story| {
        story.commit(GRACE, "2026-01-01T10:00:00Z", &[("README", "Shop\n")], "Begin");
        story.repo.write("shop/cart.py", "def total(row):\n    return row['price']\n");
        commit_in(&story.repo, KOI8_R, "KOI8-R", ("Иван Петров", "ivan@example.com"), "корзина");
        story.install().await;
        let event = story.event_at(&story.repo.head(), "shop/cart.py", "row['price']", "total", "web-1");
        story.report(&event).await;
        let text = squeezed(&story.unread_text());
        assert!(text.contains("by Иван Петров on ") && text.contains("корзина"), "{text}");
        assert_eq!(told(story), ["ivan@example.com"]);
        let lines = story.lines().await;
        assert_eq!(lines[0].author_name.as_deref(), Some("Иван Петров"));
    });
}

#[test]
fn odd_author_lines_are_read_as_git_blame_reads_them() {
    let (_folder, repo) = fresh();
    let newt = "Newt New <newt@example.com> 1790000000 +0000";
    for (at, (author, committer)) in [
        ("Ada Author <ada@example.com> 1790000000 +051800", newt),
        ("Ada Author <ada@example.com> Mon Sep 21 2026", newt),
        ("Ada Author <ada@example.com> 1790000000.25 +0000", newt),
        ("Ada Author <ada@example.com> 1790000000 UTC", newt),
        ("Ada Author <ada@example.com>", newt),
        ("Ada Author<ada@example.com>1790000000 +0000", newt),
        ("Ada <Author> <ada@example.com> 1790000000 +0000", newt),
        ("Ada Author <ada@example.com\n> 1790000000 +0000", newt),
        ("Ada Author ada@example.com 1790000000 +0000", newt),
        ("Ada Author <ada@example.com> 1790000000 +0000", "Newt New <newt@example.com> when"),
        ("Ada Author <ada@example.com> 1790000000 +0000", "Newt"),
        ("Ada Author <ada@example.com> soon", "Newt New <newt@example.com> later"),
    ]
    .into_iter()
    .enumerate()
    {
        repo.write("a.py", &format!("def f(row):\n    return row[{at}]\n"));
        raw_commit(&repo, format!("{author}\ncommitter {committer}").as_bytes(), format!("Row {at}").as_bytes());
        let git = repo.git(&["blame", "--line-porcelain", "-L2,2", "main", "--", "a.py"]);
        let value = |name: &str| git.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default().to_owned();
        let said = says(repo.path(), &["blame", "a.py:2"]);
        let expected = format!("{} {} wrote it on ", value("author "), value("author-mail "));
        assert!(
            said.contains(&expected) && said.contains(&format!("(Row {at})")),
            "{author:?}: {expected:?} in {said}"
        );
    }
}

#[test]
fn who_committed_before_and_after_an_odd_commit_is_still_there() {
    run_test(async |story| {
        let now = jiff::Timestamp::from_millisecond(story.clock.now().as_millis()).expect("a moment");
        let days_ago = |days: i64| now - jiff::SignedDuration::from_hours(24 * days);
        let code = "def total(row):\n    return row['price']\n";
        story.commit(LINUS, &days_ago(30).to_string(), &[("shop/cart.py", code)], "A cart");
        story.repo.write("NOTES", "one\n");
        let seconds = days_ago(20).as_second();
        let odd = format!("Odd One\ncommitter Odd One <odd@example.com> {seconds} +0000");
        raw_commit(&story.repo, odd.as_bytes(), b"Odd");
        story.install().await;
        let event = story.event_at(&story.repo.head(), "shop/cart.py", "row['price']", "total", "web-1");
        story.report(&event).await;
        assert_eq!(told(story), ["linus@example.com"]);
    });
}

/// Whom mails were sent to; what is filed besides is of no interest here.
fn told(story: &Story) -> Vec<String> {
    story.changes();
    story.mails().into_iter().flat_map(|mail| mail.to).collect()
}

/// What `flawless blame --traceback` says of one frame, as a client sends it: decoded.
fn verdict(repo: &GitRepo, path: &str, line: usize, code: &str) -> String {
    let text = format!(
        "Traceback (most recent call last):\n  File \"/srv/{path}\", line {line}, in f\n    {code}\nKeyError: 'x'\n"
    );
    fs::write(repo.path().join("../traceback.txt"), text).expect("written");
    says(repo.path(), &["blame", "--traceback", "../traceback.txt"])
}

#[test]
fn a_line_is_found_in_a_file_of_any_encoding() {
    let (_folder, repo) = fresh();
    let utf16 = |text: &str| -> Vec<u8> { text.encode_utf16().flat_map(u16::to_le_bytes).collect() };
    let with = |head: &str, word: &str| format!("{head}def f(row):\n    return row[\"{word}\"]\n");
    let files: Vec<(&str, Vec<u8>, usize, String)> = vec![
        ("shop/cookie.py", encoded(WINDOWS_1252, &with("# -*- coding: latin-1 -*-\n", "Größe")), 3, "Größe".into()),
        ("shop/magic.rb", encoded(SHIFT_JIS, &with("# encoding: shift_jis\n", "表示")), 3, "表示".into()),
        ("shop/euro.py", encoded(WINDOWS_1252, &with("", "€")), 2, "€".into()),
        ("shop/koi.py", encoded(KOI8_R, &with("", "цена")), 2, "цена".into()),
        ("shop/cp1251.py", encoded(WINDOWS_1251, &with("", "цена")), 2, "цена".into()),
        ("shop/stock.py", encoded(EUC_JP, &with("", "在庫")), 2, "在庫".into()),
        ("shop/wide.py", utf16(&with("\u{feff}", "ਁĊ")), 2, "ਁĊ".into()),
        ("shop/bare.py", utf16(&with("", "price")), 2, "price".into()),
        ("shop/marked.py", with("\u{feff}", "é").into_bytes(), 2, "e\u{301}".into()),
        ("shop/decomposed.py", with("", "e\u{301}").into_bytes(), 2, "é".into()),
        ("shop/lossy.js", encoded(WINDOWS_1252, &with("", "Größe")), 2, "Gr\u{fffd}\u{fffd}e".into()),
    ];
    for (path, bytes, _, _) in &files {
        write(&repo, path, bytes);
    }
    repo.commit(ADA, "2026-02-03T04:05:06Z", &[("first.py", "\u{feff}raise KeyError(1)\n")], "All of it");
    // Another one's line below: the last of a wide file is no line of its own.
    repo.commit(GRACE, "2026-02-04T04:05:06Z", &[("NOTES", "one\n")], "Notes");
    for (path, _, line, word) in &files {
        let said = verdict(&repo, path, *line, &format!("return row[\"{word}\"]"));
        assert!(
            said.contains(&format!("- Blamed Ada Lovelace ({}", &repo.git(&["rev-parse", "HEAD~1"])[..7])),
            "{path}: {said}"
        );
        assert!(
            said.contains(&format!("{path}:{line} in ")) && !said.contains("is not the repository's"),
            "{path}: {said}"
        );
    }
    let said = verdict(&repo, "first.py", 1, "raise KeyError(1)");
    assert!(said.contains("- Blamed Ada Lovelace (") && !said.contains("is not the repository's"), "{said}");
    let other = verdict(&repo, "shop/koi.py", 2, "return row[\"цены\"]");
    assert!(other.contains("is not the repository's"), "another text is another: {other}");
}

/// A history of three commits; the line is the first one's.
fn history(repo: &GitRepo) {
    repo.commit(ADA, "2026-02-03T04:05:06Z", &[("a.py", "one = 1\n")], "One");
    repo.commit(GRACE, "2026-02-04T04:05:06Z", &[("a.py", "one = 1\ntwo = 2\n")], "Two");
    repo.commit(LINUS, "2026-02-05T04:05:06Z", &[("NOTES", "three\n")], "Three");
}

#[test]
fn a_shallow_checkout_answers_where_its_history_reaches_and_refuses_where_it_is_cut() {
    let (folder, repo) = fresh();
    history(&repo);
    let clone = |name: &str, depth: &str| {
        let path = folder.path().join(name);
        let url = format!("file://{}", repo.path().display());
        repo.git(&["clone", "--quiet", depth, &url, &path.display().to_string()]);
        path
    };
    let (one, three) = (clone("one", "--depth=1"), clone("three", "--depth=3"));
    let two = clone("two", "--depth=2");
    for (path, line) in [(&one, "a.py:1"), (&one, "a.py:2"), (&two, "a.py:1"), (&two, "a.py:2")] {
        let said = refuses(path, &["blame", line]);
        assert!(said.contains("this checkout is shallow") && said.contains("git fetch --unshallow"), "{said}");
        assert!(said.contains("fetch-depth: 0") && !said.contains("Linus"), "{said}");
    }
    for path in [&one, &two] {
        let text = "Traceback (most recent call last):\n  File \"/srv/shop/a.py\", line 1, in <module>\n    one = 1\nKeyError: 1\n";
        fs::write(folder.path().join("traceback.txt"), text).expect("written");
        let said = refuses(path, &["blame", "--traceback", "../traceback.txt"]);
        assert!(said.contains("this checkout is shallow"), "{said}");
    }
    // What was written since is certain, and a first commit is no cut.
    assert!(says(&two, &["blame", "NOTES:1"]).contains("Linus Torvalds"));
    assert!(says(&three, &["blame", "a.py:1"]).contains("Ada Lovelace"));
    GitRepo::open(&one).git(&["fetch", "--quiet", "--unshallow"]);
    assert!(says(&one, &["blame", "a.py:1"]).contains("Ada Lovelace"));
}

#[test]
fn a_checkout_of_another_kind_works_or_says_what_it_is() {
    let (folder, repo) = fresh();
    history(&repo);
    let path = |name: &str| folder.path().join(name);
    repo.git(&["worktree", "add", "--quiet", &path("linked").display().to_string()]);
    assert!(says(&path("linked"), &["blame", "a.py:1"]).contains("Ada Lovelace"));
    // A commit in the place of another, as git itself takes it.
    let replaced = GitRepo::open(path("replaced"));
    repo.git(&["clone", "--quiet", ".", &path("replaced").display().to_string()]);
    replaced.git(&["replace", "--graft", "HEAD"]);
    assert!(says(&path("replaced"), &["blame", "a.py:1"]).contains("Linus Torvalds"));
    let sha256 = GitRepo::init_with(path("sha256"), &["--object-format=sha256"]);
    history(&sha256);
    assert!(refuses(sha256.path(), &["blame", "a.py:1"]).contains("names its objects by SHA-256"));
    let tables = GitRepo::init_with(path("tables"), &["--ref-format=reftable"]);
    history(&tables);
    assert!(refuses(tables.path(), &["blame", "a.py:1"]).contains("reftables"));
    repo.git(&["config", "uploadpack.allowFilter", "true"]);
    let url = format!("file://{}", repo.path().display());
    repo.git(&["clone", "--quiet", "--no-checkout", "--filter=tree:0", &url, &path("partial").display().to_string()]);
    let said = refuses(&path("partial"), &["blame", "a.py:1"]);
    assert!(said.contains("partial clone") && said.contains("git fetch --refetch --no-filter"), "{said}");
    GitRepo::open(path("partial")).git(&["fetch", "--quiet", "--refetch", "--no-filter"]);
    assert!(says(&path("partial"), &["blame", "a.py:1"]).contains("Ada Lovelace"));
    fs::create_dir_all(repo.path().join(".git/info")).expect("a folder");
    repo.write(".git/info/grafts", &format!("{}\n", repo.head()));
    assert!(says(repo.path(), &["blame", "a.py:1"]).contains("This checkout has grafts"));
}

#[test]
fn flawless_blame_in_a_checkout_needs_nothing_of_the_servers_configuration() {
    let (_folder, repo) = fresh();
    history(&repo);
    let wrong = [("DATABASE_URL", "nonsense"), ("PORT", "many"), ("LOG_FORMAT", "songs")];
    let output = app(repo.path(), &["blame", "a.py:1"], &wrong);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(String::from_utf8_lossy(&output.stdout).contains("Ada Lovelace"));
    let watched = app(repo.path(), &["blame", "a.py:1", "--repository", "acme/shop"], &wrong);
    assert!(!watched.status.success(), "that is the server's");
}

/// Linus calls what Grace committed and did not write.
fn calling(repo: &GitRepo, callee: &str, extra: &[(&str, &str)]) {
    let code = "def total(row):\n    return row['price']\n";
    let theirs = extra.iter().find(|(path, _)| *path == callee).map_or(code, |(_, text)| *text);
    let others: Vec<(&str, &str)> = extra.iter().filter(|(path, _)| *path != callee).copied().collect();
    repo.commit(GRACE, "2026-02-03T04:05:06Z", &[&[(callee, theirs)][..], &others].concat(), "Copy what others wrote");
    repo.commit(
        LINUS,
        "2026-02-04T04:05:06Z",
        &[("shop/page.py", "def page(row):\n    return total(row)\n")],
        "A page",
    );
}

fn verdict_of_call(repo: &GitRepo, callee: &str) -> String {
    let text = fs::read_to_string(repo.path().join(callee)).expect("it is there");
    let line = text.lines().position(|line| line.contains("row['price']")).expect("it is there") + 1;
    let text = format!(
        "Traceback (most recent call last):\n  File \"/srv/app/shop/page.py\", line 2, in page\n    return total(row)\n  \
         File \"/srv/app/{callee}\", line {line}, in total\n    return row['price']\nKeyError: 'price'\n"
    );
    fs::write(repo.path().join("../traceback.txt"), text).expect("written");
    says(repo.path(), &["blame", "--traceback", "../traceback.txt"])
}

#[test]
fn the_caller_of_vendored_and_generated_code_is_blamed() {
    let generated = "# Generated by the price compiler.  DO NOT EDIT!\n\ndef total(row):\n    return row['price']\n";
    for (callee, extra, why) in [
        ("vendor/prices/total.py", vec![], "vendored code (vendor/)"),
        ("lib/third_party/total.py", vec![], "vendored code (third_party/)"),
        (
            "prices/total.py",
            vec![(".gitattributes", "prices/** linguist-vendored\n")],
            "vendored code (.gitattributes)",
        ),
        (
            "prices/total.py",
            vec![("prices/.gitattributes", "*.py linguist-generated=true\n")],
            "generated code (.gitattributes)",
        ),
        ("prices/total.py", vec![("prices/total.py", generated)], "generated code (\"DO NOT EDIT\" at its beginning)"),
    ] {
        let (_folder, repo) = fresh();
        calling(&repo, callee, &extra);
        let said = verdict_of_call(&repo, callee);
        assert!(said.contains("- Blamed Linus Torvalds (") && said.contains("shop/page.py:2 in page"), "{said}");
        assert!(said.contains(&format!("({why})")), "{why:?} in {said}");
        assert!(!said.contains("Grace"), "{said}");
    }
}

#[test]
fn what_is_said_to_be_the_repositorys_own_is_blamed_itself() {
    let generated = "# @generated\n\ndef total(row):\n    return row['price']\n";
    for (callee, extra) in [
        ("vendor/ours/total.py", vec![(".github/flawless.yml", "own_code: [vendor/ours]\n")]),
        ("vendor/ours/total.py", vec![(".gitattributes", "vendor/ours/** -linguist-vendored\n")]),
        ("vendor/ours/total.py", vec![("vendor/.gitattributes", "/ours/* linguist-vendored=false\n")]),
        (
            "prices/total.py",
            vec![("prices/total.py", generated), (".github/flawless.yml", "own_code: [prices/total.py]\n")],
        ),
        (
            "prices/total.py",
            vec![("prices/total.py", "MARK = \"@generated DO NOT EDIT\"\ndef total(row):\n    return row['price']\n")],
        ),
    ] {
        let (_folder, repo) = fresh();
        calling(&repo, callee, &extra);
        let said = verdict_of_call(&repo, callee);
        assert!(said.contains("- Blamed Grace Hopper (") && said.contains(&format!("{callee}:")), "{extra:?}: {said}");
    }
}

#[test]
fn vendored_code_that_nothing_of_the_repository_calls_is_counted_and_nobody_is_told() {
    run_test(async |story| {
        let code = "def total(row):\n    return row['price']\n";
        story.commit(GRACE, "2026-02-03T04:05:06Z", &[("vendor/prices/total.py", code)], "Copy prices");
        story.install().await;
        let event = |story: &Story| {
            story.event_at(&story.repo.head(), "vendor/prices/total.py", "row['price']", "total", "web-1")
        };
        let alone = |mut event: Value| {
            // Nothing else of the repository is in the traceback.
            let frames = event["exception"]["values"][0]["stacktrace"]["frames"].clone();
            let last = frames.as_array().and_then(|frames| frames.last().cloned()).expect("a frame");
            event["exception"]["values"][0]["stacktrace"]["frames"] = json!([last]);
            event
        };
        story.report(&alone(event(story))).await;
        story.report(&alone(event(story))).await;
        story.assert_silent("nobody of the repository wrote it");
        let lines = story.lines().await;
        assert_eq!(
            lines.iter().map(|line| (line.total, line.alerted, line.not_ours)).collect::<Vec<_>>(),
            [(2, false, true)]
        );
        let page = story.page(&format!("/view_traceback?repo=acme%2Fshop&line_id={}", lines[0].id.0)).await;
        assert!(page.contains("Nobody is blamed: vendor/prices/total.py:"), "{page}");
        assert!(!page.contains("Told: ") && !page.contains("Confidence"), "{page}");
        // The settings may say otherwise; then the next report is told.
        story.commit(
            LINUS,
            "2026-02-05T04:05:06Z",
            &[(".github/flawless.yml", "own_code: [vendor/prices]\n")],
            "It is ours",
        );
        story.push().await;
        story.report(&alone(event(story))).await;
        assert_eq!(told(story), ["grace@example.com"]);
        assert!(!story.lines().await[0].not_ours);
    });
}
