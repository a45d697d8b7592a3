//! What a frame's text, module and path say of the files that it may be in.

use super::manifests::elixir_modules;
use domain::deployed_root::Fit;
use domain::report::Frame;

/// Files of which nothing but the base name is the same tell by their text: the one in which it is
/// most like what the client saw, or none.
pub(super) fn drop_undecided(fits: &mut Vec<Fit>) {
    let is_of_name = |fit: &Fit| fit.matched == 1 && !fit.is_whole && !fit.is_below_key && !fit.is_certain;
    let of_name: Vec<&Fit> = fits.iter().filter(|fit| is_of_name(fit)).collect();
    if of_name.len() < 2 {
        return;
    }
    let best = of_name.iter().filter(|fit| fit.agrees).map(|fit| fit.stand.score).max();
    let is_alone = of_name.iter().filter(|fit| fit.agrees && Some(fit.stand.score) == best).count() == 1;
    fits.retain(|fit| !is_of_name(fit) || (is_alone && fit.agrees && Some(fit.stand.score) == best));
}

/// Whether a file defines the module that a frame of Elixir is of; `None`: that can't be told.
pub(super) fn module_standing(frame: &Frame, path: &str, lines: &[String]) -> Option<bool> {
    let module = frame.module.as_deref().filter(|_| path.ends_with(".ex") || path.ends_with(".exs"))?;
    let module = module.strip_prefix("Elixir.").unwrap_or(module);
    let defined = elixir_modules(lines);
    let is_within =
        |name: &String| module.strip_prefix(name.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'));
    if defined.is_empty() || !module.starts_with(char::is_uppercase) {
        return None;
    }
    if defined.iter().any(is_within) {
        return Some(true);
    }
    // What a macro of the same application made has another's name.
    let first = |name: &str| name.split('.').next().unwrap_or_default().to_owned();
    (!defined.iter().any(|name| first(name) == first(module))).then_some(false)
}

/// Whether a frame's file is on a system that takes both cases of a letter for one.
pub(super) fn may_differ_in_case(frame: &Frame) -> bool {
    let is_drive = |path: &str| {
        let path = path.trim_start_matches("file:").trim_start_matches('/').as_bytes();
        path.len() > 2 && path[0].is_ascii_alphabetic() && path[1] == b':'
    };
    [&frame.abs_path, &frame.filename].into_iter().flatten().any(|path| path.contains('\\') || is_drive(path))
}

/// The text of the line that the client saw, where it sent one.
pub(super) fn telling(frame: &Frame) -> Option<&str> {
    frame.context_line.as_deref()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_module_is_looked_for_in_its_file() {
        let lines: Vec<String> = ["defmodule Shop.Till do", "end"].map(str::to_owned).to_vec();
        let of = |module: &str, path: &str| {
            module_standing(&Frame { module: Some(module.into()), ..Frame::default() }, path, &lines)
        };
        assert_eq!(of("Elixir.Shop.Till", "lib/till.ex"), Some(true));
        assert_eq!(of("Shop.Till.Line", "lib/till.ex"), Some(true));
        assert_eq!(of("Plug.Router", "lib/till.ex"), Some(false));
        assert_eq!(of("ShopWeb.Till", "lib/till.ex"), Some(false));
        assert_eq!(of("Shop.Router", "lib/till.ex"), None, "a macro of the same application may have made it");
        assert_eq!(of("gen_server", "lib/till.ex"), None);
        assert_eq!(of("shop.till", "lib/till.py"), None);
    }

    #[test]
    fn windows_takes_both_cases_of_a_letter_for_one() {
        let of = |path: &str| may_differ_in_case(&Frame { abs_path: Some(path.into()), ..Frame::default() });
        for windows in ["C:\\App\\Till.cs", "d:/app/till.cs", "file:///C:/app/till.js", "Shop\\Till.cs"] {
            assert!(of(windows), "{windows}");
        }
        for other in ["/srv/app/till.py", "app/till.py", "webpack:///src/till.js"] {
            assert!(!of(other), "{other}");
        }
    }
}
