//! Ruby's methods that are written in C, by their frames.

/// Whether of two frames at one place the inner one is a method in C, which has its caller's place:
/// `Integer#/` within `Cart#total`. A block is the application's own, and so is what calls itself.
pub(crate) fn is_called_in_c(function: Option<&str>, of_caller: Option<&str>) -> bool {
    let (Some(function), Some(of_caller)) = (function, of_caller) else { return false };
    let is_own = ["block in ", "block (", "rescue in ", "ensure in "].iter().any(|what| function.contains(what));
    function != of_caller && !is_own
}
