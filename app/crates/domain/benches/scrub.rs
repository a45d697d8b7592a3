//! What scrubbing a new report costs, beside what parsing it costs: `cargo bench -p domain --bench
//! scrub`. Repeats are counted, and never come here. Then hostile texts, ten times as long: the
//! time has to grow as the length does.
#![expect(clippy::print_stdout, clippy::disallowed_methods, reason = "a bench measures time and prints what it finds")]

use domain::report::{Exception, Frame, Report, Request};
use domain::scrub::{Rules, ScrubSettings, scrub, scrub_name, scrub_text};
use serde_json::json;
use std::hint::black_box;
use std::time::Instant;

/// Bytes of a usual event, as JSON.
const USUAL: usize = 10_000;

fn main() {
    let rounds = if std::env::args().any(|argument| argument == "--bench") { 2_000 } else { 20 };
    let rules = Rules::built_in();
    let own = Rules::of(&ScrubSettings {
        names: vec!["customer_ref".to_owned()],
        patterns: vec!["KD-[0-9]{6}".to_owned()],
        keep: vec!["session_id".to_owned()],
    });
    for (name, with_secrets) in [("without secrets", false), ("with secrets", true)] {
        let report = usual(with_secrets);
        let json = serde_json::to_string(&report).unwrap_or_default();
        let parsing = microseconds(rounds, || drop(black_box(serde_json::from_str::<Report>(&json))));
        let copying = microseconds(rounds, || drop(black_box(report.clone())));
        let scrubbed = |rules: &Rules| {
            microseconds(rounds, || {
                let mut report = report.clone();
                scrub(&mut report, rules);
                drop(black_box(report));
            }) - copying
        };
        let (built_in, with_own) = (scrubbed(rules), scrubbed(&own));
        let scale = USUAL as f64 / json.len() as f64;
        println!(
            "{name} ({} bytes): parsing {:.0} µs per 10 kB, scrubbing {:.0} µs ({:.2} of parsing), with settings {:.0} µs",
            json.len(),
            parsing * scale,
            built_in * scale,
            built_in / parsing,
            with_own * scale,
        );
    }
    for users in [40, 400, 4_000] {
        let report = crowded(users);
        let copying = microseconds(20, || drop(black_box(report.clone())));
        let time = microseconds(20, || {
            let mut report = report.clone();
            scrub(&mut report, rules);
            drop(black_box(report));
        });
        println!("{users} users with two secrets each: {:.1} ms", (time - copying) / 1_000.0);
    }
    for (what, report) in hostile_reports() {
        let copying = microseconds(3, || drop(black_box(report.clone())));
        let time = microseconds(3, || {
            let mut report = report.clone();
            scrub(&mut report, rules);
            drop(black_box(report));
        });
        println!("hostile report, {what}: {:.1} ms", (time - copying) / 1_000.0);
    }
    let name = microseconds(rounds * 10, || drop(black_box(scrub_name(black_box("web-1.eu-central-1.shop"), rules))));
    println!("a server's name, of a repeat: {:.0} ns", name * 1_000.0);
    for hostile in [
        "password=",
        "token:[",
        "'a':'",
        "eyJ",
        "://a:",
        "-u a:b ",
        "(pass,",
        "1234 ",
        "a@",
        "%25",
        "mysql -",
        "<pw ",
        "pw,x1\n",
        "pw|",
        "token:[ must be ",
        "\"path\":\"",
        "-----BEGIN PRIVATE KEY-----",
    ] {
        let text = |bytes: usize| hostile.repeat(bytes / hostile.len());
        let (short, long) = (text(100_000), text(1_000_000));
        let time = |text: &str| microseconds(3, || drop(black_box(scrub_text(text, rules)))) / 1_000.0;
        let (short, long) = (time(&short), time(&long));
        println!("hostile {hostile:?}: 100 kB {short:.1} ms, 1 MB {long:.1} ms ({:.1} times)", long / short);
    }
}

fn microseconds(rounds: u32, mut work: impl FnMut()) -> f64 {
    work();
    let began = Instant::now();
    (0..rounds).for_each(|_| work());
    began.elapsed().as_secs_f64() * 1e6 / f64::from(rounds)
}

/// Many secrets, in a frame's variable.
fn crowded(users: u32) -> Report {
    let user = |n: u32| json!({"name": format!("u{n}"), "password_hash": format!("Kh{n}q8xPw2"), "api_token": format!("Kt{n}w7yLm5")});
    let vars = [("users".to_owned(), (0..users).map(user).collect())].into();
    let frames = vec![Frame { vars, ..Frame::default() }];
    let value = Some("refused: Kt39w7yLm5 is wrong for bob".to_owned());
    Report { exceptions: vec![Exception { value, frames, ..Exception::default() }], ..Report::default() }
}

/// Reports of the largest size, made to be slow: 30 messages of 9,000 bytes, 256 KiB of variables.
fn hostile_reports() -> Vec<(&'static str, Report)> {
    let of = |message: &str, vars: serde_json::Value| {
        let message: String = message.chars().take(9_000).collect();
        let vars = [("password".to_owned(), json!(null)), ("vars".to_owned(), vars)].into();
        let raised = Exception { frames: vec![Frame { vars, ..Frame::default() }], ..Exception::default() };
        let others = (0..30).map(|_| Exception { value: Some(message.clone()), ..Exception::default() });
        Report { exceptions: others.chain([raised]).collect(), ..Report::default() }
    };
    let marks =
        format!("INSERT INTO u (password) VALUES {}[parameters: ({}", "(?),".repeat(1_100), "a1,".repeat(1_500));
    let rows = format!("INSERT INTO u (password) VALUES {}[parameters: [{}", "(?),".repeat(1_100), "(a1),".repeat(900));
    let table = format!("{}\n{}", "password,".repeat(60), format!("{}\n", "x1,".repeat(60)).repeat(50));
    let aligned = format!("{}\n{}", "password  ".repeat(45), format!("{}\n", "x1        ".repeat(45)).repeat(20));
    let alike = "Kd83hQ0x7w".repeat(190);
    let secrets: Vec<_> = (0..130).map(|n| json!({"password": format!("{alike}{n}")})).collect();
    vec![
        ("marks and values", of(&marks, json!(null))),
        ("marks and rows", of(&rows, json!(null))),
        ("columns of a table", of(&table, json!(null))),
        ("aligned columns", of(&aligned, json!(null))),
        ("lists in lists", of(&"- password:\n".repeat(900), json!(null))),
        ("secrets that begin alike", of(&alike.repeat(5), json!(secrets))),
        ("a value that a reference chain tells", of(&"from String \"a1\" ".repeat(600), json!(null))),
        ("a value that a path follows", of(&"\"input\":\"a1\" \"path".repeat(600), json!(null))),
        ("a path that a value follows", of(&"\"path\":[\"a\" \"input ".repeat(600), json!(null))),
        ("a rejected value", of(&"propertyPath=password ".repeat(600), json!(null))),
        ("what a validator says", of(&"password mismatch expected 'password' ".repeat(400), json!(null))),
        ("names behind columns", of(&"password | x1 | ".repeat(700), json!(null))),
    ]
}

/// An error of a web application, as its client sends it.
fn usual(with_secrets: bool) -> Report {
    let frame = |n: u32| Frame {
        filename: Some(format!("shop/orders_{n}.py")),
        abs_path: Some(format!("/srv/app/releases/20261128193836/shop/orders_{n}.py")),
        module: Some("shop.orders".to_owned()),
        function: Some("place_order".to_owned()),
        line: Some(40 + n),
        context_line: Some("        total = sum(item.price * item.count for item in order.items)".to_owned()),
        pre_context: (0..5).map(|n| format!("    for key, value in session.items():  # step {n}")).collect(),
        post_context: (0..5).map(|n| format!("        return render(request, \"orders/{n}.html\", context)")).collect(),
        vars: [
            ("self", json!("<shop.orders.OrderService object at 0x7f3b2c1d4e50>")),
            ("order_id", json!("'100004567890'")),
            ("items", json!(["<Item 1>", "<Item 2>", "<Item 3>"])),
            ("user", json!({"'id'": "42", "'name'": "'Ann Example'", "'email'": "'ann@example.com'"})),
            ("password", json!(if with_secrets { format!("'Tr0ub4dor&{n}'") } else { "None".to_owned() })),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into(),
        ..Frame::default()
    };
    let message =
        if with_secrets { "login with Tr0ub4dor&3 at https://ann:Tr0ub4dor&3@db/x failed" } else { "no such order" };
    let exception = Exception {
        kind: "OrderNotFound".to_owned(),
        module: Some("shop.errors".to_owned()),
        value: Some(message.to_owned()),
        frames: (0..6).map(frame).collect(),
        ..Exception::default()
    };
    let headers = [
        ("Accept", "text/html,*/*;q=0.8"),
        ("Cookie", "[Filtered]"),
        ("Host", "shop.example.com"),
        ("User-Agent", "Mozilla/5.0 (X11; Linux x86_64) Chrome/156.0"),
    ];
    Report {
        event_id: "0123456789abcdef0123456789abcdef".to_owned(),
        release: Some("d3a45d2411f0b6c7a890d3a45d2411f0b6c7a890".to_owned()),
        environment: Some("production".to_owned()),
        server_name: Some("web-1".to_owned()),
        transaction: Some("/orders/<id>".to_owned()),
        exceptions: vec![exception],
        request: Some(Request {
            url: Some("https://shop.example.com/orders/100004567890?page=2".to_owned()),
            query: Some("page=2".to_owned()),
            headers: headers.map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
            ..Request::default()
        }),
        ..Report::default()
    }
}
