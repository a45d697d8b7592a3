//! Small real applications that fail for real, each reported by the client that people use for it:
//! the right line, its locals and the release arrive, and its author is told once.

mod browser;
mod go;
mod node;
mod own;
mod python;
mod ruby;
mod rust;

use crate::harness::application::{Application, looks, pause};
use crate::harness::git_repo::{ADA, GRACE, LINUS, isolated_git};
use crate::harness::story::Story;
use domain::names::Login;
use domain::report::{Frame, Report};
use domain::timestamp::Timestamp;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;
use store::lines::Line;

/// From the failure to the last step that follows it. A busy machine takes seconds.
const ARRIVAL: Duration = Duration::from_secs(30);

/// One line that fails, and who wrote it.
struct Failing {
    /// In the repository.
    path: &'static str,
    /// What stands in this line and in no other of the file.
    text: &'static str,
    /// As the client names it; without the number of a function that Ruby's Tilt made of a
    /// template.
    function: &'static str,
    /// The exception's type.
    exception: &'static str,
    /// A local variable of the failing frame and its value, where the client sends them.
    local: Option<(&'static str, &'static str)>,
    /// Its author.
    author: &'static str,
}

/// An application of `tests/live` as it was put on a server: the revision that runs, while the
/// repository moves on.
struct Deployed {
    application: &'static str,
    folder: PathBuf,
    release: String,
    dsn: String,
}

impl Deployed {
    /// Commits the application's files to the story's repository, the failing lines by their
    /// authors and all else by others, clones the result as a deployment does, and lets the
    /// repository move on.
    async fn of(story: &mut Story, application: &'static str, failing: &[Failing]) -> Self {
        Self::of_files(story, application, files_below(&folder().join(application)), failing).await
    }

    /// The same with files at hand.
    async fn of_files(
        story: &mut Story,
        application: &'static str,
        files: BTreeMap<String, String>,
        failing: &[Failing],
    ) -> Self {
        story.install().await;
        let whole = |path: &str| files[path].as_str();
        let others: Vec<&str> =
            [GRACE, LINUS, ADA].into_iter().filter(|it| failing.iter().all(|line| line.author != *it)).collect();
        let other = *others.first().expect("somebody who wrote none of the failing lines");

        let mut now: BTreeMap<String, String> = files.clone();
        for line in failing {
            let text = whole(line.path);
            assert_eq!(text.matches(line.text).count(), 1, "{:?} stands in one line of {}", line.text, line.path);
            let body = text.split_once('\n').unwrap().1;
            now.insert(line.path.to_owned(), without(body, failing.iter().filter(|it| it.path == line.path)));
        }
        let listed: Vec<(&str, &str)> = now.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
        story.commit(other, "2026-02-01T10:00:00Z", &listed, "Begin");
        for (index, line) in failing.iter().enumerate() {
            let body = whole(line.path).split_once('\n').unwrap().1;
            let text = without(body, failing[index + 1..].iter().filter(|it| it.path == line.path));
            story.commit(line.author, "2026-02-02T10:00:00Z", &[(line.path, &text)], "Go on");
        }
        let tops: Vec<(&str, &str)> = failing.iter().map(|line| (line.path, whole(line.path))).collect();
        let release = story.commit(other, "2026-02-03T10:00:00Z", &tops, "Say what it is for");

        let folder = story.folder().join("deployed");
        let cloned = isolated_git().args(["clone", "--quiet"]).arg(story.repo.path()).arg(&folder).status().unwrap();
        assert!(cloned.success());

        let moved: Vec<(&str, String)> =
            failing.iter().map(|line| (line.path, format!("\n\n\n{}", whole(line.path)))).collect();
        let moved: Vec<(&str, &str)> = moved.iter().map(|(path, text)| (*path, text.as_str())).collect();
        story.commit(other, "2026-02-04T10:00:00Z", &moved, "Move everything down");
        story.push().await;
        let (key, project) = story.key().await;
        let dsn = format!("{}/{project}", story.url().replace("http://", &format!("http://{key}@")));
        Self { application, folder, release, dsn }
    }

    /// Takes the history away, as images for production do.
    fn without_git(self) -> Self {
        std::fs::remove_dir_all(self.folder.join(".git")).unwrap();
        self
    }

    /// Starts a program of it.
    fn start(&self, program: &Path, arguments: &[&str], below: &str, more: &[(&str, &str)]) -> Application {
        let own = [("DSN", self.dsn.as_str()), ("GIT_COMMIT", self.release.as_str())];
        let own = own.into_iter().filter(|(name, _)| more.iter().all(|(other, _)| other != name));
        let variables: Vec<(&str, &str)> = own.chain(more.iter().copied()).collect();
        Application::start(program, arguments, &self.folder.join(below), &variables)
    }

    /// Waits until the server has counted each line this often, and looks at what it made of them:
    /// one line each, with place, exception, local, release and author; one issue and one mail for
    /// each. Gives the reports as stored.
    async fn told(
        &self,
        story: &mut Story,
        application: &Application,
        failing: &[Failing],
        occurrences: u64,
    ) -> Vec<Report> {
        let lines = arrived(story, application, failing.len() as u64 * occurrences).await;
        // Not by transcript: no snapshot can be of all applications, and what is told of a line
        // follows from its `Failing`.
        let (changes, mails) = (story.changes(), story.mails());
        let mut reports = Vec::new();
        for expected in failing {
            let number = 1 + line_of(&self.folder.join(expected.path), expected.text);
            let line = lines
                .iter()
                .find(|line| line.place.path == expected.path && line.place.line == number)
                .unwrap_or_else(|| panic!("{}:{number} was not blamed: {lines:#?}", expected.path));
            let login = login_of(expected.author);
            let address = format!("{login}@example.com");
            assert_eq!(line.total, occurrences, "{line:#?}");
            assert_eq!(line.place.function, expected.function, "{line:#?}");
            assert!(line.place.code.contains(expected.text), "{line:#?}");
            assert_eq!(line.exception, expected.exception, "{line:#?}");
            assert_eq!(line.author_email.as_deref(), Some(address.as_str()), "{line:#?}");
            assert_eq!(line.author_login.as_ref().map(Login::as_str), Some(login), "{line:#?}");

            let issue = line.issue.expect("an issue");
            let of_issue: Vec<&String> =
                changes.iter().filter(|change| change.starts_with(&format!("acme/shop#{issue} "))).collect();
            let [opened, assigned] = of_issue.as_slice() else { panic!("of issue {issue}: {changes:#?}") };
            assert!(opened.contains(&format!("({})", expected.path)), "{opened}");
            assert_eq!(**assigned, format!("acme/shop#{issue} assigned to {login}"));
            let place = format!("({}:{number})", expected.path);
            let told: Vec<_> = mails
                .iter()
                .filter(|mail| mail.parsed().subject().is_some_and(|subject| subject.contains(&place)))
                .collect();
            let [mail] = told.as_slice() else { panic!("{} mails about {place}: {mails:#?}", told.len()) };
            assert_eq!(mail.to, [address.as_str()]);
            assert!(mail.text().contains(expected.text), "{}", mail.text());

            let report = store::tracebacks::latest_of_line(&story.services().store, line.id, Timestamp::MAX)
                .await
                .unwrap()
                .unwrap()
                .0
                .report;
            assert_eq!(report.release.as_deref(), Some(self.release.as_str()));
            let frame = blamed_frame(&report, number, expected);
            let local = expected.local.map(|(name, value)| {
                assert_eq!(frame.vars.get(name).map(text_of).as_deref(), Some(value), "{frame:#?}");
                format!("{name} = {value}")
            });
            println!(
                "LIVE {}, {} → {}:{number} {}, {}; {occurrences} told once; blamed: {login}; local: {}; release {}",
                self.application,
                report.sdk.as_deref().unwrap_or("?"),
                expected.path,
                expected.function,
                line.headline,
                local.as_deref().unwrap_or("none sent"),
                &self.release[..12],
            );
            reports.push(report);
        }
        assert_eq!(lines.len(), failing.len(), "{lines:#?}");
        assert_eq!(changes.len(), 2 * failing.len(), "{changes:#?}");
        assert_eq!(mails.len(), failing.len());
        reports
    }
}

/// Waits until the server has counted exactly this many failures, and has done all that follows;
/// gives the lines.
async fn arrived(story: &mut Story, application: &Application, wanted: u64) -> Vec<Line> {
    let mut lines = Vec::new();
    for _ in 0..looks(ARRIVAL) {
        story.settle().await;
        lines = story.lines().await;
        if lines.iter().map(|line| line.total).sum::<u64>() >= wanted {
            break;
        }
        pause().await;
    }
    let total: u64 = lines.iter().map(|line| line.total).sum();
    assert_eq!(total, wanted, "the application wrote:\n{}\nlines: {lines:#?}", application.output());
    lines
}

/// The frame with the failing line.
fn blamed_frame<'a>(report: &'a Report, number: u32, expected: &Failing) -> &'a Frame {
    let base = expected.path.rsplit('/').next().unwrap();
    let mut frames = report.exceptions.iter().rev().flat_map(|exception| exception.frames.iter().rev());
    let found =
        frames.find(|frame| frame.line == Some(number) && frame.path().is_some_and(|path| path.ends_with(base)));
    found.unwrap_or_else(|| panic!("{}:{number} is in no frame: {report:#?}", expected.path))
}

/// A local as its client sent it: Python's as text, Node's as JSON.
fn text_of(value: &serde_json::Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// A text without the failing lines in it.
fn without<'a>(text: &str, failing: impl Iterator<Item = &'a Failing> + Clone) -> String {
    text.split_inclusive('\n').filter(|line| failing.clone().all(|it| !line.contains(it.text))).collect()
}

/// The zero-based number of the line that contains a text.
fn line_of(path: &Path, text: &str) -> u32 {
    let whole = std::fs::read_to_string(path).unwrap();
    u32::try_from(whole.lines().position(|line| line.contains(text)).unwrap()).unwrap()
}

/// Asks an application for a page; gives the status.
async fn visit(request: reqwest::RequestBuilder) -> u16 {
    // Servers differ in whether they keep a connection on which they failed.
    request.header("connection", "close").send().await.unwrap().status().as_u16()
}

/// The login in the local part of somebody's address.
fn login_of(person: &str) -> &str {
    person.split_once('<').unwrap().1.split('@').next().unwrap()
}

/// What the machine calls itself, which clients send as `server_name`.
fn host_name() -> String {
    let printed = std::process::Command::new("uname").arg("-n").output().unwrap();
    String::from_utf8(printed.stdout).unwrap().trim().to_owned()
}

/// The applications.
fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/live").canonicalize().unwrap()
}

/// All files below a folder with their texts, by their path in it.
fn files_below(root: &Path) -> BTreeMap<String, String> {
    let mut files = BTreeMap::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
            if path.is_dir() && !name.ends_with("__pycache__") {
                folders.push(path);
            } else if path.is_file() {
                files.insert(name, std::fs::read_to_string(&path).unwrap());
            }
        }
    }
    assert!(!files.is_empty(), "no application in {}", root.display());
    files
}
