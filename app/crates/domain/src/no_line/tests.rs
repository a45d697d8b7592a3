//! Reports of the forms that clients send, and the reason of each.

use super::*;
use crate::commit::CommitId;
use crate::culprit::{FrameAt, Located, frames_in_order};
use crate::deployed_root::Root;
use crate::drift::Drift;
use crate::report::{COMMAND_KIND, Exception, Frame, MESSAGE_KIND, Platform, Report};
use crate::rule::Rules;
use crate::step_over::Passed;
use std::collections::BTreeMap;

/// `module|function|file:line:column`, innermost last; what is empty is left out.
fn frame(text: &str) -> Frame {
    let parts: Vec<&str> = text.split('|').collect();
    let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    let mut place = parts[2].rsplitn(3, ' ');
    let (column, line, file) = match (place.next(), place.next(), place.next()) {
        (Some(column), Some(line), Some(file)) => (column.parse().ok(), line.parse().ok(), file),
        _ => (None, None, parts[2]),
    };
    Frame { module: some(parts[0]), function: some(parts[1]), filename: some(file), line, column, ..Frame::default() }
}

fn report(platform: Platform, sdk: &str, frames: &[&str]) -> Report {
    Report {
        platform,
        sdk: Some(sdk.to_owned()),
        exceptions: vec![Exception {
            kind: "E".into(),
            frames: frames.iter().map(|text| frame(text)).collect(),
            ..Exception::default()
        }],
        ..Report::default()
    }
}

struct Case<'a> {
    report: &'a Report,
    files: &'a [&'a str],
    lines: Option<&'a [String]>,
    mirror: MirrorState,
    pinned: bool,
    culprit: Option<&'a Located>,
    passed: Option<Passed>,
    is_test: bool,
    commit: Option<&'a CommitId>,
    roots: &'a [Root],
}

impl<'a> Case<'a> {
    fn of(report: &'a Report) -> Self {
        Self {
            report,
            files: &[],
            lines: Some(&[]),
            mirror: MirrorState::Whole,
            pinned: true,
            culprit: None,
            passed: None,
            is_test: false,
            commit: None,
            roots: &[],
        }
    }

    /// As the server asks.
    fn reasons(&self) -> Vec<NoLine> {
        let rules = Rules::default();
        let paths: Vec<String> = self.files.iter().map(|file| (*file).to_owned()).collect();
        let files = Files::of(&paths);
        let mut sightings: BTreeMap<FrameAt, Sighting> = BTreeMap::new();
        for (at, path) in looked_at(self.report, &rules) {
            let Some(mut sighting) = files.sighting(&path) else { continue };
            if let Sighting::Fits { stands: known, .. } = &mut sighting {
                *known = stands(self.lines, &self.report.exceptions[at.0].frames[at.1]);
            }
            sightings.insert(at, sighting);
        }
        let why = self.passed.clone().unwrap_or(Passed::Outside);
        let passed: Vec<_> = frames_in_order(self.report).into_iter().map(|at| (at, why.clone())).collect();
        no_line(&Facts {
            report: self.report,
            rules: &rules,
            is_test: self.is_test,
            mirror: self.mirror,
            pinned: self.pinned,
            culprit: self.culprit,
            passed: &passed,
            sightings: &sightings,
            commit: self.commit,
            roots: self.roots,
        })
    }

    #[track_caller]
    fn all(&self) -> Vec<Reason> {
        let reasons = self.reasons();
        for one in &reasons {
            assert!(!one.what.ends_with('.') && one.help.ends_with('.') && !one.help.contains('`'), "{one:?}");
        }
        reasons.into_iter().map(|one| one.reason).collect()
    }
}

/// The reason of a report whose frames fit nothing in the repository.
#[track_caller]
fn is(platform: Platform, sdk: &str, frames: &[&str], reason: Reason) {
    let report = report(platform, sdk, frames);
    assert_eq!(Case::of(&report).all(), [reason], "{frames:?}");
}

#[test]
fn what_has_no_frames_is_told_by_its_client_how_to_send_them() {
    let help = |sdk: &str, message: bool| {
        let mut report = report(Platform::Other, sdk, &[]);
        if message {
            report.exceptions.clear();
        }
        let reasons = Case::of(&report).reasons();
        assert_eq!(reasons[0].reason, Reason::NoFrames);
        reasons[0].help.clone()
    };
    for (sdk, message, words) in [
        ("sentry.python/2.75.0", true, "attach_stacktrace=True"),
        ("sentry.python.flask/2.75.0", false, "the except block"),
        ("sentry.javascript.node/11.12.0", true, "attachStacktrace: true"),
        ("sentry.javascript.react-native/6.0.0", false, "Error objects"),
        ("sentry.ruby/5.3.0", false, "raised"),
        ("sentry.php/4.0.0", true, "attach_stacktrace to true"),
        ("sentry.java.spring-boot/8.0.0", false, "OmitStackTraceInFastThrow"),
        ("sentry.go/0.30.0", true, "AttachStacktrace: true"),
        ("sentry.rust/0.49.5", false, "attach_stacktrace: true"),
        ("sentry.dotnet/5.0.0", false, "AttachStacktrace"),
        ("flawless-report/0.1.0", false, "standard error"),
        ("sentry.lua/1.0", false, "attach_stacktrace"),
    ] {
        let said = help(sdk, message);
        assert!(said.contains(words), "{sdk}: {said}");
    }
    let mut script = report(Platform::Javascript, "sentry.javascript.browser/11.12.0", &[]);
    script.exceptions[0].value = Some("Script error.".into());
    assert!(Case::of(&script).reasons()[0].help.contains("crossorigin"));
}

#[test]
fn a_message_is_told_how_messages_get_a_stack() {
    let mut message = report(Platform::Python, "sentry.python/2.75.0", &[]);
    message.exceptions[0].kind = MESSAGE_KIND.to_owned();
    let told = Case::of(&message).reasons().remove(0);
    assert_eq!(told.what, "the report is a message without a stack trace");
    assert!(told.help.contains("attach_stacktrace=True"), "{}", told.help);
}

#[test]
fn a_command_that_failed_is_said_to_have_printed_no_traceback() {
    for (command, value, words) in [
        (Some("nightly.py --all"), "nightly.py --all: exit status 3", "the command failed (exit status 3) and"),
        (None, "signal 9", "the command failed (signal 9) and"),
        (Some("a"), "b: c", "the command failed and"),
    ] {
        let mut failed = report(Platform::Other, "", &[]);
        failed.transaction = command.map(str::to_owned);
        failed.exceptions[0].kind = COMMAND_KIND.to_owned();
        failed.exceptions[0].value = Some(value.to_owned());
        let told = Case::of(&failed).reasons().remove(0);
        assert_eq!(told.what, format!("{words} printed no traceback that was recognised"));
        assert!(told.help.contains("standard error"), "{}", told.help);
    }
}

#[test]
fn a_printed_stack_of_a_browser_is_told_what_browsers_can_do() {
    let bundle = "|t|https://shop.example.com/static/js/main.3f9a8b7c.js 2 48213";
    let help = |frames: &[&str]| Case::of(&report(Platform::Node, "", frames)).reasons().remove(0).help;
    assert!(help(&[bundle]).contains("source maps") && !help(&[bundle]).contains("Node"));
    assert!(help(&["|main|node:internal/main 1 1", "|t|/srv/app/dist/main.3f9a8b7c.js 2 48213"]).contains("Node"));
}

#[test]
fn an_unknown_paths_own_folder_is_what_could_be_mapped() {
    let help =
        |path: &str| Case::of(&report(Platform::Python, "", &[&format!("|f|{path} 12 0")])).reasons().remove(0).help;
    let said = help("/opt/money/eu/rates.py");
    assert!(said.contains("path_mappings: [{ from: /opt/money/eu/, to: FOLDER/ }]"), "{said}");
    for path in ["money/rates.py", "/rates.py", "/opt/{a}/rates.py"] {
        assert!(!help(path).contains("path_mappings"), "{path}");
    }
}

#[test]
fn bundles_are_known_by_their_names_and_columns() {
    let browser = "sentry.javascript.browser/11.12.0";
    for frame in [
        "|Xp|https://shop.example.com/app.min.js 15 1",
        "|t|https://shop.example.com/static/js/main.3f9a8b7c.js 2 48213",
        "|n|https://cdn.example.com/_next/static/chunks/117-b4d6.js 1 900",
        "|a|https://shop.example.com/index-BsZ5f3aQ.js 1 20",
        "|a|https://shop.example.com/cart.js 1 48213",
        "|a|https://shop.example.com/app.js 7200 13",
    ] {
        is(Platform::Javascript, browser, &[frame], Reason::Minified);
    }
    for frame in [
        "|total|app:///index.android.bundle 1 483112",
        "|total|app:///main.jsbundle 1 7",
        "|value|address at index.android.bundle 1 7",
    ] {
        is(Platform::Javascript, "sentry.javascript.react-native/6.0.0", &[frame], Reason::Minified);
    }
    for frame in [
        "|total|/srv/app/dist/server.js 12 3",
        "|total|/app/.next/server/app/page.js 1 9",
        "|total|/var/task/chunk-4KJ3S.js 9 9",
    ] {
        is(
            Platform::Node,
            "sentry.javascript.node/11.12.0",
            &["|main|node:internal/main 1 1", frame],
            Reason::Minified,
        );
    }
    let plain = "|total|/srv/app/src/cart.js 12 3";
    is(Platform::Node, "sentry.javascript.node/11.12.0", &[plain], Reason::UnknownPaths);
}

#[test]
fn names_of_r8_and_proguard_are_known() {
    for frame in [
        "c.a.e.b|a|SourceFile 96 0",
        "com.acme.shop.b$g|onComplete|SourceFile 6 0",
        "com.acme.shop.a|b|r8-map-id-88a3 3 0",
        "a.b.c|d|Unknown Source",
    ] {
        let frames = ["java.lang.Long|parseLong|Long.java 636 0", frame];
        is(Platform::Java, "sentry.java.android/8.0.0", &frames, Reason::Obfuscated);
    }
}

#[test]
fn code_without_line_tables_is_known_in_each_language() {
    for (platform, sdk, frame) in [
        (Platform::Java, "sentry.java/8.0.0", "com.acme.shop.Cart|total|"),
        (Platform::Java, "sentry.java/8.0.0", "com.acme.shop.Cart|total|Unknown Source"),
        (Platform::Java, "sentry.java/8.0.0", "com.acme.shop.Cart|total|Cart.java"),
        (Platform::Native, "sentry.rust/0.49.5", "|shop_worker::pricing::discount|"),
        (Platform::Other, "sentry.dotnet/5.0.0", "Shop.Cart|Total|"),
        (Platform::Go, "sentry.go/0.30.0", "example.com/shop|Total|cart.go 0 0"),
        (Platform::Other, "", "|Shop.Cart.Total|"),
        (Platform::Native, "sentry.native/0.7.0", "|shop_total|"),
        (Platform::Other, "sentry.cocoa/8.51.1", "|Cart.total()|"),
        (Platform::Javascript, "sentry.javascript.browser/11.12.0", "|total|wasm://wasm/00a1b2 12 0"),
    ] {
        is(platform, sdk, &[frame], Reason::NoLineNumbers);
    }
    let mixed = ["com.vendor.Pool|get|Pool.java 20 0", "com.acme.shop.Cart|total|"];
    is(Platform::Java, "sentry.java/8.0.0", &mixed, Reason::NoLineNumbers);
}

#[test]
fn addresses_are_no_code() {
    for frame in ["|<unknown>|", "|<redacted>|", "|0x00007ff6a1b2|", "||"] {
        is(Platform::Native, "sentry.native/0.7.0", &["|std::rt::lang_start|", "|main|", frame], Reason::NoSymbols);
    }
    is(Platform::Other, "sentry.cocoa/8.51.1", &["|<redacted>|"], Reason::NoSymbols);
}

#[test]
fn evaluated_code_and_frames_of_the_interpreter_are_in_no_file() {
    for (platform, frame) in [
        (Platform::Python, "|<module>|<string> 1 0"),
        (Platform::Python, "|f|<stdin> 1 0"),
        (Platform::Python, "|f|/tmp/ipykernel_4211/123456.py 1 0"),
        (Platform::Ruby, "|f|(eval at /srv/app/rules.rb:3) 1 0"),
        (Platform::Ruby, "|f|(irb) 1 0"),
        (Platform::Ruby, "|f|-e 1 0"),
        (Platform::Node, "|f|[eval] 1 2"),
        (Platform::Node, "|f|evalmachine.<anonymous> 1 2"),
        (Platform::Javascript, "|f|VM123 1 2"),
    ] {
        is(platform, "", &[frame], Reason::EvaluatedCode);
    }
    for (platform, frame) in [
        (Platform::Node, "|JSON.parse|<anonymous>"),
        (Platform::Node, "|Array.map|"),
        (Platform::Python, "|f|<unknown> 3 0"),
    ] {
        is(platform, "", &[frame], Reason::NoFileNames);
    }
}

#[test]
fn packages_are_named() {
    for (platform, path, name) in [
        (Platform::Python, "/srv/venv/lib/python3.12/site-packages/flask/app.py", "flask"),
        (Platform::Node, "/srv/app/node_modules/@acme/client/index.js", "@acme/client"),
        (
            Platform::Native,
            "/srv/.cargo/registry/src/registry.example.com-6f17/serde_json-1.0.1/src/de.rs",
            "serde_json-1.0.1",
        ),
        (Platform::Go, "/srv/go/pkg/mod/github.com/jackc/pgx@v5.5.0/conn.go", "github.com/jackc/pgx@v5.5.0"),
        (Platform::Ruby, "/usr/local/bundle/gems/rack-3.0.8/lib/rack.rb", "rack-3.0.8"),
        (Platform::Python, "site-packages/flask/app.py", "flask"),
        (Platform::Other, "deps/plug/lib/plug/router.ex", "plug"),
        (Platform::Go, "/srv/app/vendor/github.com/acme/money/money.go", "github.com/acme/money"),
        (Platform::Other, "/b/Pods/Net/Sources/Client.swift", "Net"),
        (Platform::Other, "/x/SourcePackages/checkouts/Net/Client.swift", "Net"),
        (Platform::Native, "/b/third_party/zlib/src/main.c", "zlib"),
    ] {
        let report = report(platform, "", &[&format!("|f|{path} 12 0")]);
        let reasons = Case::of(&report).reasons();
        assert_eq!(reasons[0].reason, Reason::OnlyPackages, "{path}");
        assert!(reasons[0].what.contains(&format!("({name})")), "{}", reasons[0].what);
    }
    let spring =
        ["org.springframework.web.Dispatcher|doGet|Dispatcher.java 20 0", "java.util.Optional|get|Optional.java 3 0"];
    is(Platform::Java, "sentry.java/8.0.0", &spring, Reason::OnlyPackages);
    for path in ["/usr/lib/python3.11/json/decoder.py", "/usr/local/go/src/net/http/server.go", "node:internal/timers"]
    {
        is(Platform::Other, "", &[&format!("|f|{path} 12 0")], Reason::OnlyPackages);
    }
}

#[test]
fn another_application_s_files_are_a_package_s() {
    let mut report = report(Platform::Other, "", &["Plug.Router|call/2|lib/plug/router.ex 12 0"]);
    report.exceptions[0].frames[0].application = Some("plug".to_owned());
    let known = ["lib/plug/router.ex"];
    let reasons = Case { passed: Some(Passed::Package), files: &known, ..Case::of(&report) }.reasons();
    assert_eq!(reasons[0].reason, Reason::OnlyPackages);
    assert!(reasons[0].what.contains("(plug)"), "{}", reasons[0].what);
    let reasons = Case::of(&report).reasons();
    assert_eq!(reasons[0].reason, Reason::UnknownPaths, "where nothing is known of applications");
}

#[test]
fn a_path_that_fits_nothing_brings_the_mapping_that_is_missing() {
    for (path, file, mapping) in [
        ("/srv/app/cart.py", "services/billing/cart.py", "from: /srv/app/, to: services/billing/"),
        ("/opt/x/1.2/cart.py", "cart/cart.py", "from: /opt/x/1.2/, to: cart/"),
        ("C:/inetpub/cart.py", "web/cart.py", "from: C:/inetpub/, to: web/"),
    ] {
        let report = report(Platform::Python, "", &[&format!("|f|{path} 12 0")]);
        let case = Case { files: &[file], ..Case::of(&report) };
        assert_eq!(case.all(), [Reason::UnknownPaths]);
        assert!(case.reasons()[0].help.contains(mapping), "{}", case.reasons()[0].help);
    }
    let report = report(Platform::Python, "", &["|f|/srv/app/cart.py 12 0"]);
    let several = Case { files: &["a/cart.py", "b/cart.py", "c/cart.py", "d/cart.py"], ..Case::of(&report) };
    assert_eq!(several.all(), [Reason::SeveralFiles]);
    assert!(several.reasons()[0].what.ends_with("any of a/cart.py, b/cart.py, c/cart.py and 1 more"));
    let equal = Case { files: &["a/app/cart.py", "b/app/cart.py"], lines: None, ..Case::of(&report) };
    assert_eq!(equal.all(), [Reason::UnreadableFile]);
    let lines: Vec<String> = vec!["x".to_owned(); 20];
    let equal = Case { lines: Some(&lines), ..equal };
    assert_eq!(equal.all(), [Reason::SeveralFiles]);
}

#[test]
fn what_another_repository_has_brings_no_mapping() {
    let at = |platform: Platform, sdk: &str, frame: &str, passed: Passed, says: &str| {
        let report = report(platform, sdk, &[frame]);
        let file = report.exceptions[0].frames[0].path().expect("a path").rsplit('/').next().expect("a name");
        let lib = format!("lib/{file}");
        let case = Case { files: &[&lib], passed: Some(passed), ..Case::of(&report) };
        let reasons = case.reasons();
        assert!(reasons[0].what.contains(says) && !reasons[0].help.contains("path_mappings: ["), "{reasons:?}");
    };
    let shared = Passed::Submodule("libs/shared".into());
    let submodule = "is in the submodule libs/shared, another repository";
    at(Platform::Python, "", "|f|/app/libs/shared/util.py 2 0", shared, submodule);
    at(Platform::Python, "", "|f|/app/ext/calc.py 2 0", Passed::LinkedOutside, "a symbolic link leads to");
    let outside = || Passed::Outside;
    at(Platform::Javascript, "", "|f|https://deno.land/x/oak@v12/mod.ts 2 0", outside(), "(deno.land)");
    at(Platform::Javascript, "", "|f|chrome-extension://abc/src/index.js 2 0", outside(), "extension");
    at(Platform::Node, "", "|f|/opt/nodejs/handler.js 2 0", outside(), "all frames are of");
    let java = "sentry.java/8.0.0";
    at(
        Platform::Java,
        java,
        "org.other.Cfg|f|Cfg.java 2 0",
        outside(),
        "the class org.other.Cfg (Cfg.java:2) is in no file",
    );
}

#[test]
fn a_text_that_was_sent_is_not_asked_for() {
    let mut report = report(Platform::Python, "", &["|f|/srv/cart.py 12 0"]);
    report.exceptions[0].frames[0].context_line = Some("x = 1".into());
    let lines: Vec<String> = vec!["x = 1".to_owned(); 20];
    let case = Case { files: &["a/cart.py", "b/cart.py"], lines: Some(&lines), ..Case::of(&report) };
    assert_eq!(case.all(), [Reason::SeveralFiles]);
    assert!(!case.reasons()[0].help.contains("text"), "{}", case.reasons()[0].help);
}

#[test]
fn a_file_that_is_there_without_its_line_says_which_version_ran() {
    let mut report = report(Platform::Python, "", &["|f|/srv/app/shop/cart.py 12 0"]);
    report.exceptions[0].frames[0].context_line = Some("total += 1".into());
    let lines: Vec<String> = ["a = 1", "b = 2"].map(str::to_owned).to_vec();
    let told = |report: &Report, pinned| {
        Case { files: &["shop/cart.py"], lines: Some(&lines), pinned, ..Case::of(report) }.all()
    };
    assert_eq!(told(&report, true), [Reason::TextDiffers]);
    assert_eq!(told(&report, false), [Reason::TextDiffers, Reason::NoRelease]);
    for name in ["3f1c9a7", "shop@1.4.2+3f1c9a7", "v1.2-14-g3f1c9a7"] {
        report.release = Some(name.into());
        assert_eq!(told(&report, false), [Reason::CommitNotFetched, Reason::TextDiffers], "{name}");
    }
    for name in ["shop@1.4.2", "v2.0.0", "20261129"] {
        report.release = Some(name.into());
        assert_eq!(told(&report, false), [Reason::TextDiffers, Reason::UnknownRelease], "{name}");
    }
    report.exceptions[0].frames[0].context_line = None;
    assert_eq!(told(&report, true), [Reason::LineBeyondEnd]);
    let behind =
        Case { files: &["shop/cart.py"], lines: Some(&lines), mirror: MirrorState::Behind, ..Case::of(&report) };
    assert_eq!(behind.all(), [Reason::LineBeyondEnd, Reason::OldMirror]);
}

#[test]
fn a_path_that_ends_alike_by_two_parts_is_only_said_to_end_alike() {
    let of = |path: &str, file: &str| {
        let mut report = report(Platform::Python, "", &[&format!("|f|{path} 12 0")]);
        report.exceptions[0].frames[0].context_line = Some("total += 1".into());
        let lines = vec!["a = 1".to_owned()];
        Case { files: &[file], lines: Some(&lines), ..Case::of(&report) }.reasons().remove(0)
    };
    for (path, file) in
        [("/opt/layer/money/rates.py", "old/money/rates.py"), ("/opt/x/utils/io.py", "shop/utils/io.py")]
    {
        let told = of(path, file);
        assert_eq!(told.reason, Reason::UnknownPaths, "{path}");
        assert!(told.what.contains(&format!("ends as {file} does")), "{}", told.what);
    }
    for (path, file) in [
        ("/opt/layer/money/rates.py", "money/rates.py"),
        ("/opt/a/money/eu/rates.py", "src/money/eu/rates.py"),
        ("money/rates.py", "src/money/rates.py"),
    ] {
        assert_eq!(of(path, file).reason, Reason::TextDiffers, "{path}");
    }
}

#[test]
fn a_commit_that_nobody_pushed_explains_a_path_that_fits_nothing() {
    let mut report = report(Platform::Python, "", &["|f|/srv/app/shop/cart.py 12 0"]);
    report.revision = Some("3f1c9a73f1c9a73f1c9a73f1c9a73f1c9a73f1c9".into());
    let case = Case { pinned: false, ..Case::of(&report) };
    assert_eq!(case.all(), [Reason::UnknownPaths, Reason::CommitNotFetched]);
}

#[test]
fn the_repositorys_own_code_that_is_passed_over_is_named() {
    let report = report(Platform::Python, "", &["|f|/srv/app/shop/cart.py 12 0"]);
    for (passed, reason) in [
        (Passed::IgnoredPath, Reason::LeftOut),
        (Passed::LibraryCode(None), Reason::NotToBlame),
        (Passed::Submodule("libs/shared".into()), Reason::OnlyPackages),
        (Passed::LinkedOutside, Reason::LinkedOutside),
        (Passed::Outside, Reason::UnknownPaths),
    ] {
        let case = Case { passed: Some(passed), ..Case::of(&report) };
        assert_eq!(case.all(), [reason]);
    }
}

#[test]
fn a_line_that_git_was_not_asked_about_says_why() {
    let report = report(Platform::Python, "", &["|f|/srv/app/shop/cart.py 12 0"]);
    let located = |drift| Located { path: "shop/cart.py".into(), line: 12, code: "x".into(), drift };
    for (drift, reason) in [
        (Drift::Differs, Reason::TextDiffers),
        (Drift::None, Reason::GitCannotSay),
        (Drift::Unchecked, Reason::GitCannotSay),
    ] {
        let culprit = located(drift);
        assert_eq!(Case { culprit: Some(&culprit), ..Case::of(&report) }.all(), [reason]);
    }
}

#[test]
fn a_line_at_which_nothing_can_fail_is_said_to_be_one() {
    let report = report(Platform::Python, "", &["|f|/srv/app/shop/cart.py 12 0"]);
    let blank = Located { path: "shop/cart.py".into(), line: 12, code: String::new(), drift: Drift::Differs };
    let found = Case { culprit: Some(&blank), ..Case::of(&report) }.reasons();
    assert_eq!(found[0].reason, Reason::TextDiffers);
    assert!(found[0].what.contains("nothing can fail at shop/cart.py:12"), "{found:?}");
}

#[test]
fn what_could_not_be_looked_at_says_so() {
    let with = report(Platform::Python, "", &["|f|/srv/app/shop/cart.py 12 0"]);
    let without = report(Platform::Python, "sentry.python/2.75.0", &[]);
    for (mirror, reason) in [
        (MirrorState::Unread, Reason::NoMirror),
        (MirrorState::Empty, Reason::EmptyRepository),
        (MirrorState::SetAside, Reason::SetAside),
    ] {
        assert_eq!(Case { mirror, ..Case::of(&with) }.all(), [reason]);
        assert_eq!(Case { mirror, ..Case::of(&without) }.all(), [Reason::NoFrames], "a mirror would not help");
    }
    let test = Case { mirror: MirrorState::Unread, is_test: true, ..Case::of(&without) };
    assert_eq!(test.all(), [Reason::NoMirror]);
}

#[test]
fn the_sentences_say_what_is_so_and_what_to_do() {
    let reasons = [
        NoLine::git_cannot_say("shop/cart.py"),
        NoLine::plain(Reason::NoRelease, "the report names no release".to_owned()),
    ];
    let words = sentences(&reasons, Lacking::Author);
    assert_eq!(
        words[0],
        "It is not known who wrote this line: git can't say it of shop/cart.py, whose history is too large, cut off or damaged."
    );
    assert!(words[1].starts_with("What to do: Whoever runs the server"), "{}", words[1]);
    assert!(words[2].starts_with("Besides, the report names no release. Set release to"), "{}", words[2]);
    assert!(sentences(&reasons, Lacking::Line)[0].starts_with("No line of the repository was found: "));
    assert!(sentences(&[], Lacking::Line).is_empty());
}

#[test]
fn hostile_names_stay_short_and_cost_little() {
    let long = "x/".repeat(500_000);
    let frames: Vec<String> = (0..2_000).map(|n| format!("|f|/{long}{n}.py 1 0")).take(4).collect();
    let frames: Vec<&str> = frames.iter().map(String::as_str).collect();
    let report = report(Platform::Python, "", &frames);
    let files: Vec<String> = (0..20_000).map(|n| format!("d{n}/1.py")).collect();
    let files: Vec<&str> = files.iter().map(String::as_str).collect();
    let case = Case { files: &files, pinned: false, ..Case::of(&report) };
    assert!(case.reasons().iter().all(|one| one.what.chars().count() < 1_000), "{:?}", case.reasons());
}

#[test]
fn each_reason_has_one_name_and_words_of_its_own() {
    let slugs: std::collections::BTreeSet<&str> = Reason::ALL.iter().map(|reason| reason.slug()).collect();
    assert_eq!(slugs.len(), Reason::ALL.len());
    for reason in Reason::ALL {
        let stored = serde_json::to_string(&reason).expect("a name");
        assert_eq!(stored, format!("\"{}\"", reason.slug()), "one name for both");
        assert!(reason.means().ends_with('.') && reason.helps().ends_with('.'));
        assert!([reason.means(), reason.helps()].iter().all(|text| text.matches('`').count() % 2 == 0));
    }
}

/// The one reason of a report of these frames, against a repository without their files.
fn told(platform: Platform, sdk: &str, frames: &[&str]) -> NoLine {
    Case::of(&report(platform, sdk, frames)).reasons().remove(0)
}

#[test]
fn what_has_a_line_says_more_than_frames_of_a_library_without_one() {
    for (platform, sdk, frames, place) in [
        (
            Platform::Other,
            "",
            ["|Shop.Orders.Latest(Guid)|/src/Shop/Orders.cs 41 0", "|System.Linq.ThrowHelper.ThrowNoElements()|"],
            "/src/Shop/Orders.cs:41",
        ),
        (
            Platform::Other,
            "sentry.dotnet/5.0.0",
            ["Shop.Orders|Latest|/src/Shop/Orders.cs 41 0", "Dapper.SqlMapper|Query|"],
            "/src/Shop/Orders.cs:41",
        ),
        (Platform::Native, "sentry.native/0.7.0", ["|total|/b/src/cart.c 9 0", "|abort|"], "/b/src/cart.c:9"),
        (Platform::Other, "", ["|shop:total/1|/b/src/shop.erl 9 0", "|gen_server:call/2|"], "/b/src/shop.erl:9"),
        (Platform::Other, "sentry.dart/8.0.0", ["|total|/b/lib/cart.dart 9 0", "|List.first|"], "/b/lib/cart.dart:9"),
    ] {
        let told = told(platform, sdk, &frames);
        assert_eq!(told.reason, Reason::UnknownPaths, "{frames:?}");
        assert!(told.what.contains(place), "{}", told.what);
    }
    let own = ["|Shop.Cart.Total()|", "|Json.Reader.Read()|/_/src/Json/Reader.cs 12 0"];
    is(Platform::Other, "", &own, Reason::NoLineNumbers);
    is(Platform::Other, "", &["|System.Threading.Thread.Start()|"], Reason::OnlyPackages);
}

#[test]
fn a_bundle_of_a_server_is_told_what_servers_can_do() {
    let bundle = "|t|app:///_next/server/chunks/3f9a8b7c.js 2 48213";
    let file = "|t|/srv/app/dist/main.3f9a8b7c.js 2 48213";
    for (platform, sdk, frame) in [
        (Platform::Node, "sentry.javascript.nextjs/11.0.0", bundle),
        (Platform::Node, "sentry.javascript.nestjs/11.0.0", file),
        (Platform::Javascript, "sentry.javascript.remix/11.0.0", file),
        (Platform::Javascript, "sentry.javascript.cloudflare/11.0.0", "|t|worker.min.js 2 48213"),
        (Platform::Javascript, "sentry.javascript.aws-serverless/11.0.0", bundle),
    ] {
        let told = told(platform, sdk, &[frame]);
        assert_eq!(told.reason, Reason::Minified, "{sdk}");
        assert!(told.help.contains("--enable-source-maps"), "{sdk}: {}", told.help);
    }
    for sdk in ["sentry.javascript.nextjs/11.0.0", "sentry.javascript.react/11.0.0"] {
        let frames = ["|t|https://shop.example.com/_next/static/chunks/3f9a8b7c.js 2 48213", "|map|<anonymous>"];
        let told = told(Platform::Javascript, sdk, &frames);
        assert!(told.help.contains("where scripts are served"), "{sdk}: {}", told.help);
    }
}

#[test]
fn a_visitors_extension_is_nothing_to_mend() {
    for (scheme, deny) in [
        ("chrome-extension", "denyUrls: [/^chrome-extension:/]"),
        ("moz-extension", "denyUrls: [/^moz-extension:/]"),
        ("safari-web-extension", "denyUrls: [/^safari-web-extension:/]"),
    ] {
        let frame = format!("|f|{scheme}://abcdef/inject.js 1 200");
        let told = told(Platform::Javascript, "sentry.javascript.browser/11.0.0", &[&frame, "|g|<anonymous>"]);
        assert_eq!(told.reason, Reason::OnlyPackages);
        assert!(told.what.contains("a visitor's browser extension"), "{}", told.what);
        assert!(told.help.contains(deny) && !told.help.contains("path_mappings"), "{}", told.help);
    }
}

#[test]
fn a_rejected_text_is_said_to_have_no_stack() {
    let internal = ["|triggerUncaughtException|node:internal/process/promises 394 12"];
    for (kind, frames) in [("UnhandledPromiseRejection", &internal[..]), ("UnhandledRejection", &[])] {
        let mut report = report(Platform::Node, "", frames);
        report.exceptions[0].kind = kind.to_owned();
        let told = Case::of(&report).reasons().remove(0);
        assert_eq!((told.reason, told.what.as_str()), (Reason::NoFrames, "a text was rejected instead of an Error"));
        assert!(told.help.contains("new Error("), "{}", told.help);
    }
}

#[test]
fn the_settings_of_packages_are_only_named_where_there_is_a_package() {
    let of = |path: &str| told(Platform::Python, "", &[&format!("|f|{path} 12 0")]);
    assert!(of("/srv/venv/lib/python3.12/site-packages/flask/app.py").help.contains("report_runtime"));
    let own = of("/usr/lib/python3.11/json/decoder.py");
    assert!(own.help.contains("Catch the error") && !own.help.contains(".github"), "{}", own.help);
}

#[test]
fn a_file_below_a_known_folder_is_only_not_committed() {
    let root = |prefix: &str, folder: &str| Root { prefix: prefix.to_owned(), folder: folder.to_owned() };
    let roots = [root("", "src"), root("srv/dep/web", "services/web"), root("app", "")];
    let commit = CommitId::of_text(&"32f5d4fa".repeat(5)).expect("a commit");
    for (path, files, says) in [
        ("/srv/dep/web/gen.js", &[][..], Some("services/web/gen.js")),
        ("/srv/dep/web/lib/gen.js", &["tools/gen.js"], Some("services/web/lib/gen.js")),
        ("/app/models/rates.rb", &[], Some("models/rates.rb")),
        ("/srv/dep/other/gen.js", &[], None),
        ("/srv/dep/web2/gen.js", &[], None),
    ] {
        let report = report(Platform::Other, "", &[&format!("|f|{path} 12 0")]);
        let case = Case { roots: &roots, commit: Some(&commit), files, ..Case::of(&report) };
        assert_eq!(case.all(), [Reason::UnknownPaths], "{path}");
        let told = case.reasons().remove(0);
        let words = says.map(|says| {
            format!("{says} is not in the repository at {}: generated, ignored or not committed", commit.short())
        });
        assert_eq!(words.is_some(), !told.help.contains("path_mappings"), "{}", told.help);
        assert_eq!(words.is_some_and(|words| told.what == words), says.is_some(), "{}", told.what);
    }
}
