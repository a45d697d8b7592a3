//! Making the GitHub App with one click, by GitHub's manifest flow.

use crate::harness::browser::{Browser, Page, between, unescaped};
use crate::harness::fake_github::{CLIENT_SECRET, Fault};
use crate::harness::story::{REPO, Story, run_test};
use app::wiring::Handles;
use jiff::SignedDuration;
use serde_json::Value;

/// A server without an App.
async fn stranger(story: &mut Story) -> Browser {
    for name in ["APP_ID", "PRIVATE_KEY", "WEBHOOK_SECRET", "GITHUB_CLIENT_ID", "GITHUB_CLIENT_SECRET"] {
        story.unset(name);
    }
    story.restart().await;
    Browser::signed_in(story).await
}

/// The text between two others.
/// What the form of the page posts to GitHub: where to, the state, the manifest.
fn form(page: &str) -> (String, String, Value) {
    let form = page.split("<form").find(|form| form.contains("name=\"manifest\"")).expect("the form");
    let action = unescaped(between(form, "action=\"", "\""));
    let (address, state) = action.split_once("?state=").unwrap();
    let manifest = unescaped(between(form, "name=\"manifest\" value=\"", "\">"));
    (address.to_owned(), state.to_owned(), serde_json::from_str(&manifest).unwrap())
}

#[test]
fn a_click_makes_the_app_and_its_first_report_is_filed() {
    run_test(async |story| {
        let admin = stranger(story).await;
        let page = admin.get("/setup").await;
        let (address, state, manifest) = form(&page.text);
        let policy = page.headers["content-security-policy"].to_str().unwrap();
        let github_url = story.git.url("").trim_end_matches("/.git").to_owned();
        assert_eq!(address, format!("{github_url}/settings/apps/new"));
        assert!(policy.contains(&format!("form-action 'self' {github_url}")), "{policy}");
        assert_eq!(manifest["hook_attributes"]["url"], "https://flawless.test/api/github/webhooks");

        let code = story.github.make_app(&manifest);
        let back = admin.get(&format!("/setup/callback?code={code}&state={state}")).await;
        assert_eq!((back.status, back.location.as_str()), (303, "/setup/install"));

        // The same process works as that App at once …
        story.alerted().await;
        // … and so does the next, though the secrets can't be read in the database.
        story.restart().await;
        assert!(story.page("/setup").await.contains("Flawless (test)"));
        story.github.close_issue(REPO, 1, "owner");
        story.settle().await;
        // Webhooks are believed by the stored secret.
        insta::assert_snapshot!(story.transcript(), @"
        acme/shop#1 commented:
            Thanks, owner: resolved as of <Add up carts>. I will open this again only if the error comes
            from a version that contains that commit and was deployed after this: what runs now may lack the
            fix.
        acme/shop#1 status:
            + **1 occurrence** on MOMENT. Resolved on MOMENT as of <Add up carts>.
        ");
        let sealed = store::meta::by_name(&story.services().store, "github_app").await.unwrap().unwrap();
        assert!(!sealed.contains("PRIVATE KEY") && !sealed.contains(CLIENT_SECRET), "{sealed}");
        assert!(sealed.len() > 1_000);
        assert!(story.folder().join("data/secret.key").exists());
    });
}

/// Makes the App; the page that the browser comes to.
async fn made(story: &Story, admin: &Browser) -> Page {
    let (_, state, manifest) = form(&admin.get("/setup").await.text);
    let code = story.github.make_app(&manifest);
    let back = admin.get(&format!("/setup/callback?code={code}&state={state}")).await;
    assert_eq!(back.status, 303, "{}", back.text);
    admin.get(&back.location).await
}

/// Where a page leads by itself.
fn leads_to(page: &Page) -> Option<String> {
    let (_, rest) = page.text.split_once("<meta http-equiv=\"refresh\" content=\"3; url=")?;
    Some(unescaped(rest.split_once('"')?.0))
}

const INSTALL_URL: &str = "https://github.com/apps/flawless-test/installations/new";

#[test]
fn an_app_that_another_server_made_is_known_at_once() {
    run_test(async |story| {
        if !story.is_on_postgres() {
            return;
        }
        let admin = stranger(story).await;
        let other = story.start_process().await;
        let there = admin.at(&other.url);
        assert!(there.get("/setup").await.text.contains("name=\"manifest\""), "there is none yet");
        made(story, &admin).await;
        let page = there.get("/setup/install").await;
        assert!(page.text.contains(INSTALL_URL), "{} {}", page.status, page.text);
        assert!(there.get("/setup").await.text.contains("Flawless (test)"));
    });
}

#[test]
fn the_browser_goes_on_to_install_the_app_once_github_knows_it() {
    run_test(async |story| {
        story.expect_errors();
        let admin = stranger(story).await;
        let mut page = made(story, &admin).await;
        assert!(page.seen().contains("The App is made"), "{}", page.seen());
        assert!(page.text.contains(&format!("href=\"{INSTALL_URL}\"")), "the way on is a link, too: {}", page.text);
        assert!(story.github.requests_of("apps/get-authenticated").is_empty(), "GitHub is given a moment");
        // GitHub does not know it yet, does not answer, and knows it.
        story.github.fail_next("apps/get-authenticated", Fault::status(404, "Integration not found"));
        story.github.fail_next("apps/get-authenticated", Fault::status(401, "Bad credentials"));
        story.github.fail_next("apps/get-authenticated", Fault::Drop);
        for _ in 0..3 {
            page = admin.get(&leads_to(&page).unwrap()).await;
            assert_eq!((page.status, page.location.as_str()), (200, ""), "{}", page.seen());
            let policy = page.headers["content-security-policy"].to_str().unwrap();
            assert!(policy.contains("form-action 'self';") && !policy.contains("script"), "{policy}");
        }
        let page = admin.get(&leads_to(&page).unwrap()).await;
        assert_eq!((page.status, page.location.as_str()), (303, INSTALL_URL));
        assert_eq!(story.github.requests_of("apps/get-authenticated").len(), 4);
    });
}

#[test]
fn an_app_that_github_does_not_know_after_a_minute_is_the_persons_to_go_on_with() {
    run_test(async |story| {
        let admin = stranger(story).await;
        let mut page = made(story, &admin).await;
        for _ in 0..20 {
            story.github.fail_next("apps/get-authenticated", Fault::status(404, "Integration not found"));
        }
        let mut looks = 0;
        while let Some(next) = leads_to(&page) {
            page = admin.get(&next).await;
            looks += 1;
            assert!(looks <= 20, "it looks without end");
        }
        assert_eq!(looks, 20);
        assert!(page.seen().contains("does not know the App yet"), "{}", page.seen());
        assert!(page.text.contains(&format!("href=\"{INSTALL_URL}\"")), "{}", page.text);
        assert!(page.text.contains("href=\"/setup/install\""), "or it looks again");
        // Whatever number stands in the address.
        story.github.fail_next("apps/get-authenticated", Fault::status(404, "Integration not found"));
        let page = admin.get("/setup/install?look=4294967295").await;
        assert_eq!((page.status, leads_to(&page)), (200, None));
        assert_eq!(admin.get("/setup/install?look=-1").await.status, 400);
    });
}

#[test]
fn without_an_app_of_the_setup_pages_there_is_nothing_to_install() {
    run_test(async |story| {
        let configured = Browser::signed_in(story).await;
        assert_eq!(configured.get("/setup/install").await.location, "/setup");
        let admin = stranger(story).await;
        assert_eq!(admin.get("/setup/install?look=1").await.location, "/setup");
    });
}

#[test]
fn an_organization_can_own_it_and_its_name_leads_nowhere_else() {
    run_test(async |story| {
        let admin = stranger(story).await;
        let page = admin.get("/setup?organization=acme").await;
        let github_url = story.git.url("").trim_end_matches("/.git").to_owned();
        assert_eq!(form(&page.text).0, format!("{github_url}/organizations/acme/settings/apps/new"));
        let page = admin.get("/setup?organization=..%2F..%2Fevil").await;
        assert_eq!(form(&page.text).0, format!("{github_url}/settings/apps/new"));
        assert!(page.text.contains("letters, digits and hyphens"));
    });
}

#[test]
fn an_answer_that_nobody_here_asked_for_makes_nothing() {
    run_test(async |story| {
        let admin = stranger(story).await;
        let (_, state, manifest) = form(&admin.get("/setup").await.text);
        let code = story.github.make_app(&manifest);
        let nobody = Browser::new(story);
        let path = format!("/setup/callback?code={code}&state={state}");
        assert!(nobody.get(&path).await.location.contains("/login"), "signing in comes first");
        // Of another session, of nobody's, and of an hour ago.
        story.clock.advance(SignedDuration::from_millis(1));
        let other = Browser::signed_in(story).await;
        assert_eq!(other.get(&path).await.status, 403);
        assert_eq!(admin.get(&format!("/setup/callback?code={code}&state=9999999999999.abcd")).await.status, 403);
        assert_eq!(admin.get(&format!("/setup/callback?code={code}")).await.status, 403);
        story.clock.advance(SignedDuration::from_hours(1));
        assert_eq!(admin.get(&path).await.status, 403);
        assert!(story.github.requests_of("apps/create-from-manifest").is_empty());
        assert!(story.services().github_app.get().is_none());
    });
}

#[test]
fn a_code_works_once_and_a_github_that_is_down_can_be_asked_again() {
    run_test(async |story| {
        let admin = stranger(story).await;
        let (_, state, manifest) = form(&admin.get("/setup").await.text);
        let unknown = admin.get(&format!("/setup/callback?code=used-up&state={state}")).await;
        assert_eq!(unknown.status, 400);
        assert!(unknown.text.contains("it works once, and for an hour"), "{}", unknown.text);

        let code = story.github.make_app(&manifest);
        let path = format!("/setup/callback?code={code}&state={state}");
        story.github.fail_next("apps/create-from-manifest", Fault::status(502, "Bad Gateway"));
        let down = admin.get(&path).await;
        assert!(down.text.contains("Load this page again within the hour"), "{}", down.text);
        assert_eq!(admin.get(&path).await.status, 303);
        assert_eq!(admin.get(&path).await.location, "/setup", "the browser's second visit harms nothing");
    });
}

#[test]
fn it_can_be_forgotten_by_the_form_only() {
    run_test(async |story| {
        let admin = stranger(story).await;
        let (_, state, manifest) = form(&admin.get("/setup").await.text);
        let code = story.github.make_app(&manifest);
        admin.get(&format!("/setup/callback?code={code}&state={state}")).await;
        let page = admin.get("/setup").await;
        assert!(page.text.contains("https://github.com/apps/flawless-test/installations/new"));
        assert_eq!(admin.post("/setup/forget", &[("csrf", "forged")]).await.status, 403);
        assert!(story.services().github_app.get().is_some());
        let form = page.text.split("<form").find(|form| form.contains("/setup/forget")).unwrap();
        let csrf = between(form, "name=\"csrf\" value=\"", "\"");
        assert_eq!(admin.post("/setup/forget", &[("csrf", csrf)]).await.status, 303);
        assert!(story.services().github_app.get().is_none());
        story.restart().await;
        assert!(story.services().github_app.get().is_none());
    });
}

#[test]
fn a_configured_app_wins() {
    run_test(async |story| {
        let page = story.page("/setup").await;
        assert!(page.contains("APP_ID") && !page.contains("name=\"manifest\""), "{page}");
    });
}

#[test]
fn a_key_that_was_lost_stops_no_report_and_is_said() {
    run_test(async |story| {
        let admin = stranger(story).await;
        let (_, state, manifest) = form(&admin.get("/setup").await.text);
        let code = story.github.make_app(&manifest);
        admin.get(&format!("/setup/callback?code={code}&state={state}")).await;
        story.install().await;
        story.expect_errors();
        let key = story.folder().join("data/secret.key");
        let text = std::fs::read_to_string(&key).unwrap();
        std::fs::remove_file(&key).unwrap();
        story.restart().await;
        story.fails(1).await;
        // Mail needs no App.
        insta::assert_snapshot!(story.transcript(), @"
        mail to ada@example.com: [acme/shop] KeyError in total (shop/cart.py:9)
            You wrote this line.
        ");
        let page = story.page("/setup").await;
        assert!(page.contains("The App that was made can't be used") && page.contains("secret.key"), "{page}");
        // The key is found again: what waited is filed.
        std::fs::write(&key, text).unwrap();
        story.restart().await;
        story.later(SignedDuration::from_mins(20)).await;
        insta::assert_snapshot!(story.transcript(), @"
        acme/shop#1 opened: KeyError in total (shop/cart.py) [flawless]
        acme/shop#1 assigned to ada
        ");
    });
}

#[test]
fn another_process_hears_of_the_app_that_was_made() {
    run_test(async |story| {
        let admin = stranger(story).await;
        let (other, _) = Handles::open(&story.config(), &story.clock).await.unwrap();
        assert!(other.github_app.get().is_none());
        let (_, state, manifest) = form(&admin.get("/setup").await.text);
        let code = story.github.make_app(&manifest);
        admin.get(&format!("/setup/callback?code={code}&state={state}")).await;
        other.github_app.reload().await.unwrap();
        assert!(other.github_app.get().is_some());
        story.services().github_app.forget().await.unwrap();
        other.github_app.reload().await.unwrap();
        assert!(other.github_app.get().is_none());
    });
}
