//! Secrets where the limit of a text cuts through them, or cuts off what tells them: whatever is
//! kept of such a text is none of the secret.

use crate::kinds::Draw;
use crate::{event, stored};

/// What stands before a secret, and what stands behind it.
const FORMS: &[(&str, &str)] = &[
    ("connect postgres://bob:", "@db.example/x"),
    ("https://bob:", "@h/"),
    ("curl -u bob:", " http://x"),
    ("<password>", "</password>"),
    ("{\"password\":\"", "\"}"),
    ("('password', '", "')"),
    ("{\"name\":\"password\",\"value\":\"", "\"}"),
    ("INSERT INTO u (name, password) VALUES ('bob', '", "')"),
    ("UPDATE u SET password = '", "'"),
    ("ALTER USER b IDENTIFIED BY '", "'"),
    ("password\n  Input should be x [type=string_type, input_value='", "', input_type=str]"),
    ("https://x/reset/", ""),
    ("Authorization: Bearer ", ""),
    ("name,password\nbob,", "\n"),
    ("The value '", "' is not valid for Password."),
    ("Cast to string failed for value \"", "\" (type string) at path \"token\" for model"),
    ("Key (api_token)=(", ") already exists"),
    ("x eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.", ""),
    ("-----BEGIN PRIVATE KEY-----\nMIIE", "\n-----END PRIVATE KEY-----"),
    ("ghp_", "AbCdEfGhIjKlM"),
    ("$2b$12$", "AbCdEfGhIjKlMnOpQrStUvWxYz01234"),
    ("https://hooks.slack.com/services/T00000000/B00000000/", ""),
    // What stood before the cut was hidden, so that more of the rest would come into sight.
    ("-----BEGIN PRIVATE KEY-----\nMIIEMIIEMIIEMIIEMIIEMIIEMIIEMIIE\n-----END PRIVATE KEY----- x://b:", "@h/"),
];

/// Places of a text, and how many bytes are kept of it there.
const PLACES: &[(&str, usize)] = &[
    ("message", 8_000),
    ("var:x", 1_000),
    ("extra:note", 1_000),
    ("header:X-Debug", 1_000),
    ("body", 1_000),
    ("url", 1_000),
    ("query", 1_000),
    ("code", 1_000),
];

#[test]
fn what_is_cut_shows_nothing_of_a_secret() {
    let mut draw = Draw(7);
    for (place, limit) in PLACES {
        for (before, behind) in FORMS {
            // Lines of code have no names that are known as such.
            if *place == "code" && !before.contains("ghp_") && !before.contains("://") {
                continue;
            }
            let secret = draw.kind("alnum24").0;
            for kept in [0, 4, 6, 12, 18, 24, 24 + behind.len() / 2, 24 + behind.len()] {
                let filler = "lorem ipsum ".repeat(800);
                let filler = &filler[..limit - before.len() - kept - 1];
                let text = format!("{filler} {before}{secret}{behind} and more of it, {}", "dolor ".repeat(1_000));
                let (_, stored) = stored(&event(place, &text));
                let shown = stored.find(&secret[..4]).map(|at| &stored[at..at + 30]);
                assert_eq!(shown, None, "{before:?} at {place}, {kept} bytes before the cut");
                assert!(stored.len() < limit + 2_000, "it is cut");
            }
        }
    }
}

#[test]
fn a_known_secret_is_not_cut_to_a_part_of_it() {
    for kept in 0..9 {
        let mut event = event("var:password", "Kestrel");
        let filler = "lorem ipsum ".repeat(800);
        let text = format!("{} Kestrel is wrong {filler}", &filler[..7_999 - kept]);
        event.pointer_mut("/exception/values/0").unwrap()["value"] = text.into();
        let (_, stored) = stored(&event);
        assert!(!stored.contains("Kes"), "{kept}: {stored}");
    }
}

#[test]
fn a_known_secret_that_nothing_announces_is_not_cut_to_a_part_of_it() {
    for secret in ["Qxj-er.2x", "Qxj horse 7 staple"] {
        for (filler, sign) in [("lorem ipsum ", ' '), ("lorem,ipsum;", ';')] {
            for (place, limit) in PLACES {
                for kept in 2..secret.len() {
                    let filler = filler.repeat(800);
                    let text = format!("{}{sign}{secret} and {filler}", &filler[..limit - kept - 1]);
                    let mut event = event(place, &text);
                    event["contexts"] = serde_json::json!({"login": {"password": secret}});
                    let (before, stored) = stored(&event);
                    assert!(before.matches(secret).count() > 1, "it was read: {place}");
                    assert!(!stored.contains("Qx"), "{place}, {kept} bytes of {secret:?}: {stored}");
                }
            }
        }
    }
}
