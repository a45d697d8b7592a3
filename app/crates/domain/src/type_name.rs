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
    if kind.contains('`') && kind.contains("[[") {
        return Cow::Owned(with_plain_arguments(kind));
    }
    Cow::Borrowed(kind.strip_prefix("Elixir.").unwrap_or(kind))
}

/// A type of .NET's with its arguments as C# writes them, those of arguments as well.
fn with_plain_arguments(kind: &str) -> String {
    let mut plain = String::with_capacity(kind.len());
    let (mut depth, mut rest) = (0_usize, kind);
    while let Some(first) = rest.chars().next() {
        let mut length = first.len_utf8();
        match first {
            '`' => length += rest[length..].find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len() - length),
            '[' if rest.starts_with("[[") => {
                plain.push('<');
                (depth, length) = (depth + 1, 2);
            }
            // Of an array: `Shop.Sold[]`, `Shop.Sold[,]`.
            '[' => {
                length = rest.find(']').map_or(rest.len(), |end| end + 1);
                plain.push_str(&rest[..length]);
            }
            ']' if rest.starts_with("],[") => {
                plain.push_str(", ");
                length = 3;
            }
            ']' if rest.starts_with("]]") && depth > 0 => {
                plain.push('>');
                (depth, length) = (depth - 1, 2);
            }
            // The assembly.
            ',' => length = rest.find([']', '[']).unwrap_or(rest.len()),
            _ => plain.push(first),
        }
        rest = &rest[length..];
    }
    plain.extend(std::iter::repeat_n('>', depth));
    plain
}

/// Whether a name that settings give is that of a type: by the whole name, in whichever language's
/// spelling (`Shop::Errors::Sold`, `Shop\\Errors\\Sold`, `Shop.Errors.Sold`), or by its last part;
/// with or without a generic type's arguments.
pub fn is_called(whole: &str, name: &str) -> bool {
    let name = readable(name);
    let (bare, asked) = (dotted(whole), dotted(&name));
    let last = bare.rsplit('.').next().unwrap_or(&bare);
    let (arguments, asked_arguments) = (arguments_of(whole), arguments_of(&name));
    (asked == bare || asked == last) && (asked_arguments.is_empty() || asked_arguments == arguments)
}

/// A name with dots between its parts, those of types within types as well (`Cart$Gone` of the
/// JVM, `Cart+Gone` of .NET), without what stands before it and a generic type's arguments.
fn dotted(name: &str) -> String {
    let name = name.trim_start_matches(['*', '&', ':', '\\']);
    let mut dotted = String::with_capacity(name.len());
    let (mut depth, mut is_count) = (0_usize, false);
    for c in name.chars() {
        is_count &= c.is_ascii_digit();
        match c {
            // A name of its own that begins so is none with arguments: `<unknown>`.
            '<' | '[' if !dotted.is_empty() => depth += 1,
            '>' | ']' if depth > 0 => depth -= 1,
            _ if depth > 0 || is_count => {}
            '`' => is_count = true,
            '$' | '+' if !dotted.is_empty() && !dotted.ends_with('.') => dotted.push('.'),
            '\\' => dotted.push('.'),
            ':' if dotted.ends_with(':') => {
                dotted.pop();
                dotted.push('.');
            }
            _ => dotted.push(c),
        }
    }
    dotted
}

/// A generic type's arguments, with their brackets.
fn arguments_of(name: &str) -> &str {
    name.find(['<', '[']).filter(|&at| at > 0).map_or("", |at| &name[at..])
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
            (
                None,
                "Shop.Fault`1[[Shop.Pair`2[[A.B, A, Version=1],[C.D, C, Version=2]], Shop, Version=1]]",
                "Shop.Fault<Shop.Pair<A.B, C.D>>",
            ),
            (None, "Shop.Many`1[[A.B[], A, Version=1]]", "Shop.Many<A.B[]>"),
            (None, "Shop.Outer`1+Gone[[A.B, A, Version=1]]", "Shop.Outer+Gone<A.B>"),
            (None, "Shop.Cut`1[[A.B, A", "Shop.Cut<A.B>"),
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
            ("Shop.FaultException<Shop.Sold>", "FaultException"),
            ("Shop.FaultException<Shop.Sold>", "Shop.FaultException"),
            ("Shop.FaultException<Shop.Sold>", "FaultException`1"),
            ("Shop.FaultException<Shop.Sold>", "FaultException`1[[Shop.Sold, Shop, Version=1.0.0.0]]"),
            ("Shop.FaultException`1[Shop.Sold]", "FaultException"),
            ("shop.store.Cart$Closed", "Closed"),
            ("shop.store.Cart$Gone", "shop.store.Cart.Gone"),
            ("Shop.Cart+Nested", "Nested"),
            ("Shop.Outer+Gone<A.B>", "Shop.Outer.Gone"),
            ("*shop.Err[int]", "shop.Err"),
            ("*shop.Err[example.com/shop/cart.Line]", "Err"),
            ("<unknown>", "<unknown>"),
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
            ("<unknown>", ""),
            ("Shop.FaultException<Shop.Sold>", "FaultException<Shop.Gone>"),
            ("Shop.FaultException<Shop.Sold>", "Sold"),
            ("*shop.Err[example.com/shop/cart.Line]", "Line"),
            ("$Error", "Error"),
        ] {
            assert!(!is_called(whole, name), "{whole} {name}");
        }
    }
}
