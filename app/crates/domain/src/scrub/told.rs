//! Secrets in what validators and parsers say: a sentence that names the field and repeats the
//! value, often the value first.

use super::classes::is_secret_value;
use super::names::class;
use super::random::is_no_word;
use super::rules::Rules;
use super::shape::{Shape, naming};
use super::vocabulary::Class;
use regex::Captures;
use std::ops::Range;

/// Who says so, and how; the group `n` is the name, `v` the value.
pub(super) fn shapes() -> Vec<Shape> {
    vec![
        // MySQL's ER_DUP_ENTRY:
        // https://dev.mysql.com/doc/mysql-errors/8.0/en/server-error-reference.html
        naming(&["duplicate entry"], r"Duplicate entry '(?<v>[^']+)' for key '(?<n>[^']+)'"),
        // Mongoose: a cast, and what its validators say of a path.
        naming(&["at path"], r#"value ['"](?<v>[^'"]+)['"] (?:\([^)]{1,80}\) )?at path ['"](?<n>[\w.]+)['"]"#),
        naming(&["path `"], r"Path `(?<n>[\w.]+)` \(`(?<v>[^`]+)`"),
        // ASP.NET's model binding.
        naming(
            &[" is not valid for ", " is invalid for "],
            r"['\x22](?<v>[^'\x22]+)['\x22] is (?:not valid|invalid) for (?:the )?(?<n>\w+)",
        ),
        // Newtonsoft's reader.
        naming(&[". path '"], r"[:] (?<v>\S+)\. Path '(?<n>[\w.\[\]]+)'"),
        // Bean Validation, and Spring's field errors.
        naming(
            &["propertypath="],
            r"propertyPath=(?<n>[\w.]+)[^{}]{0,300}?(?:invalidValue|rejectedValue)=(?<v>[^,}]+)",
        ),
        naming(&["rejected value ["], r"on field '(?<n>[\w.\[\]]+)': rejected value \[(?<v>[^\]]+)\]"),
        // Spring's analysis of a start that failed, and .NET's exceptions about arguments.
        naming(&["property: "], r#"Property: (?<n>[\w.\[\]-]+)\s+Value: \\?"(?<v>[^"\n]+)""#),
        naming(&["(parameter '"], r"'(?<v>[^'\n]+)'[^'\n]{0,100}\(Parameter '(?<n>\w+)'\)"),
        // Jackson's chain of references.
        naming(&["from string"], r#"from String \\?"(?<v>[^"\\]+)\\?"[\s\S]{0,500}?\[\\?"(?<n>\w+)\\?"\]\)"#),
        // Pydantic 2: the field in a line of its own, what was given at the end of the next.
        naming(&["input_value="], r#"(?:^|\s)(?<n>[\w.]+)\n .{0,300}input_value=(?:'(?<v>[^'\n]+)'|"(?<w>[^"\n]+)")"#),
        // Zod, express-validator, pydantic's JSON.
        naming(
            &["\"path\"", "\"loc\"", "\\\"path\\\"", "\"property\""],
            r#""(?:received|input|value|rejectedValue)"\s*:\s*"(?<v>[^"]+)"[^{}]{0,300}?"(?:path|loc|property)"\s*:\s*(?:\[[^\]]{0,120})?"(?<n>\w+)""#,
        ),
        naming(
            &["\"path\"", "\"loc\"", "\\\"path\\\"", "\"property\""],
            r#""(?:path|loc|property)"\s*:\s*(?:\[[^\]]{0,120})?"(?<n>\w+)"[^{}]{0,300}?"(?:received|input|value|rejectedValue)"\s*:\s*"(?<v>[^"]+)""#,
        ),
        // GraphQL's variables.
        naming(&["got invalid value"], r#"\$(?<n>\w+)\\?['"] got invalid value \\?['"](?<v>[^'"\\]+)"#),
        // Parsers of command lines: clap, Go's flag, Click, argparse.
        naming(
            &["invalid value"],
            r#"invalid value ['"](?<v>[^'"]+)['"] for (?:flag |option )?['"]?(?<n>-{1,2}[\w-]+)"#,
        ),
        naming(
            &["invalid value for"],
            r#"Invalid value for ['"]?(?<n>-{1,2}[\w-]+)['"]?[^:\n]{0,80}: ['"](?<v>[^'"]+)['"]"#,
        ),
        naming(&["argument -"], r#"argument (?:-\w/)?(?<n>--[\w-]+): invalid [^:\n]{1,80}: ['"](?<v>[^'"]+)['"]"#),
        // What tests say: `password mismatch: expected 'x' got 'y'`, and RSpec.
        naming(
            &["mismatch", " differ", " not match"],
            r#"(?<n>[\w.]+) (?:mismatch(?:ed)?|differs?|do(?:es)? not match)[^'"\n]{0,40}?(?:expected|want(?:ed)?|got|actual|received):? ['"](?<v>[^'"\n]+)['"](?:[^'"\n]{0,40}['"](?<w>[^'"\n]+)['"])?"#,
        ),
        naming(
            &["expected "],
            r#"expected (?:[\w.]+[.#])?(?<n>\w+) (?:not )?to (?:eq|eql|equal|be|match)\w* \\?['"](?<v>[^'"\\\n]+)\\?['"]"#,
        ),
        // Terraform: https://developer.hashicorp.com/terraform/language/values/variables
        naming(
            &["variable \"", "variable \\\""],
            r#"variable \\?"(?<n>[\w-]+)\\?" ?\{[^}]{0,300}?default\s*=\s*\\?"(?<v>[^"\\\n]+)"#,
        ),
    ]
}

/// The values in such a sentence, where what it names is a secret.
pub(super) fn values(text: &str, groups: &Captures<'_>, rules: &Rules) -> impl Iterator<Item = Range<usize>> {
    let name = groups.name("n").and_then(|name| name.as_str().rsplit('.').find(|part| !part.is_empty()));
    let class = name.and_then(|name| class(name.trim_start_matches('-'), rules));
    let values = [groups.name("v"), groups.name("w")].into_iter().flatten().map(|value| value.range());
    values.filter(move |value| {
        let value = &text[value.clone()];
        // A grammar's token is a word or a mark.
        class.is_some_and(|class| is_secret_value(value, class, rules) && (class != Class::Token || is_no_word(value)))
    })
}

#[cfg(test)]
mod tests {
    use crate::scrub::{FILTERED, Rules, scrub_text};

    #[test]
    fn what_validators_repeat_is_hidden_where_the_field_is_secret() {
        for (text, secret) in [
            ("Duplicate entry 'a1b2c3d4' for key 'users.api_key_token'", "a1b2c3d4"),
            ("Cast to ObjectId failed for value \"k3y-9x\" (type string) at path \"token\" for model \"S\"", "k3y-9x"),
            ("password: Path `password` (`hunter2`) is shorter than 8.", "hunter2"),
            ("The value 'hunter2' is not valid for Password.", "hunter2"),
            ("Could not convert string to integer: hunter2. Path 'login.password', line 1", "hunter2"),
            ("{propertyPath=password, rootBeanClass=U, invalidValue=hunter2}", "hunter2"),
            ("error on field 'password': rejected value [hunter2]; codes [x]", "hunter2"),
            ("    Property: spring.mail.password\n    Value: \"hunter2\"\n    Origin: x", "hunter2"),
            ("The string 'hunter2' was not in a correct format. (Parameter 'password')", "hunter2"),
            ("of type int from String \"hunter2\": no (through reference chain: a.Login[\"pin_password\"])", "hunter2"),
            ("1 error for Login\npassword\n  Too short [type=x, input_value='hunter2', input_type=str]", "hunter2"),
            ("[{\"received\":\"hunter2\",\"path\":[\"user\",\"password\"]}]", "hunter2"),
            ("[{\"loc\": [\"body\", \"password\"], \"msg\": \"no\", \"input\": \"hunter2\"}]", "hunter2"),
            ("Variable \"$password\" got invalid value \"hunter2\"; no", "hunter2"),
            ("error: invalid value 'hunter2' for '--password <P>'", "hunter2"),
            ("Error: Invalid value for '--token': 'hunter22' is not", "hunter22"),
            ("error: argument --password: invalid int value: 'hunter2'", "hunter2"),
            ("AssertionError: password mismatch: expected 'hunter2' got 'word1'", "hunter2"),
            ("password does not match: got \"word1\", want \"hunter2\"", "hunter2"),
            ("expected password to eq \"hunter2\"", "hunter2"),
            ("expected user.password not to equal 'hunter2'", "hunter2"),
            ("variable \"db_password\" {\n  type = string\n  default = \"hunter2\"\n}", "hunter2"),
        ] {
            let hidden = scrub_text(text, Rules::built_in());
            assert!(hidden.contains(FILTERED) && !hidden.contains(secret), "{text}: {hidden}");
        }
        for text in [
            "Duplicate entry '42-7' for key 'order_items.PRIMARY'",
            "Cast to ObjectId failed for value \"x1\" (type string) at path \"owner\" for model \"S\"",
            "The value 'abc' is not valid for Quantity.",
            "error on field 'password': rejected value [null]; codes [NotBlank]",
            "error: invalid value 'x9' for '--colour <C>'",
            "token mismatch: expected 'IDENT' got 'COMMA'",
            "size mismatch: expected 'a1' got 'b2'",
            "expected status to eq \"open1\"",
            "variable \"region\" {\n  default = \"eu-1\"\n}",
        ] {
            assert_eq!(scrub_text(text, Rules::built_in()), text);
        }
    }
}
