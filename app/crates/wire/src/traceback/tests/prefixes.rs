//! What stands before lines in logs and quotes makes no difference to what is read.

use super::{ALL, shown};
use crate::traceback::parse;
use serde_json::json;

/// Puts something before the line with that number.
type Put = fn(usize, &str) -> String;

/// A time as Go writes it: without zeroes at its end, so of any width.
fn nanos(at: usize) -> String {
    let part = format!("{:09}", (at * 1_203_400) % 900_000_000 + 100);
    format!("2026-11-20T03:00:{:02}.{}Z", at / 60 % 60, part.trim_end_matches('0'))
}

const BEFORE: &[(&str, Put)] = &[
    ("compose", |_, line| format!("web-1  | {line}")),
    ("compose, blank lines trimmed", |_, line| format!("web-1  | {line}").trim_end().to_owned()),
    ("compose, old names", |_, line| format!("shop_web_1     | {line}")),
    ("a service's task", |_, line| format!("shop_web.1.x7k2@node-3    | {line}")),
    ("kubectl with times", |at, line| format!("{} {line}", nanos(at))),
    ("kubectl with names", |_, line| format!("[pod/web-6d5f-x2k9/app] {line}")),
    ("kubectl with both", |at, line| format!("[pod/web-6d5f-x2k9/app] {} {line}", nanos(at))),
    ("stern", |_, line| format!("web-6d5f-x2k9 app {line}")),
    ("CRI", |at, line| format!("{} stderr F {line}", nanos(at))),
    ("journald", |_, line| format!("Nov 20 03:00:07 box shop[123]: {line}")),
    ("journald, a day of one digit", |at, line| {
        format!("Nov  2 03:00:{:02} box shop-web@1.service[123]: {line}", at % 60)
    }),
    ("journald, in ISO's order", |_, line| format!("2026-11-20T03:00:07+0000 box shop[123]: {line}")),
    ("journald, in Portuguese", |_, line| format!("fev 15 16:28:23 box shop[123]: {line}")),
    ("journald, in French", |_, line| format!("févr. 15 16:28:23 box shop[123]: {line}")),
    ("journald, in Chinese", |_, line| format!("4月 01 11:13:08 box shop[123]: {line}")),
    ("journald, with a year", |_, line| format!("Fri 2026-11-20 03:00:07 UTC box shop[123]: {line}")),
    ("syslog without a number", |_, line| format!("Nov 20 03:00:07 box shop: {line}")),
    ("RFC 3164", |_, line| format!("<34>Nov 20 03:00:07 box shop[123]: {line}")),
    ("RFC 5424", |at, line| format!("<34>1 2026-11-20T03:00:07.{at:03}Z box.example.com shop 123 ID47 - {line}")),
    ("RFC 5424 with data", |_, line| {
        format!("<165>1 2026-11-20T03:00:07Z box shop 1 - [a@32473 b=\"c\" d=\"1\"] {line}")
    }),
    ("Heroku", |at, line| format!("2026-11-20T03:00:07.{at:06}+00:00 app[web.1]: {line}")),
    ("Papertrail", |_, line| format!("Nov 20 03:00:07 shop app/web.1: {line}")),
    ("Fly", |_, line| format!("2026-11-20T03:00:07Z app[d891e] lhr [info] {line}")),
    ("GitHub Actions", |at, line| format!("2026-11-20T03:00:07.{at:07}Z {line}")),
    ("GitHub Actions' errors", |at, line| format!("2026-11-20T03:00:07.{at:07}Z ##[error]{line}")),
    ("a run's log", |at, line| format!("build\tRun tests\t2026-11-20T03:00:07.{at:07}Z {line}")),
    ("GitLab", |_, line| format!("2026-11-20T03:00:07.123456Z 01E {line}")),
    ("PM2", |_, line| format!("0|app  | {line}")),
    ("PM2 with times", |_, line| format!("0|app  | 2026-11-20T03:00:07: {line}")),
    ("foreman", |_, line| format!("03:00:07 web.1  | {line}")),
    ("concurrently", |_, line| format!("[1] {line}")),
    ("turbo", |_, line| format!("web:dev: {line}")),
    ("lerna", |_, line| format!("@shop/web: {line}")),
    ("Rails' tags", |_, line| format!("[1f0c6a52-9d3e-4a55-b1ad-0c6d0a5e7f11] {line}")),
    ("two tags", |_, line| format!("[web-3] [1f0c6a52-9d3e-4a55-b1ad-0c6d0a5e7f11] {line}")),
    ("Ruby's logger", |_, line| format!("E, [2026-11-20T03:00:07.123456 #4211] ERROR -- : {line}")),
    ("Logback", |_, line| format!("2026-11-20 03:00:07,123 [main] ERROR com.example.shop.Main - {line}")),
    ("Spring", |_, line| format!("2026-11-20T03:00:07.123Z ERROR 4211 --- [nio-8080-exec-1] c.e.shop.Main : {line}")),
    ("log4j", |_, line| format!("ERROR 03:00:07 [main] Main: {line}")),
    ("Python's logging", |_, line| format!("ERROR:shop.orders:{line}")),
    ("Python's logging with a time", |_, line| format!("2026-11-20 03:00:07,123 - shop.orders - ERROR - {line}")),
    ("Gunicorn", |_, line| format!("[2026-11-20 03:00:07 +0000] [4211] [ERROR] {line}")),
    ("logcat", |_, line| format!("E/AndroidRuntime( 1234): {line}")),
    ("logcat with times", |_, line| format!("11-20 03:00:07.123  1234  1250 E AndroidRuntime: {line}")),
    ("klog", |_, line| format!("E1120 03:00:07.123456       1 main.go:12] {line}")),
    ("a kernel", |at, line| format!("[   12.{at:06}] {line}")),
    ("BuildKit", |at, line| format!("#12 3.{at:03} {line}")),
    ("npm", |_, line| format!("npm ERR! {line}")),
    ("Maven", |_, line| format!("[ERROR] {line}")),
    ("Jenkins", |_, line| format!("[2026-11-20T03:00:07.123Z] {line}")),
    ("an access log's time", |_, line| format!("[20/Nov/2026:03:00:07 +0000] {line}")),
    ("C's time", |_, line| format!("[Fri Nov 20 03:00:07 2026] {line}")),
    ("PHP's time", |_, line| format!("[20-Nov-2026 03:00:07 UTC] {line}")),
    ("Go's log", |_, line| format!("2026/11/20 03:00:07 {line}")),
    ("a quote", |_, line| format!("> {line}")),
    ("a quote within a quote", |_, line| format!("> > {line}")),
    ("a comment", |_, line| format!("# {line}")),
    ("another comment", |_, line| format!("// {line}")),
    ("a comment's star", |_, line| format!(" * {line}")),
    ("a bar", |_, line| format!("| {line}")),
    ("compose of a journal", |_, line| format!("web-1  | Nov 20 03:00:07 box shop[123]: {line}")),
    ("compose of CRI of tags", |at, line| format!("web-1  | {} stderr F [a1b2c3d4] {line}", nanos(at))),
    ("a quoted journal", |_, line| format!("> Nov 20 03:00:07 box shop[123]: {line}")),
    ("one that nobody knows", |_, line| format!("~~ shop {{worker 7}} ~~ {line}")),
    ("another that nobody knows", |at, line| format!("T{at:05}/w3 => {line}")),
    ("docker's JSON", |at, line| {
        json!({ "log": format!("{line}\n"), "stream": "stderr", "time": nanos(at) }).to_string()
    }),
    ("a logger's JSON, line by line", |at, line| json!({ "ts": at, "level": "error", "message": line }).to_string()),
    ("fluentd", |_, line| {
        format!("2026-11-20 03:00:07 +0000 docker.web: {}", json!({ "log": line, "container": "x" }))
    }),
    ("compose of JSON", |_, line| format!("web-1  | {}", json!({ "msg": line }))),
    ("the journal's JSON", |_, line| json!({ "MESSAGE": line, "_PID": "12", "PRIORITY": "3" }).to_string()),
];

/// Prefixes that are told by being the same before several lines: before one alone, nobody can
/// tell where they end.
const REPEATED: [&str; 3] = ["stern", "one that nobody knows", "another that nobody knows"];

fn put(text: &str, before: Put) -> String {
    text.lines().enumerate().map(|(at, line)| before(at, line) + "\n").collect()
}

#[test]
fn a_prefix_makes_no_difference() {
    let mut wrong = Vec::new();
    for (name, text, expected) in ALL {
        let is_one_line = text.lines().count() == 1;
        for (prefix, before) in BEFORE.iter().filter(|(prefix, _)| !(is_one_line && REPEATED.contains(prefix))) {
            let read = parse(&put(text, *before)).map(|report| shown(&report)).unwrap_or_default();
            if read != *expected {
                wrong.push(format!("{name} behind {prefix}:\n{read}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

const PYTHON: &str = "Traceback (most recent call last):\n  File \"/srv/app/cart.py\", line 3, in total\n    return a[0]\nKeyError: 'x'\n";
const PYTHON_READ: &str = "Python\nKeyError \"'x'\"\n  /srv/app/cart.py:3 total | return a[0]\n";

fn read(text: &str) -> String {
    parse(text).map(|report| shown(&report)).unwrap_or_default()
}

#[test]
fn of_streams_in_one_log_the_one_with_the_last_traceback_is_read() {
    let noise = ["listening at 10.0.0.1:80", "ValueError: not this one", "  File of orders.csv", "", "done"];
    for (mine, others) in [
        ("web-1  | ", "db-1   | "),
        ("[pod/web-1/app] ", "[pod/web-2/app] "),
        ("[1f0c6a52-9d3e-4a55-b1ad-0c6d0a5e7f11] ", "[2f0c6a52-9d3e-4a55-b1ad-0c6d0a5e7f11] "),
        ("Nov 20 03:00:07 box web[12]: ", "Nov 20 03:00:07 box web[13]: "),
        ("2026-11-20T03:00:07.1Z stderr F ", "2026-11-20T03:00:07.12Z stdout F "),
        ("0|app  | ", "1|jobs | "),
    ] {
        let mut text =
            format!("{others}Traceback (most recent call last):\n{others}  File \"/srv/old.py\", line 1, in f\n");
        for (line, noise) in PYTHON.lines().zip(noise.iter().cycle()) {
            text += &format!("{mine}{line}\n{others}{noise}\n");
        }
        assert_eq!(read(&text), PYTHON_READ, "{mine}");
    }
}

#[test]
fn a_line_in_parts_is_one() {
    let cri = "2026-11-20T03:00:07.1Z stderr F Traceback (most recent call last):\n\
               2026-11-20T03:00:07.12Z stderr P   File \"/srv/app/ca\n\
               2026-11-20T03:00:07.123Z stderr F rt.py\", line 3, in total\n\
               2026-11-20T03:00:07.1Z stderr F     return a[0]\n\
               2026-11-20T03:00:07.1Z stderr F KeyError: 'x'\n";
    assert_eq!(read(cri), PYTHON_READ);
    let log = |part: &str| json!({ "log": part, "stream": "stderr", "time": "x" }).to_string() + "\n";
    let docker = log("Traceback (most recent call last):\n")
        + &log("  File \"/srv/app/ca")
        + &log("rt.py\", line 3, in total\n")
        + &log("    return a[0]\n")
        + &json!({ "log": "between\n", "stream": "stdout", "time": "x" }).to_string()
        + "\n"
        + &log("KeyError: 'x'\n");
    assert_eq!(read(&docker), PYTHON_READ);
}

#[test]
fn tracebacks_in_values_of_structured_logs_are_read() {
    for object in [
        json!({ "level": "error", "message": PYTHON }),
        json!({ "msg": "order failed", "exc_info": PYTHON }),
        json!({ "event": "order failed", "exception": PYTHON, "level": "error" }),
        json!({ "message": "order failed", "error.stack_trace": PYTHON }),
        json!({ "message": "order failed", "error": { "stack": PYTHON, "kind": "KeyError" } }),
        json!({ "message": "order failed", "error": { "traceback": PYTHON.lines().collect::<Vec<_>>() } }),
        json!({ "log": { "record": { "message": "order failed", "exception": { "text": PYTHON } } } }),
    ] {
        assert_eq!(read(&object.to_string()), PYTHON_READ, "{object}");
        let among = format!("{}\n{object}\n{}\n", json!({ "msg": "before" }), json!({ "msg": "after" }));
        assert_eq!(read(&among), PYTHON_READ, "{among}");
        assert_eq!(read(&format!("web-1  | {object}\n")), PYTHON_READ, "{object}");
        assert_eq!(read(&serde_json::to_string_pretty(&object).unwrap()), PYTHON_READ, "{object:#}");
    }
    let quoted = PYTHON.replace('\n', "\\n").replace('"', "\\\"");
    assert_eq!(read(&format!("level=error msg=\"order failed\" stack=\"{quoted}\" id=7\n")), PYTHON_READ);
    let bytes = PYTHON.replace('\n', "\\n").replace('\'', "\\'");
    assert_eq!(read(&format!("stderr: b'{bytes}'\n")), PYTHON_READ);
    assert_eq!(read(&PYTHON.replace('\n', "\r")), PYTHON_READ, "lines in one, as Lambda writes them");
    let ruby =
        json!({ "class": "KeyError", "message": "no x", "backtrace": ["/srv/a.rb:3:in 'f'", "/srv/b.rb:4:in 'g'"] });
    assert_eq!(read(&ruby.to_string()), "Ruby\nKeyError \"no x\"\n  /srv/b.rb:4 g\n  /srv/a.rb:3 f\n");
    let lambda = json!({ "errorType": "TypeError", "errorMessage": "x", "stack": ["TypeError: x", "    at f (/var/task/a.js:1:2)"] });
    let line = format!("2026-11-20T03:00:07.123Z\t1f0c-52\tERROR\tInvoke Error \t{lambda}\n");
    assert_eq!(read(&line), "Node\nTypeError \"x\"\n  /var/task/a.js:1 f\n");
}

#[test]
fn colours_are_taken_out_also_where_they_are_broken() {
    for escape in ["\u{1b}[", "\u{9b}", "^[[", "\\x1b[", "\\u001b[", "\\033[", "#033[", "["] {
        let text = PYTHON
            .replace("  File", &format!("  {escape}1;35mFile"))
            .replace("KeyError", &format!("{escape}31mKeyError{escape}0m"));
        assert_eq!(read(&text), PYTHON_READ, "{escape}");
    }
    let query = PYTHON.replace("'x'", "rate(errors[5m]) of x[0]");
    assert!(read(&query).contains("rate(errors[5m]) of x[0]"));
}

#[test]
fn a_log_of_records_is_read_as_it_is() {
    let text = format!(
        "2026-11-20 03:00:06 INFO going on\n{PYTHON}2026-11-20 03:00:07 INFO next\n2026-11-20 03:00:08 DEBUG at cart.py:3\n"
    );
    assert_eq!(read(&text), PYTHON_READ);
    let half = PYTHON.replace("\n", "\nweb-1  | ").replace("Traceback", "web-1  | Traceback");
    assert_eq!(
        read(half.strip_prefix("web-1  | ").unwrap()),
        PYTHON_READ,
        "the first line was copied from its middle on"
    );
}
