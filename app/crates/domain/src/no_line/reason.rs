//! The closed list of reasons for which no line is found, or nobody can be blamed for one, with the
//! words of the page *Why was no line found?*.

use serde::{Deserialize, Serialize};

/// Why no line was found, or why git was not asked about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reason {
    /// The report has no frames.
    NoFrames,
    /// The frames are of compiled or bundled JavaScript.
    Minified,
    /// The frames have names that R8 or ProGuard made up.
    Obfuscated,
    /// The program was compiled without line tables.
    NoLineNumbers,
    /// The frames are addresses.
    NoSymbols,
    /// The code was never in a file.
    EvaluatedCode,
    /// The frames name no files.
    NoFileNames,
    /// Nothing of the repository is among the frames.
    OnlyPackages,
    /// A symbolic link of the repository leads out of it, to what failed.
    LinkedOutside,
    /// The paths of the frames fit no file of the repository.
    UnknownPaths,
    /// A frame's path fits several files equally well.
    SeveralFiles,
    /// The file is there, and has no such line of text.
    TextDiffers,
    /// The file is there, and has fewer lines.
    LineBeyondEnd,
    /// The file is there, and no text, or too large.
    UnreadableFile,
    /// `only_blame_filepaths_matching` leaves the files out.
    LeftOut,
    /// What is the repository's is library code, vendored or generated.
    NotToBlame,
    /// The commit that ran is not in the mirror.
    CommitNotFetched,
    /// The release leads to no commit.
    UnknownRelease,
    /// The report names no release.
    NoRelease,
    /// There is no mirror that can be read.
    NoMirror,
    /// The mirror is behind.
    OldMirror,
    /// The repository has no commit.
    EmptyRepository,
    /// Looking it up ended the server.
    SetAside,
    /// The line is found, and git can't say who wrote it.
    GitCannotSay,
}

/// What the page says of one reason.
struct Entry {
    title: &'static str,
    means: &'static str,
    helps: &'static str,
}

impl Reason {
    /// Each, in the order of the page.
    pub const ALL: [Self; 24] = [
        Self::NoFrames,
        Self::Minified,
        Self::Obfuscated,
        Self::NoLineNumbers,
        Self::NoSymbols,
        Self::EvaluatedCode,
        Self::NoFileNames,
        Self::OnlyPackages,
        Self::LinkedOutside,
        Self::UnknownPaths,
        Self::SeveralFiles,
        Self::TextDiffers,
        Self::LineBeyondEnd,
        Self::UnreadableFile,
        Self::LeftOut,
        Self::NotToBlame,
        Self::CommitNotFetched,
        Self::UnknownRelease,
        Self::NoRelease,
        Self::NoMirror,
        Self::OldMirror,
        Self::EmptyRepository,
        Self::SetAside,
        Self::GitCannotSay,
    ];

    /// Its anchor on the page; never changes.
    pub fn slug(self) -> &'static str {
        match self {
            Self::NoFrames => "no-frames",
            Self::Minified => "minified",
            Self::Obfuscated => "obfuscated",
            Self::NoLineNumbers => "no-line-numbers",
            Self::NoSymbols => "no-symbols",
            Self::EvaluatedCode => "evaluated-code",
            Self::NoFileNames => "no-file-names",
            Self::OnlyPackages => "only-packages",
            Self::LinkedOutside => "linked-outside",
            Self::UnknownPaths => "unknown-paths",
            Self::SeveralFiles => "several-files",
            Self::TextDiffers => "text-differs",
            Self::LineBeyondEnd => "line-beyond-end",
            Self::UnreadableFile => "unreadable-file",
            Self::LeftOut => "left-out",
            Self::NotToBlame => "not-to-blame",
            Self::CommitNotFetched => "commit-not-fetched",
            Self::UnknownRelease => "unknown-release",
            Self::NoRelease => "no-release",
            Self::NoMirror => "no-mirror",
            Self::OldMirror => "old-mirror",
            Self::EmptyRepository => "empty-repository",
            Self::SetAside => "set-aside",
            Self::GitCannotSay => "git-cannot-say",
        }
    }

    /// The heading.
    pub fn title(self) -> &'static str {
        self.entry().title
    }

    /// What is so, in a sentence or more. Code stands between backticks.
    pub fn means(self) -> &'static str {
        self.entry().means
    }

    /// What to do about it. Code stands between backticks.
    pub fn helps(self) -> &'static str {
        self.entry().helps
    }

    /// The same without backticks, for where they would be no more than marks.
    pub fn helps_plainly(self) -> String {
        self.helps().replace('`', "")
    }

    fn entry(self) -> Entry {
        let (title, means, helps) = match self {
            Self::NoFrames => (
                "The report has no frames",
                "The client sent an error or a message, and no stack trace with it: an exception that was never raised, a log message, a text that was thrown instead of an error.",
                "Have the client send one: `attach_stacktrace` (Python, Rust, PHP), `attachStacktrace` (JavaScript, Java, Go, .NET); log exceptions with their stack (`logger.exception(…)`, `exc_info=True`); throw errors, not texts. A browser says no more than `Script error.` of a script from another host, unless its tag has `crossorigin` and that host sends `Access-Control-Allow-Origin`. A JVM leaves the stack of frequent exceptions out, unless it is started with `-XX:-OmitStackTraceInFastThrow`.",
            ),
            Self::Minified => (
                "The frames are of a bundle without source maps",
                "The frames name compiled, bundled or minified JavaScript, whose lines are in no file of the repository. Flawless reads no source maps.",
                "Have the stack name the sources before it is sent: start Node with `--enable-source-maps` and deploy the `.map` files, or run the sources themselves. Browsers: serve the files as they are in the repository, one by one, at addresses that end in their paths. React Native: development builds name the sources, bundles for Hermes do not.",
            ),
            Self::Obfuscated => (
                "The names are obfuscated",
                "R8 or ProGuard replaced the names of classes and files (`a.b.c`, `SourceFile`), and often the line numbers. Flawless reads no mapping files.",
                "Build what reports to Flawless with `-dontobfuscate` and `-keepattributes SourceFile,LineNumberTable`, without `-renamesourcefileattribute`; or send traces that went through `retrace`.",
            ),
            Self::NoLineNumbers => (
                "It was compiled without line tables",
                "The frames name functions, but no line, or no file.",
                "Compile with line tables, and do not strip them. Java and Kotlin: `javac -g:source,lines`, R8 with `-keepattributes SourceFile,LineNumberTable`. Rust: `debug = \"line-tables-only\"` in the release profile, `strip = false`. .NET: deploy the `.pdb` files, or `<DebugType>embedded</DebugType>`. Swift, Objective-C, C and C++: `-g`, and the debug symbols beside the program. Go: no `garble`. WebAssembly: a build with its names and DWARF.",
            ),
            Self::NoSymbols => (
                "The program has no symbols",
                "The frames are addresses, or names such as `<unknown>` and `<redacted>`: the program was stripped, or the client left finding the symbols to the server. Flawless reads no debug files.",
                "Deploy the program with its symbols (Rust: `strip = false`; C and C++: no `-s`; Apple: debug symbols in the program, `DEBUG_INFORMATION_FORMAT = dwarf`), so that the client finds the names itself; or send traces that were symbolicated.",
            ),
            Self::EvaluatedCode => (
                "The code was never in a file",
                "It was evaluated from a text: `eval`, `exec`, `<string>`, a console, a notebook, `-c` or `-e`.",
                "Keep the code in a file of the repository. Code that is made while the program runs can be given a name: `compile(text, \"shop/rules.py\", \"exec\")`, `class_eval(text, __FILE__, __LINE__)`, `//# sourceURL=src/rules.js`.",
            ),
            Self::NoFileNames => (
                "The frames name no files",
                "They are functions of the interpreter itself, or anonymous ones of which the client knows no file (`<anonymous>`, `[native code]`, `Native Method`).",
                "What called them is missing: raise the limit of the stack (`Error.stackTraceLimit` in JavaScript), do not cut frames off in `before_send`, and await what is asynchronous, so that its caller is on the stack.",
            ),
            Self::OnlyPackages => (
                "All frames are of packages",
                "Nothing on the stack is of the repository: it is all of installed packages and of the standard library, as in a thread or a callback that a library started; or it is all of an extension of a visitor's browser, where there is nothing to mend.",
                "Catch the error where your code hands its work over to the library, and your frames are on the stack. If one of these packages is the repository's own, take its folder out of `report_runtime_package_directory_names` in `.github/flawless.yml`, or have the client send the text of the lines; `path_mappings` says where its files are.",
            ),
            Self::LinkedOutside => (
                "A symbolic link leads out of the repository",
                "The frame's file is below a symbolic link of the repository that leads to a place outside of it. What is there on the server is no file of the repository, so git can't say who wrote it.",
                "Give the repository that has those files a DSN of its own, and report from it what fails there; or keep the files in this repository, where a link within it leads to them. No mapping of paths helps.",
            ),
            Self::UnknownPaths => (
                "The paths fit nothing in the repository",
                "No file of the repository has such a path at its end: it is deployed under other folders, is another repository's, or was generated when it was built.",
                "Say in `.github/flawless.yml` where it is: `path_mappings: [{ from: FOLDER_ON_THE_SERVER/, to: FOLDER_IN_THE_REPOSITORY/ }]`. If the application is another repository's, give it that one's DSN.",
            ),
            Self::SeveralFiles => (
                "Several files fit equally well",
                "The report names a file of which the repository has several, and nothing tells them apart: no folder, no text of the line.",
                "Have the client send the text of the lines (`include_source_context`; in Node the context lines integration), or whole paths; or say in `path_mappings` which folder is meant.",
            ),
            Self::TextDiffers => (
                "The text differs on the server",
                "The file is there, but the line that failed is not in it: what runs is not what is in the repository at that commit. Git would name whoever wrote another line, so it is not asked.",
                "Deploy what is committed, and say with each report which commit runs: `release` as the commit's id, or a tag's name. Files that are changed or generated when they are deployed have no author.",
            ),
            Self::LineBeyondEnd => (
                "The file has no such line",
                "The file is there, but has fewer lines than the report says: what runs is not what is in the repository at that commit, or it was compiled.",
                "Say with each report which commit runs: `release` as the commit's id, or a tag's name.",
            ),
            Self::UnreadableFile => (
                "The file is no text, or too large",
                "The file is there, but is larger than 8 MiB, has more than 500,000 lines, or has NUL bytes; or one report led to more text than is read.",
                "Such files are data or generated: take care that a frame of a file that people write is on the stack.",
            ),
            Self::LeftOut => (
                "The settings leave the files out",
                "What is the repository's is not covered by `only_blame_filepaths_matching`.",
                "Add an expression for it to `only_blame_filepaths_matching` in `.github/flawless.yml`, or leave the setting out: then all files count.",
            ),
            Self::NotToBlame => (
                "It is library, vendored or generated code",
                "What is the repository's among the frames is code whose caller is to be blamed: library code by a rule, a label or `building_blocks`, vendored or generated code, a submodule. No caller of it is the repository's.",
                "If it is to be blamed after all, end the rule on the whitelist page, or take its entry out of the settings or `.gitattributes`.",
            ),
            Self::CommitNotFetched => (
                "The commit that ran is in no fetched branch",
                "The report names a commit that is on no branch or tag of the repository, and that its server did not give by its id. The default branch was looked at instead, where the line may be another.",
                "Push the commit, or a tag on it. If the branch was rebased or squashed after it was built, build again from what is there now. If the name only looks like a commit's, set `release` to the commit's whole id.",
            ),
            Self::UnknownRelease => (
                "The release leads to no commit",
                "The report names its release by a name that is no commit and no tag of the repository, so the default branch was looked at as of now.",
                "Set `release` to the commit's id (`git rev-parse HEAD` when it is built), or push a tag of that name.",
            ),
            Self::NoRelease => (
                "The report names no release",
                "Without it nobody knows which commit runs, so the default branch was looked at as of now.",
                "Set `release` to the commit's id (`git rev-parse HEAD` when it is built), by the option of the client, by `SENTRY_RELEASE`, or by `--release` of `flawless-report` and `flawless blame`.",
            ),
            Self::NoMirror => (
                "The repository could not be looked at",
                "The server has no copy of it that can be read: it is not cloned yet, its address or access changed, or the disk is full.",
                "Whoever runs the server sees on the page `/doctor`, or by `flawless check`, what is wrong. What was attributed without it stays as it is; the next report after the cloning is looked up.",
            ),
            Self::OldMirror => (
                "The server's copy is behind",
                "The repository could not be fetched when the report came, so an older state was looked at.",
                "Whoever runs the server sees on the page `/doctor`, or by `flawless check`, what is wrong.",
            ),
            Self::EmptyRepository => (
                "The repository is empty",
                "It has no commit on its default branch.",
                "Push the code. If the code is in another repository, give the application that one's DSN; if it is on another branch, make that one the default.",
            ),
            Self::SetAside => (
                "Looking it up ended the server",
                "Looking this report up in the repository ended the process several times, so it is known by its text alone for a while.",
                "Whoever runs the server finds the job named on the page `/doctor`, and can say so to the developers of Flawless.",
            ),
            Self::GitCannotSay => (
                "Git can't say who wrote the line",
                "The line is found, but its history is too large to be walked, cut off, or damaged.",
                "Whoever runs the server sees on the page `/doctor`, or by `flawless check`, whether the copy is whole; a shallow clone has no history to be asked.",
            ),
        };
        Entry { title, means, helps }
    }
}
