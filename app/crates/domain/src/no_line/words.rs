//! The words of one report's reasons: what is so with it, and what its reader can do.

use super::client::Client;
use super::sighting::components;
use super::{NoLine, Reason};
use crate::commit::CommitId;
use crate::report::{COMMAND_KIND, Frame, MESSAGE_KIND, Report};
use crate::visible::clip;

/// Characters of a name that a client chose.
const LONGEST_NAME: usize = 160;

impl NoLine {
    /// A reason whose help is that of the page.
    pub(super) fn plain(reason: Reason, what: String) -> Self {
        Self { help: reason.helps_plainly(), reason, what }
    }

    /// That git was asked about a line of this file, and could not say.
    pub fn git_cannot_say(path: &str) -> Self {
        let what = format!("git can't say it of {}, whose history is too large, cut off or damaged", named(path));
        Self::plain(Reason::GitCannotSay, what)
    }

    pub(super) fn with_help(reason: Reason, what: String, help: impl Into<String>) -> Self {
        Self { reason, what, help: help.into() }
    }
}

/// A name, short enough for a sentence.
pub(super) fn named(name: &str) -> String {
    clip(name.trim(), LONGEST_NAME)
}

/// `shop/cart.py:42`, or the function's name where no file is known.
pub(super) fn place(frame: &Frame) -> String {
    let function = frame.function_name();
    let module = frame.module.as_deref().filter(|module| !module.is_empty() && !function.starts_with(module));
    let path = match (frame.path(), module) {
        (Some(path), _) => named(path),
        (None, Some(module)) => named(&format!("{module}.{function}")),
        (None, None) => named(function),
    };
    match (frame.line.filter(|&line| line > 0), frame.column.filter(|&column| column > 0)) {
        (Some(line), Some(column)) => format!("{path}:{line}:{column}"),
        (Some(line), None) => format!("{path}:{line}"),
        (None, _) => path,
    }
}

/// What helps where a command printed no stack trace.
const HELP_PRINTED: &str = "Have the command print the stack trace of what failed on standard error, and exit with it; in shells, set -e and the failing program's own output tell most.";

/// How a command ended, by the value that is made of that: `nightly.py --all: exit status 3`.
fn how_it_ended(report: &Report) -> Option<&str> {
    let value = report.raised()?.value.as_deref()?;
    match report.transaction.as_deref() {
        Some(command) => value.strip_prefix(command)?.strip_prefix(": "),
        None => Some(value),
    }
}

/// Why a report has no frames, by what its client's user can do.
pub(super) fn no_frames(report: &Report, client: Client) -> NoLine {
    let raised = report.raised();
    if raised.is_some_and(|raised| raised.kind == COMMAND_KIND) {
        let ended = how_it_ended(report).map(|how| format!(" ({})", named(how))).unwrap_or_default();
        let what = format!("the command failed{ended} and printed no traceback that was recognised");
        return NoLine::with_help(Reason::NoFrames, what, HELP_PRINTED);
    }
    if is_rejected_text(report) {
        return rejected_text();
    }
    let is_message = raised.is_none_or(|raised| raised.kind == MESSAGE_KIND);
    let what = match client {
        Client::Printed => "the failed command printed no stack trace that could be read",
        _ if is_message => "the report is a message without a stack trace",
        _ => "the client sent no stack trace with the exception",
    };
    let script = report.raised().and_then(|raised| raised.value.as_deref()).or(report.message.as_deref());
    if client == Client::Browser && script.is_some_and(|text| text.trim_start().starts_with("Script error")) {
        return NoLine::with_help(
            Reason::NoFrames,
            "the browser says nothing of an error in a script from another host".to_owned(),
            "Put crossorigin=\"anonymous\" on the script's tag, and have its host send Access-Control-Allow-Origin.",
        );
    }
    let help = match (client, is_message) {
        (Client::Python, true) => {
            "Pass attach_stacktrace=True to sentry_sdk.init; log exceptions by logger.exception(…) or with exc_info=True."
        }
        (Client::Python, false) => {
            "Report exceptions that were raised, from the except block that caught them: one that was only made has no traceback."
        }
        (Client::Browser | Client::Node | Client::ReactNative, true) => {
            "Pass attachStacktrace: true to Sentry.init, or report new Error(…) instead of a text."
        }
        (Client::Browser | Client::Node | Client::ReactNative, false) => {
            "Throw and report Error objects, not texts or plain objects; attachStacktrace: true in Sentry.init sends the stack of where it was reported."
        }
        (Client::Ruby, _) => {
            "Report exceptions that were raised, from the rescue that caught them: one that was only made has no backtrace."
        }
        (Client::Php, _) => "Set attach_stacktrace to true in Sentry\\init, and report Throwables, not texts.",
        (Client::Jvm, true) => {
            "Set attachStacktrace in the options, or pass the exception to the logger as its last argument."
        }
        (Client::Jvm, false) => {
            "Start the JVM with -XX:-OmitStackTraceInFastThrow: it leaves the stack of frequent exceptions out. An exception class must not turn its stack off (writableStackTrace)."
        }
        (Client::Go, _) => {
            "Set AttachStacktrace: true in sentry.ClientOptions; errors of the standard library know no stack, those of github.com/pkg/errors do."
        }
        (Client::Rust, _) => {
            "Set attach_stacktrace: true in sentry::ClientOptions: an error knows no stack, so the line that reports it is sent. Panics bring their own."
        }
        (Client::DotNet, _) => {
            "Set AttachStacktrace to true in the options, and report exceptions that were thrown: one that was only made has no stack."
        }
        (Client::Printed, _) => HELP_PRINTED,
        _ => {
            "Have the client send stack traces (mostly an option called attach_stacktrace), and report exceptions instead of texts."
        }
    };
    NoLine::with_help(Reason::NoFrames, what.to_owned(), help)
}

/// Whether a promise was rejected with what is no error: Node's and browsers' names of that.
pub(super) fn is_rejected_text(report: &Report) -> bool {
    const KINDS: [&str; 2] = ["UnhandledPromiseRejection", "UnhandledRejection"];
    report.raised().is_some_and(|raised| KINDS.contains(&raised.kind.as_str()))
}

/// That only errors have a stack.
pub(super) fn rejected_text() -> NoLine {
    NoLine::with_help(
        Reason::NoFrames,
        "a text was rejected instead of an Error".to_owned(),
        "Reject promises with new Error(…), and throw it in async functions: only an Error knows its stack.",
    )
}

/// That a frame is of an extension of a visitor's browser.
pub(super) fn of_extension(frame: &Frame) -> NoLine {
    let scheme = frame.path().and_then(|path| path.split_once("://")).map_or("chrome-extension", |(scheme, _)| scheme);
    let what = format!("the frames are of a visitor's browser extension ({})", place(frame));
    let help =
        format!("There is nothing to mend. Leave such errors out in Sentry.init: denyUrls: [/^{}:/].", named(scheme));
    NoLine::with_help(Reason::OnlyPackages, what, help)
}

/// That a frame is of a bundle, and what its runtime can do about it.
pub(super) fn minified(frame: &Frame, client: Client) -> NoLine {
    let what = format!("the frames are of a bundle without source maps ({})", place(frame));
    let help = match client {
        Client::Browser => {
            "Flawless reads no source maps, so it finds lines only where scripts are served as they are in the repository, one by one, at addresses that end in their paths."
        }
        Client::Node => {
            "Start Node with --enable-source-maps and deploy the .map files beside the bundle, so that the stack names the sources; or run the sources themselves."
        }
        Client::ReactNative => {
            "Flawless reads no source maps, so it finds lines only of development builds, whose frames name the sources."
        }
        _ => return NoLine::plain(Reason::Minified, what),
    };
    NoLine::with_help(Reason::Minified, what, help)
}

/// Why a frame has no line, by what compiles it.
pub(super) fn no_line_numbers(frame: &Frame, client: Client) -> NoLine {
    let what = format!("it was compiled without line tables, so the frames have no lines ({})", place(frame));
    let help = match client {
        Client::Jvm => {
            "Compile with lines and file names (javac -g:source,lines; with R8 -keepattributes SourceFile,LineNumberTable)."
        }
        Client::Rust => "Give the release profile debug = \"line-tables-only\", and do not strip the program.",
        Client::DotNet => "Deploy the .pdb files beside the assemblies, or build with <DebugType>embedded</DebugType>.",
        Client::Go => "Build with line tables: without garble, and without -ldflags that take DWARF's place.",
        Client::Apple => {
            "Build with DEBUG_INFORMATION_FORMAT = dwarf and without stripping, or send traces that were symbolicated: Flawless reads no dSYM files."
        }
        Client::Dart => {
            "Build without --split-debug-info and --obfuscate, or send traces that went through flutter symbolize."
        }
        Client::Native => "Compile with -g (Rust: debug = \"line-tables-only\"), and do not strip the program.",
        _ => "Compile it with line tables, and do not strip them.",
    };
    NoLine::with_help(Reason::NoLineNumbers, what, help)
}

/// Why a frame's path fits nothing, with the mapping that could be missing.
pub(super) fn unknown_path(frame: &Frame, reported: &str, same_name: Option<(&[String], usize)>) -> NoLine {
    let place = place(frame);
    match same_name {
        Some((files, 1)) if !files.is_empty() => {
            let what = format!(
                "the path {place} fits nothing in the repository, where a file of that name is {} only",
                named(&files[0])
            );
            let help = match mapping(reported, &files[0]) {
                Some((from, to)) => format!(
                    "If that file is meant, say so in .github/flawless.yml: path_mappings: [{{ from: {from}, to: {to} }}]. If not, give the application its own repository's DSN."
                ),
                None => help_of_path(reported),
            };
            NoLine::with_help(Reason::UnknownPaths, what, help)
        }
        Some((files, count)) if !files.is_empty() => {
            NoLine::plain(Reason::SeveralFiles, format!("{place} may be any of {}", several(files, count)))
        }
        _ => NoLine::with_help(
            Reason::UnknownPaths,
            format!("the path {place} fits no file of the repository"),
            help_of_path(reported),
        ),
    }
}

/// That a file is missing in a folder that is known.
pub(super) fn untracked(path: &str, commit: Option<&CommitId>) -> NoLine {
    let at = commit.map(|commit| format!(" at {}", commit.short())).unwrap_or_default();
    let what = format!("{} is not in the repository{at}: generated, ignored or not committed", named(path));
    let help = "What a build generates has no author; what people write has to be committed before it is deployed.";
    NoLine::with_help(Reason::UnknownPaths, what, help)
}

/// What helps where a path fits no file: that of a folder which the report names from the root. Of
/// any other it is not known below which it is.
pub(super) fn help_of_path(reported: &str) -> String {
    const OTHERS: &str = "If the application is another repository's, give it that one's DSN.";
    let folder = reported.rfind('/').map(|at| &reported[..=at]).unwrap_or_default();
    if !folder.starts_with('/') || folder.len() == 1 || !can_be_pasted(folder) {
        return OTHERS.to_owned();
    }
    format!(
        "Say in .github/flawless.yml where {folder} is: path_mappings: [{{ from: {folder}, to: FOLDER/ }}] (FOLDER: where it is in the repository). {OTHERS}"
    )
}

/// `a/x.py, b/x.py and 3 more`.
pub(super) fn several(files: &[String], count: usize) -> String {
    let names: Vec<String> = files.iter().map(|file| named(file)).collect();
    match count.saturating_sub(names.len()) {
        0 => names.join(" and "),
        more => format!("{} and {more} more", names.join(", ")),
    }
}

/// `/srv/app/` → `src/`: what `path_mappings` would have to say for the file to be meant.
fn mapping(reported: &str, file: &str) -> Option<(String, String)> {
    let path = components(reported);
    let equal = file.rsplit('/').zip(path.iter().rev()).take_while(|(ours, theirs)| ours == theirs).count();
    let tail = path[path.len() - equal..].join("/");
    let (from, to) = (reported.strip_suffix(&tail)?, file.strip_suffix(&tail)?);
    (!from.is_empty() && can_be_pasted(from) && can_be_pasted(to))
        .then(|| (from.to_owned(), if to.is_empty() { "''".to_owned() } else { to.to_owned() }))
}

/// Whether a path can stand in YAML as it is, and in a sentence: without a sign of YAML's.
fn can_be_pasted(path: &str) -> bool {
    let is_plain = path.chars().all(|c| c.is_alphanumeric() || "/._-+@~: ".contains(c)) && !path.contains(": ");
    is_plain && path.len() <= LONGEST_NAME
}
