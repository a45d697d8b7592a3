//! Which frames of the repository are stepped over by what their code does: the culprit is then
//! their caller.
//!
//! Each rule is small, has a name, and was kept because it paid on repositories that it was not
//! made from: `cargo run -p evaluate` prints the figures.

use super::heuristic::Heuristic;
use super::ids::RuleId;
use super::not_ours::NotOurs;
use super::report::Exception;
use super::rule::Rules;
use super::source::{LineFacts, Role, ValueOrigin};
use regex::Regex;
use serde::{Deserialize, Serialize};
use std::sync::LazyLock;

/// A function that raises is stepped over as a helper up to this many lines: a longer one decides
/// something itself.
const SHORT_HELPER: u32 = 12;

/// Why a frame was not blamed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Passed {
    /// In no file of the repository.
    Outside,
    /// In a package directory.
    Package,
    /// In this folder, which is a submodule: another repository's.
    Submodule(String),
    /// Below a symbolic link of the repository that leads out of it.
    LinkedOutside,
    /// `only_blame_filepaths_matching` leaves it out.
    IgnoredPath,
    /// Library code, by the file or by this rule.
    LibraryCode(Option<RuleId>),
    /// Vendored or generated: its people did not write it.
    NotOurs(NotOurs),
    /// It only raises: its caller is to blame.
    Raise,
    /// It recovered from a panic, of which it only tells the client: what panicked is to blame.
    Recovers,
    /// It passes its arguments on as it got them: a wrapper.
    Forwards,
    /// It calls the function that it was given.
    CallsGiven,
    /// The value that was wrong came in as this parameter.
    GivenValue(String),
}

impl Passed {
    /// Whether the frame is none of the repository's own code.
    pub fn is_outside(&self) -> bool {
        matches!(self, Self::Outside | Self::Package | Self::Submodule(_) | Self::LinkedOutside)
    }

    /// The rule of thumb by which the frame, which could have been blamed, was stepped over for its
    /// caller.
    pub fn heuristic(&self) -> Option<Heuristic> {
        match self {
            Self::Raise | Self::Recovers => Some(Heuristic::RaiseHelper),
            Self::Forwards => Some(Heuristic::Forwarder),
            Self::CallsGiven => Some(Heuristic::GivenCallee),
            Self::GivenValue(_) => Some(Heuristic::GivenValue),
            Self::Outside
            | Self::Package
            | Self::Submodule(_)
            | Self::LinkedOutside
            | Self::IgnoredPath
            | Self::LibraryCode(_)
            | Self::NotOurs(_) => None,
        }
    }
}

/// Why a frame's caller is to blame instead of it, by its code. `code` is the line's text, for what
/// could not be parsed; `recursive`: the caller is the same function.
pub fn step_over(
    rules: &Rules,
    exception: &Exception,
    code: &str,
    facts: Option<&LineFacts>,
    recursive: bool,
) -> Option<Passed> {
    let helper = rules.uses(Heuristic::RaiseHelper);
    let Some(facts) = facts else { return (helper && is_raise(code)).then_some(Passed::Raise) };
    let function = facts.function.as_ref()?;
    if helper && (facts.raises || is_raise(code)) && function.length() <= SHORT_HELPER && !recursive {
        return Some(Passed::Raise);
    }
    if facts.forwards && rules.uses(Heuristic::Forwarder) {
        return Some(Passed::Forwards);
    }
    if facts.calls_given && rules.uses(Heuristic::GivenCallee) {
        return Some(Passed::CallsGiven);
    }
    given(exception, facts).filter(|_| rules.uses(Heuristic::GivenValue)).map(Passed::GivenValue)
}

/// What hands a recovered panic to Go's SDK, at whatever hub: `sentry.CurrentHub().Recover(err)`.
static RECOVERS: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"\.\s*Recover(?:WithContext)?\s*\(\s*[^\s)]").expect("a constant pattern compiles"));

/// Whether this line of Go is in a deferred function, as the innermost frame that the SDK sends: of
/// the frames in between it sends neither Go's own, which panic, nor its own.
pub(crate) fn recovers(path: &str, code: &str) -> bool {
    path.ends_with(".go") && RECOVERS.is_match(code)
}

/// What the message of a wrong value speaks of.
fn blamed_roles(exception: &Exception) -> Vec<Role> {
    let message = exception.value.as_deref().unwrap_or("");
    let has = |words: &[&str]| words.iter().any(|word| message.contains(word));
    if let Some(attribute) = missing_on_nothing(message) {
        return vec![Role::Attribute(attribute)];
    }
    if exception.kind.rsplit('.').next() != Some("TypeError") {
        return Vec::new();
    }
    if has(&["not subscriptable", "indices must be", "item assignment", "__getitem__"]) {
        vec![Role::Indexed]
    } else if message.contains("argument of type") && message.contains("not iterable") {
        vec![Role::Operand]
    } else if has(&["not iterable", "cannot unpack", "non-iterable"]) {
        vec![Role::Iterated]
    } else if has(&["not callable", "is not a function"]) {
        vec![Role::Called]
    } else if has(&["unsupported operand", "not supported between", "concatenate"]) {
        vec![Role::Operand]
    } else if ARGUMENT.is_match(message) && !has(&["positional", "keyword"]) {
        vec![Role::Argument]
    } else {
        Vec::new()
    }
}

static ARGUMENT: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"has no len|expected|must be|argument|not \w+$").expect("a constant pattern compiles")
});

/// The attribute that was asked of nothing: of `None`, `undefined`, `null` or `nil`.
fn missing_on_nothing(message: &str) -> Option<String> {
    static NOTHING: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(
            r"(?x) 'NoneType'\ object\ has\ no\ attribute\ '(\w+)'
            | Cannot\ (?:read|set)\ propert(?:y|ies)\ of\ (?:undefined|null)\ \((?:reading|setting)\ '(\w+)'\)
            | undefined\ method\ [`'](\w+[?!]?)'\ for\ nil",
        )
        .expect("a constant pattern compiles")
    });
    let found = NOTHING.captures(message)?;
    (1..=3).find_map(|group| found.get(group)).map(|name| name.as_str().to_owned())
}

/// The parameter whose value was wrong when it came in: the message speaks of it, and nothing of
/// the function's own does as well.
fn given(exception: &Exception, facts: &LineFacts) -> Option<String> {
    let roles = blamed_roles(exception);
    let spoken_of = || facts.uses.iter().filter(|one| roles.contains(&one.role));
    let own = |origin: &ValueOrigin| matches!(origin, ValueOrigin::Local | ValueOrigin::Own(_) | ValueOrigin::Outcome);
    if spoken_of().any(|one| own(&one.origin)) {
        return None;
    }
    spoken_of().find_map(|one| match &one.origin {
        ValueOrigin::Given(name) => Some(name.clone()),
        _ => None,
    })
}

/// A statement that does nothing but raise: `raise`, `raise X`, `raise(X)`, with a tab or at the
/// end of the text (all of which the pattern of Flawless 0.4.5 missed), and what other languages
/// have for it.
static RAISE: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"^\s*(?:raise(?:$|[\s(;#])|throw(?:$|[\s(;])|panic!?\s*\(|(?:anyhow::)?bail!\s*\(|unreachable!\s*\()")
        .expect("a constant pattern compiles")
});

/// Whether the text of a line only raises.
fn is_raise(code: &str) -> bool {
    RAISE.is_match(code)
}

#[cfg(test)]
mod tests {
    use super::super::source::{Block, Use};
    use super::*;

    fn exception(kind: &str, value: &str) -> Exception {
        Exception { kind: kind.into(), value: Some(value.into()), ..Exception::default() }
    }

    fn facts(length: u32, uses: Vec<(Role, ValueOrigin)>) -> LineFacts {
        let function = Block {
            name: "f".into(),
            qualified: "f".into(),
            start: 1,
            end: length,
            is_class: false,
            parameters: vec!["price".into()],
        };
        let uses = uses.into_iter().map(|(role, origin)| Use { role, origin, name: None }).collect();
        LineFacts { function: Some(function), uses, ..LineFacts::default() }
    }

    fn step(exception: &Exception, code: &str, facts: Option<&LineFacts>, recursive: bool) -> Option<Passed> {
        step_over(&Rules::default(), exception, code, facts, recursive)
    }

    #[test]
    fn a_short_helper_that_raises_is_stepped_over_and_a_long_function_is_not() {
        let error = exception("ValueError", "no");
        let raising = |length| LineFacts { raises: true, ..facts(length, Vec::new()) };
        assert_eq!(step(&error, "self.fail('x')", Some(&raising(12)), false), Some(Passed::Raise));
        assert_eq!(step(&error, "raise ValueError", Some(&raising(13)), false), None);
        assert_eq!(step(&error, "raise ValueError", Some(&raising(12)), true), None, "a recursion's caller is itself");
        assert_eq!(step(&error, "raise ValueError", None, false), Some(Passed::Raise), "not parsed: by its text");
        let module = LineFacts { raises: true, ..LineFacts::default() };
        assert_eq!(step(&error, "raise ValueError", Some(&module), false), None, "a module is no helper");
    }

    #[test]
    fn wrappers_pass_the_blame_on() {
        let error = exception("KeyError", "'x'");
        let forwards = LineFacts { forwards: true, ..facts(3, Vec::new()) };
        assert_eq!(step(&error, "return func(*args)", Some(&forwards), false), Some(Passed::Forwards));
        let calls = LineFacts { calls_given: true, ..facts(3, Vec::new()) };
        assert_eq!(step(&error, "return func(x)", Some(&calls), false), Some(Passed::CallsGiven));
    }

    #[test]
    fn a_wrong_value_that_came_in_is_its_callers() {
        let given = || ValueOrigin::Given("price".into());
        let passed = Some(Passed::GivenValue("price".into()));
        let types = exception("TypeError", "'>' not supported between instances of 'str' and 'int'");
        let compares = facts(20, vec![(Role::Operand, given()), (Role::Operand, ValueOrigin::Other)]);
        assert_eq!(step(&types, "if price > MOST:", Some(&compares), false), passed);
        let own = facts(20, vec![(Role::Operand, given()), (Role::Operand, ValueOrigin::Local)]);
        assert_eq!(step(&types, "if price > most:", Some(&own), false), None, "either could be wrong");
        let nothing = exception("AttributeError", "'NoneType' object has no attribute 'net'");
        let reads = facts(20, vec![(Role::Attribute("net".into()), given())]);
        assert_eq!(step(&nothing, "price.net", Some(&reads), false), passed);
        let other = exception("AttributeError", "'Price' object has no attribute 'net'");
        assert_eq!(step(&other, "price.net", Some(&reads), false), None, "the name may be wrong");
        let reads_of_undefined = exception("TypeError", "Cannot read properties of undefined (reading 'net')");
        assert_eq!(step(&reads_of_undefined, "price.net", Some(&reads), false), passed);
        let nil = exception("NoMethodError", "undefined method `net' for nil:NilClass");
        assert_eq!(step(&nil, "price.net", Some(&reads), false), passed);
    }

    #[test]
    fn what_only_tells_of_a_recovered_panic_is_seen() {
        for code in [
            "\t\tsentry.CurrentHub().Recover(failed)",
            "hub.Recover(err)",
            "defer func() { hub.RecoverWithContext(ctx, recover()) }()",
            "localHub . Recover( r )",
        ] {
            assert!(recovers("cmd/till/main.go", code), "{code}");
        }
        assert!(!recovers("till/main.rs", "hub.Recover(err)"), "another language");
        for code in ["defer sentry.Recover()", "Recover(err)", "x.Recovered(err)", "sentry.CaptureException(err)", ""] {
            assert!(!recovers("cmd/till/main.go", code), "{code}");
        }
    }

    #[test]
    fn what_only_raises_is_seen_in_every_spelling() {
        for code in ["raise", "  raise X", "raise(X)", "raise\tX", "\traise", "throw new Error('x');", "panic!(\"x\")"]
        {
            assert!(is_raise(code), "{code}");
        }
        for code in ["raised = 1", "raise_for(x)", "x = raise_", "throwing()", "thrower.go()"] {
            assert!(!is_raise(code), "{code}");
        }
    }
}
