//! What looking a report up in its repository costs: the files that a path may be, and the whole
//! analysis, up to who wrote the line. `cargo bench -p app --bench analysis`.
#![expect(clippy::print_stdout, clippy::disallowed_methods, reason = "a bench measures time and prints what it finds")]
#![expect(clippy::unwrap_used, reason = "a bench that can't go on says so and ends")]

use app::steps::attribute::{AnalysisInput, Deployment, analyze};
use domain::blame::Author;
use domain::ids::RepositoryId;
use domain::names::RepositoryName;
use domain::report::Report;
use domain::repository::Repository;
use domain::rule::Rules;
use domain::settings::Settings;
use domain::timestamp::Timestamp;
use git_fixture::{ADA, GitRepo, example};
use mirror::{Mirrors, Search};
use std::hint::black_box;
use std::time::Instant;
use tempfile::TempDir;

/// Files beside those of the program that fails.
const FILES: usize = 5_000;
const ID: RepositoryId = RepositoryId(1);
/// What the program prints; Grace wrote `main`.
const PRINTED: &str = "\
Traceback (most recent call last):
  File \"/srv/app/run.py\", line 4, in <module>
    main()
  File \"/srv/app/shop/cart.py\", line 23, in main
    order('7')
TypeError: '>' not supported between instances of 'str' and 'int'
";

fn main() {
    let rounds = if std::env::args().any(|argument| argument == "--bench") { 1_000 } else { 5 };
    let folder = TempDir::new().unwrap();
    let git = example(folder.path().join("repository"));
    let cold = microseconds(rounds.min(20), || {
        let (mirrors, _scratch) = mirrors(&git);
        candidates(&mirrors);
    });
    let head = add_files(&git);
    let large = microseconds(rounds.min(20), || {
        let (mirrors, _scratch) = mirrors(&git);
        candidates(&mirrors);
    });
    let (mirrors, _scratch) = mirrors(&git);
    let warm = microseconds(rounds, || candidates(&mirrors));
    println!(
        "files that a path may be: {warm:.0} µs; of a new commit {large:.0} µs among {FILES} files, {cold:.0} µs among 2"
    );
    let mut report: Report = wire::traceback::parse(PRINTED).unwrap();
    report.release = Some(head);
    let whole = microseconds(rounds, || analysis(&mirrors, &report));
    println!("analysis of a report: {whole:.0} µs");
}

fn microseconds(rounds: u32, mut work: impl FnMut()) -> f64 {
    work();
    let began = Instant::now();
    (0..rounds).for_each(|_| work());
    began.elapsed().as_secs_f64() * 1e6 / f64::from(rounds)
}

/// Mirrors that know nothing yet of the repository.
fn mirrors(git: &GitRepo) -> (Mirrors, TempDir) {
    let scratch = TempDir::new().unwrap();
    let mirrors = Mirrors::open(scratch.path().to_owned()).unwrap();
    mirrors.borrow(ID, git.git_dir());
    (mirrors, scratch)
}

fn candidates(mirrors: &Mirrors) {
    let head = mirrors.head(ID).unwrap().unwrap().commit;
    let reported: Vec<String> = ["srv", "app", "shop", "cart.py"].map(str::to_owned).into();
    let found = mirrors.candidates(ID, &head, &reported, Search::default()).unwrap();
    assert_eq!(black_box(found)[0].path, "shop/cart.py");
}

fn analysis(mirrors: &Mirrors, report: &Report) {
    let repository = Repository {
        id: ID,
        full_name: RepositoryName::new("acme/shop"),
        clone_url: String::new(),
        github: None,
        public: false,
        default_branch: None,
        head: None,
    };
    let rules = Rules::new(Settings::default(), Vec::new(), Timestamp::UNIX_EPOCH);
    let input = AnalysisInput {
        mirrors: Some(mirrors),
        repository: &repository,
        report,
        rules: &rules,
        deployment: Deployment::default(),
        event_at: Timestamp::UNIX_EPOCH,
        trouble: None,
    };
    let blame = analyze(input).unwrap().attribution.blame;
    let author: Option<Author> = black_box(blame).map(|blame| blame.author);
    assert_eq!(author.map(|author| author.email).as_deref(), Some("grace@example.com"));
}

/// Many files, of which some are called alike.
fn add_files(git: &GitRepo) -> String {
    for n in 0..FILES {
        git.write(&format!("lib/part_{}/file_{n}.py", n % 100), "x = 1\n");
    }
    git.commit(ADA, "2025-11-04T10:00:00Z", &[], "Many files")
}
