//! PHP's own functions, by their frames: what is called names the place that it is called from.

/// A frame's path, line and function.
pub(crate) type Call<'a> = (Option<&'a str>, Option<u32>, Option<&'a str>);

/// How frameworks call what makes exceptions of PHP's warnings, with the warning's place.
const HANDLER: &str = "handleerror";
/// The handler, the closure around it, and where the warning was.
const HANDLER_CALLS: usize = 2;

/// How many of these calls, innermost first, are no code of their place: `intdiv` stands at the
/// line of `Cart::price` that calls it. A closure is the application's own, and so is what calls
/// itself.
pub(crate) fn inner_calls<'a>(calls: impl Iterator<Item = Call<'a>>) -> usize {
    let mut calls = calls.take(1 + HANDLER_CALLS);
    let Some((Some(path), Some(line), Some(function))) = calls.next() else { return 0 };
    if function.contains("{closure") {
        return 0;
    }
    let is_handler = function.to_ascii_lowercase().ends_with(HANDLER);
    let most = if is_handler { HANDLER_CALLS } else { 1 };
    let is_caller = |call: Call<'_>| (call.0, call.1) == (Some(path), Some(line)) && call.2 != Some(function);
    calls.take(most).position(is_caller).map_or(0, |at| at + 1)
}
