//! What an exception's message says of code that is in no frame: a constructor that forgot a field,
//! a function that wants other arguments.

use super::report::Exception;
use super::source::{LineFacts, Role};
use regex::Regex;
use std::sync::LazyLock;

/// A definition that is worth reading.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// The constructor of this class: the object asked itself for a field that nothing had set.
    Constructor {
        /// Name of the class.
        class: String,
        /// The field.
        field: String,
    },
    /// The function, or the constructor of the class, that did not take the call's arguments.
    Signature {
        /// Its name.
        name: String,
    },
}

static MISSING_FIELD: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"^'?([\w.]+)'? (?:object|instance) has no attribute '(\w+)'").expect("a constant pattern compiles")
});

static MISFIT: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?:([\w.]+)\.)?(\w+)\(\) (?:got|missing|takes)\b").expect("a constant pattern compiles")
});

/// What is worth reading for an exception whose culprit line is described by `facts`.
pub fn wanted(exception: &Exception, facts: &LineFacts) -> Option<Wanted> {
    let message = exception.value.as_deref()?.trim();
    match exception.kind.rsplit('.').next()? {
        "AttributeError" => {
            let found = MISSING_FIELD.captures(message)?;
            let (class, field) = (last(&found[1]), &found[2]);
            let asked_itself = facts.uses.iter().any(|one| {
                one.role == Role::Attribute(field.to_owned()) && matches!(one.name.as_deref(), Some("self" | "cls"))
            });
            asked_itself.then(|| Wanted::Constructor { class: class.to_owned(), field: field.to_owned() })
        }
        "TypeError" => {
            let found = MISFIT.captures(message)?;
            let name = match (&found[2], found.get(1)) {
                ("__init__", Some(class)) => last(class.as_str()).to_owned(),
                // Older versions of Python do not say whose constructor: the class that the line
                // calls.
                ("__init__", None) => class_called(facts)?,
                (name, _) => name.to_owned(),
            };
            Some(Wanted::Signature { name })
        }
        _ => None,
    }
}

fn last(dotted: &str) -> &str {
    dotted.rsplit('.').next().unwrap_or(dotted)
}

fn class_called(facts: &LineFacts) -> Option<String> {
    let called = facts.uses.iter().filter(|one| one.role == Role::Called).filter_map(|one| one.name.as_deref());
    called.map(last).find(|name| name.starts_with(|c: char| c.is_uppercase())).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::super::source::{Use, ValueOrigin};
    use super::*;

    fn look(kind: &str, message: &str, role: Role, name: &str) -> Option<Wanted> {
        let exception = Exception { kind: kind.into(), value: Some(message.into()), ..Exception::default() };
        let uses = vec![Use { role, origin: ValueOrigin::Other, name: Some(name.into()) }];
        wanted(&exception, &LineFacts { uses, ..LineFacts::default() })
    }

    #[test]
    fn a_field_that_an_object_misses_on_itself_leads_to_its_constructor() {
        let role = || Role::Attribute("wallet".into());
        let message = "'Window' object has no attribute 'wallet'";
        let expected = Wanted::Constructor { class: "Window".into(), field: "wallet".into() };
        assert_eq!(look("AttributeError", message, role(), "self"), Some(expected));
        assert_eq!(look("AttributeError", message, role(), "window"), None, "asked by others: the name may be wrong");
        assert_eq!(look("KeyError", message, role(), "self"), None);
    }

    #[test]
    fn a_call_that_does_not_fit_leads_to_what_was_called() {
        let signature = |name: &str| Some(Wanted::Signature { name: name.into() });
        let called = |message: &str| look("TypeError", message, Role::Called, "models.Invoice");
        assert_eq!(called("total() missing 1 required positional argument: 'cart'"), signature("total"));
        assert_eq!(called("Cart.total() takes 1 positional argument but 2 were given"), signature("total"));
        assert_eq!(called("Cart.__init__() got an unexpected keyword argument 'x'"), signature("Cart"));
        assert_eq!(called("__init__() got an unexpected keyword argument 'x'"), signature("Invoice"));
        assert_eq!(called("unsupported operand type(s) for +: 'int' and 'str'"), None);
    }
}
