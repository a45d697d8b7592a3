//! Who is told where a commit's author says of nobody who it was: programs that write for others,
//! machines' addresses, and addresses that nobody reads.

use crate::harness::browser::squeezed;
use crate::harness::fake_github::CommitAuthor;
use crate::harness::git_repo::{ADA, LINUS};
use crate::harness::story::{CART, CART_PATH, REPO, Story, run_test};

const DAY: &str = "2026-02-01T10:00:00Z";
const MESSAGE: &str = "Strip names\n\nCo-authored-by: Copilot <198982749+Copilot@users.noreply.github.com>\n\
                       Co-authored-by: Linus Torvalds <linus@example.com>";

/// The failing line, changed by somebody.
fn strip(story: &mut Story, person: &str, message: &str) -> String {
    let text = CART.replace("PRICES[sku]", "PRICES[sku.strip()]");
    let sha = story.repo.commit(person, DAY, &[(CART_PATH, &text)], message);
    story.github.set_commit_author(REPO, &sha, CommitAuthor::Null);
    sha
}

async fn fail(story: &mut Story) {
    story.install().await;
    story.cart_fails_at("PRICES[sku.strip()]").await;
}

/// Whom the only mail went to, and its words on why.
fn told(story: &mut Story) -> (String, String) {
    let text = story.transcript();
    let mail = text.lines().find_map(|line| line.strip_prefix("mail to ")).unwrap_or_default();
    let to = mail.split(':').next().unwrap_or_default().to_owned();
    (to, text.split_whitespace().collect::<Vec<_>>().join(" "))
}

#[test]
fn what_a_program_wrote_is_told_to_the_person_who_wrote_it_with_it() {
    run_test(async |story| {
        strip(story, "Claude <noreply@anthropic.com>", MESSAGE);
        fail(story).await;
        let (to, words) = told(story);
        assert_eq!(to, "linus@example.com");
        assert!(words.contains("whom the commit names as co-author. Passed over: Claude (a bot)."), "{words}");
    });
}

#[test]
fn a_co_author_goes_before_who_opened_or_merged_the_pull_request() {
    run_test(async |story| {
        let sha = strip(story, "Cursor Agent <cursoragent@cursor.com>", MESSAGE);
        story.github.merge_pull(REPO, "grace", "owner", "Strip names", &[&sha]);
        story.github.writes_as("grace", "Grace Hopper", "grace@example.com");
        fail(story).await;
        assert_eq!(told(story).0, "linus@example.com");
    });
}

#[test]
fn a_machines_commit_is_told_to_who_opened_its_pull_request() {
    run_test(async |story| {
        let sha = strip(story, "root <root@web1>", "Strip names");
        story.github.merge_pull(REPO, "grace", "owner", "Strip names", &[&sha]);
        story.github.writes_as("grace", "Grace Hopper", "grace@example.com");
        fail(story).await;
        let (to, words) = told(story);
        assert_eq!(to, "grace@example.com");
        assert!(words.contains("Passed over: root (a machine's address)."), "{words}");
    });
}

#[test]
fn the_settings_name_further_programs() {
    run_test(async |story| {
        let settings = "bots: ['Release Gnome']\n";
        story.repo.commit(ADA, "2026-01-06T10:00:00Z", &[(".github/flawless.yml", settings)], "Configure");
        strip(story, "release-gnome <gnome@acme.dev>", MESSAGE);
        fail(story).await;
        assert_eq!(told(story).0, "linus@example.com");
    });
}

#[test]
fn an_address_that_nobody_reads_is_replaced_by_the_same_persons() {
    for hidden in [
        "Linus Torvalds <linus@thinkpad.local>",
        "Linus Torvalds <77+linust@users.noreply.github.com>",
        "Linus Torvalds <root@(none)>",
    ] {
        run_test(async |story| {
            story.repo.commit(LINUS, "2026-01-06T10:00:00Z", &[("shop/x.py", "X = 1\n")], "Go on");
            story.github.add_user(77, "linust");
            story.github.set_assignable(REPO, &["ada", "grace", "linus", "linust", "owner"]);
            strip(story, hidden, "Strip names");
            fail(story).await;
            let (to, words) = told(story);
            assert_eq!(to, "linus@example.com", "{hidden}");
            assert!(words.contains("You wrote this line."), "{words}");
        });
    }
}

#[test]
fn a_namesake_is_not_written_to() {
    run_test(async |story| {
        for (email, file) in [("grace@acme.dev", "shop/x.py"), ("hopper@acme.dev", "shop/y.py")] {
            let person = format!("Grace Hopper <{email}>");
            story.repo.commit(&person, "2026-01-06T10:00:00Z", &[(file, "X = 1\n")], "Go on");
        }
        strip(story, "Grace Hopper <grace@laptop>", MESSAGE);
        fail(story).await;
        let (to, words) = told(story);
        assert_eq!(to, "linus@example.com", "her co-author instead");
        assert!(words.contains("Grace Hopper (a machine's address)"), "{words}");
    });
}

#[test]
fn who_only_squashed_what_a_program_opened_is_asked_after_who_wrote_it() {
    run_test(async |story| {
        story.github.add_account(198_982_749, "Copilot", "Bot");
        story.repo.write(CART_PATH, &CART.replace("PRICES[sku]", "PRICES[sku.strip()]"));
        story.repo.git(&["add", "--all"]);
        let message = MESSAGE.replace("Strip names", "Strip names (#1)").replace("Linus Torvalds", "Linus");
        let message = message.replace("linus@example.com", "barbara@example.com");
        let squash = ["commit", "--quiet", "--message", &message, "--author", LINUS];
        story.repo.git_as("GitHub <noreply@github.com>", DAY, &squash);
        let sha = story.repo.head();
        story.github.set_commit_author(REPO, &sha, CommitAuthor::Login("linus".to_owned()));
        assert_eq!(story.github.merge_pull(REPO, "Copilot", "linus", "Strip names", &[&sha]), 1);
        fail(story).await;
        assert_eq!(told(story).0, "barbara@example.com");
    });
}

/// A report of which no line is the repository's.
async fn fails_elsewhere(story: &mut Story) {
    fails_elsewhere_in(story, "wsgi_app").await;
}

async fn fails_elsewhere_in(story: &mut Story, function: &str) {
    let mut event = story.event();
    let frames = event.pointer_mut("/exception/values/0/stacktrace/frames").unwrap().as_array_mut().unwrap();
    frames.pop();
    frames.last_mut().unwrap()["function"] = function.into();
    story.report(&event).await;
    story.report(&event).await;
}

const OUTSIDE: &str = "/srv/venv/lib/python3.12/site-packages/flask/app.py:1511";

#[test]
fn what_nobody_else_can_be_told_of_goes_once_to_who_runs_the_server() {
    run_test(async |story| {
        story.set("OPERATOR_EMAIL", "ops@acme.dev");
        story.restart().await;
        story.install().await;
        fails_elsewhere(story).await;
        let text = story.unread_text();
        insta::assert_snapshot!(story.transcript(), @"
        mail to ops@acme.dev: [acme/shop] KeyError in wsgi_app (/srv/venv/lib/python3.12/site-packages/flask/app.py:1511)
            Nobody of acme/shop can be told of this error, so it comes to you, once, as who runs this server
            (OPERATOR_EMAIL). Set email.default_contact in the repository's .github/flawless.yml: what is
            nobody's goes there from then on.
        acme/shop#1 opened: KeyError in wsgi_app (/srv/venv/lib/python3.12/site-packages/flask/app.py) [flawless]
        ");
        assert!(text.contains("OPERATOR_EMAIL"), "{text}");
        let page = squeezed(&story.page("/acme/shop").await);
        let said = "Told: who runs this server, because no author is known";
        assert!(text.contains(said) && !text.contains("Told to nobody"), "{text}");
        assert!(page.contains("1 open line was told to nobody"), "{page}");
        assert!(page.contains("It went to who runs this server (OPERATOR_EMAIL)."), "{page}");
        assert!(page.contains("KeyError at <a") && page.contains(&format!(">{OUTSIDE}</a>")), "{page}");
    });
}

#[test]
fn what_was_told_to_nobody_stands_on_the_page_and_in_the_check() {
    run_test(async |story| {
        story.install().await;
        fails_elsewhere(story).await;
        story.fails(1).await;
        let page = squeezed(&story.page("/acme/shop").await);
        assert!(page.contains("1 open line was told to nobody"), "{page}");
        assert!(page.contains("Set <code>email.default_contact</code> in <code>.github/flawless.yml</code>"), "{page}");
        assert!(!page.contains("Who runs this server"), "{page}");
        let doctor = squeezed(&story.page("/doctor").await);
        assert!(doctor.contains("1 open line was told to nobody"), "{doctor}");
        assert!(doctor.contains("or OPERATOR_EMAIL"), "{doctor}");
        assert!(story.transcript().contains("mail to ada@example.com"));
    });
}

#[test]
fn page_and_doctor_say_what_went_to_who_runs_the_server_and_what_to_nobody() {
    run_test(async |story| {
        story.install().await;
        for function in ["dispatch_request", "full_dispatch_request"] {
            fails_elsewhere_in(story, function).await;
        }
        story.set("OPERATOR_EMAIL", "ops@acme.dev");
        story.restart().await;
        fails_elsewhere(story).await;
        // By what was sent for each, not by who runs it today.
        let said = "3 open lines were told to nobody";
        let went = "1 of them went to who runs this server (OPERATOR_EMAIL); 2 went to nobody.";
        for path in ["/acme/shop", "/doctor"] {
            let page = squeezed(&story.page(path).await);
            assert!(page.contains(said) && page.contains(went), "{path}: {page}");
        }
        let text = story.transcript();
        assert_eq!(text.matches("mail to ").count(), 1, "{text}");
    });
}

#[test]
fn where_somebody_is_told_who_runs_the_server_is_not() {
    run_test(async |story| {
        story.set("OPERATOR_EMAIL", "ops@acme.dev");
        story.restart().await;
        let settings = "watchers: [{ email: lead@acme.dev, path: shop, all_errors: true }]\n";
        story.commit(ADA, "2026-01-06T10:00:00Z", &[(".github/flawless.yml", settings)], "Configure");
        story.install().await;
        story.fails(1).await;
        let text = story.transcript();
        assert!(text.contains("mail to lead@acme.dev") && !text.contains("ops@acme.dev"), "{text}");
        let page = story.page("/acme/shop").await;
        assert!(!page.contains("told to nobody"), "{page}");
    });
}
