//! Versions of a repository's code that were seen running, and which of them are old deployments.

use super::timestamp::Timestamp;

/// A version that reports came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeenVersion {
    /// The revision, where the report named one, else the release as the client calls it.
    pub name: String,
    /// When the first report from it was received.
    pub first_seen: Timestamp,
}

/// Whether a report from `name` is from what ran at `at` already. A revision (`is_revision`) is
/// the same code for ever. A release's name may be one that never changes: it only tells
/// deployments apart where another of its series was seen.
pub fn ran_before(seen: &[SeenVersion], name: &str, is_revision: bool, at: Timestamp) -> bool {
    let ran = seen.iter().any(|version| version.name == name && version.first_seen <= at);
    ran && (is_revision || seen.iter().any(|other| other.name != name && series(&other.name) == series(name)))
}

/// A release's name without what changes from one deployment to the next: its numbers and hashes.
/// `shop@2.9.1` and `shop@2.10.0` are of one series, `web` and `worker` are not.
fn series(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    for word in name.split_inclusive(|c: char| !c.is_alphanumeric()) {
        let (text, separator) = match word.char_indices().next_back() {
            Some((at, last)) if !last.is_alphanumeric() => word.split_at(at),
            _ => (word, ""),
        };
        if text.chars().any(|c| c.is_ascii_digit()) {
            // `2.9` and `2.9.1` are of one series.
            let before = out.trim_end_matches(|c: char| !c.is_alphanumeric() && c != NUMBER).len();
            if out[..before].ends_with(NUMBER) {
                out.truncate(before - 1);
            }
            out.push(NUMBER);
        } else {
            out.push_str(text);
        }
        out.push_str(separator);
    }
    out
}

/// What stands for numbers and hashes in a series.
const NUMBER: char = '#';

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(names: &[(&str, i64)]) -> Vec<SeenVersion> {
        let version =
            |&(name, at): &(&str, i64)| SeenVersion { name: name.to_owned(), first_seen: Timestamp::from_seconds(at) };
        names.iter().map(version).collect()
    }

    #[test]
    fn what_was_seen_before_is_an_old_deployment() {
        let (seen, at) = (seen(&[("2.9.1", 5), ("2.10", 15)]), Timestamp::from_seconds(10));
        assert!(ran_before(&seen, "2.9.1", false, at));
        assert!(!ran_before(&seen, "2.10", false, at), "it was seen later");
        assert!(!ran_before(&seen, "2.11", false, at), "it was never seen");
    }

    #[test]
    fn a_name_that_never_changes_tells_nothing_and_a_revision_always_does() {
        let (seen, at) = (seen(&[("web", 5), ("worker", 5), ("shop@1.0.0", 5)]), Timestamp::from_seconds(10));
        for name in ["web", "worker", "shop@1.0.0"] {
            assert!(!ran_before(&seen, name, false, at), "{name}");
            assert!(ran_before(&seen, name, true, at), "{name}");
        }
    }

    #[test]
    fn a_series_is_a_name_without_numbers_and_hashes() {
        let same =
            [("shop@2.9.1", "shop@2.10"), ("v1", "v2-3"), ("a1b2c3d", "0f9e8d7"), ("2026-11-30_2", "2026-12-01")];
        for (one, other) in same {
            assert_eq!(series(one), series(other), "{one} {other}");
        }
        for (one, other) in [("web", "worker"), ("shop@1.0", "till@1.0"), ("1.0-beta", "1.0"), ("", "1")] {
            assert_ne!(series(one), series(other), "{one} {other}");
        }
        assert_eq!(series("é-ü@1.2…"), "é-ü@#…");
    }
}
