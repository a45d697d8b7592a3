//! Names of exception types: from what clients send to what people of that language call them.

use std::borrow::Cow;

/// What separates the parts of a name, by language.
const SEPARATORS: [&str; 3] = ["::", "\\", "."];

/// The whole name of a type that a client sent with this module.
///
/// sentry-ruby sends the whole name as the type and its namespace as the module, sentry-dotnet the
/// whole name and the full name of the assembly (`Shop, Version=1.0.0.0, …`), which is no part of
/// the name; sentry-python, sentry-java and printed tracebacks have the name in two parts.
pub fn whole(module: Option<&str>, kind: &str) -> String {
    let kind = readable(kind);
    match module.map(str::trim) {
        None | Some("") => kind.into_owned(),
        Some(module) if is_assembly(module) || is_within(module, &kind) => kind.into_owned(),
        Some(module) => {
            let separator = SEPARATORS.into_iter().find(|separator| module.contains(separator)).unwrap_or(".");
            format!("{module}{separator}{kind}")
        }
    }
}

/// A type without what only its runtime says: the assemblies of .NET's type arguments
/// (`` Fault`1[[Shop.Sold, Shop, Version=1.0.0.0]] `` is `Fault<Shop.Sold>`), Elixir's prefix.
pub fn readable(kind: &str) -> Cow<'_, str> {
    if let Some((name, rest)) = kind.split_once('`') {
        let arguments = rest.trim_start_matches(|c: char| c.is_ascii_digit());
        if let Some(arguments) = arguments.strip_prefix("[[") {
            let end = |argument: &str| argument.find([',', '`', '[', ']']).unwrap_or(argument.len());
            let names: Vec<&str> = arguments.split("],[").map(|argument| argument[..end(argument)].trim()).collect();
            return Cow::Owned(format!("{name}<{}>", names.join(", ")));
        }
    }
    Cow::Borrowed(kind.strip_prefix("Elixir.").unwrap_or(kind))
}

/// Whether a name that settings give is that of a type: by the whole name, in whichever language's
/// spelling (`Shop::Errors::Sold`, `Shop\\Errors\\Sold`, `Shop.Errors.Sold`), or by its last part.
pub fn is_called(whole: &str, name: &str) -> bool {
    let (whole, name) = (dotted(whole), dotted(name));
    let last = whole.rsplit('.').next().unwrap_or(&whole);
    name == whole || name == last
}

/// A name with dots between its parts, without what stands before it.
fn dotted(name: &str) -> String {
    name.trim_start_matches(['*', '&', ':', '\\']).replace("::", ".").replace('\\', ".")
}

/// The display name of a .NET assembly.
fn is_assembly(module: &str) -> bool {
    [", Version=", ", Culture=", ", PublicKeyToken="].iter().any(|part| module.contains(part))
}

/// Whether a type's name already begins with its module.
fn is_within(module: &str, kind: &str) -> bool {
    let rest = kind.strip_prefix(module);
    rest.is_some_and(|rest| SEPARATORS.iter().any(|separator| rest.starts_with(separator)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_called_what_people_call_them() {
        for (module, kind, expected) in [
            (None, "TypeError", "TypeError"),
            (Some(""), "panic", "panic"),
            (Some("builtins"), "KeyError", "builtins.KeyError"),
            (Some("shop.errors"), "Sold", "shop.errors.Sold"),
            (Some("java.lang"), "IllegalStateException", "java.lang.IllegalStateException"),
            (Some("shop.store"), "Cart$Closed", "shop.store.Cart$Closed"),
            (Some("ActiveRecord"), "ActiveRecord::RecordNotFound", "ActiveRecord::RecordNotFound"),
            (Some("Shop::Errors"), "Shop::Errors::Sold", "Shop::Errors::Sold"),
            (Some("Shop::Errors"), "Sold", "Shop::Errors::Sold"),
            (Some("Shop"), "ShopError", "Shop.ShopError"),
            (Some("Shop\\Errors"), "Sold", "Shop\\Errors\\Sold"),
            (None, "Shop\\Errors\\Sold", "Shop\\Errors\\Sold"),
            (
                Some("mscorlib, Version=4.0.0.0, Culture=neutral"),
                "System.AggregateException",
                "System.AggregateException",
            ),
            (
                Some("System.Private.CoreLib, Version=9.0.0.0"),
                "System.NullReferenceException",
                "System.NullReferenceException",
            ),
            (Some("System.Net"), "System.Net.WebException", "System.Net.WebException"),
            (
                Some("System.ServiceModel, Version=4.0.0.0"),
                "System.ServiceModel.FaultException`1[[Shop.Sold, Shop, Version=1.0.0.0, Culture=neutral]]",
                "System.ServiceModel.FaultException<Shop.Sold>",
            ),
            (None, "Shop.Pair`2[[A.B, A, Version=1],[C.D, C, Version=2]]", "Shop.Pair<A.B, C.D>"),
            (None, "Elixir.Shop.SoldError", "Shop.SoldError"),
            (None, "*errors.errorString", "*errors.errorString"),
        ] {
            assert_eq!(whole(module, kind), expected, "{module:?} {kind}");
        }
    }

    #[test]
    fn names_of_settings_are_whole_or_the_last_part_in_any_spelling() {
        for (whole, name) in [
            ("Shop::Errors::Sold", "Shop::Errors::Sold"),
            ("Shop::Errors::Sold", "Sold"),
            ("Shop::Errors::Sold", "Shop.Errors.Sold"),
            ("Shop::Errors::Sold", "::Shop::Errors::Sold"),
            ("Shop\\Errors\\Sold", "\\Shop\\Errors\\Sold"),
            ("shop.errors.Sold", "shop.errors.Sold"),
            ("shop.errors.Sold", "shop::errors::Sold"),
            ("Shop.SoldException", "SoldException"),
            ("builtins.KeyError", "KeyError"),
            ("*pq.Error", "*pq.Error"),
            ("*pq.Error", "pq.Error"),
        ] {
            assert!(is_called(whole, name), "{whole} {name}");
        }
        for (whole, name) in [
            ("Shop::Errors::Sold", "sold"),
            ("Shop::Errors::Sold", "Errors::Sold"),
            ("shop.errors.Sold", "other.errors.Sold"),
            ("builtins.ConnectionError", "requests.exceptions.ConnectionError"),
            ("KeyError", "Error"),
            ("KeyError", ""),
        ] {
            assert!(!is_called(whole, name), "{whole} {name}");
        }
    }
}
