//! Values that stand beside their name in the manner of one format: in the next line of YAML, the
//! next element of XML, the next part of a form, an Erlang tuple, a serialized array, a call.

/// How a name is tied to what follows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tie {
    /// `=`, `=>`, `:=`, and `:` behind a quoted name.
    Assigned,
    /// `:` as in a header, in YAML, and in prose.
    Colon,
    /// `==`, `!=`: with what is written out.
    Compared,
    /// `--password x`.
    Option,
    /// `('password', 'x')`, `["--password", "x"]`.
    Pair,
    /// `name="password" value="x"`.
    NameAndValue,
    /// `<password>x</password>`.
    Element,
    /// `the password hunter2`, `password is x`.
    Prose,
}

/// Characters of a part's head that are passed to find its body: `; filename="a"`, a type.
const MAX_HEAD: usize = 200;

/// Elements within one another that are passed to find a value: XML-RPC has two.
const MAX_NESTED: usize = 4;

/// Elements whose text is a value: property lists, XML-RPC, Hadoop's and Java's settings, tables.
const VALUE_ELEMENTS: &[&str] =
    &["string", "value", "Value", "val", "v", "data", "td", "dd", "content", "param-value", "env-entry-value"];

/// Calls whose argument is what their name says: `setPassword("x")`, `password_verify("x", …)`.
const CALLS: &[&str] = &["set", "check", "verify", "hash", "validate", "encrypt", "confirm"];

/// A builder's: `.password("x")`.
const BUILDERS: &[&str] = &[
    "password",
    "passwd",
    "passphrase",
    "apikey",
    "api_key",
    "secretkey",
    "clientsecret",
    "client_secret",
    "authtoken",
    "auth_token",
];

/// What the format ties to the name between `start` and, with its quote, `at`.
pub(super) fn elsewhere(text: &str, start: usize, at: usize, is_quoted: bool) -> Option<(Tie, usize, bool)> {
    let bytes = text.as_bytes();
    let before = start.checked_sub(1).map(|at| bytes[at]);
    match bytes.get(at)? {
        b'\n' | b'\r' | b'\\' if is_quoted && is_part(text, start) => body(text, at),
        b';' if is_quoted => serialized(text, at + 1).or_else(|| body(text, at).filter(|_| is_part(text, start))),
        b'\n' | b'\r' => next_line(text, start, at),
        b'<' if before == Some(b'>') => sibling(text, at),
        b',' if !is_quoted && matches!(before, Some(b'{' | b':')) => tuple(text, start, at + 1),
        b'(' if !is_quoted && is_setter(text, start, at) => Some((Tie::Assigned, at + 1, true)),
        _ => None,
    }
}

/// Whether the name is that of a part of a form: `Content-Disposition: form-data; name="password"`.
fn is_part(text: &str, start: usize) -> bool {
    let Some(head) = start.checked_sub(1).and_then(|quote| text.get(..quote)) else { return false };
    let head = head.trim_end_matches('\\');
    head.ends_with(" name=") || head.ends_with(";name=")
}

/// The body of a form's part: what stands behind an empty line.
fn body(text: &str, at: usize) -> Option<(Tie, usize, bool)> {
    let head = &text[at..text.floor_char_boundary(text.len().min(at + MAX_HEAD))];
    let ends = ["\r\n\r\n", "\n\n", "\\r\\n\\r\\n", "\\n\\n"];
    let end = ends.iter().filter_map(|end| head.find(end).map(|start| start + end.len())).min()?;
    Some((Tie::Assigned, at + end, true))
}

/// PHP's `serialize`: `s:8:"password";s:7:"hunter2";`.
fn serialized(text: &str, at: usize) -> Option<(Tie, usize, bool)> {
    let rest = text[at..].strip_prefix("s:")?;
    let value = rest.trim_start_matches(|c: char| c.is_ascii_digit()).strip_prefix(':')?;
    Some((Tie::Assigned, text.len() - value.len(), true))
}

/// YAML's `name: PASSWORD` with `value: x` in the line below.
fn next_line(text: &str, start: usize, at: usize) -> Option<(Tie, usize, bool)> {
    let before = text[..start].trim_end_matches(['"', '\'']);
    if !["name: ", "key: ", "Name: ", "Key: "].iter().any(|key| before.ends_with(key)) {
        return None;
    }
    name_and_value(text, text.len() - text[at..].trim_start().len())
}

/// `<key>password</key><string>x</string>`, `<name>password</name><value><string>x</string></value>`.
fn sibling(text: &str, at: usize) -> Option<(Tie, usize, bool)> {
    let rest = text[at..].strip_prefix("</")?;
    let close = rest.bytes().take(60).position(|byte| byte == b'>')?;
    let (is_value, rest) = value_elements(&rest[close + 1..])?;
    is_value.then(|| (Tie::Element, text.len() - rest.len(), false))
}

/// What stands within elements that hold values, and whether there is any such element; `None`: a
/// tag that has no end.
pub(super) fn value_elements(text: &str) -> Option<(bool, &str)> {
    let mut rest = text.trim_start();
    let mut is_value = false;
    for _ in 0..MAX_NESTED {
        let Some(inner) = rest.strip_prefix('<').filter(|inner| !inner.starts_with("![CDATA[")) else { break };
        let close = inner.bytes().take(120).position(|byte| byte == b'>')?;
        let name = inner[..close].split([' ', '/']).next()?;
        let name = name.rsplit(':').next()?;
        if !VALUE_ELEMENTS.contains(&name) {
            break;
        }
        is_value = true;
        rest = inner[close + 1..].trim_start();
    }
    Some((is_value, rest))
}

/// `{password,<<"x">>}` and `{:password, "x"}`: Erlang and Elixir.
fn tuple(text: &str, start: usize, at: usize) -> Option<(Tie, usize, bool)> {
    let is_open = text[..start].ends_with('{') || text[..start].ends_with("{:");
    let value = text[at..].trim_start();
    (is_open && (value.starts_with("<<\"") || value.starts_with(['"', '\''])))
        .then(|| (Tie::Pair, text.len() - value.len(), true))
}

/// `setPassword("x")`: a call that is given what its name says, written out.
fn is_setter(text: &str, start: usize, open: usize) -> bool {
    let name = text[start..open].rsplit(['.', '>', ':']).next().unwrap_or_default();
    let lower = name.to_ascii_lowercase();
    let is_built = BUILDERS.contains(&lower.as_str()) && text[..open - name.len()].ends_with('.');
    let is_call = is_built || CALLS.iter().any(|call| lower.starts_with(call) || lower.ends_with(call));
    is_call && text[open + 1..].starts_with(['"', '\''])
}

/// `value="x"`, `"value": "x"`, `Value=x`.
pub(super) fn name_and_value(text: &str, at: usize) -> Option<(Tie, usize, bool)> {
    let rest = text.get(at..)?;
    let inner = rest.trim_start_matches(['\\', '"', '\'']);
    let word = ["value", "Value", "VALUE", "val", "content"].into_iter().find(|word| inner.starts_with(word))?;
    let after = inner[word.len()..].trim_start_matches(['\\', '"', '\'', ' ']);
    let sign = after.strip_prefix("=>").or_else(|| after.strip_prefix([':', '=']))?;
    Some((Tie::NameAndValue, text.len() - sign.len(), true))
}

#[cfg(test)]
mod tests {
    use crate::scrub::{FILTERED, Rules, scrub_text};

    #[test]
    fn values_beside_their_name_in_the_manner_of_a_format() {
        for (text, expected) in [
            (
                "- name: DB_PASSWORD\n  value: hunter2\n- name: PORT\n  value: 80",
                "- name: DB_PASSWORD\n  value: #\n- name: PORT\n  value: 80",
            ),
            ("<key>apiSecret</key>\n\t<string>hunter2x</string>", "<key>apiSecret</key>\n\t<string>#</string>"),
            (
                "<name>password</name><value><string>hunter2</string></value>",
                "<name>password</name><value><string>#</string></value>",
            ),
            ("x; name=\"password\"\r\n\r\nhunter2\r\n--X", "x; name=\"password\"\r\n\r\n#\r\n--X"),
            (
                "x; name=\"token\"; filename=\"\"\r\nContent-Type: a/b\r\n\r\nhunter2x\r\n",
                "x; name=\"token\"; filename=\"\"\r\nContent-Type: a/b\r\n\r\n#\r\n",
            ),
            ("s:8:\"password\";s:7:\"hunter2\";s:1:\"n\";i:1;", "s:8:\"password\";s:7:\"#\";s:1:\"n\";i:1;"),
            ("[{user,<<\"bob\">>},{password,<<\"hunter2\">>}]", "[{user,<<\"bob\">>},{password,<<\"#\">>}]"),
            ("#{password => <<\"hunter2\">>, n => 1}", "#{password => <<\"#\">>, n => 1}"),
            ("{:password, \"hunter2\"}", "{:password, \"#\"}"),
            ("user.setPassword(\"hunter2\")", "user.setPassword(\"#\")"),
            ("builder.user(\"x\").password(\"hunter2\")", "builder.user(\"x\").password(\"#\")"),
            ("password_verify('hunter2', 'x')", "password_verify('#', 'x')"),
            (
                "rawHeaders: [ 'Host', 'x', 'X-Api-Key', 'hunter2', 'Cookie', 'sid=w9x8', 'Accept', '*/*' ]",
                "rawHeaders: [ 'Host', 'x', 'X-Api-Key', '#', 'Cookie', '#', 'Accept', '*/*' ]",
            ),
            ("    [password:protected] => hunter2\n)", "    [password:protected] => #\n)"),
            ("    [password:App\\User:private] => hunter2\n)", "    [password:App\\User:private] => #\n)"),
            (
                "[\"password\":protected]=>\n  string(7) \"hunter2\"\n}",
                "[\"password\":protected]=>\n  string(7) \"#\"\n}",
            ),
            (
                "[\"password\":\"User\":private]=>\n  string(7) \"hunter2\"\n}",
                "[\"password\":\"User\":private]=>\n  string(7) \"#\"\n}",
            ),
            ("user%5Bpassword%5D=q%26W%3D7zz&x=1", "user%5Bpassword%5D=#&x=1"),
            ("[\"password\"]=>\n  string(7) \"hunter2\"", "[\"password\"]=>\n  string(7) \"#\""),
            ("api_key: Some(\n    \"hunter2x\",\n)", "api_key: Some(\n    \"#\",\n)"),
        ] {
            assert_eq!(scrub_text(text, Rules::built_in()).replace(FILTERED, "#"), expected);
        }
        for text in [
            "- name: DB_PASSWORD\n  valueFrom: {secretKeyRef: {name: db, key: password}}",
            "<th>Password</th><th>Role2</th>",
            "<label>Password</label><span>Choose1</span>",
            "getPassword(\"db1\")",
            "{token, expired1}",
            "<Token: NAME>",
            "allowed: ['Host', 'Accept', 'X-Api-Key', 'X-Csrf-Token', 'Cookie']",
        ] {
            assert_eq!(scrub_text(text, Rules::built_in()), text);
        }
    }
}
