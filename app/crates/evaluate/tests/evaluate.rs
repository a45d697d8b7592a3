//! The command `evaluate` on recorded exceptions: what it prints, and what it says where something
//! is missing.

use git_fixture::{GitRepo, example};
use serde_json::{Value, json};
use std::path::Path;
use std::process::{Command, Output};
use tempfile::TempDir;

fn checkout() -> (TempDir, GitRepo) {
    let folder = TempDir::new().expect("a folder");
    let repo = example(folder.path().join("shop"));
    (folder, repo)
}

fn evaluate(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_evaluate"));
    command.args(arguments).current_dir(folder).output().expect("evaluate starts")
}

#[track_caller]
fn refuses(folder: &Path, arguments: &[&str]) -> String {
    let output = evaluate(folder, arguments);
    assert!(!output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    String::from_utf8(output.stderr).expect("text")
}

/// A recorded exception in the format of the cases, with what its fix says.
fn case(repo: &GitRepo, commit: &str) -> Value {
    let frame = |path: &str, line: u32, function: &str, code: &str| {
        json!({
            "filename": path, "abs_path": format!("/srv/app/{path}"), "function": function, "lineno": line,
            "context_line": code, "in_app": true, "qualname": function, "blame": commit
        })
    };
    json!({
        "case_id": "shop-1",
        "repo": "acme/shop",
        "revision": repo.head(),
        "event_time": 1_772_000_000,
        "exception": { "type": "KeyError", "value": "'a'" },
        "frames": [
            frame("shop/cart.py", 23, "main", "order('7')"),
            frame("shop/tools.py", 3, "retried.wrapped", "return func(*args, **kwargs)"),
        ],
        "functions": [
            { "path": "shop/cart.py", "qualname": "main", "start": 22, "end": 23 },
            { "path": "shop/tools.py", "qualname": "retried.wrapped", "start": 2, "end": 3 },
        ],
        "commits": { commit: { "author_email": "grace@example.com", "atime": 1_762_164_000, "ctime": 1_762_164_000 } },
        "truth": {
            "functions": [["shop/cart.py", "main"]],
            "szz_commits": [{ "sha": commit }],
            "szz_authors": [{ "aliases": ["grace@example.com"] }]
        }
    })
}

#[test]
fn predictions_and_tables_are_printed_with_and_without_mirrors() {
    let (folder, repo) = checkout();
    let mirrors = folder.path().join("mirrors/acme+shop");
    std::fs::create_dir_all(&mirrors).expect("a folder");
    repo.git(&["clone", "-q", "--bare", ".", &mirrors.join("repo").display().to_string()]);
    let cases = folder.path().join("cases");
    std::fs::create_dir(&cases).expect("a folder");
    let commit = repo.git(&["log", "-1", "--format=%H", "--author=Grace"]);
    std::fs::write(cases.join("shop-1.json"), case(&repo, commit.trim()).to_string()).expect("written");
    for arguments in [vec!["cases"], vec!["cases", "--mirrors", "mirrors"]] {
        let output = evaluate(folder.path(), &arguments);
        let tables = String::from_utf8(output.stderr).expect("text");
        assert!(output.status.success(), "{tables}");
        let lines: Vec<Value> = String::from_utf8(output.stdout)
            .expect("text")
            .lines()
            .map(|line| serde_json::from_str(line).expect("JSON"))
            .collect();
        let seen: Vec<Value> = lines
            .iter()
            .map(|one| json!([one["case_id"], one["rank"], one["path"], one["lineno"], one["commit"] == commit.trim()]))
            .collect();
        let reading = arguments.len() > 1;
        assert_eq!(seen[0], json!(["shop-1", 1, "shop/cart.py", 23, true]), "{lines:?}");
        assert_eq!(seen[1], json!(["shop-1", 2, "shop/tools.py", 3, !reading]), "{lines:?}");
        assert_eq!(lines[0]["author_email"], "grace@example.com");
        assert!(
            tables.contains("with all rules of thumb, one suspect                 100.0     100.0     100.0"),
            "{tables}"
        );
        assert!(tables.contains("forwarder"), "{tables}");
    }
}

#[test]
fn what_it_lacks_is_said() {
    let (folder, repo) = checkout();
    let cases = folder.path().join("cases");
    std::fs::create_dir(&cases).expect("a folder");
    assert!(refuses(folder.path(), &["cases"]).contains("there is no case (*.json) in cases"));
    std::fs::write(cases.join("a.json"), case(&repo, &repo.head()).to_string()).expect("written");
    assert!(refuses(folder.path(), &["cases", "--mirrors", "none"]).contains("none is no folder"));
    let missing = evaluate(folder.path(), &["cases", "--mirrors", "cases"]);
    let said = String::from_utf8(missing.stderr).expect("text");
    assert!(said.contains("shop-1: there is no git repository in"), "{said}");
    assert!(said.contains("1 of 1 cases were judged without their repositories."), "{said}");
    assert!(missing.status.success() && !missing.stdout.is_empty(), "and nothing is lost");
    std::fs::write(cases.join("b.json"), "{").expect("written");
    assert!(refuses(folder.path(), &["cases"]).contains("b.json can't be read as a case"));
}
