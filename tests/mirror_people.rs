//! Who is still there, asked of real mirrors.

use crate::harness::git_repo::{ADA, GRACE, GitRepo, LINUS};
use domain::blame::Author;
use domain::commit::CommitId;
use domain::ids::RepositoryId;
use domain::timestamp::Timestamp;
use mirror::{Mirrors, Source};

const ID: RepositoryId = RepositoryId(7);
const PATH: &str = "shop/cart.py";
/// 2025-06-01.
const SINCE: Timestamp = Timestamp::from_millis(1_748_736_000_000);

struct World {
    mirrors: Mirrors,
    repo: GitRepo,
    _directory: tempfile::TempDir,
}

impl World {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let repo = GitRepo::init(directory.path().join("work"));
        let mirrors = Mirrors::open(directory.path().join("mirrors")).unwrap();
        Self { mirrors, repo, _directory: directory }
    }

    fn commit(&self, person: &str, date: &str, files: &[(&str, &str)], message: &str) -> CommitId {
        CommitId::new(self.repo.commit(person, date, files, message))
    }

    fn head(&self) -> CommitId {
        CommitId::new(self.repo.head())
    }

    fn sync(&self) {
        let url = self.repo.path().display().to_string();
        self.mirrors.sync(&Source { id: ID, url, token: None }).unwrap();
    }

    fn last(&self, name: &str, email: &str) -> Option<String> {
        let author = Author { name: name.into(), email: email.into() };
        let last_at = self.mirrors.last_commit_of(ID, &author, SINCE).unwrap()?;
        Some(last_at.date())
    }

    fn of_file(&self) -> Vec<(String, usize)> {
        let found = self.mirrors.active_authors_of_file(ID, PATH, SINCE).unwrap();
        found.into_iter().map(|it| (it.author.name, it.count)).collect()
    }
}

#[test]
fn somebody_was_there_last_by_any_address_on_any_branch() {
    let world = World::new();
    world.commit(ADA, "2024-01-05T10:00:00Z", &[(PATH, "one\n")], "One");
    world.commit("ada <ada@old.example>", "2025-07-01T10:00:00Z", &[("a", "a")], "By another address");
    world.commit(GRACE, "2025-05-31T10:00:00Z", &[("b", "b")], "A day too early");
    let message = "Together\n\nCo-authored-by: Linus Torvalds <linus@example.com>";
    world.commit("Alan <alan@example.com>", "2025-08-01T10:00:00Z", &[("c", "c")], message);
    world.repo.branch("feature");
    world.commit("Barbara Liskov <barbara@example.com>", "2025-09-01T10:00:00Z", &[("d", "d")], "On a branch");
    world.repo.switch("main");
    world.sync();
    assert_eq!(world.last("Ada Lovelace", "ada@example.com"), None);
    assert_eq!(world.last("Grace Hopper", "grace@example.com"), None);
    assert_eq!(world.last("Linus Torvalds", "linus@example.com").as_deref(), Some("2025-08-01"));
    assert_eq!(world.last("Barbara Liskov", "barbara@example.com").as_deref(), Some("2025-09-01"));
    // The same full name is the same person, a first name is not.
    assert_eq!(world.last("Barbara Liskov", "b.l@new.example").as_deref(), Some("2025-09-01"));
    assert_eq!(world.last("Alan", "alan@elsewhere.example"), None);

    let mailmap = "Ada Lovelace <ada@example.com> <ada@old.example>\n";
    world.commit(LINUS, "2025-10-01T10:00:00Z", &[(".mailmap", mailmap)], "Say who is who");
    world.sync();
    assert_eq!(world.last("Ada Lovelace", "ADA@example.com").as_deref(), Some("2025-07-01"));
}

#[test]
fn who_applied_a_patch_was_there_but_github_is_nobody() {
    let world = World::new();
    world.commit(ADA, "2025-07-01T10:00:00Z", &[(PATH, "one\n")], "One");
    world.repo.git_as(GRACE, "2025-07-02T10:00:00Z", &["commit", "--amend", "--no-edit", "--author", ADA]);
    world.sync();
    assert_eq!(world.last("Grace Hopper", "grace@example.com").as_deref(), Some("2025-07-02"));
    assert_eq!(world.last("Ada Lovelace", "ada@example.com").as_deref(), Some("2025-07-02"));
}

#[test]
fn a_files_authors_of_the_year_are_ranked_by_their_commits() {
    let world = World::new();
    for n in 0..3 {
        world.commit(ADA, &format!("2024-01-0{}T10:00:00Z", n + 1), &[(PATH, &format!("{n}\n"))], "Old");
    }
    world.commit(GRACE, "2025-07-01T10:00:00Z", &[(PATH, "grace\n")], "New");
    world.commit(LINUS, "2025-07-02T10:00:00Z", &[(PATH, "linus\n")], "Newer");
    world.commit(ADA, "2025-07-03T10:00:00Z", &[("other.py", "1\n")], "Elsewhere");
    world.sync();
    assert_eq!(world.of_file(), [("Linus Torvalds".into(), 1), ("Grace Hopper".into(), 1)], "the later one first");
    world.repo.branch("feature");
    world.commit(GRACE, "2025-07-04T10:00:00Z", &[(PATH, "grace again\n")], "Again");
    world.repo.switch("main");
    world.repo.merge(LINUS, "2025-07-05T10:00:00Z", "feature");
    world.sync();
    assert_eq!(world.of_file(), [("Grace Hopper".into(), 2), ("Linus Torvalds".into(), 1)], "a merge is no change");
    assert!(world.mirrors.active_authors_of_file(ID, "gone.py", SINCE).unwrap().is_empty());
}

#[test]
fn a_files_authors_are_followed_through_its_renames() {
    let world = World::new();
    let text = "def total(items):\n    return sum(item.price for item in items)\n";
    world.commit(ADA, "2024-01-01T10:00:00Z", &[("old/cart.py", "old\n")], "Old");
    world.commit(GRACE, "2025-07-01T10:00:00Z", &[("old/cart.py", text)], "Grace's");
    world.repo.rename(ADA, "2025-07-02T10:00:00Z", "old/cart.py", "old/basket.py");
    world.commit(GRACE, "2025-07-03T10:00:00Z", &[("old/basket.py", &format!("{text}# 1\n"))], "Hers");
    std::fs::create_dir_all(world.repo.path().join("shop")).unwrap();
    std::fs::rename(world.repo.path().join("old/basket.py"), world.repo.path().join(PATH)).unwrap();
    world.commit(LINUS, "2025-07-04T10:00:00Z", &[(PATH, &format!("{text}# 1\n# 2\n"))], "Move and change it");
    world.sync();
    assert_eq!(world.of_file(), [("Grace Hopper".into(), 2), ("Linus Torvalds".into(), 1)]);
}

#[test]
fn a_functions_authors_are_those_of_its_lines_who_are_still_there() {
    let world = World::new();
    let text = |lines: &[&str]| lines.join("\n") + "\n";
    world.commit(ADA, "2024-01-01T10:00:00Z", &[(PATH, &text(&["a1", "a2", "a3", "a4", "x"]))], "Ada's");
    world.commit(GRACE, "2024-02-01T10:00:00Z", &[(PATH, &text(&["a1", "a2", "g3", "g4", "x"]))], "Grace's");
    let head = world.commit(LINUS, "2025-07-01T10:00:00Z", &[(PATH, &text(&["a1", "l2", "g3", "g4", "x"]))], "His");
    world.sync();
    let authors = |lines| {
        let found = world.mirrors.active_authors_of_lines(ID, &head, PATH, lines, SINCE).unwrap();
        found.into_iter().map(|it| (it.author.name, it.count)).collect::<Vec<_>>()
    };
    assert_eq!(authors(1..=4), [("Linus Torvalds".to_owned(), 1)]);
    world.commit(GRACE, "2025-08-01T10:00:00Z", &[("other.py", "1\n")], "Still here");
    world.sync();
    assert_eq!(authors(1..=4), [("Grace Hopper".to_owned(), 2), ("Linus Torvalds".to_owned(), 1)]);
    assert_eq!(authors(2..=2), [("Linus Torvalds".to_owned(), 1)]);
    // Lines that are not there.
    assert_eq!(authors(1..=u32::MAX), authors(1..=4));
    assert!(authors(9..=12).is_empty());
}

#[test]
fn a_commit_says_where_it_comes_from() {
    let world = World::new();
    let message = "Add up carts (#12)\n\n* one\n* two\n\nCo-authored-by: Grace Hopper <grace@example.com>";
    world.repo.write(PATH, "one\n");
    world.repo.git(&["add", "--all"]);
    world.repo.git_as(
        "GitHub <noreply@github.com>",
        "2025-07-01T10:00:00Z",
        &["commit", "-qm", message, "--author", ADA],
    );
    world.sync();
    let found = world.mirrors.provenance(ID, &world.head()).unwrap().unwrap();
    assert_eq!(found.committer.email, "noreply@github.com");
    assert_eq!(found.subject, "Add up carts (#12)");
    assert_eq!(found.co_authors, [Author { name: "Grace Hopper".into(), email: "grace@example.com".into() }]);
    assert_eq!(world.mirrors.provenance(ID, &CommitId::new("0".repeat(40))).unwrap(), None);
}

#[test]
fn what_came_by_its_id_alone_is_on_no_branch_or_tag() {
    let world = World::new();
    let root = world.commit(ADA, "2020-01-05T10:00:00Z", &[(PATH, "one\n")], "One");
    world.sync();
    world.repo.git(&["config", "uploadpack.allowAnySHA1InWant", "true"]);
    let is_stray = |commit: &CommitId| world.mirrors.is_stray(ID, commit).unwrap();
    let lost = world.commit(ADA, "2025-07-01T10:00:00Z", &[(PATH, "lost\n")], "Pushed away");
    world.sync();
    world.repo.force(root.as_str());
    world.sync();
    assert!(!is_stray(&lost), "nothing ever came by its id, so this was on a branch");

    world.repo.git(&["checkout", "--quiet", "--detach"]);
    // A fork's author dates commits as they like.
    let early = world.commit("Mal <mal@evil.example>", "1999-01-01T10:00:00Z", &[("a", "a")], "Early");
    let late = world.commit("Ada Lovelace <eve@evil.example>", "2033-01-01T10:00:00Z", &[("b", "b")], "Late");
    let url = world.repo.path().display().to_string();
    assert!(world.mirrors.fetch_commit(&Source { id: ID, url, token: None }, &late).unwrap());
    assert!(is_stray(&early) && is_stray(&late) && !is_stray(&root));
    assert!(!is_stray(&lost), "a commit of a fork makes none of what was on a branch");
    assert!(is_stray(&CommitId::new("1".repeat(40))), "what is not here may be anybody's");
    assert!(world.mirrors.is_stray(RepositoryId(99), &root).unwrap(), "nor is anything without a mirror");
    let is_there = |address: &str| world.mirrors.has_address(ID, |it| it == address).unwrap();
    assert!(is_there("ada@example.com"));
    for stranger in ["mal@evil.example", "eve@evil.example", "ada lovelace"] {
        assert!(!is_there(stranger), "{stranger}");
    }
    let by_map = Author { name: "Ada".into(), email: "Ada@Example.com".into() };
    assert_eq!(world.mirrors.mapped_address(ID, &by_map).unwrap(), "ada@example.com");

    world.repo.switch("main");
    // A tag, of the tag object's kind, too, makes it the repository's; so does a merge.
    world.repo.git(&["tag", "--annotate", "--message", "v1", "v1", early.as_str()]);
    // A tag of a file leads to no commit.
    world.repo.git(&["tag", "file", &format!("{}:a", early.as_str())]);
    world.sync();
    assert!(!is_stray(&early) && is_stray(&late) && is_there("mal@evil.example"));
    world.repo.force(late.as_str());
    world.sync();
    assert!(!is_stray(&late) && is_there("eve@evil.example"));
}

#[test]
fn what_leads_to_a_commit_of_a_fork_hides_nothing_by_being_too_large_to_be_read() {
    let world = World::new();
    world.commit(ADA, "2020-01-05T10:00:00Z", &[(PATH, "one\n")], "One");
    world.sync();
    world.repo.git(&["config", "uploadpack.allowAnySHA1InWant", "true"]);
    world.repo.git(&["checkout", "--quiet", "--detach"]);
    let fork = world.commit("Mal <mal@evil.example>", "2025-07-01T10:00:00Z", &[("a", "a")], "A");
    let message = world.repo.path().with_file_name("message");
    std::fs::write(&message, vec![b'x'; (64 << 20) + 1]).unwrap();
    world.repo.git(&["commit", "--quiet", "--allow-empty", "--file", message.to_str().unwrap()]);
    let huge = CommitId::new(world.repo.head());
    let source = Source { id: ID, url: world.repo.path().display().to_string(), token: None };
    world.mirrors.fetch_commit(&source, &huge).unwrap();
    assert!(world.mirrors.commit(ID, &huge).is_err(), "it is held, though it can't be read");
    assert!(world.mirrors.is_stray(ID, &fork).unwrap());
    let late = world.commit(ADA, "2025-07-02T10:00:00Z", &[("b", "b")], "B");
    assert!(world.mirrors.fetch_commit(&source, &late).unwrap());
    assert!(world.mirrors.is_stray(ID, &fork).unwrap() && world.mirrors.is_stray(ID, &late).unwrap());
}
