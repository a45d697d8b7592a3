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

/// All with all takes a minute.
const STEP: usize = 3;

fn put(text: &str, before: Put) -> String {
    text.lines().enumerate().map(|(at, line)| before(at, line) + "\n").collect()
}

#[test]
fn a_prefix_makes_no_difference() {
    let mut wrong = Vec::new();
    for (number, (name, text, expected)) in ALL.iter().enumerate() {
        // Each text behind some of them, each of them before some texts of all languages.
        for (prefix, before) in BEFORE.iter().skip(number % STEP).step_by(STEP) {
            let read = parse(&put(text, *before)).map(|report| shown(&report)).unwrap_or_default();
            if read != *expected {
                wrong.push(format!("{name} behind {prefix}:\n{read}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}
