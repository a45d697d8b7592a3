//! Reading `.github/flawless.yml`: from text to settings, or to a sentence that says what is wrong, and where.

use crate::domain::rule::anchored;
use crate::domain::settings::Settings;
use crate::domain::week::date_ms;

/// Why a settings file is not used; the last good one stays in force.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct SettingsError(String);

/// Reads a settings file. An empty one means every default.
///
/// # Errors
/// The text is not YAML, names a key that there is none of, or gives one a value that it can't have.
pub fn parse(text: &str) -> Result<Settings, SettingsError> {
    if text.lines().all(|line| line.trim().is_empty() || line.trim_start().starts_with('#')) {
        return Ok(Settings::default());
    }
    let settings: Settings =
        serde_saphyr::from_str(text).map_err(|error| SettingsError(error.to_string().trim().to_owned()))?;
    check(&settings).map_err(SettingsError)?;
    Ok(settings)
}

/// What the types can't say.
fn check(settings: &Settings) -> Result<(), String> {
    for expression in &settings.only_blame_filepaths_matching {
        anchored(expression).map_err(|error| {
            format!("only_blame_filepaths_matching: {expression:?} is no regular expression: {error}")
        })?;
    }
    if let Some(date) = &settings.report_only_after_minimum_date {
        date_ms(date)
            .ok_or_else(|| format!("report_only_after_minimum_date: {date:?} is no date; write it as 2025-01-31"))?;
    }
    let empty = |what: &str, file: &str| {
        if file.trim().is_empty() { Err(format!("{what}: an entry has an empty file")) } else { Ok(()) }
    };
    for entry in &settings.known_errors {
        empty("known_errors", &entry.file)?;
    }
    for entry in &settings.building_blocks {
        empty("building_blocks", &entry.file)?;
    }
    for entry in &settings.third_party_whitelist {
        empty("third_party_whitelist", &entry.file)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const FULL: &str = "
report_only_after_minimum_date: 2025-01-01
report_error_threshold: 2
only_blame_filepaths_matching: ['^src/']
path_mappings: [{ from: /srv/app/, to: src/ }]
report_runtime_package_directory_names: [site-packages]
building_blocks: [{ file: shop/db.py, function: execute }]
third_party_whitelist: [{ file: shop/legacy.py }]
known_errors:
  - { file: shop/cart.py, function: total, code: 'price = items[sku]',
      min_alert_threshold: 100, max_alert_threshold: 1000, alert_every_n_occurrences: 50,
      email_recipients: [ops@example.com], email_header: 'Known, but growing' }
ignored_exceptions: [ConnectionResetError, builtins.BrokenPipeError]
watchers: [{ email: lead@example.com, path: shop/, all_errors: true }]
disowned: [{ email: old@example.com, path: shop/, designated_email: new@example.com }]
email: { remap: { 'old@example.com': new@example.com }, default_contact: oncall@example.com, domain: example.com, ignore_vcs_domain: false }
issues: { labels: [flawless], assign: true, comment_at: [10, 100] }
";

    #[test]
    fn every_documented_key_is_read() {
        let settings = parse(FULL).expect("reads");
        assert_eq!(settings.report_only_after_minimum_date.as_deref(), Some("2025-01-01"));
        assert_eq!(settings.known_errors[0].alert_every_n_occurrences, Some(50));
        assert_eq!(settings.email.remap["old@example.com"], "new@example.com");
        assert_eq!(settings.issues.comment_at, [10, 100]);
    }

    #[test]
    fn an_empty_file_means_every_default() {
        assert_eq!(parse("# nothing yet\n"), Ok(Settings::default()));
        assert_eq!(parse(""), Ok(Settings::default()));
    }

    #[test]
    fn what_is_wrong_is_said() {
        for (text, said) in [
            ("report_error_treshold: 3", "report_error_treshold"),
            ("report_error_threshold: many", "line 1"),
            ("only_blame_filepaths_matching: ['(']", "regular expression"),
            ("report_only_after_minimum_date: 1st of May", "2025-01-31"),
            ("known_errors: [{ function: f }]", "file"),
            ("watchers:\n  - email: [", "line"),
        ] {
            let error = parse(text).expect_err(text).to_string();
            assert!(error.contains(said), "{text:?} said {error:?}");
        }
    }
}
