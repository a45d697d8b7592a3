//! Addresses of people, as far as their look tells whether mail can be sent there.

/// Most bytes of an address that mail can be sent to (RFC 5321).
const LONGEST: usize = 254;

/// Whether mail can be sent to this. Any domain that is a name is one; a number in its place
/// (`x@[127.0.0.1]`) is a machine that whoever wrote the address chose, maybe one of ours.
pub fn is_address(text: &str) -> bool {
    let Some((local, domain)) = text.split_once('@') else { return false };
    let in_local = |c: char| !c.is_whitespace() && !c.is_control() && !"<>()[]\\:;,\"".contains(c);
    let in_domain = |c: char| match c.is_ascii() {
        true => c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'),
        false => !c.is_whitespace() && !c.is_control(),
    };
    let is_whole = text.len() <= LONGEST && !local.is_empty() && !domain.is_empty();
    is_whole && local.chars().all(in_local) && domain.chars().all(in_domain) && !is_number(domain)
}

/// Whether a domain is the number of a machine in whatever spelling: no top-level domain has digits
/// only.
fn is_number(domain: &str) -> bool {
    let last = domain.trim_end_matches('.').rsplit('.').next().unwrap_or_default();
    last.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_can_get_no_mail_is_no_address() {
        for text in ["a@b", "ada+x@example.engineering", "o'brien@x.co", "ada@bücher.example", "%a@x.com"] {
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
            &long,
        ] {
            assert!(!is_address(text), "{text:?}");
        }
    }
}
