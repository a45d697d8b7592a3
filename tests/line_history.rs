//! What became of a line beside its origin, asked of real mirrors.

use crate::harness::git_repo::{ADA, GRACE, GitRepo, LINUS};
use domain::commit::CommitId;
use domain::ids::RepositoryId;
use domain::trivial_edit::TrivialEdit;
use mirror::{Change, LineSince, Mirrors, Source};

const ID: RepositoryId = RepositoryId(7);
const PATH: &str = "shop/cart.py";

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

    fn commit(&self, person: &str, day: u32, text: &str) -> CommitId {
        let date = format!("2026-01-{day:02}T10:00:00Z");
        CommitId::new(self.repo.commit(person, &date, &[(PATH, text)], &format!("Day {day}")))
    }

    fn sync(&self) {
        let url = self.repo.path().display().to_string();
        self.mirrors.sync(&Source { id: ID, url, token: None }).unwrap();
    }

    /// Whose the line was before, and what was changed.
    fn before(&self, line: u32) -> Option<(String, TrivialEdit)> {
        self.sync();
        let blame = self.mirrors.blame(ID, &CommitId::new(self.repo.head()), PATH, line).unwrap().unwrap();
        let before = self.mirrors.before_trivial_edit(ID, &blame).unwrap();
        before.map(|(blame, edit)| (blame.author.name, edit))
    }

    fn changed(&self, revision: &CommitId, code: &str) -> Option<CommitId> {
        self.since(revision, code).map(|since| {
            assert_eq!(since.what, Change::Changed);
            since.commit
        })
    }

    fn since(&self, revision: &CommitId, code: &str) -> Option<LineSince> {
        self.sync();
        self.mirrors.changed_on_head(ID, revision, PATH, code).unwrap()
    }
}

#[test]
fn a_changed_number_leads_to_who_wrote_the_line() {
    let world = World::new();
    world.commit(ADA, 5, "a = 1\nprice = round(sum, 2)\n");
    world.commit(LINUS, 6, "import os\n\na = 1\nprice = round(sum, 3)\n");
    assert_eq!(world.before(4), Some(("Ada Lovelace".to_owned(), TrivialEdit::Number)));
    assert_eq!(world.before(3), None, "nobody changed it");
    let commented = "import os\n\na = 1  # one\nprice = round(sum, 3)\n";
    world.commit(GRACE, 7, commented);
    assert_eq!(world.before(3), Some(("Ada Lovelace".to_owned(), TrivialEdit::Comment)));
    world.commit(GRACE, 8, "import os\n\na = 1\nprice = floor(total, 4)\n");
    assert_eq!(world.before(4), None, "more was changed");
}

#[test]
fn a_new_line_like_another_was_nobodys_before() {
    let world = World::new();
    world.commit(ADA, 5, "add(one, 1)\n");
    world.commit(LINUS, 6, "add(one, 1)\nadd(one, 2)\n");
    assert_eq!(world.before(2), None);
}

#[test]
fn what_the_default_branch_changed_since_is_found() {
    let world = World::new();
    let old = world.commit(ADA, 5, "price = PRICES[sku]\nreturn price\n");
    let line = "price = PRICES[sku]";
    assert_eq!(world.changed(&old, line), None, "it is the head");
    let other = world.commit(GRACE, 6, "import os\nprice  =  PRICES[sku]\nreturn price\n");
    assert_eq!(world.changed(&old, line), None, "it only moved");
    let fixed = world.commit(LINUS, 7, "import os\nprice = PRICES.get(sku)\nreturn price\n");
    world.commit(ADA, 8, "import os\nprice = PRICES.get(sku)\nreturn price + 1\n");
    assert_eq!(world.changed(&old, line), Some(fixed.clone()));
    assert_eq!(world.changed(&other, line), Some(fixed.clone()));
    assert_eq!(world.changed(&fixed, line), None, "what ran has it already");
    world.commit(GRACE, 9, "import os\nreturn price + 1\n");
    assert_eq!(world.since(&old, line).unwrap().commit, fixed, "what was done first");
}

#[test]
fn what_the_default_branch_removed_or_deleted_since_is_found() {
    let world = World::new();
    let text = "import os\ntotal = 0\nfor sku in basket:\n    total += PRICES[sku]\nreturn total\n";
    let old = world.commit(ADA, 5, text);
    let line = "    total += PRICES[sku]";
    let removed = world.commit(GRACE, 6, "import os\ntotal = 0\n\nreturn total\n");
    let since = |commit: &CommitId, what: Change| Some(LineSince { commit: commit.clone(), what });
    assert_eq!(world.since(&old, line), since(&removed, Change::Removed));
    assert_eq!(world.since(&old, "return total"), None, "it is still there");
    world.commit(ADA, 7, text);
    assert_eq!(world.since(&old, line), None, "it is there again");
    world.repo.git(&["rm", "--quiet", PATH]);
    world.repo.write("shop/other.py", "nothing = \"of that kind\"\n");
    world.repo.git(&["add", "--all"]);
    world.repo.git_as(LINUS, "2026-01-08T10:00:00Z", &["commit", "--quiet", "--message", "Away"]);
    let deleted = CommitId::new(world.repo.head());
    assert_eq!(world.since(&old, line), since(&deleted, Change::Deleted));
    world.repo.commit(ADA, "2026-01-09T10:00:00Z", &[("x.py", "x = 1\n")], "Go on");
    assert_eq!(world.since(&old, line), since(&deleted, Change::Deleted));
    assert_eq!(world.since(&deleted, line), None, "what ran had it deleted already");
}

#[test]
fn a_branch_that_was_merged_deleted_it() {
    let world = World::new();
    let old = world.commit(ADA, 5, "price = PRICES[sku]\n");
    world.repo.branch("away");
    world.repo.git(&["rm", "--quiet", PATH]);
    world.repo.git_as(LINUS, "2026-01-06T10:00:00Z", &["commit", "--quiet", "--message", "Away"]);
    let deleted = CommitId::new(world.repo.head());
    world.repo.switch("main");
    world.repo.commit(ADA, "2026-01-07T10:00:00Z", &[("x.py", "x = 1\n")], "Go on");
    world.repo.merge(GRACE, "2026-01-08T10:00:00Z", "away");
    let found = world.since(&old, "price = PRICES[sku]");
    assert_eq!(found, Some(LineSince { commit: deleted, what: Change::Deleted }));
}

#[test]
fn a_file_that_was_moved_is_followed() {
    let world = World::new();
    let text = "import os\n\n\ndef price_of(sku):\n    price = PRICES[sku]\n    return price\n";
    let line = "price = PRICES[sku]";
    let old = world.commit(ADA, 5, text);
    let to = "lib/prices.py";
    let moved = CommitId::new(world.repo.rename(GRACE, "2026-01-06T10:00:00Z", PATH, to));
    let what = Change::Moved(to.to_owned());
    assert_eq!(world.since(&old, line), Some(LineSince { commit: moved.clone(), what: what.clone() }));
    world.repo.commit(ADA, "2026-01-07T10:00:00Z", &[(to, &text.replace("import os", "import re"))], "Go on");
    assert_eq!(world.since(&old, line), Some(LineSince { commit: moved, what }));
    let mended = text.replace("PRICES[sku]", "PRICES.get(sku)");
    let fixed = CommitId::new(world.repo.commit(LINUS, "2026-01-08T10:00:00Z", &[(to, &mended)], "Mend"));
    assert_eq!(world.since(&old, line), Some(LineSince { commit: fixed, what: Change::Changed }));
    // Moved and changed at once.
    let world = World::new();
    let old = world.commit(ADA, 5, text);
    world.repo.write(PATH, &mended);
    let both = CommitId::new(world.repo.rename(GRACE, "2026-01-06T10:00:00Z", PATH, to));
    assert_eq!(world.since(&old, line), Some(LineSince { commit: both, what: Change::Changed }));
}

#[test]
fn what_a_merged_branch_changed_is_that_branchs_commit() {
    let world = World::new();
    let old = world.commit(ADA, 5, "price = PRICES[sku]\n");
    let branch = world.repo.git(&["rev-parse", "--abbrev-ref", "HEAD"]).trim().to_owned();
    world.repo.git(&["checkout", "--quiet", "-b", "fix"]);
    let fixed = world.commit(LINUS, 6, "price = PRICES.get(sku)\n");
    world.repo.git(&["checkout", "--quiet", &branch]);
    let merge = ["merge", "--quiet", "--no-ff", "--message", "Merge pull request #3 from linus/fix", "fix"];
    world.repo.git_as(GRACE, "2026-01-07T10:00:00Z", &merge);
    assert_eq!(world.changed(&old, "price = PRICES[sku]"), Some(fixed));
}

#[test]
fn what_was_reverted_and_brought_back_leads_to_who_wrote_it() {
    let world = World::new();
    world.commit(ADA, 4, "price = 0\n");
    let first = world.commit(ADA, 5, "price = PRICES[sku]\n");
    for day in ["2026-01-06T10:00:00Z", "2026-01-07T10:00:00Z"] {
        world.repo.git_as(GRACE, day, &["revert", "--no-edit", "HEAD"]);
    }
    let back = CommitId::new(world.repo.head());
    world.sync();
    let (commit, info) = world.mirrors.brought_back(ID, &back).unwrap().unwrap();
    assert_eq!((commit, info.author.name.as_str()), (first.clone(), "Ada Lovelace"));
    assert_eq!(world.mirrors.brought_back(ID, &first).unwrap(), None);
}
