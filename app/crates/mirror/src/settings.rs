//! Reading `.github/flawless.yml`: from text to settings, or to all that is wrong with it, each
//! with its line and key.

use super::settings_shape::WHOLE;
use super::settings_tree::{Fault, Node};
use super::settings_words::of_yaml;
use domain::setting_sizes::LARGEST_SETTINGS;
use domain::settings::{SettingFault, Settings};
use domain::url_text::without_secrets_within;
use serde_saphyr::{Options, budget, options};
use std::fmt;

/// How deep a file may be nested: its own keys are within each other four levels deep.
const DEEPEST: usize = 16;

/// Values of a file, those that its aliases repeat included: some for each line of the largest.
const MOST_VALUES: usize = 50_000;

/// Faults that are said of one file. Whoever mends these sees the next.
const MOST_FAULTS: usize = 20;

/// Characters of a fault, and of its key, that are said.
const LONGEST_FAULT: usize = 300;

/// Why a settings file is not used; the last good one stays in force. Each fault is a line of the
/// text, as in `line 4: known_errors[0].fuction: there is no such key; did you mean function?`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettingsError(Vec<Fault>);

impl fmt::Display for SettingsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, fault) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            fault.fmt(f)?;
        }
        Ok(())
    }
}

impl std::error::Error for SettingsError {}

impl SettingsError {
    /// Each fault: its one-based line, where known, and the sentence with its key.
    pub fn faults(&self) -> impl Iterator<Item = (Option<u64>, String)> {
        self.0.iter().map(|fault| (fault.line, Fault { line: None, ..fault.clone() }.to_string()))
    }
}

/// Reads a settings file. An empty one means every default.
///
/// # Errors
/// The text is not YAML, names keys that there are none of, or gives some a value that they can't
/// have.
pub fn parse(text: &str) -> Result<Settings, SettingsError> {
    // First of all: the server reads none that is larger, whatever is in it.
    if text.len() > LARGEST_SETTINGS {
        let text = format!("it is larger than {} KiB, so it is not read", LARGEST_SETTINGS >> 10);
        return Err(SettingsError(vec![Fault { line: None, key: String::new(), text }]));
    }
    if text.lines().all(|line| line.trim().is_empty() || line.trim_start().starts_with('#')) {
        return Ok(Settings::default());
    }
    let tree: Node = read(text).map_err(|error| SettingsError(vec![of_yaml(&error)]))?;
    let mut faults: Vec<Fault> = match read::<Settings>(text) {
        Ok(settings) => match settings.faults() {
            faults if faults.is_empty() => return Ok(settings),
            faults => faults.into_iter().map(Fault::from).collect(),
        },
        Err(error) => all_faults(&tree, &error),
    };
    for fault in &mut faults {
        fault.line = fault.line.or_else(|| tree.line_of(&fault.key));
    }
    faults.sort();
    Err(SettingsError(said(faults)))
}

/// What is wrong with a file of which this is the first that its reader says: each key that there
/// is none of, each value that its key does not take, and what is wrong with all others.
fn all_faults(tree: &Node, first: &serde_saphyr::Error) -> Vec<Fault> {
    let mut faults = Vec::new();
    let fitted = WHOLE.fit(tree, "", Some(1), &mut faults);
    if faults.is_empty() {
        return vec![of_yaml(first)];
    }
    if let Ok(settings) = serde_json::from_value::<Settings>(fitted) {
        faults.extend(settings.faults().into_iter().map(Fault::from));
    }
    faults
}

/// Reads YAML, as far as it is no more than a settings file can be.
fn read<T: serde::de::DeserializeOwned>(text: &str) -> Result<T, serde_saphyr::Error> {
    let bounds: Options = options! {
        budget: budget! { max_depth: DEEPEST, flow_nesting_limit: DEEPEST, max_nodes: MOST_VALUES },
    };
    let mut bounds = bounds;
    bounds.alias_limits.max_total_replayed_events = MOST_VALUES;
    serde_saphyr::from_str_with_options(text, bounds)
}

/// As much of the faults as people read. They are shown on pages and in the logs of builds: a URL
/// that got into the file is shown without its password.
fn said(mut faults: Vec<Fault>) -> Vec<Fault> {
    let more = faults.len().saturating_sub(MOST_FAULTS);
    faults.truncate(MOST_FAULTS);
    for fault in &mut faults {
        for text in [&mut fault.key, &mut fault.text] {
            *text = without_secrets_within(text);
            if let Some((end, _)) = text.char_indices().nth(LONGEST_FAULT) {
                text.truncate(end);
                text.push('…');
            }
        }
    }
    if more > 0 {
        let text = if more == 1 { "there is 1 more fault".to_owned() } else { format!("there are {more} more faults") };
        faults.push(Fault { line: None, key: String::new(), text });
    }
    faults
}

impl From<SettingFault> for Fault {
    fn from(fault: SettingFault) -> Self {
        Self { line: None, key: fault.key, text: fault.text }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_file_means_every_default() {
        assert_eq!(parse("# nothing yet\n"), Ok(Settings::default()));
        assert_eq!(parse(""), Ok(Settings::default()));
    }

    fn faults(text: &str) -> Vec<String> {
        parse(text).expect_err(text).to_string().lines().map(str::to_owned).collect()
    }

    #[test]
    fn all_faults_are_said_at_once_with_line_key_and_the_nearest_known_key() {
        let text = "\
report_eror_threshold: 3
known_errors:
  - file: shop/cart.py
    fuction: total
  - file: ''
issues: { asign: true, nonsense: 1 }
";
        assert_eq!(
            faults(text),
            [
                "line 1: report_eror_threshold: there is no such key; did you mean report_error_threshold?",
                "line 4: known_errors[0].fuction: there is no such key; did you mean function?",
                "line 5: known_errors[1].file: it is empty; write the file's path in the repository",
                "line 6: issues.asign: there is no such key; did you mean assign?",
                "line 6: issues.nonsense: there is no such key here; there are assign, comment_at, labels, message_in_public",
            ]
        );
    }

    #[test]
    fn what_is_wrong_is_said_in_one_line_each() {
        for (text, said) in [
            ("only_blame_filepaths_matching: ['(']", "line 1: only_blame_filepaths_matching[0]: \"(\" is no regular"),
            ("report_only_after_minimum_date: 1st of May", "write it as 2025-01-31"),
            ("known_errors:\n- file: ' '", "line 2: known_errors[0].file: it is empty"),
            ("known_errors:\n- file: a\n  code: ''", "line 3: known_errors[0].code: it is empty"),
            ("known_errors:\n- file: a\n  alert_every_n_occurrences: 0", "line 3: known_errors[0].alert_every"),
            ("known_errors:\n- file: a\n  until: soon", "line 3: known_errors[0].until: \"soon\" is no date"),
            (
                "issues: { labels: [bug, Library-Code] }",
                "line 1: issues.labels[1]: \"Library-Code\" is a command that people give; new issues can't have it from \
                 the start",
            ),
            (
                "issues: { labels: [known errors] }",
                "line 1: issues.labels[0]: \"known errors\" is nearly the command \"known-error\"",
            ),
            ("watchers: [{ email: lead, path: x }]", "line 1: watchers[0].email: \"lead\" is no address"),
            ("path_mappings: [{ from: '', to: x }]", "line 1: path_mappings[0].from: it is empty"),
            ("email: { ignore_vcs_domain: true }", "there is no email.domain"),
            ("email: { default_contact: oncall }", "line 1: email.default_contact"),
            ("email: { default_contact: Ops <ops@x.com> }", "is more than an address; write ops@x.com by itself"),
            ("watchers: [{ email: Ops <ops@x.com>, path: x }]", "watchers[0].email: \"Ops <ops@x.com>\" is more than"),
            ("email: { domain: ex ample.com }", "line 1: email.domain: \"ex ample.com\" is no domain; write it as"),
            ("email: { domain: -x.com }", "email.domain: \"-x.com\" is no domain"),
            ("email: { remap: { ada: 'a b' } }", "line 1: email.remap.ada: \"a b\" is no address"),
            ("email: { remap: { ada: Ada <a@x.com> } }", "email.remap.ada: \"Ada <a@x.com>\" is more than an address"),
            ("email: { remap: { ada: lovelace } }", "has no domain, and there is no email.domain; write lovelace@"),
            ("email: { remap: { Ada <a@x.com>: b@x.com } }", "write the address of the commit by itself"),
            ("disowned: [{ email: ' a@x.com', path: x, designated_email: b@x.com }]", "write a@x.com by itself"),
            ("ignored_exceptions: ['']", "line 1: ignored_exceptions[0]: it is empty; write a name"),
            ("report_runtime_package_directory_names: [/]", "report_runtime_package_directory_names[0]: it is empty"),
            ("issues: { labels: [' '] }", "issues.labels[0]: \" \" is no label; GitHub takes 1 to 50 characters"),
            ("scrub: { patterns: [.] }", "scrub.patterns[0]: \".\" matches any ordinary text"),
        ] {
            let faults = faults(text);
            assert_eq!(faults.len(), 1, "{text:?} said {faults:?}");
            assert!(faults[0].contains(said), "{text:?} said {faults:?}");
        }
    }

    #[test]
    fn labels_that_github_would_refuse_are_faults_of_the_file() {
        let text = |labels: Vec<String>| format!("issues: {{ labels: [{}] }}", labels.join(", "));
        let of = |labels| faults(&text(labels));
        assert!(of(vec!["x".repeat(60)])[0].contains("GitHub takes 1 to 50 characters"));
        let numbered = |count: usize| (0..count).map(|n| format!("l{n}")).collect();
        assert_eq!(
            of(numbered(100)),
            ["line 1: issues.labels: it has more than 99 labels; GitHub takes no more on an issue"]
        );
        assert!(parse(&text(numbered(99))).is_ok());
    }

    #[test]
    fn what_the_reader_of_yaml_says_has_line_and_key_too() {
        for (text, said) in [
            (
                "issues: {}\nreport_error_threshold: many",
                "line 2: report_error_threshold: it has to be a whole number, 0 or more",
            ),
            ("issues: { assign: perhaps }", "line 1: issues.assign: it has to be true or false"),
            ("known_errors: [{ function: f }]", "line 1: known_errors[0]: the key file is missing"),
            ("issues: {}\nissues: {}", "line 2: this key stands there twice"),
            (
                "ignored_exceptions: KeyError",
                "line 1: ignored_exceptions: there has to be a list here, as in [one, another]",
            ),
            ("just a text", "line 1: there have to be keys with values here, as in key: value"),
            ("watchers:\n  - email: [", "line 2: unclosed bracket '['"),
            (
                "known_errors: [{ file: [a] }]",
                "line 1: known_errors[0].file: there has to be one text here, neither a list nor keys with values",
            ),
            ("known_errors: { file: a }", "line 1: known_errors: there has to be a list here, as in [one, another]"),
            (
                "known_errors: [{ file: }]",
                "line 1: known_errors[0].file: there is no value: write one, or take the key away",
            ),
            ("issues:\n- a", "line 1: issues: there have to be keys with values here, as in key: value"),
            ("shadow: [a]", "line 1: shadow: it has to be true or false"),
            ("report_error_threshold: 3.0", "line 1: report_error_threshold: it has to be a whole number, 0 or more"),
            ("email:\n  remap: [a]", "line 2: email.remap: there have to be keys with values here, as in key: value"),
            ("[a]: b", "line 1: a key has to be a text, as in key: value"),
            ("email: { domain: @x.com }", "line 1: a text that begins with @ has to be in quotes"),
            ("only_blame_filepaths_matching: [*.py]", "line 1: a text that begins with * or & has to be in quotes"),
            ("known_errors:\n- file: a: b", "line 2: a colon with a space stands in a text: put the text in quotes"),
            ("known_errors:\n- file: 'a' b", "line 2: something stands behind the end of a text in quotes"),
            (
                "known_errors:\n- code: \"\\d\"",
                r"line 2: a \ in double quotes means something here: write \\, or use single quotes",
            ),
            (
                "issues:\n  assign: true\n labels: []",
                "line 3: it is not indented as what stands around it, or a colon or - is missing",
            ),
            ("issues:\n\tassign: true", "line 2: there is a tab before this: indent by spaces"),
            ("issues: {}\n---\nissues: {}", "line 3: there are several documents, divided by ---; write one"),
        ] {
            assert_eq!(faults(text), [said], "{text:?}");
        }
    }

    #[test]
    fn no_password_of_a_url_is_repeated() {
        let url = "https://ada:hunter2@h/a";
        for text in [
            format!("{url}: x"),
            format!("email: {{ default_contact: '{url}', domain: '{url}', remap: {{ '{url}': '{url}' }} }}"),
            format!("known_errors: [{{ file: a, until: '{url}' }}]"),
            format!("scrub: {{ patterns: ['({url}'] }}"),
            format!("only_blame_filepaths_matching: ['({url}']"),
            format!("issues: '{url}"),
        ] {
            let faults = faults(&text);
            assert!(faults.iter().all(|fault| !fault.contains("hunter2")), "{text}: {faults:?}");
        }
    }

    #[test]
    fn all_wrong_values_are_told_at_once() {
        let text = "\
report_error_threshold: many
known_errors:
  - file: [a, b]
  - function: total
    until: soon
watchers: nobody
email: { default_contact: Ops <ops@x.com>, domain: ex ample.com, nonsense: 1 }
issues: { assign: perhaps, comment_at: [10, x] }
shadow: maybe
";
        assert_eq!(
            faults(text),
            [
                "line 1: report_error_threshold: it has to be a whole number, 0 or more",
                "line 3: known_errors[0].file: there has to be one text here, neither a list nor keys with values",
                "line 4: known_errors[1]: the key file is missing",
                "line 5: known_errors[1].until: \"soon\" is no date; write it as 2025-01-31",
                "line 6: watchers: there has to be a list here, as in [one, another]",
                "line 7: email.default_contact: \"Ops <ops@x.com>\" is more than an address; write ops@x.com by itself",
                "line 7: email.domain: \"ex ample.com\" is no domain; write it as example.com",
                "line 7: email.nonsense: there is no such key here; there are default_contact, domain, \
                 ignore_vcs_domain, remap",
                "line 8: issues.assign: it has to be true or false",
                "line 8: issues.comment_at[1]: it has to be a whole number, 0 or more",
                "line 9: shadow: it has to be true or false",
            ]
        );
    }

    #[test]
    fn no_fault_is_told_in_the_words_of_the_program() {
        let values = [
            "",
            "~",
            "a",
            "-1",
            "1.5",
            "true",
            "[a]",
            "[[a]]",
            "{ a: b }",
            "[{ a: b }]",
            "*a",
            "&a",
            "!a b",
            "@",
            "'",
            "\"\\q\"",
            "[",
            "{",
            "]",
            "- a",
            "a: b",
            "|",
            "\ta",
            "%a",
            "? a",
        ];
        let keys = [
            "",
            "shadow: ",
            "report_error_threshold: ",
            "known_errors: ",
            "known_errors: [{ file: ",
            "email: ",
            "email: { remap: ",
            "issues: { labels: ",
            "issues:\n  assign: ",
            "storm:\n- ",
            "scrub: { names: ",
            "watchers:\n- email: ",
        ];
        let closed = ["", " }", " }]", "\n  b", "\n c: d"];
        for text in
            keys.iter().flat_map(|key| values.map(|value| closed.map(|end| format!("{key}{value}{end}")))).flatten()
        {
            let Err(error) = parse(&text) else { continue };
            for (line, said) in error.faults() {
                let is_plain =
                    ["expected", "struct", "invalid type", "sequence", " mapping", "scalar", "Option", "u64", "YAML ("]
                        .iter()
                        .all(|word| !said.contains(word));
                assert!(is_plain && line.is_some(), "{text:?}: {line:?}: {said}");
            }
        }
    }

    #[test]
    fn every_top_level_domain_and_any_look_around_is_taken() {
        let text =
            "only_blame_filepaths_matching: ['^core(?!.*/thrift/).*$']\nemail: { default_contact: a@b.technology }";
        assert!(parse(text).is_ok());
    }

    #[test]
    fn what_can_get_no_mail_is_no_address() {
        for text in [
            "email: { default_contact: 'x@[127.0.0.1]' }",
            "watchers: [{ email: 'x@[127.0.0.1]', path: a }]",
            "watchers: [{ email: \"a@x.com\\0\", path: a }]",
            "known_errors: [{ file: a, email_recipients: ['x@127.0.0.1'] }]",
        ] {
            let faults = faults(text);
            assert!(matches!(&faults[..], [fault] if fault.contains("is no address")), "{text}: {faults:?}");
        }
    }

    #[test]
    fn bombs_are_refused_in_words_and_soon() {
        let entry = "- { file: a.py, function: f, code: x }\n";
        let laughs: String = (1..20)
            .map(|at| {
                let last = format!("*a{}", at - 1);
                format!("a{at}: &a{at} [{}]\n", [last.as_str(); 10].join(", "))
            })
            .collect();
        for (text, said) in [
            (format!("# {}\n", "x".repeat(300 << 10)) + "issues: {}\n", "it is larger than 256 KiB"),
            (format!("issues:\n{}", " \n".repeat(1_000_000)), "it is larger than 256 KiB"),
            ("#".repeat(300_000), "it is larger than 256 KiB"),
            ("\n".repeat(300_000), "it is larger than 256 KiB"),
            (format!("known_errors:\n{}", entry.repeat(1_001)), "known_errors: it has more than 1000 entries"),
            (format!("a0: &a0 [x]\n{laughs}"), "repeats too much"),
            (format!("issues: {}", "[".repeat(10_000)), "nested too deeply"),
            (format!("issues: {}{}", "{a: ".repeat(10_000), "}".repeat(10_000)), "nested too deeply"),
            ((0..1_000).map(|at| format!("{}a:\n", " ".repeat(at))).take(300).collect(), "nested too deeply"),
            (format!("email: {{ domain: {}.com }}", "a".repeat(2_000)), "email.domain: it is longer than 1000 bytes"),
            (format!("only_blame_filepaths_matching: [{}]", "a, ".repeat(30)), "more than 20 expressions"),
            (r"only_blame_filepaths_matching: ['\w{1000}{1000}']".to_owned(), "is no regular expression"),
            (format!("{}: 1\n", "k".repeat(1_000)), "there is no such key here"),
        ] {
            let faults = faults(&text);
            assert!(faults.iter().any(|fault| fault.contains(said)), "{said}: {faults:.300?}");
            assert!(faults.iter().all(|fault| fault.len() < 1_000) && faults.len() <= 21, "{said}: {faults:?}");
        }
        let wrong: String = (0..21).map(|at| format!("key{at}: 1\n")).collect();
        assert_eq!(faults(&wrong).last().map(String::as_str), Some("there is 1 more fault"));
        let wrong: String = (0..500).map(|at| format!("key{at}: 1\n")).collect();
        assert_eq!(faults(&wrong).last().map(String::as_str), Some("there are 480 more faults"));
    }

    /// Where a program's threads have two: what calls the reader has its share, too.
    const STACK: usize = 1 << 20;

    #[test]
    fn no_nesting_needs_more_stack_than_a_thread_has() {
        let forms: [(&str, &str); 9] = [
            ("a: [", "]"),
            ("[", "]"),
            ("{a: ", "}"),
            ("[a: {b: ", "}]"),
            ("- ", ""),
            ("? ", ""),
            ("[? ", "]"),
            ("&a [", "]"),
            ("!a [", "]"),
        ];
        let depths = (1..=80).chain([300, 3_000, 30_000]);
        let texts = depths.flat_map(|depth| {
            forms.map(|(open, close)| {
                let open = open.repeat(depth);
                [format!("a: {open}"), format!("a: {open}{}", close.repeat(depth)), format!("issues:\n  {open}1\n")]
            })
        });
        let texts: Vec<String> = texts.flatten().collect();
        let read = move || texts.iter().for_each(|text| assert!(parse(text).is_err(), "{text:.80}"));
        std::thread::Builder::new().stack_size(STACK).spawn(read).unwrap().join().unwrap();
    }
}
