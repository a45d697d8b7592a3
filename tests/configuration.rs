//! What is wrong with a configuration is said by the program before it does anything.

use std::path::Path;
use std::process::Command;

/// What the program says on standard error where it refuses to start in this folder.
fn refused(folder: &Path, variables: &[(&str, &str)]) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_flawless"));
    command.arg("check").current_dir(folder).env_clear().envs(variables.iter().copied());
    let output = command.output().unwrap();
    assert!(!output.status.success(), "it has to refuse");
    String::from_utf8(output.stderr).unwrap()
}

#[test]
fn a_file_that_cannot_be_read_is_not_taken_for_a_missing_one() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("flawless.toml")).unwrap();
    let said = refused(folder.path(), &[]);
    assert!(said.contains("flawless.toml is there, but can't be read"), "{said}");
    assert!(!folder.path().join("data").exists(), "nothing is begun with another configuration");
}

#[test]
fn a_log_level_that_there_is_none_of_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let said = refused(folder.path(), &[("LOG_LEVEL", "inof")]);
    assert!(said.contains("LOG_LEVEL is \"inof\"") && said.contains("did you mean info?"), "{said}");
    let said = refused(folder.path(), &[("LOG_LEVEL", "info,sqlx")]);
    assert!(said.contains("NAME=trace"), "{said}");
    let said = refused(folder.path(), &[("LOG_LEVEL", "sqlx=loud")]);
    assert!(said.contains("LOG_LEVEL is \"sqlx=loud\", which can't be read"), "{said}");
}
