//! Prints who wrote a line of the repository around the current directory.
//!
//! `cargo run -p blame --example who -- src/main.rs:17`; `--as-git` passes over no commit but those
//! that `.git-blame-ignore-revs` lists.
#![expect(clippy::print_stdout, reason = "the answer goes to standard output")]

use blame::{IgnoreRevs, LineBlame, Walker};
use gix::bstr::{BString, ByteSlice};
use gix::date::time::format::ISO8601;
use std::error::Error;
use std::path::Path;

fn main() -> Result<(), Box<dyn Error>> {
    let (options, words): (Vec<_>, Vec<_>) = std::env::args().skip(1).partition(|word| word.starts_with("--"));
    let [place] = words.as_slice() else { return Err("usage: who [--as-git] FILE:LINE".into()) };
    let (file, line) = place.rsplit_once(':').ok_or("say FILE:LINE")?;
    let mut repo = gix::discover(".")?;
    repo.object_cache_size_if_unset(blame::OBJECT_CACHE);
    let path = from_root(&repo, file)?;
    let mut walker = Walker::new(&repo).with_ignore_revs(IgnoreRevs::of_head(&repo)?);
    if options.iter().any(|option| option == "--as-git") {
        walker = walker.as_git();
    }
    let found = walker.line(repo.head_id()?, &path, line.parse()?)?;
    print(&found.ok_or("HEAD has no such line, or its history is too long to walk")?);
    Ok(())
}

/// The path of a file below the current directory as git has it: from the repository's root.
fn from_root(repo: &gix::Repository, file: &str) -> Result<BString, Box<dyn Error>> {
    let path = repo.prefix()?.unwrap_or(Path::new("")).join(file);
    let path = gix::path::normalize(path.into(), Path::new("")).ok_or("the file is outside the repository")?;
    Ok(gix::path::to_unix_separators_on_windows(gix::path::into_bstr(path)?).into_owned())
}

fn print(found: &LineBlame) {
    let credits = &found.credits;
    println!("commit   {} {}", found.commit, credits.summary);
    println!("author   {} <{}>", credits.author.name, credits.author.email);
    for person in &credits.co_authors {
        println!("with     {} <{}>", person.name, person.email);
    }
    println!("written  {}", credits.author_time.format_or_unix(ISO8601));
    println!("as       {}:{}", found.path.as_bstr(), found.line);
    for passed in &found.passed {
        println!("passed   {} {} ({:?})", passed.commit.to_hex_with_len(12), passed.summary, passed.reason);
    }
}
