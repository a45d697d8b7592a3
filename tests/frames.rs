//! Which file of the repository a frame is: as SDKs name it, in events, and as traces print it.

use crate::harness::browser::squeezed;
use crate::harness::git_repo::{ADA, GRACE, GitRepo, LINUS};
use crate::harness::story::{Story, run_test};
use serde_json::{Value, json};
use std::path::Path;
use std::process::Command;
use tempfile::TempDir;

const DAY: &str = "2026-01-06T10:00:00Z";

/// An event as an SDK sends it.
fn event(platform: &str, frames: &[Value]) -> Value {
    json!({"platform": platform, "environment": "production", "exception": {"values": [
        {"type": "Broken", "value": "it broke", "stacktrace": {"frames": frames}}]}})
}

fn jvm(module: &str, file: &str, line: u32) -> Value {
    json!({"module": module, "filename": file, "function": "f", "lineno": line})
}

/// `path:line by address` of the line that a report came to, and whether a mail says so.
async fn told(story: &mut Story, key: &str, event: &Value) -> String {
    told_in(story, key, event).await.0
}

/// The same, with the texts of the mails.
async fn told_in(story: &mut Story, key: &str, event: &Value) -> (String, String) {
    let known: Vec<_> = story.lines().await.into_iter().map(|line| (line.id, line.total)).collect();
    let project = story.key().await.1;
    assert_eq!(story.send_to(story.url(), key, project, event).await, 200);
    story.settle().await;
    let (mails, _) = (story.mails(), story.changes());
    let lines = story.lines().await;
    let line = lines.iter().find(|line| !known.contains(&(line.id, line.total))).expect("a line");
    let place = format!("{}:{}", line.place.path, line.place.line);
    let who = line.author_email.clone().unwrap_or_else(|| "nobody".to_owned());
    let is_mailed = mails.iter().any(|mail| mail.to.contains(&who) && mail.text().contains(&place));
    assert_eq!(is_mailed, known.iter().all(|(id, _)| *id != line.id) && who != "nobody", "{place} {who}");
    (format!("{place} by {who}"), mails.iter().map(|mail| mail.text()).collect())
}

#[test]
fn a_jvm_event_finds_its_file_by_the_class() {
    run_test(async |story| {
        let java = |package: &str| {
            format!("package {package};\n\nclass Rules {{\n    void f() {{\n        fail();\n    }}\n}}\n")
        };
        let main = "app/src/main/java/com/acme/shop";
        story.commit(ADA, DAY, &[(&format!("{main}/refund/Rules.java"), &java("com.acme.shop.refund"))], "Refunds");
        story.commit(LINUS, DAY, &[(&format!("{main}/order/Rules.java"), &java("com.acme.shop.order"))], "Orders");
        // Kotlin leaves the common package out; two modules have a file of that name.
        let kotlin = |package: &str| format!("package {package}\n\nfun f(): Int =\n    rates.getValue(\"XX\")\n");
        story.commit(GRACE, DAY, &[("tax/src/main/kotlin/Main.kt", &kotlin("com.acme.shop.tax"))], "Tax");
        story.commit(ADA, DAY, &[("web/src/main/kotlin/Main.kt", &kotlin("com.acme.shop.web"))], "Web");
        story.install().await;
        let key = story.key().await.0;
        let mut found = Vec::new();
        for frame in [
            jvm("com.acme.shop.refund.Rules", "Rules.java", 5),
            jvm("com.acme.shop.order.Rules$$Lambda/0x00007f", "Rules.java", 5),
            jvm("com.acme.shop.tax.MainKt", "Main.kt", 4),
            jvm("com.acme.shop.web.MainKt$f$1", "Main.kt", 4),
            // Somebody else's class of that name, and what R8 left of one.
            jvm("org.rules.Rules", "Rules.java", 5),
            jvm("a.b.c", "SourceFile", 5),
        ] {
            found.push(told(story, &key, &event("java", &[frame])).await);
        }
        insta::assert_snapshot!(found.join("\n"), @"
        app/src/main/java/com/acme/shop/refund/Rules.java:5 by ada@example.com
        app/src/main/java/com/acme/shop/order/Rules.java:5 by linus@example.com
        tax/src/main/kotlin/Main.kt:4 by grace@example.com
        web/src/main/kotlin/Main.kt:4 by ada@example.com
        Rules.java:5 by nobody
        a.b.c:5 by nobody
        ");
    });
}

#[test]
fn packages_and_build_tools_name_files() {
    run_test(async |story| {
        let files = [
            ("app/pubspec.yaml", "name: shop\n"),
            ("app/lib/main.dart", "void main() {\n  run();\n}\n"),
            ("app/lib/src/model/item.dart", "class Item {\n  int get price => parts.single;\n}\n"),
        ];
        story.commit(ADA, DAY, &files, "App");
        let files = [
            ("packages/money/pubspec.yaml", "name: money\n"),
            ("packages/money/lib/src/model/item.dart", "class Item {\n  int get price => parts.first;\n}\n"),
        ];
        story.commit(GRACE, DAY, &files, "Money");
        let files = [
            ("stock/go.mod", "module example.com/shop\n"),
            ("stock/store/stock.go", "package store\n\nfunc Take() {\n\tpanic(1)\n}\n"),
            ("src/Cart.cs", "class Cart {\n    int Total() => First();\n}\n"),
        ];
        story.commit(LINUS, DAY, &files, "Stock");
        story.install().await;
        let key = story.key().await.0;
        let dart = |uri: &str, line: u32| json!({"abs_path": uri, "filename": uri.rsplit('/').next(), "function": "f", "lineno": line});
        let go =
            |path: &str, module: &str| json!({"abs_path": path, "module": module, "function": "Take", "lineno": 4});
        let mut found = Vec::new();
        for (platform, frame) in [
            ("other", dart("package:shop/main.dart", 2)),
            ("other", dart("package:money/src/model/item.dart", 2)),
            ("other", dart("package:shop/src/model/item.dart", 2)),
            ("other", dart("package:other/src/model/item.dart", 2)),
            (
                "go",
                json!({"filename": "example.com/shop/store/stock.go", "module": "example.com/shop/store", "function": "Take", "lineno": 4}),
            ),
            ("go", go("/go/pkg/mod/example.com/other@v1.2.3/store/stock.go", "example.com/other/store")),
            ("go", go("/build/store/stock.go", "example.com/other/store")),
            ("csharp", json!({"abs_path": "/_/src/Cart.cs", "filename": "Cart.cs", "function": "Total", "lineno": 2})),
            (
                "csharp",
                json!({"abs_path": "https://raw.githubusercontent.com/acme/lib/0f0f/src/Cart.cs", "function": "Total", "lineno": 2}),
            ),
        ] {
            found.push(told(story, &key, &event(platform, &[frame])).await);
        }
        insta::assert_snapshot!(found.join("\n"), @"
        app/lib/main.dart:2 by ada@example.com
        packages/money/lib/src/model/item.dart:2 by grace@example.com
        app/lib/src/model/item.dart:2 by ada@example.com
        package:other/src/model/item.dart:2 by nobody
        stock/store/stock.go:4 by linus@example.com
        /go/pkg/mod/example.com/other@v1.2.3/store/stock.go:4 by nobody
        /build/store/stock.go:4 by nobody
        src/Cart.cs:2 by linus@example.com
        https://raw.githubusercontent.com/acme/lib/0f0f/src/Cart.cs:2 by nobody
        ");
    });
}

/// Two services with a file of the same name and text, by Ada and by Grace, and one that only the
/// second has.
fn services(story: &mut Story) {
    let db = "import os\n\ndef connect():\n    return os.environ['DATABASE']\n";
    let tax = "from shop import db\n\ndef vat():\n    return db.connect()\n";
    story.commit(ADA, DAY, &[("a/shop/db.py", db), ("a/setup.py", "")], "A");
    story.commit(GRACE, DAY, &[("b/shop/db.py", db), ("b/shop/tax.py", tax), ("b/setup.py", "")], "B");
}

fn python(path: &str, line: u32, text: &str) -> Value {
    json!({"abs_path": format!("/app/{path}"), "filename": path, "function": "f", "lineno": line, "context_line": text})
}

fn of_server(server: &str, frames: &[Value]) -> Value {
    let mut event = event("python", frames);
    event["server_name"] = json!(server);
    event
}

#[test]
fn one_deployment_has_one_root_and_is_remembered() {
    run_test(async |story| {
        services(story);
        story.install().await;
        let key = story.key().await.0;
        let db = || python("shop/db.py", 4, "    return os.environ['DATABASE']");
        let tax = || python("shop/tax.py", 4, "    return db.connect()");
        // Nothing tells.
        let (unknown, mail) = told_in(story, &key, &of_server("web-1", &[db()])).await;
        for said in ["a/shop/db.py and b/shop/db.py fit equally well", "Confidence: low"] {
            assert!(squeezed(&mail).contains(said), "{mail}");
        }
        // A file that only one of them has.
        let together = told(story, &key, &of_server("web-2", &[tax(), db()])).await;
        // The same server, later, in the other line of both.
        let first_line = python("shop/db.py", 1, "import os");
        let remembered = told(story, &key, &of_server("web-2", std::slice::from_ref(&first_line))).await;
        let elsewhere = told(story, &key, &of_server("web-3", &[python("shop/db.py", 3, "def connect():")])).await;
        insta::assert_snapshot!([unknown, together, remembered, elsewhere].join("\n"), @"
        a/shop/db.py:4 by ada@example.com
        b/shop/db.py:4 by grace@example.com
        b/shop/db.py:1 by grace@example.com
        a/shop/db.py:3 by ada@example.com
        ");
    });
}

#[test]
fn a_key_for_a_folder_tells_where_its_reports_come_from() {
    run_test(async |story| {
        services(story);
        story.commit(
            LINUS,
            DAY,
            &[("a/main.py", "def main():\n    run()\n"), ("b/main.py", "def main():\n    run()\n")],
            "Main",
        );
        story.install().await;
        let made = |story: &Story, folder: &str| {
            let said = story.command(&["repository", "key", "add", "acme/shop", "--folder", folder]);
            said.trim().strip_prefix("DSN: https://").unwrap().split('@').next().unwrap().to_owned()
        };
        let (key_a, key_b) = (made(story, "a"), made(story, "./b/"));
        let db = event("python", &[python("shop/db.py", 4, "    return os.environ['DATABASE']")]);
        let main = event("python", &[python("main.py", 2, "    run()")]);
        let mut found = Vec::new();
        // The same report by two keys is of two lines.
        for (key, event) in [(&key_a, &db), (&key_b, &db), (&key_b, &main), (&key_a, &main)] {
            found.push(told(story, key, event).await);
        }
        insta::assert_snapshot!(found.join("\n"), @"
        a/shop/db.py:4 by ada@example.com
        b/shop/db.py:4 by grace@example.com
        b/main.py:2 by linus@example.com
        a/main.py:2 by linus@example.com
        ");
        let listed = story.command(&["repository", "keys", "acme/shop"]);
        assert!(listed.contains(" for a/") && listed.contains(" for b/"), "{listed}");
        let page = story.page("/acme/shop/connect").await;
        for shown in ["for <code>b/</code>", "<option value=\"a\">", "name=\"folder\""] {
            assert!(page.contains(shown), "{shown} in {page}");
        }
    });
}

fn verdict(repo: &GitRepo, trace: &str) -> String {
    std::fs::write(repo.path().join("../trace.txt"), trace).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_flawless"));
    command.args(["blame", "--traceback", "../trace.txt"]).current_dir(repo.path());
    let output = command.env_remove("FLAWLESS_CONFIG").env("LOG_LEVEL", "error").output().unwrap();
    // 3: nobody is known to have written the line.
    assert!(matches!(output.status.code(), Some(0 | 3)), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    let kept = |line: &&str| !line.contains("names no release") && !line.contains("Look next");
    text.lines().skip(1).filter(kept).collect::<Vec<_>>().join("\n").replace(&repo.head()[..7], "HEAD")
}

fn python_trace(frames: &[(&str, u32, &str)]) -> String {
    let frame = |(path, line, text): &(&str, u32, &str)| format!("  File \"{path}\", line {line}, in f\n    {text}\n");
    let frames: String = frames.iter().map(frame).collect();
    format!("Traceback (most recent call last):\n{frames}KeyError: 'x'\n")
}

fn checkout() -> (TempDir, GitRepo) {
    let folder = TempDir::new().unwrap();
    let repo = GitRepo::init(folder.path().join("shop"));
    (folder, repo)
}

fn link(repo: &GitRepo, to: &str, at: &str) {
    std::fs::create_dir_all(repo.path().join(at).parent().unwrap_or(Path::new(""))).unwrap();
    std::os::unix::fs::symlink(to, repo.path().join(at)).unwrap();
}

#[test]
fn what_leads_elsewhere_is_not_the_repositorys() {
    let (_folder, repo) = checkout();
    link(&repo, "../common", "app/shared");
    link(&repo, "/opt/plugins", "app/plugins");
    let files = [
        ("main.py", "def main():\n    shared.rates.convert()\n"),
        ("common/rates.py", "def convert():\n    return RATES['CHF']\n"),
        ("old/money/rates.py", "def convert():\n    rate = 1\n    return rate\n"),
        ("old/plugins/tax.py", "def vat():\n    return 1\n"),
    ];
    let head = repo.commit(ADA, DAY, &files, "All");
    repo.git(&["update-index", "--add", "--cacheinfo", &format!("160000,{head},libs/money")]);
    repo.git(&["commit", "--quiet", "--message", "Submodule"]);
    let main = ("/srv/app/main.py", 2, "shared.rates.convert()");
    // A link within the repository leads to its target's file.
    let shared = verdict(&repo, &python_trace(&[main, ("/srv/app/app/shared/rates.py", 2, "return RATES['CHF']")]));
    assert!(shared.contains("common/rates.py:2 in f, the line that raised"), "{shared}");
    for (path, line, text, why) in [
        ("/srv/app/libs/money/money/rates.py", 2, "rate = 1", "(in the submodule libs/money)"),
        ("/srv/app/libs/money/money/rates.py", 3, "return X", "(in the submodule libs/money)"),
        ("/srv/app/app/plugins/tax.py", 2, "return 1", "(a symbolic link leads to it, out of the repository)"),
        ("/opt/python/money/rates.py", 2, "return ours", "(not in the repository)"),
    ] {
        let said = verdict(&repo, &python_trace(&[main, (path, line, text)]));
        assert!(said.contains("main.py:2 in f") && said.contains(why), "{path}: {said}");
    }
}

#[test]
fn a_link_out_of_the_repository_is_known_where_nothing_else_is_reported() {
    let (_folder, repo) = checkout();
    link(&repo, "/opt/plugins", "app/plugins");
    link(&repo, "/etc/shop", "conf");
    link(&repo, "/opt/tools/tax.py", "tools/tax.py");
    repo.commit(ADA, DAY, &[("main.py", "def main():\n    plugins.tax.vat()\n")], "All");
    for path in ["/srv/app/app/plugins/tax.py", "/srv/app/conf/rates.py", "/code/tools/tax.py", "app/plugins/a/b.py"] {
        let said = verdict(&repo, &python_trace(&[(path, 2, "return 1")]));
        let why = format!("a symbolic link leads to {path}:2, out of the repository.");
        assert!(said.contains(&why) && said.contains("a DSN of its own") && !said.contains("path_mappings"), "{said}");
    }
    for path in ["/srv/plugins/tax.py", "/srv/app/tools/rates.py", "/srv/venv/site-packages/conf/x.py", "/opt/tax.py"] {
        let said = verdict(&repo, &python_trace(&[(path, 2, "return 1")]));
        assert!(!said.contains("symbolic link"), "{path}: {said}");
    }
}

#[test]
fn other_people_s_files_alone_are_packages() {
    let (_folder, repo) = checkout();
    repo.commit(ADA, DAY, &[("main.py", "def main():\n    pass\n")], "All");
    for (path, name) in [
        ("/srv/app/third_party/money/rates.py", "money"),
        ("/srv/app/_vendor/requests/api.py", "requests"),
        ("/srv/venv/lib/python3.12/site-packages/flask/app.py", "flask"),
    ] {
        let said = verdict(&repo, &python_trace(&[(path, 2, "return 1")]));
        assert!(
            said.contains(&format!("all frames are of packages and of the language's own library ({name}).")),
            "{said}"
        );
        assert!(!said.contains("fits no file"), "{said}");
    }
}

#[test]
fn an_elixir_application_is_found_by_its_name() {
    let (_folder, repo) = checkout();
    let template = "<b>\n<%= @total %>\n</b>\n";
    let manifest =
        |name: &str| format!("defmodule X.MixProject do\n  def project do\n    [app: :{name}, version: \"1\"]\n");
    let (web, till) = (manifest("shop_web"), manifest("till"));
    let files = [
        ("mix.exs", "defmodule Shop.MixProject do\n  def project do\n    [apps_path: \"apps\"]\n"),
        ("apps/shop_web/mix.exs", web.as_str()),
        ("apps/shop_web/lib/cart.html.heex", template),
        ("apps/money/mix.exs", till.as_str()),
        ("apps/money/lib/cart.html.heex", template),
        ("apps/money/lib/router.ex", "import Plug.Router\n\nget \"/\"\n"),
    ];
    repo.commit(ADA, DAY, &files, "All");
    let told = |frames: &[&str]| {
        let frames: String = frames.iter().map(|frame| format!("    {frame}\n")).collect();
        verdict(&repo, &format!("** (KeyError) key :total not found\n{frames}"))
    };
    let by_name = told(&["(shop_web 1.0.0) lib/cart.html.heex:2: ShopWeb.CartHTML.show/1"]);
    assert!(by_name.contains("apps/shop_web/lib/cart.html.heex:2"), "{by_name}");
    let by_manifest = told(&["(till 1.0.0) lib/cart.html.heex:2: Till.CartHTML.show/1"]);
    assert!(by_manifest.contains("apps/money/lib/cart.html.heex:2"), "{by_manifest}");
    let of_others =
        told(&["(plug 1.15.0) lib/router.ex:3: Plug.Router.get/2", "(bandit 1.0.0) lib/run.ex:3: Bandit.run/2"]);
    assert!(of_others.contains("all frames are of packages") && of_others.contains("(plug, bandit)"), "{of_others}");
}

#[test]
fn deployed_code_that_was_edited_is_told_from_another_file() {
    let (_folder, repo) = checkout();
    let files =
        [("main.py", "def main():\n    cart.total()\n"), ("shop/cart.py", "def total():\n    return sum(PRICES)\n")];
    repo.commit(ADA, DAY, &files, "All");
    let main = ("/srv/app/main.py", 2, "cart.total()");
    let edited = verdict(&repo, &python_trace(&[main, ("/srv/app/shop/cart.py", 2, "return sum(PRICES) + 1")]));
    assert!(
        edited.contains("It failed at shop/cart.py:2 in f") && edited.contains("is not the repository's"),
        "{edited}"
    );
    let alone = verdict(&repo, &python_trace(&[("/srv/app/shop/cart.py", 2, "return sum(PRICES) + 1")]));
    assert!(alone.contains("It failed at shop/cart.py:2 in f"), "{alone}");
    let other = verdict(&repo, &python_trace(&[main, ("/opt/lib/shop/cart.py", 2, "return sum(PRICES) + 1")]));
    assert!(other.contains("main.py:2 in f") && other.contains("shop/cart.py:2 (not in the repository)"), "{other}");
}

#[test]
fn urls_and_other_systems_paths_lead_to_files() {
    let (_folder, repo) = checkout();
    let files = [
        ("src/Order Service/index.mjs", "export function f(x) {\n  return x.lines.map(g);\n}\n"),
        ("src/Billing/index.mjs", "export function f(x) {\n  return x.bills.map(g);\n}\n"),
        ("src/größen.mjs", "export function f(x) {\n  return x.a.b;\n}\n"),
        ("src/a%20b.mjs", "export function f(x) {\n  return x.a.c;\n}\n"),
        ("src/a b.mjs", "export function f(x) {\n  return x.a.d;\n}\n"),
    ];
    repo.commit(ADA, DAY, &files, "All");
    for (url, path) in [
        ("file:///srv/src/Order%20Service/index.mjs", "src/Order Service/index.mjs"),
        ("file:///srv/src/gr%C3%B6%C3%9Fen.mjs", "src/größen.mjs"),
        ("file:///srv/src/a%2520b.mjs", "src/a%20b.mjs"),
        ("webpack-internal:///(rsc)/./src/Billing/index.mjs", "src/Billing/index.mjs"),
        ("file:///C:/Apps/SRC/billing/Index.mjs", "src/Billing/index.mjs"),
    ] {
        let said = verdict(&repo, &format!("TypeError: x\n    at f ({url}:2:3)\n"));
        assert!(said.contains(&format!("{path}:2 in f")), "{url}: {said}");
    }
}

/// A frame without text.
fn plain(path: &str, line: u32, function: &str) -> Value {
    json!({"abs_path": path, "filename": path, "lineno": line, "function": function})
}

/// The same with the line's text.
fn seen(path: &str, line: u32, function: &str, text: &str) -> Value {
    json!({"abs_path": path, "filename": path, "lineno": line, "function": function, "context_line": text})
}

#[test]
fn the_function_tells_which_service_it_is_and_that_main_moved_on() {
    run_test(async |story| {
        let util = "import x\n\ndef charge(c):\n    amount = c.total\n    return amount\n";
        let main = |name: &str| format!("import util\n\ndef {name}():\n    util.charge('{name}')\n");
        for (author, service, name) in [(ADA, "billing", "pay"), (LINUS, "shipping", "ship")] {
            let folder = format!("services/{service}/app");
            let files = [(format!("{folder}/main.py"), main(name)), (format!("{folder}/util.py"), util.to_owned())];
            let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
            story.commit(author, DAY, &files, service);
        }
        let till = "def newest\n  x.y\n  q.r\nend\n\ndef settle\n  a.b\nend\n";
        story.commit(GRACE, DAY, &[("lib/till.rb", till)], "Till");
        story.install().await;
        let key = story.key().await.0;
        let mut found = Vec::new();
        for (server, frames) in [
            ("w-1", vec![plain("/app/main.py", 4, "ship"), plain("/app/util.py", 5, "charge")]),
            // What a server showed by a text is remembered, also where nothing stands before it.
            ("w-2", vec![seen("/app/main.py", 4, "pay", "    util.charge('pay')")]),
            ("w-2", vec![plain("/app/util.py", 4, "charge")]),
        ] {
            let mut event = event("python", &frames);
            event["server_name"] = json!(server);
            found.push(told(story, &key, &event).await);
        }
        let (place, mail) = told_in(story, &key, &event("ruby", &[plain("/app/lib/till.rb", 3, "Till#settle")])).await;
        found.push(place);
        insta::assert_snapshot!(found.join("\n"), @"
        services/shipping/app/util.py:5 by linus@example.com
        services/billing/app/main.py:4 by ada@example.com
        services/billing/app/util.py:4 by ada@example.com
        lib/till.rb:3 by grace@example.com
        ");
        let mail = squeezed(&mail);
        assert!(mail.contains("Line 3 is in newest here, not in settle: main has probably moved on"), "{mail}");
        assert!(mail.contains("Confidence: low"), "{mail}");
        assert!(mail.contains("You wrote the line that has this number now. Another one may have failed"), "{mail}");
    });
}

#[test]
fn what_others_deployed_is_not_taken_for_a_file_that_ends_alike() {
    run_test(async |story| {
        let file = "one\ntwo\nthree_calls(1)\nfour\n";
        let files = [
            ("Sources/Net/Client.swift", file),
            ("src/main.c", file),
            ("App/Depot/Stock.py", file),
            ("mix.exs", "#\n"),
        ];
        story.commit(ADA, DAY, &files, "All");
        let files = [("lib/router.ex", "defmodule Shop.Router do\n  def u(x), do: x.u\nend\n"), ("a/tax.py", file)];
        story.commit(LINUS, DAY, &files, "Router");
        let files = [
            ("packages/ui/package.json", "{\"name\": \"@acme/ui\"}\n"),
            ("packages/ui/src/button.js", "one\ntwo\nthree\n"),
            ("b/tax.py", "one\ntwo\nother_calls(1)\nfour\n"),
        ];
        story.commit(GRACE, DAY, &files, "Button");
        story.install().await;
        let key = story.key().await.0;
        let router =
            |module: &str| json!({"filename": "lib/router.ex", "lineno": 2, "function": "u/1", "module": module});
        let mut found = Vec::new();
        for (platform, frame) in [
            ("cocoa", plain("/b/Pods/Other/Sources/Net/Client.swift", 1, "g")),
            ("native", plain("/b/third_party/other/src/main.c", 1, "g")),
            ("elixir", router("Elixir.Plug.Router")),
            ("elixir", router("Elixir.Shop.Router")),
            ("python", plain("/srv/app/depot/stock.py", 2, "g")),
            ("csharp", plain("C:\\app\\depot\\stock.py", 4, "g")),
            ("node", plain("/srv/node_modules/@acme/ui/src/button.js", 2, "g")),
            ("node", plain("/srv/node_modules/@other/ui/src/button.js", 2, "g")),
            ("python", seen("/code/tax.py", 3, "g", "other_calls(1)")),
        ] {
            found.push(told(story, &key, &event(platform, &[frame])).await);
        }
        insta::assert_snapshot!(found.join("\n"), @r"
        /b/Pods/Other/Sources/Net/Client.swift:1 by nobody
        /b/third_party/other/src/main.c:1 by nobody
        lib/router.ex:2 by nobody
        lib/router.ex:2 by linus@example.com
        /srv/app/depot/stock.py:2 by nobody
        App/Depot/Stock.py:4 by ada@example.com
        packages/ui/src/button.js:2 by grace@example.com
        /srv/node_modules/@other/ui/src/button.js:2 by nobody
        b/tax.py:3 by grace@example.com
        ");
    });
}
