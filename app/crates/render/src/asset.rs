//! The files that pages refer to, in the binary.

/// Type and bytes of a static file by its name (`style.css`), served under `/static/`. `None`:
/// there is no such file.
pub fn asset(name: &str) -> Option<(&'static str, &'static [u8])> {
    match name {
        "style.css" => {
            Some(("text/css; charset=utf-8", include_bytes!(concat!(env!("FLAWLESS_STATIC"), "/style.css"))))
        }
        "icon.svg" => Some(("image/svg+xml", include_bytes!(concat!(env!("FLAWLESS_STATIC"), "/icon.svg")))),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::asset;

    #[test]
    fn pages_need_nothing_from_elsewhere() {
        let (mime, style) = asset("style.css").expect("the style");
        assert_eq!(mime, "text/css; charset=utf-8");
        let style = std::str::from_utf8(style).expect("UTF-8");
        assert!(style.contains("prefers-color-scheme: dark") && !style.contains("http"), "no remote files");
        assert!(asset("../style.css").is_none());
    }
}
