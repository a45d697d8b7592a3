//! Where a printed frame says that it is.

use domain::report::Frame;

/// A frame at a printed path: absolute paths and `file://` URLs are told from relative ones.
pub(super) fn frame(path: &str, line: Option<u32>, column: Option<u32>, function: Option<&str>) -> Frame {
    let path = path.strip_prefix("file://").map_or(path, without_host);
    let path = path.strip_prefix("./").unwrap_or(path);
    Frame {
        filename: Some(path.to_owned()),
        abs_path: is_absolute(path).then(|| path.to_owned()),
        function: function.filter(|name| !name.is_empty()).map(str::to_owned),
        line,
        column,
        ..Frame::default()
    }
}

/// `/C:/shop/a.js` of a `file:///C:/shop/a.js` is `C:/shop/a.js`.
fn without_host(path: &str) -> &str {
    path.strip_prefix('/').filter(|path| has_drive(path)).unwrap_or(path)
}

fn is_absolute(path: &str) -> bool {
    path.starts_with('/') || path.starts_with(r"\\") || has_drive(path)
}

fn has_drive(path: &str) -> bool {
    matches!(path.as_bytes(), [letter, b':', b'/' | b'\\', ..] if letter.is_ascii_alphabetic())
}

/// `path:12` as path and number. A drive's colon is not taken for the line's.
pub(super) fn path_and_line(text: &str) -> Option<(&str, u32)> {
    let (path, number) = text.rsplit_once(':')?;
    if path.is_empty() || number.is_empty() || !number.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    Some((path, number.parse().ok()?))
}

/// `path:12:5` as path, line and column.
pub(super) fn path_line_and_column(text: &str) -> Option<(&str, u32, u32)> {
    let (rest, column) = path_and_line(text)?;
    let (path, line) = path_and_line(rest)?;
    Some((path, line, column))
}

/// How far a line is indented, tabs counting as one.
pub(super) fn indent(line: &str) -> usize {
    line.len() - line.trim_start().len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places() {
        assert_eq!(path_line_and_column("C:\\shop\\a.js:3:4"), Some(("C:\\shop\\a.js", 3, 4)));
        assert_eq!(path_line_and_column("C:\\shop\\a.js:3"), None);
        assert_eq!(path_and_line("a.rb:3"), Some(("a.rb", 3)));
        assert_eq!(path_and_line("a.rb:99999999999"), None);
        assert_eq!(path_and_line(":3"), None);
        let paths = |path| {
            let frame = frame(path, None, None, None);
            (frame.filename.unwrap(), frame.abs_path.is_some())
        };
        assert_eq!(paths("file:///srv/a.mjs"), ("/srv/a.mjs".to_owned(), true));
        assert_eq!(paths("file:///C:/a.mjs"), ("C:/a.mjs".to_owned(), true));
        assert_eq!(paths("./src/a.rs"), ("src/a.rs".to_owned(), false));
        assert_eq!(paths("<string>"), ("<string>".to_owned(), false));
    }
}
