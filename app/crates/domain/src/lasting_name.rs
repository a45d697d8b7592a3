//! Names without what a process or a build puts into them: numbers of lambdas and templates, hashes
//! of bundles and symbols. Two restarts of one program make one kind of error.

use regex::Regex;
use std::borrow::Cow;
use std::sync::LazyLock;

/// What is kept of a name, and behind it what is not.
static MADE: LazyLock<Regex> = LazyLock::new(|| {
    let forms = [
        // Tilt's templates, and ActionView's: a hash of the path and an object's id.
        r"(?P<a>__tilt_)[0-9]+",
        r"(?P<b>_)_+[0-9]{3,}_[0-9]+",
        // The JVM's lambdas, accessors and proxies; Spring's and CGLIB's classes.
        r"(?P<c>lambda\$[^$\s.]+\$)[0-9]+",
        r"(?P<d>\$\$Lambda)(?:\$[0-9]+)?(?:/(?:0x)?[0-9a-f]+)?",
        r"(?P<e>Generated(?:Serialization)?(?:Method|Constructor)Accessor)[0-9]+",
        r"(?P<f>\$Proxy)[0-9]+",
        r"(?P<g>\$\$(?:(?:Enhancer|FastClass)By[0-9A-Za-z]+|[0-9A-Za-z]*CGLIB))\$\$[0-9a-f]+",
        r"(?P<h>LambdaForm\$[0-9A-Za-z]+/)0x[0-9a-f]+",
        // Erlang's functions without a name.
        r"(?P<i>-fun-)[0-9]+",
        // .NET's lambdas, state machines, local functions and closures.
        r"(?P<j>>[a-z]__)[0-9]+(?:_[0-9]+)*",
        r"(?P<k>>g__[0-9A-Za-z_]+\|)[0-9]+(?:_[0-9]+)*",
        r"(?P<l>DisplayClass)[0-9]+(?:_[0-9]+)*",
        // Rust's hashes of symbols and of crates.
        r"(?P<m>::)h[0-9a-f]{16}\b",
        r"(?P<n>[0-9a-z_])\[[0-9a-f]{8,16}\]",
    ];
    Regex::new(&forms.join("|")).expect("a constant pattern compiles")
});

/// Ends of the names of files that bundlers make.
const BUNDLED: [&str; 5] = [".js", ".mjs", ".cjs", ".jsbundle", ".wasm"];
/// Digits of a hash that is written in hexadecimal.
const HEXADECIMAL: std::ops::RangeInclusive<usize> = 8..=40;
/// More turns of letters and digits, small and capital, are in no word that people write.
const MOST_CHANGES: usize = 4;
/// Letters of Vite's and esbuild's hashes.
const SHORT: usize = 8;

/// The name of a function or a class without such numbers.
pub fn lasting(name: &str) -> Cow<'_, str> {
    // Numbers and hashes have digits, or stand behind `$` or `[`. Every frame of every report comes
    // by here, and most names end here: looked at to its end, several bytes at a time are compared.
    let is_mark = |byte: u8| byte.is_ascii_digit() | (byte == b'$') | (byte == b'[');
    if !name.bytes().fold(false, |has, byte| has | is_mark(byte)) {
        return Cow::Borrowed(name);
    }
    // Each of the forms has one of these.
    if !["__", "$", "Accessor", "-fun-", "::h", "["].iter().any(|mark| name.contains(mark))
        && !name.contains("DisplayClass")
    {
        return Cow::Borrowed(name);
    }
    MADE.replace_all(name, "$a$b$c$d$e$f$g$h$i$j$k$l$m$n")
}

/// Whether a template was compiled to this function, which nobody has written: of Rails
/// `_app_views_cart_show_html_erb___1234567_890`, of Tilt `__tilt_1260`, and blocks in them.
pub fn is_of_a_template(function: &str) -> bool {
    let name = function.rsplit([' ', '#', '.', ':']).next().unwrap_or(function);
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if name.strip_prefix("__tilt_").is_some_and(is_number) {
        return true;
    }
    let hash = name.rsplit_once('_').filter(|(_, id)| is_number(id)).and_then(|(rest, _)| rest.rsplit_once("__"));
    hash.is_some_and(|(path, hash)| path.len() > 1 && path.starts_with('_') && hash.len() > 2 && is_number(hash))
}

/// A path without the hash that a bundler put into the file's name.
pub fn lasting_path(path: &str) -> Cow<'_, str> {
    // Every path of every report comes by here: a byte is found quicker than one of two characters.
    let bytes = path.as_bytes();
    let has_query = bytes.contains(&b'?') || bytes.contains(&b'#');
    let end = if has_query { path.find(['?', '#']).unwrap_or(path.len()) } else { path.len() };
    if !BUNDLED.iter().any(|bundled| path[..end].ends_with(bundled)) {
        return Cow::Borrowed(path);
    }
    let begin = path[..end].rfind(['/', '\\']).map_or(0, |at| at + 1);
    let name = &path[begin..end];
    let is_sign = |c: char| matches!(c, '.' | '-' | '~');
    let Some(hash) = name.split(is_sign).find(|part| is_hash(part)) else { return Cow::Borrowed(path) };
    let at = begin + (hash.as_ptr() as usize - name.as_ptr() as usize);
    Cow::Owned(format!("{}{}", &path[..at], &path[at + hash.len()..]))
}

/// `8a7b3c1d…` of webpack, `BxY12abc` of Vite, `A1B2C3D4` of esbuild; no word that people write.
fn is_hash(part: &str) -> bool {
    let has = |test: fn(&u8) -> bool| part.bytes().any(|byte| test(&byte));
    let is_hexadecimal =
        HEXADECIMAL.contains(&part.len()) && part.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    let is_short = part.len() == SHORT && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    has(u8::is_ascii_digit)
        && (is_hexadecimal && has(u8::is_ascii_lowercase)
            || is_short && has(u8::is_ascii_uppercase) && changes(part) > MOST_CHANGES)
}

/// How often letters and digits, small and capital, take turns.
fn changes(part: &str) -> usize {
    let kind = |byte: u8| (byte.is_ascii_digit(), byte.is_ascii_uppercase());
    part.as_bytes().windows(2).filter(|pair| kind(pair[0]) != kind(pair[1])).count()
}

/// Whether a class is how the JVM calls by reflection: after some calls it makes another one for
/// it, and none of them is anybody's code.
pub fn is_reflection(class: &str) -> bool {
    ["jdk.internal.reflect.", "sun.reflect.", "java.lang.invoke.LambdaForm$"]
        .iter()
        .any(|package| class.starts_with(package))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_the_same_after_a_restart() {
        for (one, other) in [
            ("__tilt_1260", "__tilt_88"),
            ("Tilt::CompiledTemplates#__tilt_1260", "Tilt::CompiledTemplates#__tilt_91260"),
            ("_app_views_cart_show_html_erb___1234567_890", "_app_views_cart_show_html_erb__76543210_12"),
            ("block in _app_views_cart_show_html_erb___12345_67", "block in _app_views_cart_show_html_erb__98765_4"),
            ("lambda$total$0", "lambda$total$12"),
            ("com.shop.Cart$$Lambda$14/0x0000000800c03000", "com.shop.Cart$$Lambda/0x00007f1a2b3c4d5e"),
            ("com.shop.Cart$$Lambda$14/1234567890", "com.shop.Cart$$Lambda$15/987654321"),
            ("jdk.internal.reflect.GeneratedMethodAccessor12", "jdk.internal.reflect.GeneratedMethodAccessor7"),
            ("jdk.proxy2.$Proxy31", "jdk.proxy2.$Proxy7"),
            ("com.shop.Cart$$EnhancerBySpringCGLIB$$1a2b3c4d", "com.shop.Cart$$EnhancerBySpringCGLIB$$ffee"),
            ("com.shop.Cart$$FastClassBySpringCGLIB$$1a2b3c4d", "com.shop.Cart$$FastClassBySpringCGLIB$$ffee"),
            ("com.shop.Cart$$SpringCGLIB$$0", "com.shop.Cart$$SpringCGLIB$$1"),
            ("-total/1-fun-0-", "-total/1-fun-3-"),
            ("<Total>b__0_0", "<Total>b__12_3"),
            ("Shop.Cart+<>c__DisplayClass3_0.<Total>b__1", "Shop.Cart+<>c__DisplayClass4_0.<Total>b__0"),
            ("<Total>g__Sum|3_0", "<Total>g__Sum|4_1"),
            ("<Total>d__12.MoveNext", "<Total>d__3.MoveNext"),
            ("shop::total::h0123456789abcdef", "shop::total::hfedcba9876543210"),
            ("shop[1a2b3c4d5e6f7a8b]::total", "shop[ffffffffffffffff]::total"),
        ] {
            assert_eq!(lasting(one), lasting(other));
            assert_ne!(lasting(one), "");
        }
        for (one, other) in [
            (
                "https://shop.example.com/static/js/main.8a7b3c1d.js",
                "https://shop.example.com/static/js/main.1d2c3b4a.js",
            ),
            ("/assets/index-BxY12abC.js", "/assets/index-Q9zRt4Lm.js"),
            ("/assets/index-BxY12abC.js?v=1", "/assets/index-Q9zRt4Lm.js?v=1"),
            ("chunk-A1B2C3D4.mjs", "chunk-Z9Y8X7W6.mjs"),
        ] {
            assert_eq!(lasting_path(one), lasting_path(other));
        }
    }

    #[test]
    fn functions_of_templates_are_known() {
        for template in [
            "__tilt_1260",
            "Tilt::CompiledTemplates#__tilt_1260",
            "_app_views_cart_show_html_erb___1234567_890",
            "_app_views_cart__line_html_haml__76543210_12",
            "block (2 levels) in _app_views_cart_show_html_erb__12345_67",
            "rescue in ActionView::Base#_app_views_cart_show_html_slim___12345_67",
        ] {
            assert!(is_of_a_template(template), "{template}");
        }
        for own in [
            "",
            "?",
            "total_2",
            "_total",
            "__tilt_",
            "__init__",
            "_total__2_1",
            "app__1234_5",
            "block in total",
            "__1234_5",
        ] {
            assert!(!is_of_a_template(own), "{own}");
        }
    }

    #[test]
    fn what_people_write_is_kept() {
        for name in [
            "total_2",
            "__init__",
            "__call__",
            "lambda",
            "Cart$Line",
            "step1",
            "main.func1",
            "f__2",
            "a[1]",
            "shop::handle",
            "shop::hash",
            "Proxy2",
            "<Total>",
            "block (2 levels) in total",
            "anonymous fn/1 in Shop.f/2",
        ] {
            assert_eq!(lasting(name), name);
        }
        for path in [
            "/srv/cart.js",
            "jquery-3.6.0.min.js",
            "step2form.js",
            "checkout-Step2Two.js",
            "facade.js",
            "decade12.py",
            "main.8a7b3c1d.py",
            "20261120.js",
            "/a1b2c3d4/cart.js",
            "base64url.js",
        ] {
            assert_eq!(lasting_path(path), path);
        }
    }

    #[test]
    fn calls_by_reflection_are_known() {
        assert!(is_reflection("jdk.internal.reflect.GeneratedMethodAccessor12"));
        assert!(is_reflection("sun.reflect.NativeMethodAccessorImpl"));
        assert!(!is_reflection("com.shop.reflect.Cart"));
    }
}
