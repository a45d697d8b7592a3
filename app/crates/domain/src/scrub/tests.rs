//! Reports and texts, before and after.

use super::*;
use crate::report::{Exception, Frame, Request};
use serde_json::{Value, json};

fn report(vars: Value, value: &str) -> Report {
    let vars = vars.as_object().into_iter().flatten().map(|(k, v)| (k.clone(), v.clone())).collect();
    let frame = Frame { vars, context_line: Some("password = 'in the code'".to_owned()), ..Frame::default() };
    let exception =
        Exception { kind: "E".to_owned(), value: Some(value.to_owned()), frames: vec![frame], ..Default::default() };
    Report { exceptions: vec![exception], ..Report::default() }
}

fn scrubbed(vars: Value, value: &str) -> (Value, String) {
    let mut report = report(vars, value);
    scrub(&mut report, Rules::built_in());
    assert_eq!(report.exceptions[0].frames[0].context_line.as_deref(), Some("password = 'in the code'"));
    let frame = &report.exceptions[0].frames[0];
    (json!(frame.vars), report.exceptions[0].value.clone().unwrap_or_default())
}

#[test]
fn a_secret_is_hidden_under_its_name_and_wherever_it_occurs_again() {
    let (vars, value) = scrubbed(
        json!({"card_number": "'tok_1111'", "a": "'tok_1111'", "args": ["'tok_1111'", "1"], "author": "'Ann'"}),
        "no such card 'tok_1111' (nontok_11112)",
    );
    assert_eq!(
        vars,
        json!({"card_number": "[Filtered]", "a": "'[Filtered]'", "args": ["'[Filtered]'", "1"], "author": "'Ann'"})
    );
    assert_eq!(value, "no such card '[Filtered]' (nontok_11112)");
}

#[test]
fn nested_keys_pairs_and_representations() {
    let (vars, _) = scrubbed(
        json!({
            "settings": {"'db'": {"PASSWORD": "'x'", "'api_key'": "'y'", "HOST": "'db'"}, "n": 4111111111111111_u64},
            "headers": [["Authorization", "x"], ["Accept", "y"]],
            "session": {"user": "'alice in wonderland'", "csrf": "'u7'"},
            "self": "<Login user='alice in wonderland' password='hunter2'>",
            "token": null, "password": "None", "cookie": false, "secret": "''", "cvv": 123,
        }),
        "",
    );
    assert_eq!(
        vars,
        json!({
            "settings": {"'db'": {"PASSWORD": "[Filtered]", "'api_key'": "[Filtered]", "HOST": "'db'"}, "n": "[Filtered]"},
            "headers": [["Authorization", "[Filtered]"], ["Accept", "y"]],
            "session": {"user": "'alice in wonderland'", "csrf": "[Filtered]"},
            "self": "<Login user='alice in wonderland' password='[Filtered]'>",
            "token": null, "password": "None", "cookie": false, "secret": "''", "cvv": "[Filtered]",
        })
    );
}

#[test]
fn requests_messages_and_additional_information() {
    let mut report = Report {
        message: Some("login with password=hunter22 failed".to_owned()),
        request: Some(Request {
            url: Some("https://ann:pw@shop.test/a?token=abcdef1&x=1".to_owned()),
            query: Some("token=abcdef1&x=1".to_owned()),
            headers: [
                ("X-Api-Key", "k"),
                ("Cookie", "sid=1; theme=dark"),
                ("Accept", "text/html"),
                ("X-Debug", "abcdef1"),
            ]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into(),
            data: Some(json!("a=b&password=c")),
            ..Request::default()
        }),
        additional: [("extra".to_owned(), json!({"retry": "hunter22", "private_key": "k", "sort_key": "s"}))].into(),
        ..Report::default()
    };
    scrub(&mut report, Rules::built_in());
    assert_eq!(report.message.as_deref(), Some("login with password=[Filtered] failed"));
    let request = report.request.clone().unwrap_or_default();
    assert_eq!(request.url.as_deref(), Some("https://[Filtered]@shop.test/a?token=[Filtered]&x=1"));
    assert_eq!(request.query.as_deref(), Some("token=[Filtered]&x=1"));
    assert_eq!(
        json!(request.headers),
        json!({"X-Api-Key": "[Filtered]", "Cookie": "[Filtered]", "Accept": "text/html", "X-Debug": "[Filtered]"})
    );
    assert_eq!(request.data, Some(json!("a=b&password=[Filtered]")));
    assert_eq!(
        report.additional["extra"],
        json!({"retry": "[Filtered]", "private_key": "[Filtered]", "sort_key": "s"})
    );
}

#[test]
fn scrubbing_twice_changes_nothing_more() {
    let mut once = report(
        json!({"password": "'hunter2'", "a": "b=1&token=abcdefg", "u": "x://a:b@c", "l": {"auth": ["x", "y"]}}),
        "Bearer abcdef123 Authorization: Basic dXNlcjpwYXNz\ncookie: [Filtered]",
    );
    scrub(&mut once, Rules::built_in());
    let mut twice = once.clone();
    scrub(&mut twice, Rules::built_in());
    assert_eq!(once, twice);
}

#[test]
fn a_common_word_behind_a_secret_name_stays_elsewhere() {
    let (_, value) = scrubbed(json!({"token": "'invalid'"}), "invalid literal");
    assert_eq!(value, "invalid literal");
}

#[test]
fn every_text_of_a_report_is_looked_at() {
    // Each in a place of its own, so that none is hidden only because another one is.
    let token = |n: u32| format!("{}{}{n:04}", ["gh", "p_"].concat(), "aB3dE6gH9jK2mN5pQ8rS1tU4vW7x");
    let some = |n: u32| Some(format!("a {}", token(n)));
    let frame = Frame {
        filename: some(1),
        abs_path: some(2),
        module: some(3),
        function: some(4),
        context_line: some(5),
        pre_context: vec![token(6)],
        post_context: vec![token(7)],
        vars: [(token(8), json!({token(9): [token(10)]}))].into(),
        ..Frame::default()
    };
    let exception = Exception {
        kind: token(11),
        module: some(12),
        value: some(13),
        source: some(14),
        frames: vec![frame],
        ..Exception::default()
    };
    let request = Request {
        url: some(15),
        method: some(16),
        query: some(17),
        headers: [(token(18), token(19))].into(),
        data: Some(json!(token(20))),
    };
    let mut report = Report {
        release: some(21),
        revision: some(22),
        environment: some(23),
        server_name: some(24),
        transaction: some(25),
        logger: some(26),
        sdk: some(27),
        message: some(28),
        exceptions: vec![exception],
        request: Some(request),
        additional: [(token(29), json!(token(30)))].into(),
        ..Report::default()
    };
    scrub(&mut report, Rules::built_in());
    let stored = serde_json::to_string(&report).unwrap();
    let left: Vec<u32> = (1..=30).filter(|n| stored.contains(&token(*n))).collect();
    assert_eq!(left, [0_u32; 0], "{stored}");
    assert_eq!(stored.matches(FILTERED).count(), 30, "{stored}");
}

#[test]
fn what_was_found_once_is_hidden_cut_and_encoded_too() {
    let (vars, value) = scrubbed(
        json!({
            "password": "'S0mmer/2024&x'", "url": "x?p=S0mmer%2F2024%26x", "b": "YW5uOlMwbW1lci8yMDI0Jng=",
            "hex": "53306d6d65722f323032342678", "html": "S0mmer/2024&amp;x", "cut": "it was S0mmer/202…", "part": "'S0mmer'",
        }),
        "no S0mmer/2024&x here",
    );
    assert_eq!(
        vars,
        json!({
            "password": "[Filtered]", "url": "x?p=[Filtered]", "b": "[Filtered]", "hex": "[Filtered]", "html": "[Filtered]",
            "cut": "it was [Filtered]…", "part": "'S0mmer'",
        })
    );
    assert_eq!(value, "no [Filtered] here");
}

#[test]
fn what_was_found_once_is_hidden_however_it_is_written() {
    use base64::Engine as _;
    use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
    // Short enough to be looked for as a whole only; with a sign that each way of writing changes.
    let secret = "S>>>\"m<&'\\2";
    let form: String = url::form_urlencoded::byte_serialize(format!("{secret} 7").as_bytes()).collect();
    let json = json!(secret).to_string();
    let mut written = vec![
        ("as it is", secret.to_owned()),
        ("JSON", json.trim_matches('"').to_owned()),
        ("a representation", r#"S>>>"m<&\'\\2"#.to_owned()),
        ("a form", form.trim_end_matches("+7").to_owned()),
        ("HTML", "S&gt;&gt;&gt;&quot;m&lt;&amp;'\\2".to_owned()),
        ("hexadecimal digits", hex::encode(secret)),
    ];
    for before in ["", "a", "ab"] {
        written.push(("base64", STANDARD.encode(format!("{before}{secret}"))));
        written.push(("base64 for URLs", URL_SAFE_NO_PAD.encode(format!("{before}{secret}"))));
    }
    for (how, text) in written {
        let (vars, _) = scrubbed(json!({ "password": secret, "note": format!("seen {text} here") }), "");
        assert_eq!(vars, json!({ "password": FILTERED, "note": format!("seen {FILTERED} here") }), "as {how}: {text}");
    }
}

#[test]
fn what_was_found_once_is_hidden_in_a_form_and_in_an_address() {
    for written in ["Tr0ub+4%263", "Tr0ub%204%263"] {
        let (vars, _) = scrubbed(json!({ "password": "Tr0ub 4&3", "note": format!("seen {written} here") }), "");
        assert_eq!(vars, json!({ "password": FILTERED, "note": format!("seen {FILTERED} here") }), "{written}");
    }
}

#[test]
fn what_was_found_once_is_hidden_where_its_beginning_was_cut_off() {
    let (vars, value) = scrubbed(
        json!({ "password": "q9Zk2mN5pQ8rS1tU4v", "cut": "…k2mN5pQ8rS1tU4v is wrong" }),
        "no user for …pQ8rS1tU4v",
    );
    assert_eq!(vars, json!({ "password": FILTERED, "cut": format!("…{FILTERED} is wrong") }));
    assert_eq!(value, format!("no user for …{FILTERED}"));
}

#[test]
fn secrets_are_found_in_what_is_encoded() {
    for (text, expected) in [
        ("{&quot;password&quot;: &quot;hunter2&quot;}", "{&quot;password&quot;: &quot;#&quot;}"),
        ("{\\u0022password\\u0022:\\u0022hunter2\\u0022}", "{\\u0022password\\u0022:\\u0022#\\u0022}"),
        ("\u{1b}[33mpassword\u{1b}[0m=hunter2 x", "\u{1b}[33mpassword\u{1b}[0m=# x"),
        ("next=%2Fa%3Fb%3D1%26password%3Dhunter2%26c%3D2", "next=%2Fa%3Fb%3D1%26password%3D#%26c%3D2"),
    ] {
        assert_eq!(hidden(text), expected, "{text}");
    }
}

#[test]
fn tokens_that_no_prefix_tells_are_known_as_whole_words() {
    let some = "aB3dE6gH9jK2mN5pQ8rS1tU4vW7xY0zC5eF8hJ1kL4nP7qR0sT3uV6wX9yA2bD5gM8";
    let hex = "3f9a1c7e5b2d8064f1a3c5e7092b4d6810abcdef98765432";
    for token in [
        format!("1102015430:AA{}", &some[..33]),
        format!("M{}.{}.{}", &some[..23], &some[23..29], &some[29..56]),
        format!("s.{}", &some[..24]),
        format!("{}-{}-{}", &hex[..32], &hex[32..40], &hex[40..48]),
        format!("00{}", &some[..40]),
        format!("AAAA{}:APA91b{some}", &some[..7]),
        format!("L{}", &some.replace('0', "1")[..51]),
    ] {
        let text = format!("sent {token} twice");
        assert_eq!(hidden(&text), "sent # twice", "{token}");
    }
}

#[test]
fn where_code_is_stays_readable_whatever_the_secrets_are() {
    // What looks like a word is not looked for in the names of files and functions: they would lead
    // nowhere.
    let mut report = report(json!({"password": "'checkout'", "token": "'orders.py'"}), "checkout failed");
    let frame = &mut report.exceptions[0].frames[0];
    frame.abs_path = Some("/srv/checkout/orders.py".to_owned());
    frame.function = Some("checkout".to_owned());
    frame.context_line = Some("checkout(orders)".to_owned());
    report.release = Some("d3a45d2411f0b6c7a890d3a45d2411f0b6c7a890".to_owned());
    let before = report.clone();
    scrub(&mut report, Rules::built_in());
    let (frame, old) = (&report.exceptions[0].frames[0], &before.exceptions[0].frames[0]);
    assert_eq!(
        (&frame.abs_path, &frame.function, &frame.context_line),
        (&old.abs_path, &old.function, &old.context_line)
    );
    assert_eq!(report.release, before.release);
    assert_eq!(report.exceptions[0].value.as_deref(), Some("[Filtered] failed"));
}

#[test]
fn a_key_in_several_lines_of_code_is_hidden_whole() {
    let mut report = report(json!({}), "");
    let frame = &mut report.exceptions[0].frames[0];
    frame.pre_context =
        vec![["K = '", "-----BEGIN RSA", " PRIVATE KEY-----"].concat(), "MIIEowIBAAKCAQEA7x".to_owned()];
    frame.context_line = Some("q9Zk2mN5pQ8rS1tU4v".to_owned());
    frame.post_context = vec![["-----END RSA", " PRIVATE KEY-----'"].concat(), "load(K)".to_owned()];
    scrub(&mut report, Rules::built_in());
    let frame = &report.exceptions[0].frames[0];
    assert_eq!(frame.pre_context, ["K = '[Filtered]", "[Filtered]"]);
    assert_eq!(frame.context_line.as_deref(), Some("[Filtered]"));
    assert_eq!(frame.post_context, ["[Filtered]", "load(K)"]);
}

#[test]
fn settings_add_names_and_patterns_and_take_some_back() {
    let settings = ScrubSettings {
        names: vec!["customer_ref".to_owned(), "Lösung".to_owned()],
        patterns: vec!["KD-[0-9]{6}".to_owned(), "mandant=([a-z]+)".to_owned()],
        keep: vec!["session_id".to_owned(), "4111 1111 1111 1111".to_owned()],
    };
    assert_eq!(settings.faults(), []);
    let rules = Rules::of(&settings);
    for (text, expected) in [
        ("customerRef=Ann-7 x", "customerRef=[Filtered] x"),
        ("X-Customer-Ref: 17a", "X-Customer-Ref: [Filtered]"),
        ("no KD-123456, mandant=acme", "no [Filtered], mandant=[Filtered]"),
        ("session_id=abc123def SESSIONID=abc123def", "session_id=abc123def SESSIONID=abc123def"),
        ("user_session_id=abc123def", "user_session_id=[Filtered]"),
        ("card 4111 1111 1111 1111, not 5500 0000 0000 0004", "card 4111 1111 1111 1111, not [Filtered]"),
    ] {
        assert_eq!(scrub_text(text, &rules), expected, "{text}");
    }
    assert_eq!(scrub_name("KD-123456", &rules), FILTERED, "short ones too");
}

#[test]
fn settings_that_can_not_be_used_are_faults_and_say_why() {
    let pattern = |pattern: &str| ScrubSettings { patterns: vec![pattern.to_owned()], ..ScrubSettings::default() };
    let patterns = ScrubSettings { patterns: (0..21).map(|n| format!("a{n}")).collect(), ..ScrubSettings::default() };
    for (settings, key, says) in [
        (pattern("("), "patterns[0]", "unclosed group"),
        (pattern("(?=a)b"), "patterns[0]", "look-around"),
        (pattern("a*"), "patterns[0]", "matches the empty text"),
        (pattern("."), "patterns[0]", "\".\" matches any ordinary text, as \"error\" and \"file\""),
        (pattern("[a-z]+"), "patterns[0]", "it would hide everything"),
        (pattern(r"\S"), "patterns[0]", "it would hide everything"),
        (pattern("(?i)([A-Z])"), "patterns[0]", "it would hide everything"),
        (pattern(".{10,}"), "patterns[0]", "as \"the order could not be saved\""),
        (pattern("^.* "), "patterns[0]", "it would hide everything"),
        (pattern("\\w{900}"), "patterns[0]", "too much memory"),
        (pattern(&"a".repeat(501)), "patterns[0]", "longer than 500"),
        (patterns, "patterns", "20 are the most"),
        (ScrubSettings { names: vec!["-".to_owned()], ..ScrubSettings::default() }, "names[0]", "two letters"),
        (ScrubSettings { keep: vec![" ".to_owned()], ..ScrubSettings::default() }, "keep[0]", "a name or a value"),
    ] {
        let faults = settings.faults();
        assert_eq!(faults.len(), 1, "{faults:?}");
        assert!(faults[0].0 == key && faults[0].1.contains(says), "{faults:?}");
    }
}

#[test]
fn a_text_that_is_made_to_be_slow_is_hidden_where_it_was_not_looked_at() {
    let hostile = "token:[".repeat(20_000) + " hunter2hunter2";
    let scrubbed = scrub_text(&hostile, Rules::built_in());
    assert!(scrubbed.ends_with(FILTERED), "{}", &scrubbed[scrubbed.len() - 40..]);
}

#[test]
fn odd_text_never_panics() {
    let odd = "pässwörd=\u{202e}é'\\\"\\'token='é\\ password=\"\\\\\" secret:(é{[ auth=b'";
    for (end, _) in odd.char_indices() {
        for (start, _) in odd.char_indices().take_while(|(start, _)| *start <= end) {
            scrubbed(json!({"token": &odd[start..end], "x": &odd[start..end]}), &odd[start..end]);
            scrub_text(&format!("é{}é", &odd[start..end]), Rules::built_in());
        }
    }
}

fn hidden(text: &str) -> String {
    scrub_text(text, Rules::built_in()).replace(FILTERED, "#")
}

#[test]
fn values_behind_secret_names() {
    for (text, expected) in [
        ("{'password': 'hunter2', 'user': 'ann'}", "{'password': '#', 'user': 'ann'}"),
        (r##"{"api_key": "it's", "n": 1}"##, r##"{"api_key": "#", "n": 1}"##),
        (r##"'{\"token\": \"a b\", \"n\": 1}'"##, r##"'{\"token\": \"#\", \"n\": 1}'"##),
        ("login(user='ann', password='it\\'s')", "login(user='ann', password='#')"),
        ("a=b&password=c&d=e", "a=b&password=#&d=e"),
        ("url=http://x/?a=1&access_token=abc#x", "url=http://x/?a=1&access_token=#"),
        ("user[password]=x&b=1", "user[password]=#&b=1"),
        ("user%5Bpassword%5D=x&b=1", "user%5Bpassword%5D=#&b=1"),
        ("{:password=>\"x y\", :a=>1}", "{:password=>\"#\", :a=>1}"),
        ("Login { user: \"a\", password: Some(\"x\") }", "Login { user: \"a\", password: Some(\"#\") }"),
        ("Login: password=SecretStr('x')", "Login: password=SecretStr('#')"),
        ("token=b'abc'", "token=b'#'"),
        ("Authorization: Token abc def\nHost: x", "Authorization: #\nHost: x"),
        ("cookie: a=b; c=d", "cookie: #"),
        ("Key (card_number)=(4111) already exists", "Key (card_number)=# already exists"),
        ("password: correcthorse", "password: #"),
        ("'password': 'cut off", "'password': '#"),
        ("host=db password=pä(ss dbname=x", "host=db password=# dbname=x"),
    ] {
        assert_eq!(hidden(text), expected, "{text}");
    }
}

#[test]
fn prose_and_code_stay() {
    for text in [
        "author='Ann'",
        "invalid token: expected a comma",
        "KeyError: 'password'",
        "if password == other:",
        "password=None, token=''",
        "{'token': None}",
        "password='[Filtered]'",
        "the password is wrong",
        "key=value",
    ] {
        assert_eq!(scrub_text(text, Rules::built_in()), text, "{text}");
    }
}

#[test]
fn secrets_are_known_by_their_form() {
    for (text, expected) in [
        ("card 4111111111111111 declined", "card [Filtered] declined"),
        ("card 4111 1111 1111 1111.", "card [Filtered]."),
        ("5500-0000-0000-0004", "[Filtered]"),
        ("amex 3782 822463 10005", "amex [Filtered]"),
        ("tok_4242424242424242", "tok_[Filtered]"),
        ("got ghp_0123456789abcdefghij0123456789abcdef", "got [Filtered]"),
        ("github_pat_11AAAAAAA0123456789_abc", "[Filtered]"),
        ("xoxb-1234567890-abcdef", "[Filtered]"),
        ("sk-proj-abcdefghij0123456789", "[Filtered]"),
        ("key AKIAIOSFODNN7EXAMPLE", "key [Filtered]"),
        ("Authorization: Bearer abc.def-123", "Authorization: [Filtered]"),
        ("'basic dXNlcjpwYXNz'", "'basic [Filtered]'"),
        ("postgres://shop:hunter2@db:5432/shop", "postgres://[Filtered]@db:5432/shop"),
        ("x eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln y", "x [Filtered] y"),
        ("a -----BEGIN RSA PRIVATE KEY-----\\nMIIE\\n-----END RSA PRIVATE KEY----- b", "a [Filtered] b"),
        ("a -----BEGIN PRIVATE KEY-----\nMIIE (cut", "a [Filtered]"),
        ("naïve é 4111111111111111 ü", "naïve é [Filtered] ü"),
    ] {
        assert_eq!(scrub_text(text, Rules::built_in()), expected, "{text}");
    }
}

#[test]
fn what_only_looks_like_a_secret_stays() {
    for text in [
        "order 4111111111111112 not found",
        "order 1234567890123452 not found",
        "at 1764000000005 ms",
        "0.4111111111111111",
        "commit d3a45d24111111111111111aa0b0c0d0e0f0a0b0",
        "4111111111111111f00d",
        "550e8400-e29b-41d4-a716-446655440000",
        "Basic authentication required",
        "bearer authentication required",
        "https://example.com/a?email=a@example.com",
        "ssh://git@example.com/x.git",
        "http://localhost:3000/@me",
        "sk-fading-circle spinner",
        "0000000000000000",
        "range 1234-5678 of 9999 rows",
    ] {
        assert_eq!(scrub_text(text, Rules::built_in()), text, "{text}");
    }
}

#[test]
fn a_sign_before_a_name_is_none_of_it() {
    for sign in ["\u{fffd}", "🔑", "→", "«", "\u{200b}", "…"] {
        for before in [sign.to_owned(), sign.repeat(43)] {
            for text in [format!("def f(a, {before}password=\"hunter2\")"), format!("{before}password: hunter2")] {
                let hidden = scrub_text(&text, Rules::built_in());
                assert!(
                    !hidden.contains("hunter2") && hidden.starts_with(&text[..text.find("password").unwrap()]),
                    "{hidden}"
                );
            }
        }
    }
}

/// Frames of users with a hash and a token each, outer ones, and one with a password.
fn crowded(users: usize) -> Report {
    let users: Vec<Value> =
        (0..users).map(|n| json!({"name": format!("u{n}"), "password_hash": format!("Kh{n}q8x"), "api_token": format!("Kt{n}w7y")})).collect();
    let frame = |vars: Value| Frame { vars: serde_json::from_value(vars).unwrap_or_default(), ..Frame::default() };
    let frames = vec![frame(json!({"users": users})), frame(json!({"password": "CorrectHorse77"}))];
    let value = Some("refused: CorrectHorse77 is wrong for bob, nor is Kt39w7y".to_owned());
    Report {
        exceptions: vec![Exception { kind: "E".to_owned(), value, frames, ..Exception::default() }],
        ..Report::default()
    }
}

#[test]
fn secrets_of_outer_frames_do_not_use_up_the_room_for_others() {
    for users in [1, 40, 4_000] {
        let mut report = crowded(users);
        scrub(&mut report, Rules::built_in());
        let text = serde_json::to_string(&report).unwrap();
        assert!(!text.contains("CorrectHorse77"), "{users} users");
        assert!(users < 40 || !text.contains("Kt39w7y"), "{users} users");
        assert!(text.contains("is wrong for bob"), "{users} users");
    }
}

#[test]
fn a_message_is_hidden_where_more_secrets_are_known_than_are_looked_for() {
    let mut report = crowded(20_000);
    scrub(&mut report, Rules::built_in());
    assert_eq!(report.exceptions[0].value.as_deref(), Some(FILTERED));
}
