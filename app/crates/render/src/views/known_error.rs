//! The form that whitelists a line, a function or a file, and what is shown once that is done.

use crate::View;
use domain::command::Scope;
use domain::known_error_terms::{About, TERMS, Term};
use domain::rule::RuleKind;
use serde::Serialize;

/// `GET /add_known_error`, and the answer to a `POST` that can't be followed.
#[derive(Clone, Debug, Serialize)]
pub struct KnownErrorForm {
    /// `owner/name`.
    pub repository: String,
    /// By which name the form is sent: a link calls its repository as it was called then.
    pub repo: String,
    /// Where the form is posted to, with the path of our root.
    pub action: String,
    /// The secret that forms carry.
    pub csrf: String,
    /// What the form carries along unseen, such as the signature of the link that led here.
    pub hidden: Vec<(String, String)>,
    /// What the form is for.
    pub purpose: FormPurpose,
    /// What the rule does.
    pub kind: RuleKind,
    /// What was filled in.
    pub fields: KnownErrorFields,
    /// How much is covered.
    pub scope: Scope,
    /// What is wrong with the whole, not with one field.
    pub error: Option<String>,
    /// Lines on record that the rule would cover, as filled in; shown for checking.
    pub matches: Vec<Match>,
}

/// The fields by their names in the form; values as typed.
#[derive(Clone, Debug, Default, Serialize)]
pub struct KnownErrorFields {
    /// Path from the repository's root.
    pub filename: Field,
    /// Function; may be empty for a whole file.
    pub function_name: Field,
    /// Text of the line, or a part of it; may be empty for a whole function.
    pub code_fragment: Field,
    /// When somebody is told after all, who else, and until when.
    pub terms: Vec<TermField>,
}

/// A field of the form that is no part of the place.
#[derive(Clone, Debug, Serialize)]
pub struct TermField {
    /// Its name in the form.
    pub name: String,
    /// What the form calls it.
    pub label: String,
    /// What the form says of it.
    pub hint: String,
    /// A number is typed.
    pub numeric: bool,
    /// It is about who else is written to: not asked of somebody who only has a link.
    pub others: bool,
    /// It is about how long the entry is in force.
    pub time: bool,
    /// What was filled in.
    pub field: Field,
}

impl TermField {
    /// The field of a term.
    pub fn new(term: &Term, field: Field) -> Self {
        Self {
            name: term.key.to_owned(),
            label: term.label.to_owned(),
            hint: term.hint.to_owned(),
            numeric: term.numeric,
            others: term.about == About::Others,
            time: term.about == About::Time,
            field,
        }
    }
}

/// What the form is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FormPurpose {
    /// A new entry, by somebody who has signed in.
    Add,
    /// A known error, by the link out of a mail.
    AddByLink,
    /// An entry that is there.
    Change,
}

/// A field as filled in.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Field {
    /// As typed.
    pub value: String,
    /// What is wrong with it.
    pub error: Option<String>,
}

/// A line that a rule covers.
#[derive(Clone, Debug, Serialize)]
pub struct Match {
    /// `shop/cart.py:42`.
    pub place: String,
    /// Type of its latest exception.
    pub exception: String,
    /// Text of the line.
    pub code: String,
    /// Occurrences ever, with separators.
    pub count: String,
}

/// What is shown once a rule is in force.
#[derive(Clone, Debug, Serialize)]
pub struct KnownErrorSaved {
    /// `owner/name`.
    pub repository: String,
    /// The whitelist; `None` for a reader who may not see it.
    pub whitelist_url: Option<String>,
    /// What the rule does.
    pub kind: RuleKind,
    /// File.
    pub file: String,
    /// Function; `None`: the whole file.
    pub function: Option<String>,
    /// Text of the line; `None`: the whole function.
    pub code: Option<String>,
    /// When it is still alerted, a sentence for each threshold; empty: never.
    pub still_alerted: Vec<String>,
    /// Lines on record that it covers.
    pub matches: Vec<Match>,
}

impl Field {
    /// A field with this value and nothing wrong.
    pub fn of(value: impl Into<String>) -> Self {
        Self { value: value.into(), error: None }
    }
}

impl View for KnownErrorForm {
    const TEMPLATE: &'static str = "pages/known_error_form.html";

    fn title(&self) -> String {
        match self.purpose {
            FormPurpose::Add | FormPurpose::AddByLink => "Add to the whitelist".to_owned(),
            FormPurpose::Change => "Change an entry of the whitelist".to_owned(),
        }
    }

    fn sample() -> Self {
        Self {
            repository: "acme/shop".to_owned(),
            repo: "acme/shop".to_owned(),
            action: "/add_known_error".to_owned(),
            csrf: "4f1c".to_owned(),
            hidden: vec![("signature".to_owned(), "c2ln".to_owned())],
            purpose: FormPurpose::Add,
            kind: RuleKind::KnownError,
            fields: KnownErrorFields {
                filename: Field::of("shop/cart.py"),
                function_name: Field::of("total"),
                code_fragment: Field::of("price = self.prices[sku]"),
                terms: TERMS.iter().map(|term| TermField::new(term, sample_field(term))).collect(),
            },
            scope: Scope::Line,
            error: Some("Nothing was saved yet: one field needs another look.".to_owned()),
            matches: vec![sample_match()],
        }
    }
}

impl View for KnownErrorSaved {
    const TEMPLATE: &'static str = "pages/known_error_saved.html";

    fn title(&self) -> String {
        "Whitelisted".to_owned()
    }

    fn sample() -> Self {
        Self {
            repository: "acme/shop".to_owned(),
            whitelist_url: Some("/acme/shop/whitelist".to_owned()),
            kind: RuleKind::KnownError,
            file: "shop/cart.py".to_owned(),
            function: Some("total".to_owned()),
            code: Some("price = self.prices[sku]".to_owned()),
            still_alerted: vec!["It is alerted again at every 500 occurrences.".to_owned()],
            matches: vec![sample_match()],
        }
    }
}

fn sample_field(term: &Term) -> Field {
    let wrong = || "This must be a whole number above 0, or empty.".to_owned();
    Field { value: "many".to_owned(), error: term.numeric.then(wrong) }
}

fn sample_match() -> Match {
    Match {
        place: "shop/cart.py:42".to_owned(),
        exception: "KeyError".to_owned(),
        code: "price = self.prices[sku]".to_owned(),
        count: "1,204".to_owned(),
    }
}
