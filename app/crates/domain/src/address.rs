//! Addresses of people, as far as their look tells whether mail can be sent there.

/// Most bytes of an address that mail can be sent to (RFC 5321).
const LONGEST: usize = 254;

/// Most bytes of what stands before the `@` (RFC 5321).
const LONGEST_LOCAL: usize = 64;

/// Most bytes of a domain's part between two dots (RFC 1035).
const LONGEST_LABEL: usize = 63;

/// Whether mail can be sent to this. Any domain that is a name is one; a number in its place
/// (`x@[127.0.0.1]`) is a machine that whoever wrote the address chose, maybe one of ours.
pub fn is_address(text: &str) -> bool {
    let Some((local, domain)) = text.split_once('@') else { return false };
    // What else RFC 5322 allows (in quotes, in comments) no mail server gives to anybody.
    let in_local = |c: char| c.is_alphanumeric() || "!#$%&'*+-/=?^_`{|}~".contains(c);
    let is_local =
        local.len() <= LONGEST_LOCAL && local.split('.').all(|it| !it.is_empty() && it.chars().all(in_local));
    text.len() <= LONGEST && is_local && is_domain(domain)
}

/// Whether this is the name of a domain: one that is a number names a machine.
pub fn is_domain(text: &str) -> bool {
    let within = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_');
    let is_label = |label: &str| {
        label.len() <= LONGEST_LABEL
            && label.starts_with(char::is_alphanumeric)
            && label.ends_with(char::is_alphanumeric)
            && label.chars().all(within)
    };
    text.len() <= LONGEST && text.split('.').all(is_label) && !is_number(text)
}

/// What is wrong with an address that somebody wrote down, and what to write instead; `None`: mail
/// can be sent to it.
pub fn fault_of_address(text: &str) -> Option<String> {
    if is_address(text) {
        return None;
    }
    // `Ops <ops@example.com>`, which is an address with a name.
    let bare =
        text.rsplit_once('<').and_then(|(_, rest)| rest.split_once('>')).map_or(text, |(address, _)| address).trim();
    Some(match is_address(bare) {
        true => format!("{text:?} is more than an address; write {bare} by itself"),
        false => format!("{text:?} is no address; write it as name@example.com"),
    })
}

/// Whether a domain is the number of a machine in whatever spelling: no top-level domain has digits
/// only.
fn is_number(domain: &str) -> bool {
    let last = domain.rsplit('.').next().unwrap_or_default();
    last.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_can_get_no_mail_is_no_address() {
        for text in [
            "a@b",
            "ada+x@example.engineering",
            "o'brien@x.co",
            "ada@bücher.example",
            "%a@x.com",
            "ä@x.com",
            "a.b@x_y.co",
        ] {
            assert!(is_address(text), "{text}");
        }
        let long = format!("{}@x.com", "a".repeat(250));
        for text in [
            "",
            "ada",
            "@x.com",
            "ada@",
            "a b@x.com",
            "a@x.com,b@x.com",
            "a@b@c",
            "a@x.com\0",
            "a\0@x.com",
            "a@x.c%00",
            "a\u{85}@x.com",
            "a@x\u{85}.com",
            "x@[127.0.0.1]",
            "x@[IPv6:::1]",
            "x@127.0.0.1",
            "x@127.1.",
            "<a@x.com>",
            "a@ex ample.com",
            "a@x..com",
            "a@.com",
            "a@x.com.",
            "a@-x.com",
            "a@x-.com",
            ".a@x.com",
            "a..b@x.com",
            "\"a b\"@x.com",
            &format!("{}@x.com", "a".repeat(65)),
            &format!("a@{}.com", "x".repeat(64)),
            &long,
        ] {
            assert!(!is_address(text), "{text:?}");
        }
    }

    #[test]
    fn what_to_write_instead_is_said() {
        assert_eq!(fault_of_address("ops@x.com"), None);
        for text in ["Ops <ops@x.com>", "<ops@x.com>", " ops@x.com", "\"Ops, x\" <ops@x.com>"] {
            let said = fault_of_address(text).expect(text);
            assert_eq!(said, format!("{text:?} is more than an address; write ops@x.com by itself"));
        }
        for text in ["ops", "Ops <ops>", "> ops@x.com <", "a@ex ample.com"] {
            let said = fault_of_address(text).expect(text);
            assert_eq!(said, format!("{text:?} is no address; write it as name@example.com"));
        }
    }
}
