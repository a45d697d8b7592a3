//! User and password before a host: `scheme://user:password@host`, and without the scheme.

use super::random::{MIN_RANDOM, is_no_word};
use std::ops::Range;

/// Characters of a URL that are looked at: a password in one is not longer.
const MAX_URL: usize = 1_000;

/// Words before a colon that are no user: `npm:react@18.2.0/`, `mailto:ann@shop.test/`.
const NO_USERS: &[&str] = &["npm", "workspace", "link", "file", "mailto", "xmpp", "sip", "git", "ssh", "sha256"];

/// Finds user and password where they stand before a host.
pub(super) fn find(text: &str, found: &mut Vec<Range<usize>>) {
    if !text.contains('@') {
        return;
    }
    let mut from = 0;
    while let Some(at) = text[from..].find("://").map(|at| from + at) {
        from = at + 3;
        if let Some(range) = userinfo(text, from) {
            from = range.end;
            found.push(range);
        }
    }
    let mut known = found.clone();
    known.sort_by_key(|range| range.start);
    let mut known = known.into_iter().peekable();
    let mut covered = None;
    for (at, _) in text.match_indices('@') {
        while let Some(range) = known.next_if(|range| range.start <= at) {
            covered = covered.max(Some(range.end));
        }
        if covered < Some(at) {
            found.extend(without_scheme(text, at));
        }
    }
}

/// The part before the `@` of a URL that begins behind its `://` here.
fn userinfo(text: &str, start: usize) -> Option<Range<usize>> {
    let ends = |c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '<' | '>' | '`' | '\\' | '{');
    let limit = text.floor_char_boundary(text.len().min(start + MAX_URL));
    let rest = &text[start..limit];
    let rest = &rest[..rest.find(ends).unwrap_or(rest.len())];
    let authority = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let first = match rest[..authority].rfind('@') {
        Some(at) => Some(at),
        // A password with `/`, `?` or `#`: the host behind it tells, as long as no port ends first.
        None => {
            let (user, password) = rest.split_once(':')?;
            let digits = password.bytes().take_while(u8::is_ascii_digit).count();
            let is_port = digits > 0 && password[digits..].starts_with(['/', '?', '#']) || password.starts_with('/');
            let host = rest.match_indices('@').map(|(at, _)| at).find(|at| is_host(&rest[at + 1..]));
            host.filter(|_| !is_port && !user.contains(['/', '?', '#', '.']))
        }
    }?;
    // `u:p@s/w@host`: what follows the first `@` is no host as hosts are written.
    let later = rest[first + 1..].match_indices('@').map(|(at, _)| first + 1 + at).find(|at| is_host(&rest[at + 1..]));
    let at = match later {
        Some(later) if !is_whole_host(&rest[first + 1..]) && rest[..first].contains(':') => later,
        _ => first,
    };
    let userinfo = &rest[..at];
    let has_password =
        userinfo.split_once(':').is_some_and(|(_, password)| !password.is_empty() && password != "[Filtered]");
    (has_password || (!userinfo.contains(':') && userinfo.len() >= MIN_RANDOM && !userinfo.contains("[Filtered")))
        .then(|| start..start + at)
}

/// Something that can be a host, with what may follow one.
fn is_host(text: &str) -> bool {
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_' | b'[');
    let length = text.bytes().take_while(|byte| is_part(*byte)).count();
    length > 0 && matches!(text.as_bytes().get(length), None | Some(b':' | b'/' | b'?' | b'#' | b','))
}

/// A host that is sure to be one: with a domain, a port, or the name of this machine.
fn is_whole_host(text: &str) -> bool {
    let host = text.split(['/', '?', '#', ',']).next().unwrap_or_default();
    is_host(text) && (host.contains(['.', ':']) || host == "localhost" || host == "db" || host.is_empty())
}

/// `ann:hunter2@db:5432/shop`.
fn without_scheme(text: &str, at: usize) -> Option<Range<usize>> {
    let after = &text[at + 1..text.floor_char_boundary(text.len().min(at + 100))];
    let host =
        after.bytes().take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_')).count();
    let tail = &after[host..];
    // The Go driver of MySQL: `app:hunter2@tcp(db:3306)/shop`, `app:hunter2@/shop`; a network's
    // name is the application's choice. https://github.com/go-sql-driver/mysql#dsn-data-source-name
    let is_base =
        host == 0 && tail.strip_prefix('/').is_some_and(|base| base.starts_with(|c: char| c.is_ascii_alphabetic()));
    let is_go = is_base
        || (tail.starts_with('(')
            && (matches!(&after[..host], "tcp" | "tcp6" | "unix") || (host > 0 && tail.contains(")/"))));
    let port = is_go || tail.strip_prefix(':').is_some_and(|tail| tail.starts_with(|c: char| c.is_ascii_digit()));
    let is_host = is_base
        || host > 0 && (port || tail.starts_with('/') || after[..host] == *"localhost" || after[..host].contains('.'));
    let from = text.floor_char_boundary(at.saturating_sub(100));
    let before = &text[from..at];
    let begins = before
        .rfind(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '<' | '>' | '(' | '=' | ',' | '/' | '[' | '{'));
    let before =
        &before[begins.map_or(0, |begins| begins + before[begins..].chars().next().map_or(1, char::len_utf8))..];
    let (user, password) = before.split_once(':')?;
    let is_user =
        !user.is_empty() && user.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-'));
    let is_password = password.len() >= 4 && (is_no_word(password) || port) && !after[..host].starts_with("sha256");
    (is_host && is_user && is_password && !NO_USERS.contains(&user)).then(|| at - password.len()..at)
}
