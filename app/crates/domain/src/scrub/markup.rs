//! What stands in an element of XML or HTML whose own name or attribute names it:
//! `<password>x</password>`, `<entry key="password">x</entry>`.

use super::beside::{Tie, value_elements};
use super::values::trimmed;
use std::ops::Range;

/// Characters of a tag behind an attribute: other attributes are few and short.
const MAX_TAG: usize = 200;

/// What a text begins with in which nothing is escaped.
const CDATA: &str = "<![CDATA[";

/// Attributes that name what the element holds: properties of Java, Spring and .NET, resources of
/// Android.
const NAMES: [&str; 5] = ["name=", "Name=", "key=", "Key=", "property="];

/// Attributes that hold it.
const VALUES: [&str; 3] = ["value=", "Value=", "content="];

/// The text of an element that begins here, and how many bytes were looked at.
pub(super) fn content(text: &str, at: usize) -> (Range<usize>, usize) {
    let rest = &text[at..];
    let inner = rest.trim_start();
    let (start, length) = match inner.strip_prefix(CDATA) {
        Some(inner) => (text.len() - inner.len(), inner.find("]]>").unwrap_or(inner.len())),
        None => (at, rest.find('<').unwrap_or(rest.len())),
    };
    (trimmed(text, start..start + length), start + length - at)
}

/// What belongs to a name in quotes that is an attribute's: another attribute's value, or what the
/// element holds, within an element of its own or not.
pub(super) fn attribute(text: &str, start: usize, at: usize) -> Option<(Tie, usize, bool)> {
    let before = text.get(..start.checked_sub(1)?)?.trim_end_matches('\\');
    let name = NAMES.iter().find(|name| before.ends_with(*name))?;
    if !before[..before.len() - name.len()].ends_with(char::is_whitespace) {
        return None;
    }
    let close = text.as_bytes()[at..].iter().take(MAX_TAG).position(|byte| matches!(byte, b'<' | b'>'))?;
    let attributes = &text[at..at + close];
    if !text[at + close..].starts_with('>') {
        return None;
    }
    let value = VALUES.iter().find_map(|value| {
        let found = attributes.find(value)?;
        let is_whole = found == 0 || attributes[..found].ends_with(char::is_whitespace);
        is_whole.then_some(at + found + value.len())
    });
    if let Some(value) = value {
        return Some((Tie::NameAndValue, value, true));
    }
    // Closed already, or no tag: `->`, `=>`.
    if attributes.ends_with(['/', '-', '=']) {
        return None;
    }
    let (_, rest) = value_elements(&text[at + close + 1..])?;
    let is_text = !rest.starts_with('<') || rest.starts_with(CDATA);
    is_text.then(|| (Tie::Element, text.len() - rest.len(), true))
}

#[cfg(test)]
mod tests {
    use crate::scrub::{FILTERED, Place, Rules, one, scrub_text};

    #[test]
    fn what_elements_hold_by_their_own_name_or_an_attributes() {
        for (text, expected) in [
            ("<password><![CDATA[hunter2<x]]></password>", "<password><![CDATA[#]]></password>"),
            ("<password>\n <![CDATA[ hunter2 ]]></password>", "<password>\n <![CDATA[ # ]]></password>"),
            ("<entry key=\"db.password\">hunter2</entry>", "<entry key=\"db.password\">#</entry>"),
            ("<string name=\"api_key\">hunter2x</string>", "<string name=\"api_key\">#</string>"),
            ("<Parameter Name='password'>hunter2</Parameter>", "<Parameter Name='password'>#</Parameter>"),
            (
                "<property name=\"password\"><value>hunter2</value></property>",
                "<property name=\"password\"><value>#</value></property>",
            ),
            (
                "<setting name=\"Password\" serializeAs=\"String\">\n<value>hunter2</value></setting>",
                "<setting name=\"Password\" serializeAs=\"String\">\n<value>#</value></setting>",
            ),
            ("<entry key=\"password\"><![CDATA[hunter2]]></entry>", "<entry key=\"password\"><![CDATA[#]]></entry>"),
            (
                "<input name=\"csrf_token\" type=\"hidden\" value=\"hunter2x\">",
                "<input name=\"csrf_token\" type=\"hidden\" value=\"#\">",
            ),
            ("<entry key=\\\"password\\\">hunter2</entry>", "<entry key=\\\"password\\\">#</entry>"),
            ("#User<password: \"hunter2\">", "#User<password: \"#\">"),
        ] {
            assert_eq!(scrub_text(text, Rules::built_in()).replace(FILTERED, "#"), expected);
        }
        for text in [
            "<string name=\"password\">Enter your password, 8 letters</string>",
            "<entry key=\"password\"/><b>word2</b>",
            "<entry key=\"password\"></entry>word2",
            "<a title=\"password\">word2</a>",
        ] {
            assert_eq!(scrub_text(text, Rules::built_in()), text);
        }
        let in_code = |text: &str| one(text, Rules::built_in(), Place::Code, None).replace(FILTERED, "#");
        assert_eq!(in_code("<string name=\"api_key\">hunter2x</string>"), "<string name=\"api_key\">#</string>");
        for code in ["<Field name=\"password\">{values.pw1}</Field>", "let x: Vec<Token> = take2(a, b);"] {
            assert_eq!(in_code(code), code);
        }
    }
}
