//! Small histories of every kind, and whom a line of them is to be blamed on.

#![expect(clippy::unwrap_used, reason = "tests")]

use blame::{ChangedPaths, Error, IgnoreRevs, LineBlame, PassedReason, Walker};
use git_fixture::{ADA, Blamed, GRACE, GitRepo, LINUS, isolated_git};
use gix::ObjectId;
use std::fs;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

const DAY: &str = "2026-02-03T04:05:06+02:00";

/// A repository, and questions to it.
struct Past {
    repo: GitRepo,
    directory: tempfile::TempDir,
}

impl Past {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        Self { repo: GitRepo::init(directory.path().join("work")), directory }
    }

    fn commit(&self, person: &str, files: &[(&str, &str)], message: &str) -> String {
        self.repo.commit(person, DAY, files, message)
    }

    fn open(&self) -> gix::Repository {
        gix::open_opts(self.repo.git_dir(), gix::open::Options::isolated()).unwrap()
    }

    fn at(&self, commit: &str, path: &str, line: u32) -> Option<LineBlame> {
        let repo = self.open();
        let mut walker = Walker::new(&repo).with_ignore_revs(IgnoreRevs::of_head(&repo).unwrap());
        walker.line(id(commit), path, line).unwrap()
    }

    fn blame(&self, path: &str, line: u32) -> LineBlame {
        self.at(&self.repo.head(), path, line).unwrap()
    }

    /// Commit, path and line of an answer.
    #[track_caller]
    fn assert(&self, (path, line): (&str, u32), commit: &str, (from, number): (&str, u32)) {
        let blame = self.blame(path, line);
        let found = (blame.commit, blame.path.to_string(), blame.line);
        let expected = (id(commit), from.to_owned(), number);
        assert_eq!(found, expected, "{path}:{line} was blamed on {:?}", blame.credits.summary);
    }

    /// Every line of every file, asked as git answers, against git.
    #[track_caller]
    fn assert_as_git(&self) {
        let repo = self.open();
        let head = self.repo.head();
        let list = self.directory.path().join("list");
        fs::write(&list, fs::read(self.repo.path().join(".git-blame-ignore-revs")).unwrap_or_default()).unwrap();
        let options = ["-w", "--ignore-revs-file", list.to_str().unwrap()];
        let ignored = IgnoreRevs::of_head(&repo).unwrap();
        for path in self.repo.git(&["ls-tree", "-r", "--name-only", "HEAD"]).lines() {
            let gits = self.repo.blame_with(&options, "HEAD", path);
            let mut walker = Walker::new(&repo).with_ignore_revs(ignored.clone()).as_git();
            let ours = walker.lines(id(&head), path, 1..=gits.len() as u32).unwrap();
            for (line, (ours, gits)) in (1..).zip(ours.into_iter().zip(gits)) {
                assert_eq!(ours.map(blamed), Some(gits), "{path}:{line}");
            }
        }
    }
}

fn id(commit: &str) -> ObjectId {
    ObjectId::from_hex(commit.as_bytes()).unwrap()
}

fn blamed(found: LineBlame) -> Blamed {
    Blamed { commit: found.commit.to_string(), path: found.path.to_string(), line: found.line }
}

const CART: &str = "def total(basket):\n    return sum(price(item, 'net') for item in basket if item.count > 0)\n\n\
    def price(item, kind):\n    return item.prices[kind] * item.count\n";
const CART_FORMATTED: &str = "def total(basket):\n    return sum(\n        price(item, \"net\")\n        for item in \
    basket\n        if item.count > 0\n    )\n\n\ndef price(item, kind):\n    return item.prices[kind] * item.count\n";

#[test]
fn a_listed_commit_is_passed_over() {
    let past = Past::new();
    let first = past.commit(ADA, &[("cart.py", CART)], "Add a cart");
    let black = past.commit(GRACE, &[("cart.py", CART_FORMATTED)], "Black\n\nOnly layout.");
    let list = format!("# Formatting\n{black} # black 26\n");
    past.commit(LINUS, &[(".git-blame-ignore-revs", &list)], "List it");
    for line in 2..=5 {
        past.assert(("cart.py", line), &first, ("cart.py", 2));
    }
    past.assert(("cart.py", 9), &first, ("cart.py", 4));
    let blame = past.blame("cart.py", 3);
    assert_eq!(blame.credits.author.email, "ada@example.com");
    let passed: Vec<_> =
        blame.passed.iter().map(|passed| (passed.commit, passed.summary.to_string(), passed.reason)).collect();
    assert_eq!(passed, [(id(&black), "Black".to_owned(), PassedReason::Ignored)]);
    past.assert_as_git();

    // A line that the listed commit brought itself comes from nowhere else.
    let past = Past::new();
    past.commit(ADA, &[("a.py", "x = 1\n")], "One");
    let second = past.commit(GRACE, &[("a.py", "x = 1\n#[}]\n")], "Two");
    past.commit(LINUS, &[(".git-blame-ignore-revs", &second)], "List it");
    past.assert(("a.py", 2), &second, ("a.py", 2));
    assert!(past.blame("a.py", 2).passed.is_empty());
    past.assert_as_git();
}

#[test]
fn a_commit_that_only_reformats_is_passed_over_unlisted() {
    let past = Past::new();
    let first = past.commit(ADA, &[("cart.py", CART)], "Add a cart");
    let black = past.commit(GRACE, &[("cart.py", CART_FORMATTED)], "Tidy up");
    for line in 2..=5 {
        past.assert(("cart.py", line), &first, ("cart.py", 2));
    }
    let passed = &past.blame("cart.py", 3).passed;
    assert_eq!((passed.len(), passed[0].commit, passed[0].reason), (1, id(&black), PassedReason::Reformatted));
    let repo = past.open();
    let as_git = Walker::new(&repo).as_git().line(id(&black), "cart.py", 3).unwrap().unwrap();
    assert_eq!((as_git.commit, as_git.passed.len()), (id(&black), 0));
    // And back again.
    past.commit(LINUS, &[("cart.py", CART)], "Tidy down");
    past.assert(("cart.py", 2), &first, ("cart.py", 2));
    assert_eq!(past.blame("cart.py", 2).passed.len(), 2);
    // Whoever changes code while tidying up has changed it.
    let changed =
        past.commit(LINUS, &[("cart.py", &CART_FORMATTED.replace("> 0", "> 1"))], "Tidy up, skip single ones");
    past.assert(("cart.py", 5), &changed, ("cart.py", 5));
    past.assert_as_git();
}

#[test]
fn a_commit_that_reformats_everything_is_passed_over() {
    let past = Past::new();
    let names: Vec<String> = (0..50).map(|n| format!("src/module{n}.py")).collect();
    let text =
        |n: usize| format!("def f{n}(a, b):\n    return call{n}(a, b, 'x', limit={n})\n\nLEGACY{n} = u'old{n}'\n");
    let formatted = |n: usize| {
        let head = format!(
            "def f{n}(a, b):\n    return call{n}(\n        a,\n        b,\n        \"x\",\n        limit={n},\n    )\n\n"
        );
        // A formatter does a little more than layout: this one line is no other layout of the old
        // one.
        let legacy = if n == 7 { format!("LEGACY{n} = \"old{n}\"\n") } else { format!("LEGACY{n} = u\"old{n}\"\n") };
        head + "\n" + &legacy
    };
    let files = |text: &dyn Fn(usize) -> String| {
        names.iter().enumerate().map(|(n, name)| (name.clone(), text(n))).collect::<Vec<_>>()
    };
    let commit = |person: &str, files: &[(String, String)], message: &str| {
        let files: Vec<(&str, &str)> = files.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
        past.commit(person, &files, message)
    };
    let first = commit(ADA, &files(&text), "Add modules");
    let black = commit(GRACE, &files(&formatted), "Tidy up");
    past.assert(("src/module7.py", 10), &first, ("src/module7.py", 4));
    past.assert(("src/module9.py", 6), &first, ("src/module9.py", 2));
    let passed = &past.blame("src/module7.py", 10).passed;
    assert_eq!((passed[0].commit, passed[0].reason), (id(&black), PassedReason::Reformatted));
    // The same on one file is a change, and so is one that changes the code of many.
    let renamed = commit(LINUS, &files(&|n| formatted(n).replace("call", "invoke")), "Rename call");
    past.assert(("src/module9.py", 2), &renamed, ("src/module9.py", 2));
    past.assert(("src/module9.py", 3), &first, ("src/module9.py", 2));
    past.assert_as_git();
}

#[test]
fn a_file_is_followed_through_renames() {
    let past = Past::new();
    let text = |n: u32| (0..n).map(|n| format!("value_{n} = {n}\n")).collect::<String>();
    let first = past.commit(ADA, &[("a.py", &text(20)), ("same.py", "same\n")], "Add a");
    past.repo.rename(GRACE, DAY, "a.py", "lib/b.py");
    past.assert(("lib/b.py", 7), &first, ("a.py", 7));
    // Renamed and edited at once.
    fs::remove_file(past.repo.path().join("lib/b.py")).unwrap();
    let edited = past.commit(LINUS, &[("lib/c.py", &text(20).replace("= 3", "= three"))], "Move and edit");
    past.assert(("lib/c.py", 4), &edited, ("lib/c.py", 4));
    past.assert(("lib/c.py", 8), &first, ("a.py", 8));
    // Of several that are alike, the one of the same name.
    past.commit(ADA, &[("x/one.py", &text(30)), ("x/two.py", &text(30))], "Twins");
    fs::remove_dir_all(past.repo.path().join("x")).unwrap();
    past.commit(GRACE, &[("y/one.py", &text(30)), ("y/two.py", &text(30))], "Move twins");
    assert_eq!(past.blame("y/one.py", 3).path, "x/one.py");
    assert_eq!(past.blame("y/two.py", 3).path, "x/two.py");
    // A copy is no rename: its lines are its own.
    let copy = past.commit(LINUS, &[("copy.py", &text(30))], "Copy");
    past.assert(("copy.py", 3), &copy, ("copy.py", 3));
    past.assert_as_git();
    // Too little in common: a new file.
    fs::remove_file(past.repo.path().join("copy.py")).unwrap();
    let other = past.commit(LINUS, &[("other.py", &(text(8) + &"something_else()\n".repeat(30)))], "Rewrite");
    past.assert(("other.py", 3), &other, ("other.py", 3));
    past.assert_as_git();
}

#[test]
fn code_moved_within_a_file_is_blamed_on_who_moved_it() {
    let past = Past::new();
    let (one, two) = ("def one():\n    return first(1)\n\n", "def two():\n    return second(2)\n\n");
    let first = past.commit(ADA, &[("a.py", &format!("{one}{two}{two}"))], "Add");
    let moved = past.commit(GRACE, &[("a.py", &format!("{two}{two}{one}"))], "Move one down");
    past.assert(("a.py", 8), &moved, ("a.py", 8));
    past.assert(("a.py", 2), &first, ("a.py", 5));
    past.assert_as_git();
}

#[test]
fn a_squash_merge_has_its_author_and_co_authors() {
    let past = Past::new();
    past.commit(ADA, &[(".mailmap", "Grace Hopper <grace@example.com> <g@old.example.com>\n")], "Mailmap");
    let message = "Add carts (#12)\n\n* wip\n\nCo-authored-by: Linus Torvalds <linus@example.com>\n\n* more\n\n\
        Co-Authored-By: G <g@old.example.com>\nCo-authored-by: linus <LINUS@example.com>\nCo-authored-by: nobody\n\
        Co-authored-by: Ada Lovelace <ada@example.com>\nReviewed-by: Rob <rob@example.com>";
    past.repo.write("a.py", "one\n");
    past.repo.git(&["add", "--all"]);
    past.repo.git_as(ADA, DAY, &["commit", "--quiet", "--message", message]);
    let committed = "2026-03-04T05:06:07Z";
    let mut command = isolated_git();
    command.current_dir(past.repo.path()).envs([("GIT_COMMITTER_NAME", "GitHub"), ("GIT_COMMITTER_DATE", committed)]);
    command.env("GIT_COMMITTER_EMAIL", "noreply@github.com").args(["commit", "--quiet", "--amend", "--no-edit"]);
    assert!(command.status().unwrap().success());
    let credits = past.blame("a.py", 1).credits;
    assert_eq!((credits.author.name, credits.summary), ("Ada Lovelace".into(), "Add carts (#12)".into()));
    let author_time = (credits.author_time.seconds, credits.author_time.offset);
    assert_eq!((author_time, credits.commit_time.seconds), ((1_770_084_306, 7_200), 1_772_600_767));
    let others: Vec<_> = credits.co_authors.iter().map(|other| format!("{} <{}>", other.name, other.email)).collect();
    assert_eq!(others, [LINUS, GRACE]);
}

#[test]
fn a_revert_and_a_cherry_pick_are_commits_like_others() {
    let past = Past::new();
    past.commit(ADA, &[("a.py", "one\ntwo\nthree\n")], "Add");
    let edit = past.commit(GRACE, &[("a.py", "one\n2\nthree\n")], "Edit");
    past.repo.git_as(LINUS, DAY, &["revert", "--no-edit", &edit]);
    past.assert(("a.py", 2), &past.repo.head(), ("a.py", 2));
    assert_eq!(past.blame("a.py", 2).credits.author.email, "linus@example.com");
    past.assert_as_git();

    // The same change on both sides of a merge: the first parent's counts.
    past.repo.branch("release");
    let picked = past.commit(GRACE, &[("a.py", "one\ntwo\nthree\nfour\n")], "Four");
    past.repo.switch("main");
    past.commit(ADA, &[("b.py", "b\n")], "B");
    past.repo.git_as(LINUS, "2026-02-04T00:00:00Z", &["cherry-pick", &picked]);
    let copy = past.repo.head();
    past.repo.merge(ADA, DAY, "release");
    past.assert(("a.py", 4), &copy, ("a.py", 4));
    // Its author is still who wrote it first.
    assert_eq!(past.blame("a.py", 4).credits.author.email, "grace@example.com");
    past.assert_as_git();
}

#[test]
fn merges_hand_lines_to_the_parent_that_has_them() {
    let past = Past::new();
    let base: String = (1..=20).map(|n| format!("line {n}\n")).collect();
    let first = past.commit(ADA, &[("a.py", &base)], "Add");
    past.repo.branch("side");
    let side = past.commit(GRACE, &[("a.py", &base.replace("line 3\n", "side 3\n")), ("new.py", "new\n")], "Side");
    past.repo.switch("main");
    let main = past.commit(LINUS, &[("a.py", &base.replace("line 17\n", "main 17\n"))], "Main");
    past.repo.merge(ADA, DAY, "side");
    past.assert(("a.py", 3), &side, ("a.py", 3));
    past.assert(("a.py", 17), &main, ("a.py", 17));
    past.assert(("a.py", 9), &first, ("a.py", 9));
    past.assert(("new.py", 1), &side, ("new.py", 1));
    past.assert_as_git();

    // An evil merge brings a line that no parent has.
    past.repo.branch("other");
    past.commit(GRACE, &[("c.py", "c\n")], "C");
    past.repo.switch("main");
    past.commit(LINUS, &[("d.py", "d\n")], "D");
    past.repo.git_as(ADA, DAY, &["merge", "--quiet", "--no-ff", "--no-commit", "other"]);
    let evil = past.commit(ADA, &[("c.py", "c\nevil\n")], "Merge other");
    past.assert(("c.py", 2), &evil, ("c.py", 2));
    past.assert_as_git();

    // Three sides at once.
    let sides = ["x", "y", "z"].map(|name| {
        past.repo.git(&["switch", "--quiet", "--create", name, &evil]);
        past.commit(GRACE, &[(&format!("{name}.py"), name)], name)
    });
    past.repo.switch("main");
    past.repo.git_as(ADA, DAY, &["merge", "--quiet", "--no-ff", "--message", "Octopus", "x", "y", "z"]);
    past.assert(("z.py", 1), &sides[2], ("z.py", 1));
    past.assert_as_git();
}

#[test]
fn histories_without_a_common_root_meet() {
    let past = Past::new();
    let ours = past.commit(ADA, &[("a.py", "a one\na two\na three\n")], "Root one");
    past.repo.git(&["switch", "--quiet", "--orphan", "other"]);
    let theirs = past.commit(GRACE, &[("a.py", "b one\nb two\nb three\n"), ("lib.py", "lib\nlib\n")], "Root two");
    past.repo.switch("main");
    let message = ["--message", "Meet", "other"];
    let args = [&["merge", "--quiet", "--no-commit", "--allow-unrelated-histories", "-s", "ours"][..], &message];
    past.repo.git_as(LINUS, DAY, &args.concat());
    let text = "b one\na one\nmerged\na two\nb three\na three\n";
    let evil = past.commit(LINUS, &[("a.py", text), ("lib.py", "lib\nlib\n")], "Meet");
    past.assert(("a.py", 2), &ours, ("a.py", 1));
    past.assert(("a.py", 3), &evil, ("a.py", 3));
    past.assert(("a.py", 1), &theirs, ("a.py", 1));
    past.assert(("lib.py", 2), &theirs, ("lib.py", 2));
    past.assert_as_git();

    // Another project below a directory of its own.
    past.repo.git(&["switch", "--quiet", "--orphan", "project"]);
    let project = past.commit(GRACE, &[("tool.py", "t1\nt2\nt3\nt4\n"), ("twin.py", "t1\nt2\nt3\nt4\n")], "A tool");
    past.repo.switch("main");
    past.repo.git_as(
        ADA,
        DAY,
        &["merge", "--quiet", "--no-commit", "--allow-unrelated-histories", "-s", "ours", "project"],
    );
    past.repo.git(&["read-tree", "--prefix=tools/", "-u", "project"]);
    past.commit(ADA, &[], "Take the tool in");
    past.assert(("tools/tool.py", 3), &project, ("tool.py", 3));
    past.assert(("tools/twin.py", 3), &project, ("twin.py", 3));
    let edited = past.commit(LINUS, &[("tools/tool.py", "t1\nt2\nt3!\nt4\n")], "Edit the tool");
    past.assert(("tools/tool.py", 3), &edited, ("tools/tool.py", 3));
    past.assert(("tools/tool.py", 4), &project, ("tool.py", 4));
    past.assert_as_git();
}

#[test]
fn what_a_forced_push_left_behind_can_be_blamed() {
    let past = Past::new();
    let first = past.commit(ADA, &[("a.py", "one\n")], "One");
    let lost = past.commit(GRACE, &[("a.py", "one\nlost\n")], "Lost");
    past.repo.force(&first);
    let kept = past.commit(LINUS, &[("a.py", "one\nkept\n")], "Kept");
    assert_eq!(past.at(&lost, "a.py", 2).unwrap().commit, id(&lost));
    assert_eq!(past.at(&lost, "a.py", 1).unwrap().commit, id(&first));
    past.assert(("a.py", 2), &kept, ("a.py", 2));
    assert_eq!(past.at(&"0".repeat(40), "a.py", 1), None);
    let tree = past.repo.git(&["rev-parse", "HEAD^{tree}"]);
    assert_eq!(past.at(&tree, "a.py", 1), None, "no commit");
}

#[test]
fn what_is_no_file_hides_no_file() {
    let past = Past::new();
    let first = past.commit(ADA, &[("a.py", "one\ntwo\nthree\nfour\n"), ("dir", "was a file\nonce\n")], "Add");
    // A submodule beside it, and one where a file comes to be.
    past.repo.git(&["update-index", "--add", "--cacheinfo", &format!("160000,{first},vendored")]);
    past.repo.git_as(GRACE, DAY, &["commit", "--quiet", "--message", "A submodule"]);
    past.repo.git(&["rm", "--quiet", "--cached", "vendored"]);
    let vendored = past.commit(GRACE, &[("vendored", "mine\n")], "Own code instead");
    past.assert(("vendored", 1), &vendored, ("vendored", 1));
    // A symbolic link instead of a file, with the same content, and back: a file of that name is
    // new then.
    fs::remove_file(past.repo.path().join("a.py")).unwrap();
    std::os::unix::fs::symlink("vendored", past.repo.path().join("a.py")).unwrap();
    let linked = past.commit(GRACE, &[], "A link");
    assert_eq!(past.at(&linked, "a.py", 1), None);
    fs::remove_file(past.repo.path().join("a.py")).unwrap();
    let again = past.commit(LINUS, &[("a.py", "one\ntwo\nthree\nfour\n")], "A file again");
    past.assert(("a.py", 1), &again, ("a.py", 1));
    // A directory instead of a file; the file goes into it.
    fs::remove_file(past.repo.path().join("dir")).unwrap();
    past.commit(ADA, &[("dir/file", "was a file\nonce\n")], "A directory");
    past.assert(("dir/file", 2), &first, ("dir", 2));
    // Another mode is no other file.
    past.repo.git(&["update-index", "--chmod=+x", "dir/file"]);
    past.repo.git_as(GRACE, DAY, &["commit", "--quiet", "--message", "Executable"]);
    past.assert(("dir/file", 1), &first, ("dir", 1));
    for (path, line) in [("dir", 1), ("none.py", 1), ("dir/file", 3), ("dir/file", 0), ("", 1), ("dir//file", 1)] {
        assert_eq!(past.at(&past.repo.head(), path, line), None, "{path}:{line}");
    }
    past.assert_as_git();
}

#[test]
fn white_space_changes_no_author() {
    let past = Past::new();
    let text = "def f(x):\n\tif x:\n\t\treturn x\n\treturn None\n";
    let first = past.commit(ADA, &[("a.py", text), ("b.py", "one\ntwo")], "Add");
    past.commit(GRACE, &[("a.py", &text.replace('\n', "\r\n"))], "CRLF");
    past.commit(LINUS, &[("a.py", &text.replace('\t', "    "))], "Spaces, LF");
    let wrapped = "if guard:\n    def f(x):\n        if x:\n            return x\n        return None\n";
    let guard = past.commit(GRACE, &[("a.py", wrapped), ("b.py", "one\ntwo\nthree\n")], "Guard");
    for line in 2..=5 {
        past.assert(("a.py", line), &first, ("a.py", line - 1));
        // Git passes these over without a word, and so do we: nothing but space was changed.
        assert!(past.blame("a.py", line).passed.is_empty());
    }
    past.assert(("a.py", 1), &guard, ("a.py", 1));
    past.assert(("b.py", 2), &first, ("b.py", 2));
    past.assert_as_git();
}

#[test]
fn a_generated_file_is_blamed_like_any_other() {
    let past = Past::new();
    let table = |shift: u32| {
        let rows: String =
            (0..3_000_u32).map(|n| format!("    {{ {}, 0x{:04x} }},\n", n + shift, n * 7 % 512)).collect();
        format!("// Generated\nTABLE = [\n{rows}]\n")
    };
    let first = past.commit(ADA, &[("table.c", &table(0))], "Generate");
    let again = past.commit(GRACE, &[("table.c", &table(9))], "Generate anew");
    past.assert(("table.c", 2), &first, ("table.c", 2));
    past.assert(("table.c", 1500), &again, ("table.c", 1500));
    past.assert_as_git();
}

#[test]
fn many_lines_are_asked_at_once() {
    let past = Past::new();
    let first = past.commit(ADA, &[("a.py", "one\ntwo\n")], "Add");
    let second = past.commit(GRACE, &[("a.py", "one\n2\n")], "Edit");
    let repo = past.open();
    let lines = Walker::new(&repo).lines(id(&second), "a.py", 0..=3).unwrap();
    let commits: Vec<_> = lines.into_iter().map(|line| line.map(|blame| blame.commit)).collect();
    assert_eq!(commits, [None, Some(id(&first)), Some(id(&second)), None]);
}

#[test]
fn a_walk_can_be_interrupted_and_limited() {
    let past = Past::new();
    let commit = id(&past.commit(ADA, &[("a.py", "one\ntwo\n")], "Add"));
    let repo = past.open();
    let flag = AtomicBool::new(true);
    let interrupted = Walker::new(&repo).with_interrupt(&flag).line(commit, "a.py", 1);
    assert!(matches!(interrupted, Err(Error::Interrupted)));
    assert_eq!(Walker::new(&repo).with_work_limit(10).line(commit, "a.py", 1).unwrap(), None);
    assert!(Walker::new(&repo).with_work_limit(1_000).line(commit, "a.py", 1).unwrap().is_some());
}

#[test]
fn what_one_walker_learnt_changes_no_answer_of_the_next() {
    let past = Past::new();
    let first = past.commit(ADA, &[("a.py", "one\n"), ("b.py", "b\n")], "Add");
    for n in 0..50 {
        past.commit(GRACE, &[("b.py", &format!("{n}\n"))], "Edit b");
    }
    let (repo, head) = (past.open(), id(&past.repo.head()));
    let memory = Arc::new(ChangedPaths::default());
    for (path, commit) in [("a.py", id(&first)), ("b.py", head), ("a.py", id(&first))] {
        let mut walker = Walker::new(&repo).with_changed_paths(Arc::clone(&memory));
        assert_eq!(walker.line(head, path, 1).unwrap().unwrap().commit, commit, "{path}");
    }
}
