//! The server test suite of Flawless 0.4.5, case by case under its numbers, and its known-error
//! table, through the whole server.

use crate::harness::fake_github::CommitAuthor;
use crate::harness::smtp::Received;
use crate::harness::story::{REPO, Story, run_test};
use jiff::SignedDuration;
use serde_json::{Value, json};

/// Writes the code of the fixture.
const WISHBONE: &str = "Wishbone <wishbone@example.com>";
/// Only merges: nobody to blame.
const REPO_MASTER: &str = "Repo Master <repo_master@example.com>";
/// When the code was written.
const WRITTEN: &str = "2017-07-30T09:00:00Z";

const FILES: &[(&str, &str)] = &[
    (
        "lib/test.py",
        "\"\"\"A test.\"\"\"\nfrom coreservices import service\n\ndef test_func():\n    return service.serve(None)\n",
    ),
    (
        "coreservices/service.py",
        "\"\"\"Serving.\"\"\"\nimport thirdparty\n\n\ndef serve(request):\n    client = thirdparty.client()\n    return client.call(request)\n",
    ),
    ("coreservices/thrift/file.py", "def read(self):\n    return self.protocol.read_struct()\n"),
    ("coreservices/thrift_file.py", "def read(self):\n    return self.protocol.read_file()\n"),
    ("tools/furminator.py", "def brush(dog):\n    return dog.coat.brush()\n"),
    ("scripts/feed.py", "def feed(dog):\n    return dog.bowl.fill()\n"),
    ("lib/no/such/path/for/testing.py", "def bark():\n    return throat.open()\n"),
    (
        "lib/doghouse/authentication.py",
        "def check_auth(user):\n    if not user.treat:\n        raise AuthError('no treat')\n",
    ),
    (
        "coreservices/waterbowl/rewards/water.py",
        "def drink(bowl):\n    if bowl.empty:\n        raise WaterError('the bowl is empty')\n",
    ),
    ("lib/doghouse/base.py", "def _get_request_param(name):\n    return request.params[name]\n"),
    ("lib/doghouse/page.py", "def page():\n    return base._get_request_param('dog')\n"),
];

fn settings(threshold: u64) -> String {
    format!(
        r#"
report_only_after_minimum_date: 2010-01-01
report_error_threshold: {threshold}
only_blame_filepaths_matching: ['^coreservices(?!.*/thrift/).*$', 'lib/.*', 'tools/.*', 'scripts/.*']
watchers:
  - {{ email: wilfred@example.com, path: tools/furminator.py, all_errors: true }}
  - {{ email: lassie@example.com, path: tools/furminator.py, all_errors: true }}
  - {{ email: wishbone@example.com, path: lib/no/such/path/for/testing.py, all_errors: true }}
third_party_whitelist:
  - {{ file: friends.py, function: post_treat_to_friends }}
  - {{ file: sqlalchemy/pool.py, function: do_get, code: 'raise exc.TimeoutError("QueuePool limit of size %d' }}
known_errors:
  - {{ file: lib/doghouse/authentication.py, function: check_auth, max_alert_threshold: 0 }}
  - file: coreservices/waterbowl/rewards/water.py
    email_recipients: [wilfred@example.com, snoopy@example.com]
    email_header: The water bowl is known to leak
    alert_every_n_occurrences: 1
building_blocks: [{{ file: lib/doghouse/base.py, function: _get_request_param }}]
ignored_exceptions: [exceptions.BananaException]
disowned: [{{ email: wishbone@example.com, path: scripts, designated_email: lassie@example.com }}]
email: {{ default_contact: kennel@example.com }}
"#
    )
}

/// The fixture: Wishbone wrote the code, somebody else committed it.
async fn begin(story: &mut Story, threshold: u64) {
    begin_with(story, &settings(threshold), WRITTEN).await;
}

async fn begin_with(story: &mut Story, settings: &str, written: &str) {
    story.github.add_user(31, "wishbone");
    for (path, text) in FILES {
        story.repo.write(path, text);
    }
    story.repo.write(".github/flawless.yml", settings);
    story.repo.git(&["add", "--all"]);
    let author = format!("--author={WISHBONE}");
    let date = format!("--date={written}");
    let commit = ["commit", "--quiet", "--message", "All of it", &author, &date];
    story.repo.git_as(REPO_MASTER, "2019-12-24T10:00:00Z", &commit);
    story.github.set_commit_author(REPO, &story.repo.head(), CommitAuthor::Login("wishbone".to_owned()));
    story.install().await;
    let row = story.repository().await;
    assert_eq!(row.settings_error, None);
}

/// A frame of the repository, deployed into a package directory: the line of `path` that contains
/// `text`.
fn own(path: &str, function: &str, text: &str) -> Value {
    let (_, file) = FILES.iter().find(|(name, _)| *name == path).unwrap();
    let at = file.lines().position(|line| line.contains(text)).unwrap();
    frame(path, function, at + 1, file.lines().nth(at).unwrap())
}

fn frame(path: &str, function: &str, line: usize, code: &str) -> Value {
    json!({"filename": path, "abs_path": format!("/usr/lib/python3.9/site-packages/{path}"), "function": function,
        "lineno": line, "context_line": code, "vars": {"self": "<kennel>"}})
}

/// The outermost first.
fn event(story: &Story, module: &str, kind: &str, frames: &[Value]) -> Value {
    json!({"platform": "python", "release": story.repo.head(), "environment": "production", "server_name": "kennel-1",
        "exception": {"values": [{"type": kind, "module": module, "value": "woof", "stacktrace": {"frames": frames}}]}})
}

/// lib/test.py:5 test_func, coreservices/service.py:7 serve, thirdparty/3rdparty_lib.py:9 call.
fn stack_t() -> Vec<Value> {
    let frames = vec![
        own("lib/test.py", "test_func", "service.serve"),
        own("coreservices/service.py", "serve", "client.call"),
        frame("thirdparty/3rdparty_lib.py", "call", 9, "    return self.transport.send(request)"),
    ];
    assert_eq!((&frames[0]["lineno"], &frames[1]["lineno"]), (&json!(5), &json!(7)));
    frames
}

/// `PATH:LINE FUNCTION AUTHOR COUNT` of each line.
async fn lines(story: &Story) -> Vec<String> {
    story
        .lines()
        .await
        .iter()
        .map(|line| {
            let author = line.author_email.as_deref().unwrap_or("nobody");
            format!("{}:{} {} {author} {}", line.place.path, line.place.line, line.place.function, line.total)
        })
        .collect()
}

/// Reports; answers the mails that followed. The cases are of a program that sent mails and nothing
/// else: they say who got one, and issues are not their matter.
async fn report(story: &mut Story, event: &Value) -> Vec<Received> {
    story.report(event).await;
    story.changes();
    story.mails()
}

/// Reports; answers who got mail, in order.
async fn told(story: &mut Story, event: &Value) -> Vec<String> {
    let mut told: Vec<String> = report(story, event).await.into_iter().flat_map(|mail| mail.to).collect();
    told.sort();
    told
}

const WISHBONE_LINE: &str = "coreservices/service.py:7 serve wishbone@example.com";

#[test]
fn s1_the_innermost_line_of_ones_own_is_blamed_and_its_author_gets_one_mail() {
    run_test(async |story| {
        begin(story, 1).await;
        let event = event(story, "builtins", "KeyError", &stack_t());
        assert_eq!(told(story, &event).await, ["wishbone@example.com"]);
        assert_eq!(lines(story).await, [format!("{WISHBONE_LINE} 1")]);
    });
}

#[test]
fn s2_a_file_whose_name_begins_like_an_excluded_folder_is_not_excluded() {
    run_test(async |story| {
        begin(story, 1).await;
        let frames =
            [own("lib/test.py", "test_func", "service.serve"), own("coreservices/thrift_file.py", "read", "read_file")];
        let event = event(story, "builtins", "KeyError", &frames);
        assert_eq!(told(story, &event).await, ["wishbone@example.com"]);
        assert_eq!(lines(story).await, ["coreservices/thrift_file.py:2 read wishbone@example.com 1"]);
    });
}

#[test]
fn s3_where_only_an_excluded_file_qualifies_nobody_is_blamed_and_the_default_contact_hears_of_it_once() {
    run_test(async |story| {
        begin(story, 1).await;
        let event = event(story, "builtins", "KeyError", &[own("coreservices/thrift/file.py", "read", "read_struct")]);
        let mails = report(story, &event).await;
        assert_eq!(mails.len(), 1);
        assert_eq!(mails[0].to, ["kennel@example.com"]);
        assert!(
            mails[0].text().contains("self.protocol.read_struct()"),
            "the traceback is in the mail: {}",
            mails[0].text()
        );
        assert!(report(story, &event).await.is_empty());
        let lines = lines(story).await;
        assert_eq!(lines.len(), 1);
        assert!(lines[0].ends_with("nobody 2"), "{lines:?}");
        let page = story.page(&format!("/{REPO}")).await;
        assert!(page.contains("self.protocol.read_struct()") && page.contains("nobody known"), "{page}");
    });
}

#[test]
fn s4_an_ignored_exception_causes_nothing() {
    run_test(async |story| {
        begin(story, 1).await;
        let event = event(story, "exceptions", "BananaException", &stack_t());
        assert!(report(story, &event).await.is_empty());
        assert!(lines(story).await.is_empty());
    });
}

#[test]
fn s5_below_the_threshold_a_report_is_only_counted() {
    run_test(async |story| {
        begin(story, 2).await;
        let event = event(story, "builtins", "KeyError", &stack_t());
        assert!(report(story, &event).await.is_empty());
        assert_eq!(lines(story).await, [format!("{WISHBONE_LINE} 1")]);
        assert_eq!(told(story, &event).await, ["wishbone@example.com"]);
    });
}

#[test]
fn s6_a_reports_own_threshold_wins() {
    run_test(async |story| {
        begin(story, 2).await;
        let mut event = event(story, "builtins", "KeyError", &stack_t());
        event["contexts"]["flawless"]["error_threshold"] = json!(1);
        assert_eq!(told(story, &event).await, ["wishbone@example.com"]);
    });
}

fn water(story: &Story) -> Value {
    let frames = [
        own("lib/test.py", "test_func", "service.serve"),
        own("coreservices/waterbowl/rewards/water.py", "drink", "raise"),
    ];
    event(story, "builtins", "WaterError", &frames)
}

#[test]
fn s7_a_known_errors_own_terms_stand_above_the_threshold() {
    run_test(async |story| {
        begin(story, 3).await;
        let water = water(story);
        assert_eq!(told(story, &water).await, ["snoopy@example.com", "wilfred@example.com", "wishbone@example.com"]);
    });
}

#[test]
fn s8_who_watches_a_file_that_is_passed_through_is_told_too() {
    run_test(async |story| {
        begin(story, 1).await;
        let mut frames = stack_t();
        frames.insert(0, own("tools/furminator.py", "brush", "dog.coat"));
        let event = event(story, "builtins", "KeyError", &frames);
        assert_eq!(told(story, &event).await, ["lassie@example.com", "wilfred@example.com", "wishbone@example.com"]);
        assert_eq!(lines(story).await, [format!("{WISHBONE_LINE} 1")]);
    });
}

#[test]
fn s9_additional_information_and_the_known_errors_header_are_in_the_mail() {
    run_test(async |story| {
        begin(story, 1).await;
        let mut water = water(story);
        water["extra"] = json!({"breed": "Jack Russell Terrier"});
        water["request"] = json!({"url": "https://kennel.example/bowl?size=large", "method": "POST"});
        for mail in report(story, &water).await {
            for (body, what) in [(mail.text(), "text"), (mail.html(), "HTML")] {
                for part in ["The water bowl is known to leak", "Jack Russell Terrier", "https://kennel.example/bowl"] {
                    assert!(body.contains(part), "{part} is not in the {what}: {body}");
                }
            }
        }
    });
}

#[test]
fn s10_an_author_who_also_watches_gets_one_copy() {
    run_test(async |story| {
        begin(story, 1).await;
        let event = event(story, "builtins", "KeyError", &[own("lib/no/such/path/for/testing.py", "bark", "throat")]);
        assert_eq!(told(story, &event).await, ["wishbone@example.com"]);
    });
}

#[test]
fn s11_a_line_from_before_the_minimum_date_is_only_counted() {
    run_test(async |story| {
        begin_with(story, &settings(1), "2009-06-01T00:00:00Z").await;
        let event = event(story, "builtins", "KeyError", &stack_t());
        assert!(report(story, &event).await.is_empty());
        assert_eq!(lines(story).await, [format!("{WISHBONE_LINE} 1")]);
    });
}

#[test]
fn s12_the_same_on_two_days_is_one_line_and_one_mail() {
    run_test(async |story| {
        begin(story, 1).await;
        let event = event(story, "builtins", "KeyError", &stack_t());
        assert_eq!(told(story, &event).await, ["wishbone@example.com"]);
        story.later(SignedDuration::from_hours(24)).await;
        assert!(report(story, &event).await.is_empty());
        assert_eq!(lines(story).await, [format!("{WISHBONE_LINE} 2")]);
        // The original kept its state for a week, and began anew with the next.
        story.later(SignedDuration::from_hours(14 * 24)).await;
        assert!(report(story, &event).await.is_empty());
        assert_eq!(lines(story).await, [format!("{WISHBONE_LINE} 3")]);
    });
}

#[test]
fn s13_a_known_raise_is_the_culprit_and_nobody_is_told() {
    run_test(async |story| {
        begin(story, 1).await;
        let frames = [
            own("coreservices/service.py", "serve", "client.call"),
            own("lib/doghouse/authentication.py", "check_auth", "raise"),
        ];
        let event = event(story, "builtins", "AuthError", &frames);
        assert!(report(story, &event).await.is_empty());
        assert_eq!(lines(story).await, ["lib/doghouse/authentication.py:3 check_auth wishbone@example.com 1"]);
        assert!(story.lines().await[0].known);
    });
}

#[test]
fn s14_s15_a_traceback_that_passes_whitelisted_third_party_code_is_dropped() {
    run_test(async |story| {
        begin(story, 1).await;
        let mut friends = stack_t();
        friends.push(frame("friends.py", "post_treat_to_friends", 12, "    return graph.post(treat)"));
        let mut pool = stack_t();
        let code =
            "            raise exc.TimeoutError(\"QueuePool limit of size %d overflow %d reached\" % (size, more))";
        pool.insert(1, frame("sqlalchemy/pool.py", "do_get", 700, code));
        for frames in [&friends, &pool] {
            let event = event(story, "builtins", "KeyError", frames);
            assert!(report(story, &event).await.is_empty());
            assert!(lines(story).await.is_empty());
        }
        // Another line of the same function is not meant.
        pool[1]["context_line"] = json!("            return self._pool.get(wait, self._timeout)");
        let event = event(story, "builtins", "KeyError", &pool);
        assert_eq!(told(story, &event).await, ["wishbone@example.com"]);
    });
}

#[test]
fn s16_the_caller_of_library_code_is_blamed() {
    run_test(async |story| {
        begin(story, 1).await;
        let frames = [
            own("lib/doghouse/page.py", "page", "base._get"),
            own("lib/doghouse/base.py", "_get_request_param", "params"),
        ];
        let event = event(story, "builtins", "KeyError", &frames);
        assert_eq!(told(story, &event).await, ["wishbone@example.com"]);
        assert_eq!(lines(story).await, ["lib/doghouse/page.py:2 page wishbone@example.com 1"]);
    });
}

#[test]
fn s17_who_took_over_a_disowned_folder_is_told() {
    run_test(async |story| {
        begin(story, 1).await;
        let event = event(story, "builtins", "KeyError", &[own("scripts/feed.py", "feed", "bowl")]);
        assert_eq!(told(story, &event).await, ["lassie@example.com"]);
        let line = &story.lines().await[0];
        assert_eq!(line.author_email.as_deref(), Some("wishbone@example.com"), "the line stays theirs in the reports");
    });
}

/// The counts, 1 to 8, at which a known error with these terms is mailed; reports come in steps of
/// `step`.
async fn known_table(story: &mut Story, terms: &str, counts: &[u64]) -> Vec<u64> {
    let text = "def drink(bowl):\n    return bowl.pour()\n";
    let entry = format!("known_errors: [{{ file: lib/bowl.py{}{terms} }}]\n", if terms.is_empty() { "" } else { ", " });
    story.commit(WISHBONE, WRITTEN, &[("lib/bowl.py", text), (".github/flawless.yml", &entry)], "Pour");
    story.github.add_user(31, "wishbone");
    story.install().await;
    let row = story.repository().await;
    assert_eq!(row.settings_error, None, "{entry}");
    let mut mailed = Vec::new();
    let mut total = 0;
    for count in counts {
        let mut event =
            event(story, "builtins", "WaterError", &[frame("lib/bowl.py", "drink", 2, "    return bowl.pour()")]);
        event["contexts"]["flawless"]["count"] = json!(count);
        total += count;
        let mails = report(story, &event).await;
        assert!(mails.len() < 2, "one mail at a time");
        if !mails.is_empty() {
            mailed.push(total);
        }
    }
    assert_eq!(story.lines().await[0].total, total);
    mailed
}

/// A row of the known-error table: the terms, the steps in which reports arrive, and the counts
/// that are mailed.
fn known_row(terms: &str, counts: &[u64], mailed: &[u64]) {
    run_test(async |story| assert_eq!(known_table(story, terms, counts).await, mailed, "{{{terms}}}"));
}

const ONE_BY_ONE: &[u64] = &[1; 8];

#[test]
fn known_error_table_nothing_said_is_never_told() {
    known_row("", ONE_BY_ONE, &[]);
}

#[test]
fn known_error_table_min_3() {
    known_row("min_alert_threshold: 3", ONE_BY_ONE, &[3]);
}

#[test]
fn known_error_table_max_5() {
    known_row("max_alert_threshold: 5", ONE_BY_ONE, &[]);
}

#[test]
fn known_error_table_every_2() {
    known_row("alert_every_n_occurrences: 2", ONE_BY_ONE, &[2, 4, 6, 8]);
}

#[test]
fn known_error_table_every_2_max_5() {
    known_row("alert_every_n_occurrences: 2, max_alert_threshold: 5", ONE_BY_ONE, &[2, 4]);
}

#[test]
fn known_error_table_min_3_every_2_max_7() {
    let terms = "min_alert_threshold: 3, alert_every_n_occurrences: 2, max_alert_threshold: 7";
    known_row(terms, ONE_BY_ONE, &[2, 4, 6]);
}

#[test]
fn known_error_table_min_3_max_2() {
    known_row("min_alert_threshold: 3, max_alert_threshold: 2", ONE_BY_ONE, &[]);
}

#[test]
fn known_error_table_max_0() {
    known_row("max_alert_threshold: 0", ONE_BY_ONE, &[]);
}

#[test]
fn beat_a_batched_count_that_jumps_over_a_multiple_fires() {
    // 10, then 6 more at once: Flawless 0.4.5 never saw 15.
    known_row("alert_every_n_occurrences: 5", &[4, 6, 6, 1], &[10, 16]);
}

#[test]
fn beat_the_first_reports_batched_count_counts() {
    known_row("min_alert_threshold: 5", &[6, 1], &[6]);
    run_test(async |story| {
        begin(story, 5).await;
        let mut event = event(story, "builtins", "KeyError", &stack_t());
        event["contexts"]["flawless"]["count"] = json!(6);
        assert_eq!(told(story, &event).await, ["wishbone@example.com"]);
        assert_eq!(lines(story).await, [format!("{WISHBONE_LINE} 6")]);
    });
}

#[test]
fn beat_every_spelling_of_raise_is_passed_over() {
    for raise in ["raise", "raise(WaterError)", "raise\tWaterError", "raise WaterError  # empty"] {
        run_test(async |story| {
            let text = format!("def drink(bowl):\n    {raise}\n\n\ndef walk(dog):\n    return drink(dog.bowl)\n");
            story.commit(WISHBONE, WRITTEN, &[("lib/bowl.py", &text)], "Drink");
            story.github.add_user(31, "wishbone");
            story.install().await;
            let frames = [
                frame("lib/bowl.py", "walk", 6, "    return drink(dog.bowl)"),
                frame("lib/bowl.py", "drink", 2, &format!("    {raise}")),
            ];
            let event = event(story, "builtins", "WaterError", &frames);
            report(story, &event).await;
            assert_eq!(lines(story).await, ["lib/bowl.py:6 walk wishbone@example.com 1"], "{raise:?}");
        });
    }
}

#[test]
fn beat_a_frame_without_text_and_a_fragment_do_not_match_every_entry() {
    run_test(async |story| {
        let entries = "known_errors:\n  - { file: coreservices/service.py, function: serve, code: ')' }\n  \
                       - { file: coreservices/service.py, function: serve, code: 'client = thirdparty.client()' }\n";
        begin_with(story, entries, WRITTEN).await;
        let mut frames = stack_t();
        frames[1]["context_line"] = Value::Null;
        let event = event(story, "builtins", "KeyError", &frames);
        assert_eq!(told(story, &event).await, ["wishbone@example.com"]);
        assert!(!story.lines().await[0].known);
    });
}

#[test]
fn beat_the_most_specific_entry_wins_not_the_first() {
    run_test(async |story| {
        let entries = "known_errors:\n  - { file: coreservices/service.py }\n  \
                       - { file: coreservices/service.py, function: serve, code: client, email_recipients: [short@x.io] }\n  \
                       - { file: coreservices/service.py, function: serve, code: 'client.call(request)',\n\
                       \x20     alert_every_n_occurrences: 1, email_recipients: [exact@x.io] }\n";
        begin_with(story, entries, WRITTEN).await;
        let event = event(story, "builtins", "KeyError", &stack_t());
        assert_eq!(told(story, &event).await, ["exact@x.io", "wishbone@example.com"]);
    });
}

#[test]
fn beat_the_most_specific_disowned_path_wins() {
    run_test(async |story| {
        let entries = "disowned:\n  - { email: wishbone@example.com, path: coreservices/service.py, designated_email: child@x.io }\n  \
                       - { email: wishbone@example.com, path: coreservices, designated_email: parent@x.io }\n";
        begin_with(story, entries, WRITTEN).await;
        let event = event(story, "builtins", "KeyError", &stack_t());
        assert_eq!(told(story, &event).await, ["child@x.io"]);
    });
}

#[test]
fn beat_who_watches_a_folder_is_told_of_its_culprits_but_not_of_what_only_passes_through() {
    run_test(async |story| {
        let entries = "watchers:\n  - { email: core@x.io, path: coreservices }\n  - { email: lib@x.io, path: lib/ }\n";
        begin_with(story, entries, WRITTEN).await;
        let event = event(story, "builtins", "KeyError", &stack_t());
        assert_eq!(told(story, &event).await, ["core@x.io", "wishbone@example.com"]);
    });
}

#[test]
fn beat_addresses_of_any_top_level_domain_get_mail() {
    run_test(async |story| {
        story.github.add_user(32, "toto");
        let text = "def bark():\n    return throat.open()\n";
        story.commit("Toto <toto@kansas.photography>", WRITTEN, &[("lib/toto.py", text)], "Bark");
        story.install().await;
        let event = event(story, "builtins", "E", &[frame("lib/toto.py", "bark", 2, "    return throat.open()")]);
        assert_eq!(told(story, &event).await, ["toto@kansas.photography"]);
    });
}

#[test]
fn beat_dates_are_compared_as_dates() {
    run_test(async |story| {
        // As texts, the day before in another time zone, or the same day with a time, come out
        // wrong.
        begin_with(story, "report_only_after_minimum_date: 2017-07-30\n", "2017-07-29T23:30:00-0200").await;
        let event = event(story, "builtins", "KeyError", &stack_t());
        assert_eq!(told(story, &event).await, ["wishbone@example.com"], "it was the 30th already");
    });
}

#[test]
fn beat_one_bad_entry_stops_nothing_and_is_shown_with_its_line() {
    run_test(async |story| {
        begin(story, 2).await;
        let bad = format!("{}\nknown_erors: []\n", settings(1));
        story.commit(WISHBONE, WRITTEN, &[(".github/flawless.yml", &bad)], "A slip");
        story.push().await;
        let event = event(story, "builtins", "KeyError", &stack_t());
        assert!(report(story, &event).await.is_empty(), "the last good file is in force, with its threshold of 2");
        let row = story.repository().await;
        let error = row.settings_error.unwrap();
        let line = bad.lines().position(|line| line.starts_with("known_erors")).unwrap() + 1;
        assert_eq!(error, format!("line {line}: known_erors: there is no such key; did you mean known_errors?"));
        let page = story.page(&format!("/{REPO}")).await;
        assert!(page.contains(&format!("Line {line}: known_erors")), "{page}");
    });
}

#[test]
fn beat_a_repository_without_an_app_works_by_mail_alone() {
    run_test(async |story| {
        begin(story, 1).await;
        let url = format!("file://{}", story.repo.git_dir().display());
        let (key, project) = story.watch_plainly("plain/kennel", &url).await;
        let event = event(story, "builtins", "KeyError", &stack_t());
        assert_eq!(story.send_to(story.url(), &key, project, &event).await, 200);
        story.settle().await;
        assert!(story.unread_text().contains("/add_known_error?"), "it is answered by links");
        // There is nowhere to file an issue.
        insta::assert_snapshot!(story.transcript(), @"
        mail to wishbone@example.com: [plain/kennel] KeyError in serve (coreservices/service.py:7)
            You wrote this line.
        ");
    });
}
