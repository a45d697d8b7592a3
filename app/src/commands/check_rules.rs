//! `flawless check-rules`: is a repository's own settings file sound? For a terminal, and for the
//! CI of a pull request.

use super::Failed;
use crate::terminal::say;
use clap::Args;
use domain::settings::{CodePattern, SETTINGS_FILE, Settings};
use mirror::settings::{SettingsError, parse};
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// The largest file that is looked at: as the server reads them from a mirror.
const LARGEST: u64 = 8 << 20;

/// What to look at.
#[derive(Debug, Args)]
pub struct Options {
    /// The file.
    #[arg(default_value = SETTINGS_FILE)]
    file: PathBuf,
    /// The checkout in which its paths are looked for; else the folder above the file's `.github`.
    #[arg(long)]
    root: Option<PathBuf>,
}

/// Runs the command. Exit code 1 where the file has faults; entries for files that are not there
/// are only warned of.
///
/// # Errors
/// The file can't be read.
pub fn check_rules(options: &Options) -> Result<ExitCode, Failed> {
    let shown = options.file.display().to_string();
    let text = read(&options.file).map_err(|error| format!("{shown} can't be read: {error}"))?;
    // Set by GitHub where a workflow runs: then the faults appear beside their lines in the pull
    // request.
    let annotated = std::env::var("GITHUB_ACTIONS").is_ok_and(|value| value == "true");
    let settings = match parse(&text) {
        Ok(settings) => settings,
        Err(error) => {
            for line in faults(&shown, &error, annotated) {
                say!("{line}");
            }
            return Ok(ExitCode::FAILURE);
        }
    };
    if let Some(root) = options.root.clone().or_else(|| root_of(&options.file)) {
        for warning in stale(&settings, &root) {
            say!("{shown}: warning: {warning}");
        }
    }
    say!("{shown}: no faults. {}", summary(&settings));
    Ok(ExitCode::SUCCESS)
}

fn read(file: &Path) -> Result<String, Failed> {
    // Opening a pipe waits for its other end, and a device may have no end.
    if !std::fs::metadata(file)?.is_file() {
        return Err("it is no regular file".into());
    }
    let mut bytes = Vec::new();
    std::fs::File::open(file)?.take(LARGEST + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > LARGEST {
        return Err(format!("it has more than {LARGEST} bytes, and no more are taken").into());
    }
    Ok(String::from_utf8(bytes).map_err(|_| "it is not UTF-8")?)
}

/// `FILE:LINE: what is wrong`, which editors and build servers know how to follow.
fn faults(file: &str, error: &SettingsError, annotated: bool) -> Vec<String> {
    error
        .faults()
        .map(|(line, text)| match (line, annotated) {
            (Some(line), true) => format!("::error file={file},line={line}::{text}"),
            (None, true) => format!("::error file={file}::{text}"),
            (Some(line), false) => format!("{file}:{line}: {text}"),
            (None, false) => format!("{file}: {text}"),
        })
        .collect()
}

/// The checkout that a file in `.github` belongs to.
fn root_of(file: &Path) -> Option<PathBuf> {
    let folder = file.canonicalize().ok()?.parent()?.to_owned();
    (folder.file_name()? == ".github").then(|| folder.parent().map(Path::to_owned))?
}

/// Entries for files that are not in the checkout: they cover nothing any more.
fn stale(settings: &Settings, root: &Path) -> Vec<String> {
    let known = settings.known_errors.iter().map(|entry| entry.pattern());
    let entries = known.map(|entry| ("known_errors", entry));
    let blocks = settings.building_blocks.iter().cloned().map(|entry: CodePattern| ("building_blocks", entry));
    let there = |path: &str| root.join(path.trim_start_matches("./").trim_matches('/'));
    let files = entries
        .chain(blocks)
        .filter(|(_, entry)| !there(&entry.file).is_file())
        .map(|(key, entry)| format!("{key} has an entry for {}, and there is no such file", entry.file));
    let own = settings.own_code.iter().filter(|path| !there(path).exists());
    let own = own.map(|path| format!("own_code has an entry for {path}, and there is no such file or folder"));
    let folders = settings.path_mappings.iter().filter_map(|mapping| mapping.key_folder.as_ref());
    let folders = folders.filter(|folder| !there(folder).is_dir());
    let folders =
        folders.map(|folder| format!("path_mappings has the key_folder {folder}, and there is no such folder"));
    files.chain(own).chain(folders).collect()
}

fn summary(settings: &Settings) -> String {
    let counted = |count: usize, one: &str, more: &str| match count {
        1 => format!("1 {one}"),
        _ => format!("{count} {more}"),
    };
    format!(
        "It has {}, {} and {}; {}, {} and {}; {} and {}.",
        counted(settings.known_errors.len(), "known error", "known errors"),
        counted(settings.building_blocks.len(), "building block", "building blocks"),
        counted(settings.ignored_exceptions.len(), "ignored exception", "ignored exceptions"),
        counted(settings.only_blame_filepaths_matching.len(), "path expression", "path expressions"),
        counted(settings.watchers.len(), "watcher", "watchers"),
        counted(settings.disowned.len(), "disowned path", "disowned paths"),
        counted(settings.own_code.len(), "path of own code", "paths of own code"),
        counted(settings.path_mappings.len(), "path mapping", "path mappings"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_are_printed_as_editors_and_github_follow_them() {
        let error = parse("issues: {}\nwatcher: []\n").unwrap_err();
        let said = "watcher: there is no such key; did you mean watchers?";
        assert_eq!(faults("a.yml", &error, false), [format!("a.yml:2: {said}")]);
        assert_eq!(faults("a.yml", &error, true), [format!("::error file=a.yml,line=2::{said}")]);
    }

    #[test]
    fn only_a_regular_file_of_bearable_size_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let device = folder.path().join("device.yml");
        std::os::unix::fs::symlink("/dev/zero", &device).unwrap();
        for file in [device.as_path(), folder.path()] {
            assert_eq!(read(file).unwrap_err().to_string(), "it is no regular file");
        }
        let large = folder.path().join("large.yml");
        std::fs::File::create(&large).unwrap().set_len(LARGEST + 1).unwrap();
        assert!(read(&large).unwrap_err().to_string().contains("more than"));
    }

    #[test]
    fn paths_and_folders_that_are_not_there_are_named() {
        let settings = parse(
            "own_code: [src/, gone/lib]\npath_mappings:\n  - { from: /a/, to: src/, key_folder: src }\n  - { from: /b/, to: src/, key_folder: services/b }\n",
        )
        .unwrap();
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        assert_eq!(
            stale(&settings, root),
            [
                "own_code has an entry for gone/lib, and there is no such file or folder",
                "path_mappings has the key_folder services/b, and there is no such folder",
            ]
        );
        assert!(summary(&settings).ends_with("; 2 paths of own code and 2 path mappings."), "{}", summary(&settings));
    }

    #[test]
    fn entries_for_missing_files_are_named() {
        let settings = parse("known_errors: [{ file: gone.py }, { file: ./Cargo.toml }]").unwrap();
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        assert_eq!(stale(&settings, root), ["known_errors has an entry for gone.py, and there is no such file"]);
    }
}
