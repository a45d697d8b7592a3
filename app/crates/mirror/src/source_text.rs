//! From a file's bytes to its text: the one reading of files for all that shows, compares or parses
//! them.
//!
//! What a client reports is decoded, so the repository's file has to be as well. UTF-8 and what
//! bears a mark is certain; else a file may say itself what it is in (PEP 263, and what Ruby,
//! Emacs, Vim and XML have for it), or `.gitattributes` does; else the lines tell that a client
//! read of it, and at last how often its bytes are what in each language.

use blame::encoding_called;
use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{
    BIG5, EUC_JP, EUC_KR, Encoding, GB18030, IBM866, ISO_2022_JP, ISO_8859_2, ISO_8859_5, ISO_8859_7, ISO_8859_15,
    KOI8_R, KOI8_U, MACINTOSH, SHIFT_JIS, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_874, WINDOWS_1250, WINDOWS_1251,
    WINDOWS_1252, WINDOWS_1253, WINDOWS_1254, WINDOWS_1255, WINDOWS_1256, WINDOWS_1257,
};
use gix::bstr::ByteSlice;

/// Bytes at the beginning in which a NUL means that a file is no text: git's own rule.
const BINARY_PROBE: usize = 8000;

/// Lines at the beginning in which a file says what it is in: Python and Emacs look at two, and
/// licences stand above some.
const DECLARED_WITHIN: usize = 5;

/// Bytes of each of these lines that are looked at.
const DECLARATION: usize = 500;

/// Bytes, from the first that is not ASCII, that are counted to guess an encoding.
const GUESSED_FROM: usize = 256 << 10;

/// Bytes of a file that is read in several encodings for a client's lines: no code is longer.
const LARGEST_COMPARED: usize = 1 << 20;

/// Encodings that code is still found in, the most frequent first.
const IN_USE: [&Encoding; 24] = [
    WINDOWS_1252,
    SHIFT_JIS,
    GB18030,
    EUC_JP,
    WINDOWS_1251,
    KOI8_R,
    EUC_KR,
    BIG5,
    ISO_8859_15,
    WINDOWS_1250,
    ISO_8859_2,
    KOI8_U,
    IBM866,
    ISO_8859_5,
    WINDOWS_1253,
    ISO_8859_7,
    WINDOWS_1254,
    WINDOWS_1255,
    WINDOWS_1256,
    WINDOWS_1257,
    WINDOWS_874,
    MACINTOSH,
    ISO_2022_JP,
    UTF_8,
];

/// A file as it is.
pub(super) struct SourceText<'a> {
    /// Its content.
    pub(super) bytes: &'a [u8],
    /// What `.gitattributes` says that it is in.
    pub(super) attribute: Option<&'static Encoding>,
}

impl SourceText<'_> {
    /// The text, as far as the file itself tells; `None`: it is none.
    pub(super) fn read(&self) -> Option<String> {
        if let Some((encoding, mark)) = self.marked() {
            return Some(lossy(encoding, &self.bytes[mark..]));
        }
        if self.bytes.iter().take(BINARY_PROBE).any(|byte| *byte == 0) {
            return without_mark(self.bytes).map(|encoding| lossy(encoding, self.bytes));
        }
        // Its characters of two bytes are ASCII, between two that begin and end them.
        let declared = self.declared().into_iter().chain(self.attribute);
        let mut declared = declared.filter(|encoding| *encoding != UTF_8);
        let shifted = self.bytes.contains_str(b"\x1b$");
        if !shifted && let Ok(text) = self.bytes.to_str() {
            return Some(text.to_owned());
        }
        let said = declared.find_map(|encoding| {
            let (text, had_errors) = encoding.decode_without_bom_handling(self.bytes);
            (!had_errors).then(|| text.into_owned())
        });
        Some(said.unwrap_or_else(|| lossy(self.guessed(), self.bytes)))
    }

    /// The text in the encoding in which one of these lines, as a client read them, stands in it,
    /// with that encoding's name; `None`: in none.
    pub(super) fn read_as_seen(&self, lines: &[String]) -> Option<(&'static str, String)> {
        if self.bytes.len() > LARGEST_COMPARED || self.marked().is_some() {
            return None;
        }
        // The client took it for UTF-8, and has lost some characters: so are ours.
        let lost = lines.iter().any(|line| line.contains(char::REPLACEMENT_CHARACTER));
        if lost {
            let text = self.bytes.to_str_lossy();
            let stands = lines.iter().any(|line| text.contains(line.trim()));
            return stands.then(|| ("lossy", text.into_owned()));
        }
        // Python, told that it is Latin-1, reads bytes for which windows-1252 has other characters.
        let latin1 = lines.iter().filter_map(|line| latin1(line.trim())).any(|line| self.bytes.contains_str(line));
        if latin1 && self.bytes.iter().any(|byte| (0x80..0xa0).contains(byte)) {
            return Some(("latin1", encoding_rs::mem::decode_latin1(self.bytes).into_owned()));
        }
        let said = self.declared().into_iter().chain(self.attribute);
        let mut tried = said.chain(IN_USE).filter(|encoding| encoding.is_ascii_compatible());
        let stands = |encoding: &&'static Encoding| {
            lines.iter().any(|line| {
                let (wanted, _, is_partial) = encoding.encode(line.trim());
                !is_partial && !wanted.is_empty() && self.bytes.contains_str(&*wanted)
            })
        };
        tried.find(stands).map(|encoding| (encoding.name(), lossy(encoding, self.bytes)))
    }

    /// By a byte order mark, and the mark's length.
    fn marked(&self) -> Option<(&'static Encoding, usize)> {
        // UTF-32 in its little order, which nobody writes code in, begins as UTF-16.
        Encoding::for_bom(self.bytes).filter(|_| !self.bytes.starts_with(b"\xff\xfe\0\0"))
    }

    /// What the file says of itself in its first lines.
    fn declared(&self) -> Option<&'static Encoding> {
        let lines = self.bytes.lines().take(DECLARED_WITHIN);
        lines.map(|line| &line[..line.len().min(DECLARATION)]).find_map(|line| {
            // `coding: x`, `encoding = "x"`, `fileencoding=x`; `charset=x`; `fenc=x`.
            ["coding", "charset", "fenc"].iter().find_map(|word| {
                let (_, rest) = line.split_once_str(word)?;
                let rest = rest.trim_start();
                let rest = rest.strip_prefix(b":").or_else(|| rest.strip_prefix(b"="))?.trim_start();
                let rest = rest.trim_start_with(|c| matches!(c, '"' | '\''));
                let is_name = |byte: &&u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
                encoding_called(&rest[..rest.iter().take_while(is_name).count()])
            })
        })
    }

    fn guessed(&self) -> &'static Encoding {
        let start = self.bytes.iter().position(|byte| !byte.is_ascii() || *byte == 0x1b).unwrap_or(0);
        let probe = &self.bytes[start..self.bytes.len().min(start + GUESSED_FROM)];
        let mut detector = EncodingDetector::new(Iso2022JpDetection::Allow);
        detector.feed(probe, true);
        detector.guess(None, Utf8Detection::Deny)
    }
}

fn lossy(encoding: &'static Encoding, bytes: &[u8]) -> String {
    encoding.decode_without_bom_handling(bytes).0.into_owned()
}

/// UTF-16 of mostly ASCII, as its NULs tell: each second byte is one.
fn without_mark(bytes: &[u8]) -> Option<&'static Encoding> {
    let probe = &bytes[..bytes.len().min(BINARY_PROBE)];
    let nuls = |at: usize| probe.iter().skip(at).step_by(2).filter(|byte| **byte == 0).count();
    let (even, odd) = (nuls(0), nuls(1));
    let most = probe.len() / 2 * 3 / 4;
    match bytes.len().is_multiple_of(2) {
        true if even == 0 && odd > 0 && odd >= most => Some(UTF_16LE),
        true if odd == 0 && even > 0 && even >= most => Some(UTF_16BE),
        _ => None,
    }
}

/// A line in Latin-1, if it is no ASCII and has no other characters.
fn latin1(line: &str) -> Option<Vec<u8>> {
    let bytes: Option<Vec<u8>> = line.chars().map(|c| u8::try_from(u32::from(c)).ok()).collect();
    bytes.filter(|bytes| !bytes.is_ascii())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8]) -> Option<String> {
        SourceText { bytes, attribute: None }.read()
    }

    fn seen(bytes: &[u8], line: &str) -> Option<(&'static str, String)> {
        SourceText { bytes, attribute: None }.read_as_seen(&[line.to_owned()])
    }

    /// In an encoding, with what stands above it.
    fn encoded(encoding: &'static Encoding, text: &str) -> Vec<u8> {
        let (bytes, _, is_partial) = encoding.encode(text);
        assert!(!is_partial, "{text:?} in {}", encoding.name());
        bytes.into_owned()
    }

    fn utf16(text: &str, little: bool) -> Vec<u8> {
        text.encode_utf16().flat_map(|unit| if little { unit.to_le_bytes() } else { unit.to_be_bytes() }).collect()
    }

    #[test]
    fn a_mark_says_what_a_file_is_in_and_is_no_part_of_its_text() {
        let text = "preis = \"Größe\"\n";
        assert_eq!(read(format!("\u{feff}{text}").as_bytes()).as_deref(), Some(text));
        for little in [true, false] {
            assert_eq!(read(&utf16(&format!("\u{feff}{text}"), little)).as_deref(), Some(text));
            assert_eq!(read(&utf16(text, little)).as_deref(), Some(text), "without a mark");
        }
        for binary in [&b"\x7fELF\0\0\0\x01"[..], b"a\0b\0\0c", b"\xff\xfe\0\0a\0\0\0\0", b"\0\0\0\0"] {
            assert_eq!(read(binary), None, "{binary:?}");
        }
    }

    #[test]
    fn a_file_says_in_its_first_lines_what_it_is_in() {
        for (encoding, head) in [
            (WINDOWS_1252, "# -*- coding: latin-1 -*-"),
            (KOI8_R, "#!/usr/bin/python\n# vim: set fileencoding=koi8-r :"),
            (WINDOWS_1251, "# encoding: cp1251"),
            (EUC_JP, "# coding: euc-jp"),
            (SHIFT_JIS, ";; -*- coding: sjis-dos -*-"),
            (GB18030, "<?xml version=\"1.0\" encoding=\"GBK\"?>"),
            (ISO_8859_15, "@charset=\"iso-8859-15\""),
            (ISO_2022_JP, "# coding: iso-2022-jp"),
        ] {
            let word = match encoding.name() {
                "windows-1252" => "Größe",
                "ISO-8859-15" => "10 €",
                "gb18030" => "价格",
                "KOI8-R" | "windows-1251" => "цена",
                _ => "価格",
            };
            let text = format!("{head}\nprice = \"{word}\"\n");
            assert_eq!(read(&encoded(encoding, &text)).as_deref(), Some(&*text), "{}", encoding.name());
        }
        // What it says is not so.
        let text = "# coding: latin-1\nprice = \"Größe\"\n";
        assert_eq!(read(text.as_bytes()).as_deref(), Some(text));
        assert!(read(b"# coding: shift_jis\nx = \"\xf6\"\n").is_some());
    }

    #[test]
    fn the_lines_that_a_client_read_tell_what_a_file_is_in() {
        for (encoding, line) in [
            (WINDOWS_1252, "    return row[\"€\"]"),
            (KOI8_R, "x = \"цена\""),
            (WINDOWS_1251, "x = \"цена\""),
            (EUC_JP, "x = \"在庫\""),
            (SHIFT_JIS, "x = \"表示\""),
            (GB18030, "x = \"价格\""),
            (MACINTOSH, "x = \"Größe\""),
        ] {
            let text = format!("def f():\n{line}\n");
            let found = seen(&encoded(encoding, &text), line);
            assert_eq!(found, Some((encoding.name(), text)));
        }
        // A client that read UTF-8 as Latin-1, as Python does where it is told so, and the other
        // way round.
        let found = seen("# coding: latin-1\nx = \"Größe\"\n".as_bytes(), "x = \"GrÃ¶Ã\u{9f}e\"");
        assert_eq!(found, Some(("latin1", "# coding: latin-1\nx = \"GrÃ¶Ã\u{9f}e\"\n".to_owned())));
        assert_eq!(seen(b"x = \"Gr\xf6\xdfe\"\n", "x = \"Gr\u{fffd}\u{fffd}e\"").map(|it| it.0), Some("lossy"));
        assert_eq!(seen(b"x = \"Gr\xf6\xdfe\"\n", "x = \"something else: \u{e4}\""), None);
        assert_eq!(seen(&vec![0xf6; LARGEST_COMPARED + 1], "ö"), None);
    }

    #[test]
    fn what_says_nothing_is_guessed() {
        let text = "# Die Größe des Stücks, für das der Schlüssel gültig ist: fünf Ränder überall\nx = \"Größe\"\n";
        assert_eq!(read(&encoded(WINDOWS_1252, text)).as_deref(), Some(text));
        let text = "# Проверка количества товаров на складе перед отправкой заказа\nx = 1\n";
        assert_eq!(read(&encoded(WINDOWS_1251, text)).as_deref(), Some(text));
        let text = "# 注文を送る前に倉庫の在庫を確認します。\nx = 1\n";
        assert_eq!(read(&encoded(SHIFT_JIS, text)).as_deref(), Some(text));
        assert_eq!(read(b"caf\xe9\n").as_deref(), Some("caf\u{e9}\n"));
        let attribute = Some(KOI8_R);
        let text = "x = \"цена\"\n";
        assert_eq!(SourceText { bytes: &encoded(KOI8_R, text), attribute }.read().as_deref(), Some(text));
    }
}
