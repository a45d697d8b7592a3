//! Handing on: who got a line by a reassignment gets the author's next lines of that file, until
//! somebody ends it.

use crate::harness::browser::{Browser, link_in, squeezed};
use crate::harness::git_repo::{ADA, GRACE};
use crate::harness::story::{CART_PATH, REPO, Story, run_test};
use domain::names::Login;
use jiff::SignedDuration;

/// Two more lines of Ada's in the same file, and one of Grace's.
const MORE: &str = "\
def count(items):
    return len(items)


def first(items):
    return items[0]


def last(items):
    return items[-1]
";
const GRACES: &str = "

def middle(items):
    return items[len(items) // 2]
";
/// What people read of the first line.
const COUNT_TOLD: &str = "\
mail to ada@example.com: [acme/shop] KeyError in count (shop/cart.py:2)
    You wrote this line.
acme/shop#1 opened: KeyError in count (shop/cart.py) [flawless]
acme/shop#1 assigned to ada
";
/// What people read of the next one, where Ada is told of it.
const FIRST_TOLD: &str = "\
mail to ada@example.com: [acme/shop] KeyError in first (shop/cart.py:6)
    You wrote this line.
acme/shop#2 opened: KeyError in first (shop/cart.py) [flawless]
acme/shop#2 assigned to ada
";
const LATER: SignedDuration = SignedDuration::from_hours(1);

/// Ada's file with Grace's function, the first of Ada's lines told of. The mail's text.
async fn stage(story: &mut Story) -> String {
    let ada = story.commit(ADA, "2026-02-01T10:00:00Z", &[(CART_PATH, MORE)], "Count");
    let grace = story.commit(GRACE, "2026-02-02T10:00:00Z", &[(CART_PATH, &format!("{MORE}{GRACES}"))], "Middle");
    assert_ne!(ada, grace);
    story.install().await;
    story.fails_at(CART_PATH, "len(items)", "count").await;
    let text = story.unread_text();
    assert_eq!(story.transcript(), COUNT_TOLD);
    text
}

/// Ada's next line fails, and she is told of it: nobody was handed it.
async fn assert_ada_is_told_of_the_next(story: &mut Story) {
    story.fails_at(CART_PATH, "items[0]", "first").await;
    assert_eq!(story.transcript(), FIRST_TOLD);
}

/// Somebody reassigns the first issue, and an hour goes by.
async fn reassign(story: &mut Story, to: &str, by: &str) {
    story.github.assign(REPO, 1, to, by);
    story.settle().await;
    let noted = format!("acme/shop#1 commented:\n    Noted, {by}: this line belongs to {to} from now on");
    let read = story.transcript();
    assert!(read.starts_with(&noted) && read.matches("acme/shop").count() == 2, "the comment and the status: {read}");
    story.later(LATER).await;
}

/// What is remembered: to whom, whether in force, how often used.
async fn remembered(story: &Story) -> Vec<(Option<String>, bool, u64)> {
    let store = &story.services().store;
    let id = story.repository().await.repository.id;
    let rows = store::handovers::of_repository(store, id, 10).await.unwrap();
    rows.into_iter().map(|row| (row.made.to.name().map(str::to_owned), row.ended.is_none(), row.used)).collect()
}

#[test]
fn the_next_line_of_the_same_author_and_file_goes_to_whom_the_issue_was_given() {
    run_test(async |story| {
        stage(story).await;
        story.github.writes_as("linus", "Linus Torvalds", "linus@example.com");
        reassign(story, "linus", "ada").await;
        story.fails_at(CART_PATH, "items[0]", "first").await;
        let text = squeezed(&story.unread_text());
        insta::assert_snapshot!(story.transcript(), @"
        mail to linus@example.com: [acme/shop] KeyError in first (shop/cart.py:6)
            Ada Lovelace handed shop/cart.py on to you on DAY, so this line is yours.
        acme/shop#2 opened: KeyError in first (shop/cart.py) [flawless]
        acme/shop#2 assigned to linus
        ");
        let on = (story.clock.now() - LATER).date();
        for sentence in [
            format!("Ada Lovelace handed {CART_PATH} on to you on {on}, so this line is yours."),
            format!("Ada Lovelace handed {CART_PATH} on to Linus Torvalds on {on}, so Linus Torvalds is told."),
        ] {
            assert!(text.contains(&sentence), "{sentence:?} in\n{text}");
        }
        assert_eq!(remembered(story).await, [(Some("linus".to_owned()), true, 1)]);
        story.fails_at(CART_PATH, "// 2", "middle").await;
        // Another author's.
        insta::assert_snapshot!(story.transcript(), @"
        mail to grace@example.com: [acme/shop] KeyError in middle (shop/cart.py:14)
            You wrote this line.
        acme/shop#3 opened: KeyError in middle (shop/cart.py) [flawless]
        acme/shop#3 assigned to grace
        ");
        reassign(story, "ada", "linus").await;
        assert_eq!(remembered(story).await, [(Some("linus".to_owned()), false, 1)]);
        story.fails_at(CART_PATH, "items[-1]", "last").await;
        // She has it back.
        insta::assert_snapshot!(story.transcript(), @"
        mail to ada@example.com: [acme/shop] KeyError in last (shop/cart.py:10)
            You wrote this line.
        acme/shop#4 opened: KeyError in last (shop/cart.py) [flawless]
        acme/shop#4 assigned to ada
        ");
    });
}

#[test]
fn who_else_may_hand_on_a_part_is_named_and_the_latest_word_counts() {
    run_test(async |story| {
        stage(story).await;
        story.github.writes_as("linus", "Linus Torvalds", "linus@example.com");
        reassign(story, "grace", "owner").await;
        reassign(story, "linus", "owner").await;
        story.fails_at(CART_PATH, "items[0]", "first").await;
        let text = squeezed(&story.unread_text());
        insta::assert_snapshot!(story.transcript(), @"
        mail to linus@example.com: [acme/shop] KeyError in first (shop/cart.py:6)
            owner handed what Ada Lovelace wrote in shop/cart.py on to you on DAY, so this line is yours.
        acme/shop#2 opened: KeyError in first (shop/cart.py) [flawless]
        acme/shop#2 assigned to linus
        ");
        assert!(text.contains(&format!("owner handed what Ada Lovelace wrote in {CART_PATH} on to you on")), "{text}");
        let linus = (Some("linus".to_owned()), true, 1);
        assert_eq!(remembered(story).await, [linus, (Some("grace".to_owned()), false, 0)]);
    });
}

#[test]
fn a_forged_or_repeated_webhook_a_bot_and_an_unassignment_hand_nothing_on() {
    run_test(async |story| {
        stage(story).await;
        let url = format!("{}/api/github/webhooks", story.url());
        story.github.unassign(REPO, 1, "ada", "owner");
        story.settle().await;
        assert_eq!(remembered(story).await, []);
        story.github.assign(REPO, 1, "linus", "ada");
        let sent = story.github.deliver(&url).await;
        story.settle().await;
        insta::assert_snapshot!(story.transcript(), @"
        acme/shop#1 commented:
            Noted, ada: this line belongs to linus from now on, here and in the weekly report.
        acme/shop#1 status:
            + **1 occurrence** on MOMENT. Open. It belongs to linus.
        ");
        let store = &story.services().store;
        let row = story.repository().await;
        let made = store::handovers::of_repository(store, row.repository.id, 10).await.unwrap().remove(0).made.id;
        let now = story.clock.now();
        assert!(store::handovers::end(store, row.repository.id, made, "grace", now).await.unwrap());
        assert!(!store::handovers::end(store, row.repository.id, made, "grace", now).await.unwrap(), "it had ended");
        assert_eq!(story.github.redeliver(&url, &sent[0].id).await, 200);
        let forged = reqwest::Client::new()
            .post(&url)
            .header("x-github-event", "issues")
            .header("x-github-delivery", "forged")
            .header("x-hub-signature-256", "sha256=00")
            .body("{}")
            .send()
            .await
            .unwrap();
        assert_eq!(forged.status(), 401);
        story.settle().await;
        assert_eq!(remembered(story).await, [(Some("linus".to_owned()), false, 0)], "what was ended stays ended");
        assert_ada_is_told_of_the_next(story).await;
    });
}

#[test]
fn what_was_told_before_the_handover_stays_told_to_whom_it_was() {
    run_test(async |story| {
        stage(story).await;
        assert_ada_is_told_of_the_next(story).await;
        story.later(LATER).await;
        reassign(story, "linus", "ada").await;
        story.fails_at(CART_PATH, "items[0]", "first").await;
        story.assert_silent("it was told once");
        let lines = story.lines().await;
        let first = lines.iter().find(|line| line.place.function == "first").unwrap();
        assert_eq!((first.owner_login.as_ref().map(Login::as_str), first.total), (None, 2));
        assert_eq!(remembered(story).await, [(Some("linus".to_owned()), true, 0)]);
    });
}

#[test]
fn a_repositorys_page_lists_its_handovers_and_ends_them() {
    run_test(async |story| {
        stage(story).await;
        let browser = Browser::signed_in(story).await;
        let path = format!("/{REPO}/handovers");
        assert!(browser.get(&path).await.seen().contains("Nothing was handed on"));
        assert!(browser.get(&format!("/{REPO}")).await.text.contains(&path), "it is linked");
        reassign(story, "linus", "ada").await;
        let page = browser.get(&path).await;
        let seen = page.seen();
        for words in ["in force", CART_PATH, "lines of Ada Lovelace", "linus", "for 0 lines"] {
            assert!(seen.contains(words), "{words:?} in {seen}");
        }
        let csrf = page.hidden("csrf");
        let id = page.hidden("handover");
        let forged = [("csrf", "nothing"), ("repo", REPO), ("handover", id.as_str())];
        assert_eq!(browser.post("/handovers/end", &forged).await.status, 403);
        assert_eq!(remembered(story).await, [(Some("linus".to_owned()), true, 0)], "no form of ours");
        let form = [("csrf", csrf.as_str()), ("repo", REPO), ("handover", id.as_str())];
        let page = browser.post("/handovers/end", &form).await;
        assert_eq!((page.status, page.location), (303, path.clone()));
        assert_eq!(browser.post("/handovers/end", &form).await.status, 303, "twice is once");
        assert!(browser.get(&path).await.seen().contains("ended"));
        assert_ada_is_told_of_the_next(story).await;
    });
}

#[test]
fn the_share_of_accepted_alerts_is_counted_by_repository() {
    run_test(async |story| {
        stage(story).await;
        let browser = Browser::signed_in(story).await;
        assert!(browser.get("/doctor").await.text.contains("/verdicts"), "it is linked");
        assert!(
            browser.get("/verdicts").await.seen().contains("No alert counts yet."),
            "silence of a minute is no answer"
        );
        assert_ada_is_told_of_the_next(story).await;
        reassign(story, "linus", "ada").await;
        assert_row(&browser, "1 0 1 0 %").await;
        story.later(SignedDuration::from_hours(24)).await;
        assert_row(&browser, "2 1 1 50 %").await;
        let store = &story.services().store;
        let id = story.repository().await.repository.id;
        let made = store::handovers::of_repository(store, id, 10).await.unwrap().remove(0).made.id;
        store::handovers::end(store, id, made, "grace", story.clock.now()).await.unwrap();
        assert_row(&browser, "2 1 1 50 %").await;
        reassign(story, "grace", "linus").await;
        reassign(story, "ada", "grace").await;
        assert_row(&browser, "2 2 0 100 %").await;
    });
}

/// The repository's row of the page: alerts, accepted, refused, share.
async fn assert_row(browser: &Browser, row: &str) {
    let seen = browser.get("/verdicts").await.seen();
    assert!(seen.contains(&format!("{REPO} {row}")), "{row} in {seen}");
}

#[test]
fn not_me_out_of_the_mail_passes_the_author_over_or_names_somebody() {
    run_test(async |story| {
        story.github.writes_as("linus", "Linus Torvalds", "linus@example.com");
        let text = stage(story).await;
        let link = link_in(&text, "/not_me?");
        let browser = Browser::new(story);
        let page = browser.get(&link).await;
        assert!(page.seen().contains("New lines by Ada Lovelace in shop/cart.py"), "{}", page.seen());
        assert_eq!(remembered(story).await, [], "looking changes nothing");
        let names = ["repo", "filename", "function_name", "line_number", "text", "expires", "signature", "line_id"];
        let hidden = names.map(|name| (name, page.hidden(name)));
        let send = async |who: &str, path: &str| {
            let mut fields: Vec<(&str, &str)> = hidden.iter().map(|(name, value)| (*name, value.as_str())).collect();
            fields[1].1 = path;
            fields.push(("who", who));
            browser.post("/not_me", &fields).await
        };
        assert_eq!(send("", "shop/other.py").await.status, 403, "the link is for its line");
        for (who, why) in [("Linus Torvalds", "neither a login nor an address"), ("ada", "ada wrote this line")] {
            let page = send(who, CART_PATH).await;
            assert!(page.status == 400 && page.seen().contains(why), "{} {}", page.status, page.seen());
        }
        assert_eq!(remembered(story).await, []);
        assert_eq!(send("", CART_PATH).await.status, 200);
        assert_eq!(send("", CART_PATH).await.status, 200, "twice is once");
        assert_eq!(remembered(story).await, [(None, true, 0)]);
        story.later(LATER).await;
        story.fails_at(CART_PATH, "items[0]", "first").await;
        let text = squeezed(&story.unread_text());
        // Who else changed the file.
        insta::assert_snapshot!(story.transcript(), @"
        mail to grace@example.com: [acme/shop] KeyError in first (shop/cart.py:6)
            You are told as somebody who changed this file most often in the last year. Passed over: Ada
            Lovelace (the reader of a mail said on DAY that shop/cart.py is not theirs).
        acme/shop#2 opened: KeyError in first (shop/cart.py) [flawless]
        acme/shop#2 assigned to grace
        ");
        assert!(text.contains("Ada Lovelace (the reader of a mail said on"), "{text}");
        assert_eq!(send("@linus", CART_PATH).await.status, 200);
        story.later(LATER).await;
        story.fails_at(CART_PATH, "items[-1]", "last").await;
        let text = squeezed(&story.unread_text());
        insta::assert_snapshot!(story.transcript(), @"
        mail to linus@example.com: [acme/shop] KeyError in last (shop/cart.py:10)
            the reader of a mail handed what Ada Lovelace wrote in shop/cart.py on to you on DAY, so this
            line is yours.
        acme/shop#3 opened: KeyError in last (shop/cart.py) [flawless]
        acme/shop#3 assigned to linus
        acme/shop#1 status:
            + **1 occurrence** on MOMENT. Open. It belongs to linus.
        ");
        assert!(
            text.contains("the reader of a mail handed what Ada Lovelace wrote in shop/cart.py on to you"),
            "{text}"
        );
        assert_eq!(remembered(story).await, [(Some("linus".to_owned()), true, 1), (None, false, 1)]);
    });
}

#[test]
fn a_link_alone_has_nobody_told_whom_nobody_knows() {
    run_test(async |story| {
        let text = stage(story).await;
        let link = link_in(&text, "/not_me?");
        let stranger = Browser::new(story);
        let send = async |browser: &Browser, who: &str| {
            let form = browser.get(&link).await;
            assert_eq!(form.status, 200, "{}", form.text);
            let fields = form.fields();
            let kept = fields.iter().filter(|(name, _)| name != "who");
            let kept = kept.map(|(name, value)| (name.as_str(), value.as_str())).chain([("who", who)]);
            browser.post("/not_me", &kept.collect::<Vec<_>>()).await
        };
        for who in ["stranger@evil.example", "stranger"] {
            let page = send(&stranger, who).await;
            let why = format!("Nobody called {who} is known in {REPO}: sign in to name somebody new.");
            assert!(page.status == 403 && page.seen().contains(&why), "{} {}", page.status, page.seen());
            assert!(page.text.contains("/login?next=%2Fnot_me"), "the way in is shown: {}", page.text);
        }
        assert_eq!(remembered(story).await, []);
        assert_ada_is_told_of_the_next(story).await;
        // Who commits, and whom GitHub lets be assigned, is known.
        for who in ["Grace@Example.com", "@linus"] {
            assert_eq!(send(&stranger, who).await.status, 200, "{who}");
        }
        let admin = Browser::signed_in(story).await;
        let seen = admin.get(&format!("/{REPO}/handovers")).await.seen();
        assert!(seen.contains("linus From the reader of a mail"), "{seen}");
        assert!(story.logged().contains("an author's lines of a file were handed on"), "the log says it, too");
        // Who signs in names whom they want.
        assert_eq!(send(&admin, "stranger@evil.example").await.status, 200);
        let stranger = Some("stranger@evil.example".to_owned());
        assert_eq!(remembered(story).await[0], (stranger, true, 0));
        story.settle().await;
        story.transcript();
    });
}

#[test]
fn whom_a_line_was_given_to_is_mailed_when_it_is_back() {
    run_test(async |story| {
        story.github.writes_as("linus", "Linus Torvalds", "linus@example.com");
        let page = link_in(&stage(story).await, "/not_me?");
        let browser = Browser::new(story);
        let fields = browser.get(&page).await.fields();
        let kept = fields.iter().filter(|(name, _)| name != "who");
        let kept = kept.map(|(name, value)| (name.as_str(), value.as_str())).chain([("who", "@linus")]);
        assert_eq!(browser.post("/not_me", &kept.collect::<Vec<_>>()).await.status, 200);
        let fix = story.commit(GRACE, "2026-02-03T10:00:00Z", &[("README.md", "fixes #1\n")], "Fix it, fixes #1");
        story.github.close_issue_by(REPO, 1, "grace", &fix);
        story.settle().await;
        drop(story.transcript());
        let event = story.event_at(&fix, CART_PATH, "len(items)", "count", "web-1");
        story.report(&event).await;
        let told = story.transcript();
        assert!(
            told.starts_with("mail to linus@example.com: [acme/shop] KeyError in count (shop/cart.py:2)"),
            "{told}"
        );
        assert!(!told.contains("mail to ada@"), "{told}");
    });
}
