//! A repository with a long history, made by `git fast-import`.

use crate::event::scrambled;
use git_fixture::GitRepo;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

const FOLDERS: usize = 40;
const FILES: usize = 400;
/// Lines of each file.
const LINES: usize = 40;
const AUTHORS: u64 = 50;
/// The first commit's time, Unix seconds, and how much later each next one is.
const BEGAN: u64 = 1_500_000_000;
const APART: u64 = 3_000;

/// The repository, and which commit wrote each line last.
pub(crate) struct History {
    written: Vec<[usize; LINES]>,
}

/// A line, and the address of who wrote it.
pub(crate) struct Asked {
    pub(crate) path: String,
    pub(crate) line: u32,
    pub(crate) author: String,
}

impl History {
    /// Makes it at a path: each commit changes a line of one file.
    pub(crate) fn build(path: &Path, commits: usize) -> Self {
        let repository = GitRepo::init(path);
        let mut import = Command::new("git")
            .args(["-c", "core.compression=1", "fast-import", "--quiet", "--done"])
            .current_dir(repository.git_dir())
            .envs([("GIT_CONFIG_NOSYSTEM", "1"), ("GIT_CONFIG_GLOBAL", "/dev/null")])
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stream = std::io::BufWriter::new(import.stdin.take().unwrap());
        let mut written = vec![[0; LINES]; FILES];
        for commit in 0..commits {
            let (dice, who) = (scrambled(commit as u64), author_of(commit));
            let (file, line) = ((dice >> 32) as usize % FILES, dice as u32 as usize % LINES);
            let at = BEGAN + commit as u64 * APART;
            let mut text = String::new();
            for role in ["author", "committer"] {
                writeln!(text, "{role} {who} <{who}@example.com> {at} +0000").unwrap();
            }
            writeln!(stream, "commit refs/heads/main\n{text}data 6\nChange").unwrap();
            if commit == 0 {
                (0..FILES).for_each(|file| write_file(&mut stream, file, &written[file]));
            } else {
                written[file][line] = commit;
                write_file(&mut stream, file, &written[file]);
            }
        }
        writeln!(stream, "done").unwrap();
        drop(stream.into_inner().unwrap());
        assert!(import.wait().unwrap().success(), "git fast-import failed");
        Self { written }
    }

    /// Any line of it, always the same for the same number.
    pub(crate) fn line(&self, number: usize) -> Asked {
        let dice = scrambled(number as u64 ^ 0x5eed);
        let (file, line) = ((dice >> 32) as usize % FILES, dice as u32 as usize % LINES);
        let author = format!("{}@example.com", author_of(self.written[file][line]));
        Asked { path: path_of(file), line: u32::try_from(line).unwrap() + 1, author }
    }
}

fn author_of(commit: usize) -> String {
    format!("dev{}", scrambled(commit as u64 ^ 0xa11) % AUTHORS)
}

fn path_of(file: usize) -> String {
    format!("part_{}/module_{file}.py", file % FOLDERS)
}

fn write_file(stream: &mut impl std::io::Write, file: usize, written: &[usize; LINES]) {
    let mut text = String::new();
    for (line, commit) in written.iter().enumerate() {
        writeln!(text, "value_{line} = step_{line}({file}, {commit})").unwrap();
    }
    writeln!(stream, "M 100644 inline {}\ndata {}\n{text}", path_of(file), text.len()).unwrap();
}
