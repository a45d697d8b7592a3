//! What became of a line beside its origin, asked of real mirrors.

use crate::harness::git_repo::{ADA, GRACE, GitRepo, LINUS};
use domain::commit::CommitId;
use domain::ids::RepositoryId;
use domain::trivial_edit::TrivialEdit;
use mirror::{Mirrors, Source};

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
    world.commit(GRACE, 7, "import os\n\na = 1\nprice = floor(total, 4)\n");
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
    world.repo.git(&["rm", "--quiet", PATH]);
    world.repo.git_as(ADA, "2026-01-09T10:00:00Z", &["commit", "--quiet", "--message", "Away"]);
    assert_eq!(world.changed(&old, line), None, "it may be somewhere else");
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
