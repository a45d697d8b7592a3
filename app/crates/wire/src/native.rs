//! Where the application's part of a Rust traceback ends: the panic machinery and the client come
//! after it.

/// Crates whose frames are never what failed, only how it failed or how it was reported.
const MACHINERY: [&str; 9] =
    ["core", "std", "alloc", "__rustc", "backtrace", "anyhow", "eyre", "color_eyre", "stable_eyre"];

/// Functions in which a panic begins to unwind: everything inwards of it is a panic hook, whoever
/// wrote it.
const UNWINDING: [&str; 5] = [
    "rust_begin_unwind",
    "std::panicking::begin_panic",
    "std::panicking::rust_panic_with_hook",
    "std::panicking::panic_with_hook",
    "core::panicking::panic_fmt",
];

/// How many of these functions (outermost first) to keep, so that the last one is the application's
/// or a library's.
///
/// The Rust client sends its own frames as the innermost, some of them marked `in_app`, and those
/// of the panic; `anyhow`'s end in `std::backtrace`. If nothing would be left, all are kept.
pub(super) fn application_frames<'a>(functions: impl DoubleEndedIterator<Item = Option<&'a str>> + Clone) -> usize {
    let all = functions.clone().count();
    // The innermost of the functions that unwind; those around it are of the same run and popped
    // with it below.
    let hook = functions.clone().rev().position(|function| function.is_some_and(unwinds));
    let end = hook.map_or(all, |inner| all - inner);
    let popped = functions.rev().skip(all - end).take_while(|function| function.is_none_or(is_machinery)).count();
    if popped == end { all } else { end - popped }
}

/// Whether a panic begins to unwind here.
fn unwinds(function: &str) -> bool {
    UNWINDING.iter().any(|name| function.contains(name))
}

/// Whether the function belongs to the machinery, or has no name worth showing.
fn is_machinery(function: &str) -> bool {
    let name = function.trim();
    if name.is_empty() || name.starts_with("<unknown") || name.starts_with("__rust") || name == "rust_begin_unwind" {
        return true;
    }
    let name = crate_name(name);
    name.starts_with("sentry") || MACHINERY.contains(&name)
}

/// The crate of a demangled function: `<&dyn core::ops::Fn as …>::call` is in `core`,
/// `<F as core::ops::Fn>::call` too.
fn crate_name(function: &str) -> &str {
    let mut function = function;
    // No recursion: a printed name may be as long as a text.
    loop {
        let subject = function.trim_start_matches(['<', '&', '*', '(', ' ']);
        let words = ["dyn ", "mut ", "const "];
        let subject = words.iter().fold(subject, |rest, word| rest.strip_prefix(word).unwrap_or(rest));
        let end = subject.find(|letter: char| !letter.is_alphanumeric() && letter != '_').unwrap_or(subject.len());
        let (name, rest) = subject.split_at(end);
        match rest.strip_prefix(" as ") {
            Some(of_trait) if function.starts_with('<') => function = of_trait,
            _ => return name,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(functions: &[&str]) -> usize {
        application_frames(functions.iter().map(|name| Some(*name)))
    }

    #[test]
    fn cuts_the_panic_and_the_client() {
        let panic = [
            "<unknown>",
            "std::rt::lang_start",
            "shop::main",
            "std::panicking::catch_unwind",
            "shop::main::{{closure}}",
            "shop::pricing::discount",
            "core::panicking::panic_const::panic_const_div_by_zero",
            "core::panicking::panic_fmt",
            "__rustc::rust_begin_unwind",
            "std::panicking::panic_with_hook",
            "shop::logging::our_own_hook",
            "<alloc::boxed::Box<dyn for<'a> core::ops::function::Fn<()>> as core::ops::function::Fn<()>>::call",
            "sentry_panic::panic_handler",
        ];
        assert_eq!(kept(&panic), 6);
    }

    #[test]
    fn cuts_what_takes_a_backtrace() {
        assert_eq!(
            kept(&[
                "a::main",
                "a::load",
                "anyhow::error::<impl anyhow::Error>::msg",
                "std::backtrace::Backtrace::capture"
            ]),
            2
        );
        assert_eq!(kept(&["a::main", "sentry_core::api::capture_message", "core::option::Option<T>::and_then"]), 1);
        assert_eq!(kept(&["a::main", "<F as core::ops::function::FnOnce<()>>::call_once"]), 1);
        assert_eq!(kept(&["a::main", "<b::Thing as core::fmt::Display>::fmt"]), 2);
    }

    #[test]
    fn keeps_what_has_nothing_else() {
        assert_eq!(kept(&["std::rt::lang_start", "core::panicking::panic_fmt"]), 2);
        assert_eq!(kept(&[]), 0);
    }
}
