//! How times, numbers and places are written.

use domain::alert::Place;
use domain::timestamp::Timestamp;
use domain::visible::{clip, one_line};

/// A moment for people, to the minute: `2026-11-22 11:31 UTC`. `unknown` before 1970 and beyond the
/// calendar.
pub fn when(at: Timestamp) -> String {
    match jiff::Timestamp::from_millisecond(at.as_millis()) {
        Ok(moment) if at > Timestamp::UNIX_EPOCH => moment.strftime("%Y-%m-%d %H:%M UTC").to_string(),
        _ => "unknown".to_owned(),
    }
}

/// The day of a moment: `2026-11-22`.
pub(super) fn day(at: Timestamp) -> String {
    match jiff::Timestamp::from_millisecond(at.as_millis()) {
        Ok(moment) if at > Timestamp::UNIX_EPOCH => moment.strftime("%Y-%m-%d").to_string(),
        _ => "an unknown day".to_owned(),
    }
}

/// A count with separators: `1,234,567`.
pub fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// `1 occurrence`, `2 occurrences`.
pub(super) fn occurrences(total: u64) -> String {
    format!("{} {}", thousands(total), if total == 1 { "occurrence" } else { "occurrences" })
}

/// `shop/cart.py:42`; without the line where it is unknown.
pub fn file_line(path: &str, line: u32) -> String {
    if line == 0 { path.to_owned() } else { format!("{path}:{line}") }
}

/// The function, where its name is known.
pub fn function(place: &Place) -> Option<String> {
    known_function(&place.function)
}

/// The function, unless the client could not name it.
pub(super) fn known_function(name: &str) -> Option<String> {
    (!matches!(name, "" | "?")).then(|| name.to_owned())
}

/// `KeyError in total (shop/cart.py)` of at most so many characters; the file gives way first, from
/// its left, for its end says more.
pub(super) fn headline(exception: &str, function: Option<&str>, file: &str, most: usize) -> String {
    let exception = clip(&one_line(exception), most / 2);
    let what = match function {
        Some(function) => format!("{exception} in {}", clip(&one_line(function), most / 4)),
        None => exception,
    };
    let file = one_line(file);
    // What stands for a place that is not known brings its own brackets.
    let file = file.strip_prefix('(').and_then(|rest| rest.strip_suffix(')')).unwrap_or(&file).to_owned();
    let brackets = " ()".len();
    let room = most.saturating_sub(what.chars().count() + brackets);
    let surplus = file.chars().count().saturating_sub(room);
    let file = match surplus {
        0 => file,
        _ => format!("…{}", file.chars().skip(surplus + 1).collect::<String>()),
    };
    format!("{what} ({file})")
}

/// The beginning of a text, with an ellipsis where it is cut: so much of it that it has at most
/// `most` bytes in a page, where a quote or a slash has six.
pub fn beginning(text: &str, most: usize) -> String {
    let kept = kept(text.chars(), most);
    if kept == text.len() { text.to_owned() } else { format!("{}…", &text[..kept]) }
}

/// The same of the end of a text, which says more of a path.
pub fn end(text: &str, most: usize) -> String {
    let kept = kept(text.chars().rev(), most);
    if kept == text.len() { text.to_owned() } else { format!("…{}", &text[text.len() - kept..]) }
}

/// Bytes of the characters that fit, the ellipsis beside them unless these are all.
fn kept(chars: impl Iterator<Item = char>, most: usize) -> usize {
    let room = most.saturating_sub('…'.len_utf8());
    let (mut in_page, mut kept, mut beside) = (0, 0, None);
    for c in chars {
        // What would be a control character is written out.
        let is_long = c.is_control() || matches!(c, '"' | '\'' | '&' | '<' | '>' | '/');
        in_page += if is_long { "&#x27;".len() } else { c.len_utf8() };
        if in_page > room {
            beside = beside.or(Some(kept));
        }
        if in_page > most {
            return beside.unwrap_or(kept);
        }
        kept += c.len_utf8();
    }
    kept
}

/// Lines without the white space that all of them begin with.
pub(super) fn dedent(lines: &[String]) -> Vec<String> {
    let indentation = |line: &str| line.len() - line.trim_start_matches([' ', '\t']).len();
    let filled = || lines.iter().filter(|line| !line.trim().is_empty());
    let Some(first) = filled().next() else { return lines.to_vec() };
    let mut common = &first[..indentation(first)];
    for line in filled() {
        let same = common.bytes().zip(line.bytes()).take_while(|(a, b)| a == b).count();
        common = &common[..same];
    }
    lines.iter().map(|line| line.strip_prefix(common).unwrap_or_default().to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_in_utc() {
        assert_eq!(when(Timestamp::from_millis(1_795_347_060_000)), "2026-11-22 11:31 UTC");
        assert_eq!(day(Timestamp::from_millis(1_795_347_060_000)), "2026-11-22");
        assert_eq!(when(Timestamp::UNIX_EPOCH), "unknown");
        assert_eq!(when(Timestamp::MAX), "unknown");
    }

    #[test]
    fn numbers_have_separators() {
        assert_eq!([0, 999, 1_000, 1_234_567].map(thousands), ["0", "999", "1,000", "1,234,567"]);
        assert_eq!(occurrences(1), "1 occurrence");
    }

    #[test]
    fn headlines_fit_and_keep_the_end_of_the_path() {
        assert_eq!(headline("KeyError", Some("total"), "shop/cart.py", 256), "KeyError in total (shop/cart.py)");
        assert_eq!(headline("Error", None, "a.js", 256), "Error (a.js)");
        assert_eq!(headline("Message", None, "(no traceback)", 256), "Message (no traceback)");
        let long = headline(&"E".repeat(400), Some(&"f".repeat(400)), &format!("{}/cart.py", "d/".repeat(300)), 256);
        assert_eq!(long.chars().count(), 256);
        assert!(long.ends_with("/cart.py)"), "{long}");
        assert_eq!(headline("A\nB", None, "x\r\ny", 256), "A B (x y)");
    }

    #[test]
    fn texts_are_cut_to_what_they_take_in_a_page() {
        assert_eq!((beginning("total", 5), end("total", 5)), ("total".to_owned(), "total".to_owned()));
        assert_eq!((beginning("totals", 5), end("totals", 5)), ("to…".to_owned(), "…ls".to_owned()));
        assert_eq!((beginning("a<<<", 16), end("ä/ö", 9)), ("a<<…".to_owned(), "…ö".to_owned()));
        assert_eq!((beginning("", 3), beginning("<<<", 3)), (String::new(), "…".to_owned()));
    }

    #[test]
    fn shared_indentation_is_taken_off() {
        let lines = ["        a".to_owned(), String::new(), "    b".to_owned()];
        assert_eq!(dedent(&lines), ["    a", "", "b"]);
        let mixed = ["\ta".to_owned(), "  b".to_owned()];
        assert_eq!(dedent(&mixed), ["\ta", "  b"]);
        assert_eq!(dedent(&[" ".to_owned()]), [" "]);
    }
}
