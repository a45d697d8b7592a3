//! Markers: by which what we wrote on GitHub is found again.

/// Whether a text holds a marker, and not one that goes on, nor within a quotation: who quotes a
/// text of ours did not write one.
pub fn bears(text: &str, marker: &str) -> bool {
    let goes_on = |rest: &str| rest.starts_with(|next: char| next.is_ascii_alphanumeric() || next == ':');
    let is_borne = |line: &str| line.match_indices(marker).any(|(at, _)| !goes_on(&line[at + marker.len()..]));
    text.lines().any(|line| !line.trim_start().starts_with('>') && is_borne(line))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_marker_is_no_beginning_of_another() {
        assert!(bears("<!-- flawless:abc:12 -->\n", "flawless:abc:12"));
        assert!(!bears("<!-- flawless:abc:123 -->\n", "flawless:abc:12"));
        assert!(!bears("<!-- flawless:abc:12:3 -->\n", "flawless:abc:12"));
        assert!(bears("<!-- flawless:abc:123 --> flawless:abc:12", "flawless:abc:12"));
    }

    #[test]
    fn a_quoted_marker_is_not_ours() {
        assert!(!bears("> It failed.\n> <!-- flawless:abc:12 -->\n\nSee this one.", "flawless:abc:12"));
        assert!(!bears("  >> <!-- flawless:abc:12 -->", "flawless:abc:12"));
        assert!(bears("> It failed.\n\n<!-- flawless:abc:12 -->", "flawless:abc:12"));
        assert!(bears("a > b\r\n1 > 2 <!-- flawless:abc:12 -->", "flawless:abc:12"));
    }
}
