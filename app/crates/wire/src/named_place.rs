//! The file and line that an error's message names: code that could not be compiled, a template, a
//! configuration. It never ran, so no frame has it.

use crate::limits::{MAX_MESSAGE, MAX_TEXT, cut};
use domain::report::{Exception, Frame};
use regex::Regex;
use std::sync::LazyLock;

/// Parts of the names of types, in lower case, whose messages name a place in one of [`FORMS`].
const TYPES: [&str; 20] = [
    // Python, Ruby, JavaScript, Elixir and their compilers.
    "syntaxerror",
    "indentationerror",
    "taberror",
    "compileerror",
    "tokenmissingerror",
    "mismatcheddelimitererror",
    "syntaxexception",
    "compileexception",
    "tserror",
    // Readers of YAML and JSON.
    "yaml",
    "scannererror",
    "parsererror",
    "composererror",
    "constructorerror",
    "parseexception",
    // Templates: Jinja, Django, Twig, Freemarker, Go's, Thymeleaf, nunjucks, Liquid, Mako (as
    // Pyramid tells of it).
    "template",
    "twig",
    "execerror",
    "liquid",
    "makorendering",
];

/// Type of Python's error of a JSON text, whose message names a line but no file.
const JSON: &str = "JSONDecodeError";

/// Suffixes of templates whose engines for Node put the place in the first line of any error's
/// message.
const TEMPLATES_OF_NODE: [&str; 7] = [".ejs", ".pug", ".jade", ".hbs", ".handlebars", ".njk", ".eta"];

/// Any of [`TYPES`] in the name of a type.
static TYPE: LazyLock<Regex> = LazyLock::new(|| any_of(&TYPES));

/// What the name of a type has whose engine names templates without their suffixes.
static OF_SUFFIXES: LazyLock<Regex> = LazyLock::new(|| any_of(&["template", "liquid", "parseexception"]));

/// What every first line of a template has. Of messages without it, nothing else is looked for.
static TEMPLATE: LazyLock<Regex> = LazyLock::new(|| any_of(&[&TEMPLATES_OF_NODE[..], &[LIQUID]].concat()));

/// Suffix of Liquid's templates.
const LIQUID: &str = ".liquid";

/// Finds any of these texts, in whatever case; all at once, as each exception of each report is
/// looked at.
fn any_of(texts: &[&str]) -> Regex {
    let texts: Vec<String> = texts.iter().map(|text| regex::escape(text)).collect();
    Regex::new(&format!("(?i-u:{})", texts.join("|"))).expect("a constant pattern compiles")
}

/// Suffixes of Mako's templates, as they stand among frames of Python.
const TEMPLATES_OF_MAKO: [&str; 6] = [".mako", ".mak", ".html", ".htm", ".txt", ".xml"];

/// Whose engines name templates without a suffix, and the one that is meant.
const SUFFIXES: [(&str, &str); 2] = [("Liquid ", LIQUID), ("(template: \"", ".html")];

/// Letters of a path that a message names: more is no path.
const LONGEST_PATH: usize = 400;

/// What a frame says that helps to find the file which was read.
#[derive(Clone, Copy, Default)]
pub(crate) struct Reader<'f> {
    /// Its file.
    pub(crate) path: Option<&'f str>,
    /// Its variables, as JSON.
    pub(crate) variables: Option<&'f str>,
    /// Its line of code.
    pub(crate) code: Option<&'f str>,
}

/// Folders of what reads JSON for others.
const READERS_OF_JSON: [&str; 2] = ["json", "simplejson"];

/// What a message names: a path and a one-based line.
type Place<'t> = (&'t str, u32);

/// The forms in which messages name a place, each with where they are from.
const FORMS: [for<'t> fn(&'t str) -> Option<Place<'t>>; 18] = [
    // CPython: `invalid syntax (cart.py, line 3)`.
    |text| around(text.strip_suffix(')')?, "(", ", line ", true),
    // PyYAML: the last mark is the problem's. `in "config/shop.yml", line 3, column 5`.
    |text| around(text, "in \"", "\", line ", true),
    // Twig, Symfony's YAML, Freemarker: the first is the innermost. `in "a.html.twig" at line 3`.
    |text| around(text, "in \"", "\" at line ", false),
    |text| around(text, "in template \"", "\" at line ", false),
    // js-yaml: `in "config/shop.yml" (3:5)`.
    |text| around(text, "in \"", "\" (", false),
    // Mako: `in file 'cart.html' at line: 3 char: 5`.
    |text| around(text, "in file '", "' at line: ", false),
    // Mako's whole traceback as a message: the innermost template.
    |text| {
        let places = text.lines().rev().filter_map(|line| line.trim_start().strip_prefix("File \""));
        let mut places = places.filter_map(|rest| rest.split_once("\", line "));
        let (path, rest) = places.find(|(path, _)| TEMPLATES_OF_MAKO.iter().any(|suffix| path.ends_with(suffix)))?;
        Some((path, number(rest)?))
    },
    // Thymeleaf: the first is the innermost. `(template: "cart/show" - line 3, col 5)`.
    |text| {
        let (path, line) = around(text, "(template: \"", "\" - line ", false)?;
        // `class path resource [templates/cart.html]`.
        Some((path.split_once('[').map_or(path, |(_, path)| path.trim_end_matches(']')), line))
    },
    // Liquid: `Liquid error (snippets/cart line 3): …`, also `Liquid syntax error`.
    |text| {
        let (_, rest) = text.lines().next()?.split_once("Liquid ")?;
        let (path, line) = rest.split_once("error (")?.1.split_once(" line ")?;
        Some((path, number(line)?))
    },
    // Django: `In template /srv/cart.html, error at line 3`.
    |text| around(text, "In template ", ", error at line ", false),
    // Jinja, untranslated: `  File "cart.html", line 3`.
    |text| around(text, "\n  File \"", "\", line ", true),
    // nunjucks: `(/srv/views/cart.njk) [Line 3, Column 5]`.
    |text| around(text, "(", ") [Line ", false),
    // Psych: `(config/shop.yml): did not find expected key … at line 3 column 1`.
    |text| {
        let (path, rest) = text.strip_prefix('(')?.split_once("): ")?;
        Some((path, number(&rest[rest.rfind("at line ")? + "at line ".len()..])?))
    },
    // Handlebars, Node's JSON: `/srv/cart.hbs: Parse error on line 3:`, `… (line 3 column 5)`.
    |text| {
        let (path, rest) = text.lines().next()?.split_once(": ")?;
        let found = ["Parse error on line ", "(line "].iter().find_map(|mark| Some(rest.rfind(mark)? + mark.len()))?;
        Some((path, number(&rest[found..])?))
    },
    // Jasper: `[/WEB-INF/cart.jsp] at line [3]`.
    |text| around(text, "[", "] at line [", false),
    // Elixir: `invalid syntax found on lib/cart.ex:3:5:`, `token missing on lib/cart.ex:3:5:`.
    |text| {
        let line = text.lines().next()?;
        let (_, place) = line.split_once(" found on ").or_else(|| line.split_once(" missing on "))?;
        at_its_start(place)
    },
    // TypeScript, by ts-node: `src/cart.ts:4:7 - error TS2322: …`, `src/cart.ts(4,7): error …`.
    |text| {
        let line = text.lines().find(|line| line.contains("error TS"))?.trim_start();
        let place = line.split_once(" - error TS").or_else(|| line.split_once(": error TS"))?.0;
        let (path, rest) = match place.strip_suffix(')').and_then(|place| place.rsplit_once('(')) {
            Some(place) => place,
            None => place.rsplit_once(':')?.0.rsplit_once(':')?,
        };
        Some((path, number(rest)?))
    },
    // Ruby, Elixir: `/srv/cart.rb:3: syntax error`. Go: `template: cart.html:3:5: executing`.
    at_its_start,
];

/// The place that an exception of this type names in its message, as a frame; `frames` are its own,
/// outermost first. None for nearly all exceptions, at the cost of a look at the type and the
/// message's first line.
pub(crate) fn named_place<'f>(
    kind: &str,
    message: Option<&str>,
    frames: impl DoubleEndedIterator<Item = Reader<'f>>,
) -> Option<Frame> {
    let message = cut(message?, MAX_MESSAGE).trim();
    let kind = cut(kind, MAX_TEXT);
    let engine = || SUFFIXES.iter().find(|(engine, _)| message.contains(engine));
    let suffix = OF_SUFFIXES.is_match(kind).then(engine).flatten();
    let (path, line) = if kind.ends_with(JSON) {
        (file_of_json(frames)?, number(&message[message.find(": line ")? + ": line ".len()..])?)
    } else {
        let in_template = first_line_of_template(message);
        let is_place = |place: &Place<'_>| is_path(place) || (suffix.is_some() && is_template_name(place.0));
        in_template
            .or_else(|| TYPE.is_match(kind).then(|| FORMS.iter().find_map(|form| form(message).filter(is_place)))?)?
    };
    // It is in no function: the file's own name stands for it.
    let path = match suffix.filter(|_| !path.rsplit('/').next().is_some_and(|name| name.contains('.'))) {
        Some((_, suffix)) => format!("{}{suffix}", path.trim_start_matches('/')),
        None => path.to_owned(),
    };
    let path = path.as_str();
    let function = path.rsplit(['/', '\\']).next().map(str::to_owned);
    let filename = Some(path.to_owned());
    let frame = Frame { filename, function, line: Some(line), is_named: true, ..Frame::default() };
    is_path(&(path, line)).then_some(frame)
}

/// Adds the place that a printed exception names as its innermost frame, unless it has that.
pub(crate) fn add_named_place(exception: &mut Exception) {
    let read = |frame| {
        let frame: &Frame = frame;
        Reader { path: frame.path(), variables: None, code: frame.context_line.as_deref() }
    };
    let frames = exception.frames.iter().map(read);
    let Some(named) = named_place(&exception.kind, exception.value.as_deref(), frames) else { return };
    let path = named.filename.as_deref().unwrap_or_default();
    let is_there = |last: &Frame| last.line == named.line && last.path().is_some_and(|last| last.ends_with(path));
    if !exception.frames.last().is_some_and(is_there) {
        exception.frames.push(named);
    }
}

/// The path between `before` and `after`, and the number behind; of several, the last or the first.
fn around<'t>(text: &'t str, before: &str, after: &str, last: bool) -> Option<Place<'t>> {
    let at = if last { text.rfind(after) } else { text.find(after) }?;
    let start = text[..at].rfind(before)? + before.len();
    Some((&text[start..at], number(&text[at + after.len()..])?))
}

/// `PATH:3: …` and `PATH:3:5: …`, where the first line begins with it.
fn at_its_start(text: &str) -> Option<Place<'_>> {
    let line = text.lines().next()?;
    let line = ["html/template: ", "html/template:", "template: ", "--> "]
        .iter()
        .find_map(|name| line.strip_prefix(name))
        .unwrap_or(line);
    // A drive's colon is no place's.
    let from = usize::from(line.as_bytes().get(1) == Some(&b':')) * 2;
    let colon = from + line.get(from..)?.find(':')?;
    let rest = &line[colon + 1..];
    let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
    (rest[digits..].is_empty() || rest[digits..].starts_with(':')).then_some(())?;
    Some((&line[..colon], number(rest)?))
}

/// `/srv/views/cart.ejs:3` above the lines of the template, and Handlebars' `/srv/cart.hbs: Parse
/// error on line 3:`.
fn first_line_of_template(text: &str) -> Option<Place<'_>> {
    if !TEMPLATE.is_match(text) {
        return None;
    }
    let is_template = |(path, _): &Place<'_>| TEMPLATES_OF_NODE.iter().any(|suffix| path.ends_with(suffix));
    let above = || text.split_once('\n').and_then(|(first, _)| at_its_start(first)).filter(is_template);
    let before = || {
        let (path, rest) = text.lines().next()?.split_once(": Parse error on line ")?;
        Some((path, number(rest)?)).filter(is_template)
    };
    // LiquidJS, and Liquid in Python: `…, file:/srv/cart.liquid, line:3, col:5`,
    // `-> 'cart.liquid':3:5`.
    let is_liquid = |(path, _): &Place<'_>| path.ends_with(LIQUID);
    let liquid = || around(text.lines().next()?, ", file:", ", line:", true).filter(is_liquid);
    let python = || around(text, "\n  -> '", "':", false).filter(is_liquid);
    above().or_else(before).or_else(liquid).or_else(python)
}

/// The file that was read as JSON, where the innermost line outside of the readers says that it
/// reads one: an open file, or one that it spells out. What another line mentions, or what came
/// from elsewhere (an answer's body, a text), is none.
fn file_of_json<'f>(frames: impl DoubleEndedIterator<Item = Reader<'f>>) -> Option<&'f str> {
    let mut given = None;
    for frame in frames.rev() {
        let folder = frame.path.and_then(|path| path.rsplit(['/', '\\']).nth(1)).unwrap_or_default();
        if !READERS_OF_JSON.contains(&folder) {
            let (is_file, argument) = argument_of_load(frame.code?)?;
            if is_file {
                return argument.split(['"', '\'']).find(|text| text.ends_with(".json"));
            }
            // What reads on: `loads(file.read())`.
            let (name, rest) = argument.split_at(argument.find(|c: char| !is_word(c)).unwrap_or(argument.len()));
            let is_given = rest.starts_with([')', ',']) || rest.is_empty();
            let is_read = rest.starts_with(".read()");
            let own = || open_file(frame.variables?, name);
            return if is_given { own().or(given) } else { own().filter(|_| is_read) };
        }
        // `json.load` has its file as `fp`.
        given = given.or_else(|| open_file(frame.variables?, "fp"));
    }
    None
}

/// What a line of code gives to a function that is called `load` or `loads`, and whether the line
/// itself opens it. None where the function takes no file.
fn argument_of_load(code: &str) -> Option<(bool, &str)> {
    let calls = code.match_indices("load").filter_map(|(at, _)| {
        let rest = &code[at + "load".len()..];
        let argument = rest.strip_prefix('(').or_else(|| rest.strip_prefix("s("))?;
        (!code[..at].ends_with(is_word)).then_some((rest.starts_with('('), argument.trim_start()))
    });
    let opens = |argument: &str| ["open(", ".read_text(", ".read_bytes("].iter().any(|call| argument.contains(call));
    let mut calls = calls.map(|(takes_file, argument)| (opens(argument), takes_file, argument));
    let (is_file, takes_file, argument) = calls.next()?;
    (is_file || takes_file || argument.contains(".read()")).then_some((is_file, argument))
}

/// The path of the file that a variable is, among others as JSON.
fn open_file<'f>(variables: &'f str, name: &str) -> Option<&'f str> {
    let (_, value) = variables.split_once(&format!("\"{name}\""))?;
    let value = value.trim_start().strip_prefix(':')?.trim_start();
    let path = value
        .strip_prefix("\"<_io.TextIOWrapper name='")
        .or_else(|| value.strip_prefix("\"<_io.BufferedReader name='"))?;
    path.split_once('\'').map(|(path, _)| path)
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// Whether it can be a file's name: `<string>` and prose are none.
fn is_path((path, line): &Place<'_>) -> bool {
    *line > 0
        && path.len() <= LONGEST_PATH
        && path.contains(['.', '/'])
        && !path.contains(['<', '>', '"', '\n', '(', ')'])
        && !path.contains("://")
        && !path.ends_with(['.', '/'])
}

/// Whether it can be a template's name without its suffix.
fn is_template_name(path: &str) -> bool {
    let is_part = |c: char| is_word(c) || matches!(c, '-' | '/');
    (1..=LONGEST_PATH).contains(&path.len()) && path.chars().all(is_part) && !path.ends_with('/')
}

/// The number that a text begins with.
fn number(text: &str) -> Option<u32> {
    text[..text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len())].parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(kind: &str, message: &str) -> Option<(String, u32)> {
        let frame = named_place(kind, Some(message), std::iter::empty())?;
        assert!(frame.is_named);
        Some((frame.filename?, frame.line?))
    }

    #[test]
    fn errors_name_a_file_and_a_line() {
        for (kind, message, path, line) in [
            ("SyntaxError", "invalid syntax (cart.py, line 3)", "cart.py", 3),
            ("IndentationError", "unexpected indent (shop/cart.py, line 31)", "shop/cart.py", 31),
            ("SyntaxError", "invalid syntax found on lib/cart.ex:3:5:\n    error: x", "lib/cart.ex", 3),
            ("TokenMissingError", "token missing on lib/cart.ex:9:4:", "lib/cart.ex", 9),
            ("TabError", "inconsistent use of tabs (and spaces) (cart.py, line 8)", "cart.py", 8),
            (
                "ParserError",
                "while parsing a block mapping\n  in \"config/shop.yml\", line 2, column 3\nexpected <block end>\n  in \
                 \"config/shop.yml\", line 5, column 1",
                "config/shop.yml",
                5,
            ),
            ("yaml.scanner.ScannerError", "mapping values\n  in \"a.yaml\", line 7, column 9", "a.yaml", 7),
            (
                "Psych::SyntaxError",
                "(config/shop.yml): did not find expected key at line 3 column 1",
                "config/shop.yml",
                3,
            ),
            (
                "YAMLException",
                "bad indentation of a mapping entry in \"/srv/shop.yml\" (4:5)\n\n 1 | x",
                "/srv/shop.yml",
                4,
            ),
            (
                "Symfony\\Component\\Yaml\\Exception\\ParseException",
                "Malformed inline YAML string in \"/srv/config/shop.yaml\" at line 12 (near \"x\").",
                "/srv/config/shop.yaml",
                12,
            ),
            (
                "Twig\\Error\\RuntimeError",
                "Variable \"total\" does not exist in \"cart/show.html.twig\" at line 9.",
                "cart/show.html.twig",
                9,
            ),
            (
                "org.thymeleaf.exceptions.TemplateProcessingException",
                "Exception evaluating SpringEL expression: \"cart.total\" (template: \"cart/show\" - line 12, col 20)",
                "cart/show.html",
                12,
            ),
            (
                "ParseException",
                "No such price (template: \"class path resource [templates/cart.html]\" - line 4, col 2)",
                "templates/cart.html",
                4,
            ),
            ("TemplateProcessingException", "x (template: \"cart\" - line 9, col 3)", "cart.html", 9),
            ("TemplateInputException", "x (template: \"/cart/mail.txt\" - line 9, col 3)", "/cart/mail.txt", 9),
            (
                "Liquid::UndefinedVariable",
                "Liquid error (snippets/cart line 3): undefined variable sku",
                "snippets/cart.liquid",
                3,
            ),
            (
                "Liquid::SyntaxError",
                "Liquid syntax error (_includes/cart.html line 7): Unknown tag 'x'",
                "_includes/cart.html",
                7,
            ),
            (
                "UndefinedVariableError",
                "undefined variable: sku, file:/srv/views/cart.liquid, line:3, col:5\n >> 3| {{ sku }}",
                "/srv/views/cart.liquid",
                3,
            ),
            ("UndefinedError", "'sku' is undefined\n  -> 'cart.liquid':5:3\n  |\n5 | {{ sku }}", "cart.liquid", 5),
            (
                "MakoRenderingException",
                "Traceback (most recent call last):\n  File \"/srv/shop/views.py\", line 9, in show\n    x\n  File \
                 \"/srv/shop/templates/base.mako\", line 2, in render_body\n    x\n  File \"/srv/shop/templates/cart.mako\", line 8, \
                 in render_body\n    ${sku}\n  File \"/venv/mako/runtime.py\", line 222, in __str__\nNameError: Undefined",
                "/srv/shop/templates/cart.mako",
                8,
            ),
            (
                "freemarker.core.InvalidTemplateException",
                "x  [in template \"cart.ftl\" at line 3, column 5]",
                "cart.ftl",
                3,
            ),
            (
                "TemplateSyntaxError",
                "Invalid block tag. In template /srv/t/cart.html, error at line 6",
                "/srv/t/cart.html",
                6,
            ),
            ("TemplateSyntaxError", "unexpected '}'\n  File \"t/cart.html\", line 3\n    {{ x }", "t/cart.html", 3),
            ("CompileException", "Fragment 'x' in file '/srv/t/cart.mako' at line: 4 char: 1", "/srv/t/cart.mako", 4),
            (
                "SyntaxError",
                "/srv/app/models/cart.rb:14: syntax error, unexpected end-of-input",
                "/srv/app/models/cart.rb",
                14,
            ),
            ("TokenMissingError", "lib/shop/cart.ex:22:1: missing terminator", "lib/shop/cart.ex", 22),
            (
                "template.ExecError",
                "template: cart.html:3:5: executing \"cart.html\" at <.X>: no field",
                "cart.html",
                3,
            ),
            ("*template.Error", "html/template:cart.html:8: no such template", "cart.html", 8),
            (
                "ReferenceError",
                "/srv/views/cart.ejs:2\n    1| <b>\n >> 2| <%= total %>\n\ntotal is not defined",
                "/srv/views/cart.ejs",
                2,
            ),
            (
                "TypeError",
                "/srv/views/cart.pug:5:9\n    3| p\n\nCannot read properties of undefined",
                "/srv/views/cart.pug",
                5,
            ),
            ("TypeError", "C:\\shop\\views\\cart.pug:5:9\n    3| p\n\nx", "C:\\shop\\views\\cart.pug", 5),
            (
                "Error",
                "/srv/app/views/layout.hbs: Parse error on line 9:\n...{{/each}}\n-----^\nExpecting 'EOF'",
                "/srv/app/views/layout.hbs",
                9,
            ),
            ("Error", "/srv/app/views/cart.handlebars: Parse error on line 3:", "/srv/app/views/cart.handlebars", 3),
            (
                "Template render error",
                "(/srv/views/cart.njk) [Line 4, Column 11]\n  TypeError: x",
                "/srv/views/cart.njk",
                4,
            ),
            (
                "SyntaxError",
                "/srv/config/prices.json: Expected ',' in JSON at position 9 (line 2 column 3)",
                "/srv/config/prices.json",
                2,
            ),
        ] {
            assert_eq!(named(kind, message), Some((path.to_owned(), line)), "{kind}: {message}");
        }
    }

    #[test]
    fn what_names_no_file_is_left_alone() {
        for (kind, message) in [
            ("SyntaxError", "invalid syntax (<unknown>, line 1)"),
            ("SyntaxError", "invalid syntax (<string>, line 1)"),
            ("SyntaxError", "Unexpected token } in JSON at position 4"),
            ("SyntaxError", "Unexpected token '<', \"<html>\" is not valid JSON"),
            ("ValueError", "bad row (prices.csv, line 3)"),
            ("ParserError", "expected <block end>\n  in \"<unicode string>\", line 5, column 1"),
            ("TypeError", "/srv/app/cart.js:5\nconst x"),
            ("JSONDecodeError", "Expecting value: line 1 column 1 (char 0)"),
            ("TemplateNotFound", "cart.html"),
            ("Error", "/srv/app/cart.js: Parse error on line 3:"),
            ("template.ExecError", "template: cart: no line"),
            ("SyntaxError", ""),
            ("SyntaxError", "é:é"),
            ("SyntaxError", "C:"),
        ] {
            assert_eq!(named(kind, message), None, "{kind}: {message}");
        }
        assert_eq!(named_place("SyntaxError", None, std::iter::empty()), None);
    }

    #[test]
    fn a_printed_error_gets_the_place_that_it_names() {
        let text = "Traceback (most recent call last):\n  File \"/srv/app/shop.py\", line 5, in load\n    \
                    yaml.safe_load(text)\nyaml.parser.ParserError: expected <block end>\n  in \"shop.yml\", line 7, column 1\n";
        let report = crate::traceback::parse(text).unwrap();
        let innermost = report.exceptions[0].frames.last().unwrap();
        assert_eq!((innermost.path(), innermost.line, innermost.is_named), (Some("shop.yml"), Some(7), true));
        let plain = crate::traceback::parse(&text.replace("ParserError", "Failed")).unwrap();
        assert_eq!(plain.exceptions[0].frames.len(), 1);
    }

    #[test]
    fn json_is_of_the_file_that_was_open_or_is_spelled_out() {
        let of = |frames: &[(&'static str, &'static str, &'static str)]| {
            let message = "Expecting ',' delimiter: line 4 column 3 (char 60)";
            let frames = frames.iter().map(|&(path, variables, code)| Reader {
                path: Some(path),
                variables: Some(variables),
                code: Some(code),
            });
            named_place("JSONDecodeError", Some(message), frames)?.filename
        };
        const OPEN: &str = r#"{"fp": "<_io.TextIOWrapper name='/srv/config/prices.json' mode='r' encoding='UTF-8'>"}"#;
        let own = "/srv/app/shop.py";
        let reader = ("/usr/lib/python3.12/json/__init__.py", OPEN, "return loads(fp.read(),");
        let decoder =
            ("/usr/lib/python3.12/json/decoder.py", "{}", "raise JSONDecodeError(\"Expecting value\", s, err.value)");
        let open = Some("/srv/config/prices.json".to_owned());
        let spelled = Some("config/prices.json".to_owned());
        for frames in [
            vec![(own, "{}", "load()"), (own, OPEN, "return json.loads(fp.read())"), decoder],
            vec![(own, OPEN, "return json.load(fp)"), decoder],
            vec![(own, "{}", "return json.load(file)"), reader, decoder],
            vec![(own, "{}", "return json.load(file, object_hook=x)"), reader, decoder],
        ] {
            assert_eq!(of(&frames), open, "{frames:?}");
        }
        for code in [
            "json.load(open(\"config/prices.json\"))",
            "prices = json.loads(Path('config/prices.json').read_text())",
            "return load(open('config/prices.json', 'rb'))",
        ] {
            assert_eq!(of(&[(own, "{}", code), decoder]), spelled, "{code}");
        }
        let caller = (own, "{}", "rates = fetch(open(\"config/shop.json\"))");
        for code in [
            "return json.loads(answer.text)",
            "return requests.get(\"https://example.com/rates.json\").json()",
            "return session.get(\"config/rates.json\").json()",
            "return json.loads(cached(\"prices.json\"))",
            "return json.loads(body)",
            "return json.loads(answer.read())",
            "upload(\"prices.json\")",
        ] {
            assert_eq!(of(&[caller, (own, OPEN, code), decoder]), None, "{code}");
        }
        let requests =
            ("/venv/site-packages/requests/models.py", "{}", "return complexjson.loads(self.text, **kwargs)");
        assert_eq!(of(&[(own, OPEN, "json.load(open('a.json'))"), requests, decoder]), None);
    }
}
