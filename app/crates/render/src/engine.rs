//! The templates of `web/`, in the binary, with one rule for escaping each kind of text.

use domain::markdown;
use domain::visible::visible;
use minijinja::syntax::SyntaxConfig;
use minijinja::value::Value;
use minijinja::{AutoEscape, Environment, Error, ErrorKind, Output, State, UndefinedBehavior};
use std::sync::LazyLock;

/// A template and its view don't fit: a fault of the program, never of what it renders.
#[derive(Debug, thiserror::Error)]
#[error("the template {template} cannot be rendered: {source:#}. This is a fault of Flawless, please report it")]
pub struct RenderError {
    template: &'static str,
    source: Error,
}

/// How values in Markdown are escaped.
const MARKDOWN: &str = "markdown";
/// How values in plain text are escaped.
const TEXT: &str = "text";

/// Every template of `web/`, read once.
static ENVIRONMENT: LazyLock<Environment<'static>> = LazyLock::new(environment);

/// Renders a template of `web/` with these values.
pub(super) fn render(template: &'static str, values: Value) -> Result<String, RenderError> {
    ENVIRONMENT
        .get_template(template)
        .and_then(|found| found.render(values))
        .map_err(|source| RenderError { template, source })
}

/// Renders a sentence of ours in Markdown, with these values: safe text that stands in a template.
pub(super) fn render_words(words: &'static str, values: Value) -> Result<Value, RenderError> {
    ENVIRONMENT
        .render_named_str("words.md", words, values)
        .map(Value::from_safe_string)
        .map_err(|source| RenderError { template: words, source })
}

fn environment() -> Environment<'static> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_auto_escape_callback(|name| match name.rsplit_once('.') {
        Some((_, "md")) => AutoEscape::Custom(MARKDOWN.into()),
        Some((_, "txt")) => AutoEscape::Custom(TEXT.into()),
        _ => AutoEscape::Html,
    });
    environment.set_formatter(write_escaped);
    environment.set_syntax(
        SyntaxConfig::builder()
            .trim_blocks(true)
            .lstrip_blocks(true)
            .build()
            .expect("the delimiters are the default ones"),
    );
    environment.add_filter("code", |text: String| Value::from_safe_string(markdown::code_span(&text)));
    environment.add_filter("fence", |text: String, language: String| {
        Value::from_safe_string(markdown::fence(&text, &language))
    });
    environment.add_filter("hidden", |text: String| Value::from_safe_string(markdown::hidden(&text)));
    environment
        .add_filter("target", |url: String| Value::from_safe_string(markdown::link_target(&url).unwrap_or_default()));
    environment.add_filter("commit", commit);
    environment.add_filter("sentence", |text: String| Value::from_safe_string(markdown::sentence(&text)));
    environment.add_filter("href", href);
    environment.add_filter("layout", |text: String| Value::from_safe_string(layout(&text)));
    super::templates::load(&mut environment);
    environment
}

/// What stands in every place where a template says a value: escaped for the kind of text,
/// invisible characters written out.
fn write_escaped(out: &mut Output, state: &mut State, value: &Value) -> Result<(), Error> {
    if value.is_none() {
        return Err(Error::new(ErrorKind::UndefinedError, "a value that is not there is said; ask for it first"));
    }
    if value.is_safe() {
        return out.write_str(value.as_str().unwrap_or_default()).map_err(Error::from);
    }
    if value.is_undefined() {
        // Strict: this is an error, and knows where.
        return minijinja::escape_formatter(out, state, value);
    }
    let text = value.to_string();
    let escaped = match state.auto_escape() {
        AutoEscape::Custom(kind) if kind == MARKDOWN => markdown::plain(&text),
        AutoEscape::Custom(_) => visible(&text),
        _ => html(&visible(&text)),
    };
    out.write_str(&escaped).map_err(Error::from)
}

/// Text for HTML, also between quotes.
fn html(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + text.len() / 8);
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            _ => out.push(c),
        }
    }
    out
}

/// Text for HTML that keeps its line ends and indentation where style sheets don't reach: Outlook
/// ignores `white-space`.
fn layout(text: &str) -> String {
    let text = html(&visible(text).replace('\t', "    "));
    let mut out = String::with_capacity(text.len());
    for (at, line) in text.lines().enumerate() {
        if at > 0 {
            out.push_str("<br>");
        }
        let code = line.trim_start_matches(' ');
        out.push_str(&"&nbsp;".repeat(line.len() - code.len()));
        out.push_str(code);
    }
    out
}

/// The short name of a commit as the text of a link of ours, where GitHub makes none of its own.
fn commit(short: String) -> Value {
    let is_name = short.bytes().all(|b| b.is_ascii_hexdigit());
    Value::from_safe_string(if is_name { short } else { markdown::plain(&short) })
}

/// An address that a link may lead to: the web, or a page of ours. Anything else (`javascript:`)
/// leads nowhere.
fn href(url: String) -> String {
    let ours = url.starts_with('/') && !url.starts_with("//") || url.starts_with('?') || url.starts_with('#');
    if ours || url.starts_with("https://") || url.starts_with("http://") { url } else { "#".to_owned() }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// The names of all templates.
    pub(crate) fn templates() -> impl Iterator<Item = &'static str> {
        ENVIRONMENT.templates().map(|(name, _)| name)
    }

    #[test]
    fn what_is_not_there_is_an_error_not_a_gap() {
        let error = render("issue/reply.md", minijinja::context! {}).expect_err("strict");
        assert!(error.to_string().contains("issue/reply.md"), "{error}");
    }

    #[test]
    fn every_kind_of_text_is_escaped_its_own_way() {
        let mut environment = environment();
        for name in ["x.html", "x.md", "x.txt"] {
            environment.add_template(name, "{{ text }}").expect("a template");
        }
        let show = |name: &str, text: &str| {
            environment.get_template(name).and_then(|t| t.render(minijinja::context! { text })).expect("renders")
        };
        let hostile = "<b>\"@ada'\u{202e}&";
        assert_eq!(show("x.html", hostile), r"&lt;b&gt;&quot;@ada&#39;\u{202e}&amp;");
        assert_eq!(show("x.md", hostile), r#"&lt;b&gt;"@&#8203;ada'\\u{202e}&amp;"#);
        assert_eq!(show("x.txt", hostile), r#"<b>"@ada'\u{202e}&"#);
    }

    #[test]
    fn text_that_keeps_its_layout_keeps_nothing_else() {
        let hostile = "<b>\u{202e}\n\t@ada\u{200b}\r\n  \"x\"";
        let shown = r"&lt;b&gt;\u{202e}<br>&nbsp;&nbsp;&nbsp;&nbsp;@ada\u{200b}<br>&nbsp;&nbsp;&quot;x&quot;";
        assert_eq!(layout(hostile), shown);
    }

    #[test]
    fn links_lead_to_the_web_or_to_us() {
        for good in ["https://a/b", "/a", "?week=1", "#top"] {
            assert_eq!(href(good.to_owned()), good);
        }
        for bad in ["javascript:alert(1)", "//evil.example", "data:text/html,x", ""] {
            assert_eq!(href(bad.to_owned()), "#");
        }
    }
}
