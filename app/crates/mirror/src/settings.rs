//! Reading `.github/flawless.yml`: from text to settings, or to all that is wrong with it, each
//! with its line and key.

use super::settings_tree::{Fault, Node};
use domain::setting_sizes::LARGEST_SETTINGS;
use domain::settings::{SettingFault, Settings};
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
    let tree: Node = read(text).map_err(|error| SettingsError(vec![of_yaml(&error, None)]))?;
    // Plain structs of texts and numbers always are JSON.
    let known = serde_json::to_value(Settings::with_every_key()).unwrap_or_default();
    let mut faults = tree.unknown_keys(&known);
    match read::<Settings>(text) {
        Ok(settings) => faults.extend(settings.faults().into_iter().map(Fault::from)),
        // It stops at the first unknown key, and those are named already.
        Err(_) if !faults.is_empty() => {}
        Err(error) => faults.push(of_yaml(&error, Some(&tree))),
    }
    for fault in &mut faults {
        fault.line = fault.line.or_else(|| tree.line_of(&fault.key));
    }
    faults.sort();
    if faults.is_empty() {
        read(text).map_err(|error| SettingsError(vec![of_yaml(&error, Some(&tree))]))
    } else {
        Err(SettingsError(said(faults)))
    }
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

/// As much of the faults as people read.
fn said(mut faults: Vec<Fault>) -> Vec<Fault> {
    let more = faults.len().saturating_sub(MOST_FAULTS);
    faults.truncate(MOST_FAULTS);
    for fault in &mut faults {
        for text in [&mut fault.key, &mut fault.text] {
            if let Some((end, _)) = text.char_indices().nth(LONGEST_FAULT) {
                text.truncate(end);
                text.push('…');
            }
        }
    }
    if more > 0 {
        faults.push(Fault { line: None, key: String::new(), text: format!("there are {more} more faults") });
    }
    faults
}

impl From<SettingFault> for Fault {
    fn from(fault: SettingFault) -> Self {
        Self { line: None, key: fault.key, text: fault.text }
    }
}

/// What the reader of YAML says, in one line and in words for somebody who does not know its types.
fn of_yaml(error: &serde_saphyr::Error, tree: Option<&Node>) -> Fault {
    let line = error.location().map(|at| at.line());
    let mut key = line.zip(tree).map(|(line, tree)| tree.key_at(line)).unwrap_or_default();
    let text = error.without_snippet().to_string();
    let text: String = text.lines().map(str::trim).collect::<Vec<_>>().join(" ").chars().take(LONGEST_FAULT).collect();
    // It says the place again at its end.
    let text = text.split(" at line ").next().unwrap_or_default();
    let text = if let Some(field) = text.strip_prefix("missing field ") {
        // What is missing is missing in the entry, not in the key of it that stands on its line.
        if let Some((entry, _)) = key.rsplit_once("].") {
            key = format!("{entry}]");
        }
        format!("the key {} is missing", field.trim_matches('`'))
    } else if text.starts_with("duplicate mapping key") {
        "this key stands there twice".to_owned()
    } else if text.starts_with("invalid u") {
        "it has to be a whole number, 0 or more".to_owned()
    } else if text.contains("bool") {
        "it has to be true or false".to_owned()
    } else if text.contains("expected mapping start") {
        "there have to be keys with values here, as in key: value".to_owned()
    } else if text.contains("expected sequence start") {
        "there has to be a list here, as in [one, another]".to_owned()
    } else if ["budget", "depth", "nest", "alias", "recursi"].iter().any(|word| text.to_lowercase().contains(word)) {
        format!("it is nested too deeply, or has or repeats too much ({text})")
    } else {
        text.to_owned()
    };
    Fault { line, key, text }
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
            ("watchers: [{ email: lead, path: x }]", "line 1: watchers[0].email: \"lead\" is no address"),
            ("path_mappings: [{ from: '', to: x }]", "line 1: path_mappings[0].from: it is empty"),
            ("email: { ignore_vcs_domain: true }", "there is no email.domain"),
            ("email: { default_contact: oncall }", "line 1: email.default_contact"),
        ] {
            let faults = faults(text);
            assert_eq!(faults.len(), 1, "{text:?} said {faults:?}");
            assert!(faults[0].contains(said), "{text:?} said {faults:?}");
        }
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
        ] {
            assert_eq!(faults(text), [said], "{text:?}");
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
