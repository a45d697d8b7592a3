//! Encodings of text by the names that people give them, and as what a text without one is read.

use encoding_rs::{Encoding, UTF_8, WINDOWS_1252};
use std::borrow::Cow;

/// Bytes of an encoding's name: longer ones are none.
const LONGEST_NAME: usize = 40;

/// Names that git, Python and editors know and the web's list, which encoding_rs goes by, does not.
const OTHER_NAMES: &[(&str, &str)] = &[
    ("big5-eten", "big5"),
    ("cp932", "shift_jis"),
    ("cp936", "gbk"),
    ("cp949", "euc-kr"),
    ("cp950", "big5"),
    ("cp51932", "euc-jp"),
    ("eucjp", "euc-jp"),
    ("eucjp-ms", "euc-jp"),
    ("euccn", "gbk"),
    ("euckr", "euc-kr"),
    ("iso-latin-1", "latin1"),
    ("koi8", "koi8-r"),
    ("latin-1", "latin1"),
    ("latin-2", "latin2"),
    ("latin-9", "iso-8859-15"),
    ("mac-roman", "macintosh"),
    ("mskanji", "shift_jis"),
    ("shift-jis-2004", "shift_jis"),
    ("shiftjis", "shift_jis"),
    ("u8", "utf-8"),
    ("utf", "utf-8"),
    ("utf-8-sig", "utf-8"),
    ("utf-8-bom", "utf-8"),
];

/// The encoding that is called so, by whatever name people have for it. `None`: by none that is
/// known.
pub fn encoding_called(name: &[u8]) -> Option<&'static Encoding> {
    let name = std::str::from_utf8(name).ok()?.trim().trim_matches(['"', '\'']);
    if name.len() > LONGEST_NAME {
        return None;
    }
    let name = name.to_ascii_lowercase();
    // Emacs names the ends of lines as well.
    let name = ["-unix", "-dos", "-mac"].iter().find_map(|end| name.strip_suffix(end)).unwrap_or(&name);
    let hyphened = name.replace('_', "-");
    let other = OTHER_NAMES.iter().find(|(other, _)| *other == hyphened).map(|(_, known)| *known);
    let labels = [other.unwrap_or(name), &hyphened].map(str::as_bytes);
    // The web's `replacement` stands for encodings that it refuses to read.
    labels.into_iter().find_map(Encoding::for_label_no_replacement)
}

/// A text in UTF-8: from the encoding that it is said to be in; else as it is; else from what git
/// takes for its own before it writes a commit, Latin-1.
pub(crate) fn utf8<'a>(text: &'a [u8], encoding: Option<&'static Encoding>) -> Cow<'a, [u8]> {
    let said =
        encoding.filter(|encoding| *encoding != UTF_8).map(|encoding| encoding.decode_without_bom_handling(text));
    let is_utf8 = std::str::from_utf8(text).is_ok();
    match said {
        Some((decoded, had_errors)) if !had_errors || !is_utf8 => match decoded {
            Cow::Borrowed(same) => Cow::Borrowed(same.as_bytes()),
            Cow::Owned(other) => Cow::Owned(other.into_bytes()),
        },
        _ if is_utf8 => Cow::Borrowed(text),
        _ => Cow::Owned(WINDOWS_1252.decode_without_bom_handling(text).0.into_owned().into_bytes()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encodings_go_by_many_names() {
        for (name, expected) in [
            ("ISO-8859-1", "windows-1252"),
            ("iso_8859_1", "windows-1252"),
            ("latin-1", "windows-1252"),
            ("latin_1", "windows-1252"),
            ("iso-latin-1-unix", "windows-1252"),
            ("UTF-8", "UTF-8"),
            ("utf_8_sig", "UTF-8"),
            ("utf8", "UTF-8"),
            ("cp1251", "windows-1251"),
            ("koi8_r", "KOI8-R"),
            ("euc_jp", "EUC-JP"),
            ("eucJP", "EUC-JP"),
            ("Shift_JIS", "Shift_JIS"),
            ("cp932", "Shift_JIS"),
            ("GB2312", "GBK"),
            ("\"big5\"", "Big5"),
        ] {
            assert_eq!(encoding_called(name.as_bytes()).map(Encoding::name), Some(expected), "{name}");
        }
        for name in ["", "x-unknown", "hz-gb-2312", "\u{fffd}", &"a".repeat(1 << 20)] {
            assert_eq!(encoding_called(name.as_bytes()), None, "{name:.20}");
        }
    }
}
