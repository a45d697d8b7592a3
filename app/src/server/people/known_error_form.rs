//! The whitelisting form, looked through: what it says, or what is wrong with which field.

use domain::alert::Place;
use domain::command::Scope;
use domain::counted::counted;
use domain::identity::squeeze;
use domain::known_error_terms::{About, TERMS, Term};
use domain::names::RepositoryName;
use domain::rule::{Rule, RuleKind};
use domain::settings::{CodePattern, KnownError};
use render::thousands;
use render::views::{Field, KnownErrorFields, TermField};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use std::collections::BTreeMap;

/// Characters of one field: longer than any path or line that anybody whitelists.
const LONGEST_FIELD: usize = 2_000;

/// The form as it arrives; also what a link fills it in with.
#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct RuleForm {
    #[serde(default)]
    pub(super) repo: RepositoryName,
    /// `file`, `function`, else a line.
    #[serde(default, deserialize_with = "scope")]
    pub(super) scope: String,
    #[serde(default)]
    pub(super) filename: String,
    #[serde(default)]
    pub(super) function_name: String,
    #[serde(default)]
    pub(super) code_fragment: String,
    /// The terms, by their keys.
    #[serde(flatten)]
    terms: BTreeMap<String, String>,
    /// `library_code`, else a known error.
    #[serde(default, deserialize_with = "kind")]
    pub(super) kind: String,
    /// The number of the rule that is changed.
    #[serde(default)]
    pub(super) rule: String,
    #[serde(default)]
    pub(super) expires: String,
    #[serde(default)]
    pub(super) signature: String,
    /// The number of the line that the link is for.
    #[serde(default)]
    pub(super) line_id: String,
    /// The place that the link's signature is for, as JSON: the other fields may be changed.
    #[serde(default)]
    pub(super) signed_for: String,
}

/// A form of another version, or of a script, may say what there is none of: taken for something
/// else, it would silence what it does not mean.
fn one_of<'de, D: Deserializer<'de>>(words: &[&str], form: D) -> Result<String, D::Error> {
    let text = String::deserialize(form)?;
    if text.is_empty() || words.contains(&text.as_str()) {
        return Ok(text);
    }
    Err(D::Error::custom(format!("it is {text:?}, and has to be one of {}", words.join(", "))))
}

fn scope<'de, D: Deserializer<'de>>(form: D) -> Result<String, D::Error> {
    one_of(&["line", "function", "file"], form)
}

fn kind<'de, D: Deserializer<'de>>(form: D) -> Result<String, D::Error> {
    one_of(&[RuleKind::KnownError.as_str(), RuleKind::LibraryCode.as_str()], form)
}

impl RuleForm {
    /// A rule as the form shows it.
    pub(super) fn of(repo: &RepositoryName, rule: &Rule) -> Self {
        let CodePattern { file, function, code } = rule.pattern();
        let scope = match (&function, &code) {
            (_, Some(_)) => "line",
            (Some(_), None) => "function",
            (None, None) => "file",
        };
        // Library code has none but the last day.
        let said = match rule {
            Rule::KnownError(known) => known.clone(),
            Rule::LibraryCode { until, .. } => KnownError { until: until.clone(), ..KnownError::default() },
        };
        Self {
            repo: repo.to_owned(),
            scope: scope.to_owned(),
            filename: file,
            function_name: function.unwrap_or_default(),
            code_fragment: code.unwrap_or_default(),
            terms: TERMS.iter().map(|term| (term.key.to_owned(), (term.show)(&said))).collect(),
            kind: rule.kind().as_str().to_owned(),
            ..Self::default()
        }
    }
}

/// A form, looked through: what it says, or what is wrong with which field.
#[derive(Debug)]
pub(super) struct Checked {
    /// What it says, where nothing is wrong.
    pub(super) rule: Option<Rule>,
    /// As typed, each with what is wrong with it.
    pub(super) fields: KnownErrorFields,
    /// How much is covered.
    pub(super) scope: Scope,
    /// What the rule does.
    pub(super) kind: RuleKind,
}

impl Checked {
    /// Leaves out what is wrong with empty fields: of a form that nobody has filled in yet.
    pub(super) fn forgive_empty(&mut self) {
        let fields = &mut self.fields;
        for field in [&mut fields.filename, &mut fields.function_name, &mut fields.code_fragment] {
            field.error.take_if(|_| field.value.trim().is_empty());
        }
    }
}

/// Looks a form through. `only`: the one line that its sender may whitelist, by itself or with its
/// function or file.
pub(super) fn check(entry: &RuleForm, only: Option<&Place>) -> Checked {
    let scope = match entry.scope.as_str() {
        "file" => Scope::File,
        "function" => Scope::Function,
        _ => Scope::Line,
    };
    let mut filename = text(&entry.filename, true, "A rule needs a file.");
    let mut function_name = text(&entry.function_name, scope == Scope::Function, "The whole function needs its name.");
    let mut code_fragment = text(&entry.code_fragment, scope == Scope::Line, "A line needs its code, or a part of it.");
    // Who follows a link out of a mail may silence, but not have others written to.
    let may_name = only.is_none();
    let kind = match entry.kind.as_str() {
        "library_code" if may_name => RuleKind::LibraryCode,
        _ => RuleKind::KnownError,
    };
    let file = entry.filename.trim().trim_start_matches("./");
    let mut said = [file, &entry.function_name, &entry.code_fragment];
    if let Some(only) = only {
        hold_to(&mut filename, file, &only.path);
        if scope != Scope::File && !entry.function_name.trim().is_empty() {
            hold_to(&mut function_name, &entry.function_name, &only.function);
        }
        if scope == Scope::Line {
            hold_to(&mut code_fragment, &entry.code_fragment, &only.code);
        }
        said = [&only.path, &only.function, &only.code];
    }
    let given = |value: &str| (!value.trim().is_empty()).then(|| value.trim().to_owned());
    let mut known = KnownError {
        file: said[0].to_owned(),
        function: given(said[1]).filter(|_| scope != Scope::File),
        code: given(said[2]).filter(|_| scope == Scope::Line),
        ..KnownError::default()
    };
    // Thresholds mean nothing where another line is blamed.
    let heeds = |about: About| match about {
        About::Counts => kind == RuleKind::KnownError,
        About::Others => kind == RuleKind::KnownError && may_name,
        About::Time => true,
    };
    let terms: Vec<TermField> = TERMS.iter().map(|term| read(term, entry, heeds(term.about), &mut known)).collect();
    let places = [&filename, &function_name, &code_fragment];
    let sound = places.into_iter().chain(terms.iter().map(|term| &term.field)).all(|field| field.error.is_none());
    let fields = KnownErrorFields { filename, function_name, code_fragment, terms };
    Checked { rule: sound.then(|| Rule::new(kind, known)), fields, scope, kind }
}

/// Says so of a field that is not what a link is for: it silences its own line, not whatever
/// somebody writes into its form.
fn hold_to(field: &mut Field, said: &str, only: &str) {
    if field.error.is_some() || squeeze(said) == squeeze(only) {
        return;
    }
    field.error = Some(if only.trim().is_empty() {
        "The link out of the mail names none: choose the function or the file, or sign in.".to_owned()
    } else {
        format!("The link out of the mail is for {only} only: sign in to whitelist elsewhere.")
    });
}

/// A field as typed, with what is wrong with any text.
fn text(value: &str, needed: bool, missing: &str) -> Field {
    let error = if value.chars().count() > LONGEST_FIELD {
        Some(format!("At most {LONGEST_FIELD} characters are taken."))
    } else if value.contains('\0') {
        Some("No path or code has such a character (NUL).".to_owned())
    } else if needed && value.trim().is_empty() {
        Some(missing.to_owned())
    } else {
        None
    };
    Field { value: value.to_owned(), error }
}

/// A term as typed, taken into `known` where it is heeded and sound.
fn read(term: &Term, entry: &RuleForm, heeded: bool, known: &mut KnownError) -> TermField {
    let typed = entry.terms.get(term.key).map(String::as_str).unwrap_or_default();
    let mut field = text(typed, false, "");
    if heeded && field.error.is_none() {
        field.error = (term.read)(known, typed.trim()).err();
    }
    TermField::new(term, field)
}

/// When it is still told, and until when it holds, a sentence for each.
pub(super) fn still_alerted(rule: &Rule) -> Vec<String> {
    let mut words = match rule {
        Rule::KnownError(known) => at_counts(known),
        Rule::LibraryCode { .. } => Vec::new(),
    };
    words.extend(rule.until().map(|day| format!("This ends by itself after {day}.")));
    words
}

fn occurrences(number: u64) -> String {
    counted(thousands(number), "occurrence", "occurrences")
}

fn at_counts(known: &KnownError) -> Vec<String> {
    let mut words = Vec::new();
    if let Some(min) = known.min_alert_threshold {
        words.push(format!("It is told once, at {}.", occurrences(min)));
    }
    if let Some(every) = known.alert_every_n_occurrences {
        words.push(format!("It is told again at every {}.", occurrences(every)));
    }
    if let Some(max) = known.max_alert_threshold.filter(|_| !words.is_empty()) {
        words.push(format!("It is not told beyond {}.", occurrences(max)));
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry() -> RuleForm {
        RuleForm {
            filename: "a.py".into(),
            function_name: "f".into(),
            code_fragment: "x = y".into(),
            ..RuleForm::default()
        }
    }

    fn terms(typed: &[(&str, &str)]) -> BTreeMap<String, String> {
        typed.iter().map(|&(key, value)| (key.to_owned(), value.to_owned())).collect()
    }

    fn wrong_terms(checked: &Checked) -> Vec<&str> {
        let wrong = checked.fields.terms.iter().filter(|term| term.field.error.is_some());
        wrong.map(|term| term.name.as_str()).collect()
    }

    #[test]
    fn the_scope_says_what_counts() {
        let of = |scope: &str| {
            let checked = check(&RuleForm { scope: scope.into(), ..entry() }, None);
            checked.rule.expect("sound").pattern()
        };
        assert_eq!((of("line").function.as_deref(), of("line").code.as_deref()), (Some("f"), Some("x = y")));
        assert_eq!((of("function").function.as_deref(), of("function").code), (Some("f"), None));
        assert_eq!((of("file").function, of("file").code), (None, None));
    }

    #[test]
    fn what_is_wrong_is_said_beside_its_field() {
        let wrong = RuleForm {
            filename: " ".into(),
            terms: terms(&[("min_alert_threshold", "ten"), ("alert_every_n_occurrences", "0")]),
            ..entry()
        };
        let checked = check(&wrong, None);
        assert!(checked.rule.is_none());
        assert!(checked.fields.filename.error.is_some() && checked.fields.function_name.error.is_none());
        assert_eq!(wrong_terms(&checked), ["min_alert_threshold", "alert_every_n_occurrences"]);
        let crossed =
            RuleForm { terms: terms(&[("min_alert_threshold", "9"), ("max_alert_threshold", "3")]), ..entry() };
        assert_eq!(wrong_terms(&check(&crossed, None)), ["max_alert_threshold"]);
        assert!(check(&RuleForm { code_fragment: "x".repeat(LONGEST_FIELD + 1), ..entry() }, None).rule.is_none());
        assert!(
            check(&RuleForm { function_name: "a\0b".into(), ..entry() }, None).fields.function_name.error.is_some()
        );
    }

    #[test]
    fn a_form_that_nobody_filled_in_is_not_scolded() {
        let mut checked =
            check(&RuleForm { terms: terms(&[("min_alert_threshold", "ten")]), ..RuleForm::default() }, None);
        checked.forgive_empty();
        assert!(checked.rule.is_none() && checked.fields.filename.error.is_none());
        assert_eq!(wrong_terms(&checked), ["min_alert_threshold"], "this was typed");
    }

    #[test]
    fn a_link_is_for_its_line() {
        let place = Place { path: "a.py".into(), function: "f".into(), line: 3, code: "x = y".into() };
        let rule = |form: RuleForm| check(&form, Some(&place)).rule;
        let own = rule(entry()).expect("its own line");
        let written_otherwise = RuleForm {
            filename: "./a.py".into(),
            function_name: String::new(),
            code_fragment: " x =  y".into(),
            ..entry()
        };
        assert_eq!(rule(written_otherwise), Some(own), "the same rule");
        let elsewhere = check(&RuleForm { filename: "b.py".into(), ..entry() }, Some(&place));
        assert!(elsewhere.rule.is_none() && elsewhere.fields.filename.error.is_some());
        for scope in ["line", "function"] {
            assert_eq!(rule(RuleForm { function_name: "g".into(), scope: scope.into(), ..entry() }), None, "{scope}");
        }
        assert_eq!(rule(RuleForm { code_fragment: "x".into(), ..entry() }), None, "a part of it covers others, too");
        let whole = RuleForm { function_name: "g".into(), code_fragment: "z".into(), scope: "file".into(), ..entry() };
        assert!(rule(whole).is_some(), "neither counts");
        let unread = Place { code: String::new(), ..place.clone() };
        assert!(check(&entry(), Some(&unread)).fields.code_fragment.error.is_some());
    }
}
