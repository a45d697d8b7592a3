//! A commit as git reads it: whatever its author lines look like, and in whatever encoding it is.

use crate::encoding::{encoding_called, utf8};
use gix::actor::Identity;
use gix::bstr::{BString, ByteSlice};
use gix::date::Time;

/// What a commit says: of whom, when, and in which words, all in UTF-8.
///
/// History holds commits that no tool would write today. What stands for git in
/// `split_ident_line` stands here: a date that is no number is the epoch, a person without `<` and
/// `>` is nobody, and nothing of it keeps the rest of the commit from being read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CommitWords {
    /// Who wrote it, as written. Empty where that can't be read.
    pub author: Identity,
    /// When they did; the epoch where that can't be read.
    pub author_time: Time,
    /// Who made the commit of it, as written. Empty where that can't be read.
    pub committer: Identity,
    /// When they did; the epoch where that can't be read.
    pub commit_time: Time,
    /// What they say of it.
    pub message: BString,
}

impl CommitWords {
    /// Reads a commit: the content of the object, without git's own header.
    pub fn of(data: &[u8]) -> Self {
        let (header, message) = data.split_once_str("\n\n").unwrap_or((data, b""));
        let (mut author, mut committer, mut encoding) = (None, None, None);
        for line in header.split_str("\n") {
            let Some((name, value)) = line.split_once_str(" ") else { continue };
            match name {
                b"author" => author = author.or(Some(value)),
                b"committer" => committer = committer.or(Some(value)),
                b"encoding" => encoding = encoding.or(Some(value)),
                _ => {}
            }
        }
        let encoding = encoding.and_then(encoding_called);
        let text = |bytes: &[u8]| BString::from(utf8(bytes, encoding).into_owned());
        let signed = |line: Option<&[u8]>| line.map(|line| signature(line, &text)).unwrap_or_default();
        let (author, author_time) = signed(author);
        let (committer, commit_time) = signed(committer);
        Self { author, author_time, committer, commit_time, message: text(message) }
    }

    /// The first paragraph of the message in one line, as `git log --oneline` has it.
    pub fn summary(&self) -> BString {
        let message = self.message.trim_start_with(|c| c == '\n' || c == '\r');
        gix::objs::commit::MessageRef::from_bytes(message).summary().into_owned()
    }

    /// When it was made, in seconds, which is all that a walk by time needs of a commit.
    pub fn commit_seconds(data: &[u8]) -> i64 {
        let (header, _) = data.split_once_str("\n\n").unwrap_or((data, b""));
        let committer = header.split_str("\n").find_map(|line| line.strip_prefix(b"committer "));
        committer.and_then(|line| Ident::of(line)?.time).unwrap_or_default().seconds
    }
}

fn signature(line: &[u8], text: &impl Fn(&[u8]) -> BString) -> (Identity, Time) {
    let Some(ident) = Ident::of(line) else { return Default::default() };
    (Identity { name: text(ident.name), email: text(ident.email) }, ident.time.unwrap_or_default())
}

/// The parts of an author line.
struct Ident<'a> {
    name: &'a [u8],
    email: &'a [u8],
    time: Option<Time>,
}

impl<'a> Ident<'a> {
    /// As git's `split_ident_line`: the address is between the first `<` and the next `>`, and the
    /// date is what follows the last `>`, if it is a number and a zone is as well.
    fn of(line: &'a [u8]) -> Option<Self> {
        let (name, rest) = line.split_once_str("<")?;
        let (email, _) = rest.split_once_str(">")?;
        let (_, date) = rest.rsplit_once_str(">")?;
        Some(Self { name: name.trim(), email: email.trim(), time: time(date.trim()) })
    }
}

fn time(date: &[u8]) -> Option<Time> {
    let (seconds, zone) = digits(date);
    let zone = zone.trim_start();
    let (sign, zone) = match zone.split_first()? {
        (b'+', zone) => (1, zone),
        (b'-', zone) => (-1, zone),
        _ => return None,
    };
    let (zone, _) = digits(zone);
    let seconds: i64 = seconds.to_str().ok()?.parse().ok()?;
    // Zones of more than a day are nonsense, which the time itself does not depend on.
    let zone: i32 = zone.to_str().ok().filter(|zone| !zone.is_empty())?.parse().unwrap_or_default();
    let offset = zone / 100 * 3_600 + zone % 100 * 60;
    Some(Time { seconds, offset: if offset < 86_400 { sign * offset } else { 0 } })
}

/// The digits at the beginning, and what follows them.
fn digits(text: &[u8]) -> (&[u8], &[u8]) {
    text.split_at(text.iter().take_while(|byte| byte.is_ascii_digit()).count())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(author: &str, committer: &str) -> CommitWords {
        let id = "1".repeat(40);
        let commit = format!("tree {id}\nauthor {author}\ncommitter {committer}\n\nAdd a cart\n\nAnd more.\n");
        CommitWords::of(commit.as_bytes())
    }

    fn author(line: &str) -> (String, String, i64) {
        let words = read(line, "Grace <grace@example.com> 1790000000 +0000");
        assert_eq!((words.commit_time.seconds, words.summary()), (1_790_000_000, "Add a cart".into()), "{line:?}");
        (words.author.name.to_string(), words.author.email.to_string(), words.author_time.seconds)
    }

    /// Each was compared with what `git log` and `git blame --line-porcelain` say.
    #[test]
    fn author_lines_are_read_as_git_reads_them() {
        let ada = |seconds| ("Ada".to_owned(), "ada@example.com".to_owned(), seconds);
        for (line, expected) in [
            ("Ada <ada@example.com> 1790000000 +0200", ada(1_790_000_000)),
            ("Ada <ada@example.com> 1790000000 -051800", ada(1_790_000_000)),
            ("Ada <ada@example.com> 1790000000 +99999999999999999999", ada(1_790_000_000)),
            ("  Ada   <ada@example.com>   0001790000000   +0000", ada(1_790_000_000)),
            ("Ada<ada@example.com>1790000000 +0000", ada(1_790_000_000)),
            ("Ada <ada@example.com> 99999999999999999999 +0000", ada(0)),
            ("Ada <ada@example.com> -1 +0000", ada(0)),
            ("Ada <ada@example.com> 1790000000", ada(0)),
            ("Ada <ada@example.com> 1790000000 UTC", ada(0)),
            ("Ada <ada@example.com> 1790000000.25 +0000", ada(0)),
            ("Ada <ada@example.com> Mon Sep 21 2026", ada(0)),
            ("Ada <ada@example.com>", ada(0)),
            ("Ada <ada@example.com>> 1790000000 +0000", ada(1_790_000_000)),
            ("Ada <L> <ada@example.com> 1790000000 +0000", ("Ada".into(), "L".into(), 1_790_000_000)),
            ("<ada@example.com> 1790000000 +0000", (String::new(), "ada@example.com".into(), 1_790_000_000)),
            ("Ada ada@example.com 1790000000 +0000", Default::default()),
            ("Ada <ada@example.com", Default::default()),
            ("Ada <ada@example.com\n> 1790000000 +0000", Default::default()),
            ("", Default::default()),
        ] {
            assert_eq!(author(line), expected, "{line:?}");
        }
    }

    #[test]
    fn a_committer_that_cannot_be_read_takes_nothing_else_along() {
        for committer in ["Grace <grace@example.com> when", "Grace", "<", ""] {
            let words = read("Ada <ada@example.com> 1790000000 +0000", committer);
            assert_eq!((words.author.name.to_string(), words.summary()), ("Ada".to_owned(), "Add a cart".into()));
            assert_eq!((words.author_time.seconds, words.commit_time.seconds), (1_790_000_000, 0));
        }
        assert_eq!(CommitWords::of(b""), CommitWords::default());
        assert_eq!(CommitWords::of(b"tree 1\n\nSubject").summary(), "Subject");
        assert_eq!(CommitWords::of(b"tree 1\n\n\n\nSubject\nof two lines\n\nBody").summary(), "Subject of two lines");
    }

    #[test]
    fn names_and_messages_are_in_the_encoding_that_the_commit_names() {
        let commit = |encoding: &str, name: &[u8], message: &[u8]| {
            let mut data = b"tree 1\nauthor ".to_vec();
            data.extend_from_slice(name);
            data.extend_from_slice(b" <a@example.com> 1790000000 +0000\n");
            if !encoding.is_empty() {
                data.extend_from_slice(format!("encoding {encoding}\n").as_bytes());
            }
            data.extend_from_slice(b"\n");
            data.extend_from_slice(message);
            let words = CommitWords::of(&data);
            (words.author.name.to_string(), words.summary().to_string())
        };
        let said = |name: &str, summary: &str| (name.to_owned(), summary.to_owned());
        assert_eq!(commit("ISO-8859-1", b"J\xf6rg", b"Gr\xf6\xdfe"), said("Jörg", "Größe"));
        assert_eq!(commit("latin-1", b"J\xf6rg", b"Gr\xf6\xdfe"), said("Jörg", "Größe"));
        assert_eq!(commit("CP1251", b"\xc8\xe2\xe0\xed", b"\xea\xee\xf0"), said("Иван", "кор"));
        assert_eq!(commit("KOI8-R", b"\xe9\xd7\xc1\xce", b"x"), said("Иван", "x"));
        assert_eq!(commit("eucJP", b"\xbb\xb3\xc5\xc4", b"\xba\xdf\xb8\xcb"), said("山田", "在庫"));
        assert_eq!(commit("SHIFT_JIS", b"\x8eR\x93c", b"x"), said("山田", "x"));
        assert_eq!(commit("", "Žofie".as_bytes(), "košík".as_bytes()), said("Žofie", "košík"));
        // It names none, or one that is none: git's own guess, where it was no UTF-8.
        assert_eq!(commit("", b"J\xf6rg", b"Gr\xf6\xdfe"), said("Jörg", "Größe"));
        assert_eq!(commit("x-unknown", b"J\xf6rg", "Größe".as_bytes()), said("Jörg", "Größe"));
        assert_eq!(commit("UTF-8", b"J\xf6rg", "Größe".as_bytes()), said("Jörg", "Größe"));
    }
}
