//! Who may do what: every route for everybody, and signing in with GitHub.

use crate::harness::browser::{Browser, Page, link_in};
use crate::harness::fake_github::Fault;
use crate::harness::scenes::MINUTE;
use crate::harness::story::{CART_PATH, REPO, Story, run_test};
use app::services::own_routes::{FIRST_PARTS, OF_TWO_PARTS};
use domain::timestamp::DAY;
use jiff::SignedDuration;
use std::collections::BTreeSet;
use std::path::Path;

/// A repository that nobody of the story's people but one may see.
const OTHER: &str = "acme/vault";

/// Signs somebody in, as a browser does it.
async fn signed_in(story: &Story, login: &str) -> Browser {
    let mut browser = Browser::new(story);
    let page = sign_in(story, &mut browser, login, "/").await;
    assert_eq!((page.status, page.location.as_str()), (303, "/"), "{}", page.seen());
    browser
}

/// From our button to GitHub's page and back; the last page. The browser keeps what it is given.
async fn sign_in(story: &Story, browser: &mut Browser, login: &str, next: &str) -> Page {
    let page = browser.get(&format!("/auth/github?next={next}")).await;
    assert_eq!(page.status, 303, "{}", page.text);
    browser.cookie = Some(page.set_cookie.split(';').next().unwrap().to_owned());
    let back = story.github.authorize(&page.location, login);
    let page = browser.get(back.strip_prefix("https://flawless.test").unwrap()).await;
    let cookies = page.headers.get_all("set-cookie").iter().map(|value| value.to_str().unwrap());
    browser.cookie = cookies
        .filter(|cookie| cookie.starts_with("flawless_session="))
        .map(|cookie| cookie.split(';').next().unwrap().to_owned())
        .next();
    page
}

/// A repository with an alert, another one, and people of every kind. The mail's text.
async fn stage(story: &mut Story) -> String {
    story.github.add_repository(OTHER, true);
    story.git.host.serve(OTHER, story.repo.git_dir());
    story.github.install("acme", &[REPO, OTHER]);
    for (login, repository, role) in
        [("ada", REPO, "read"), ("grace", REPO, "triage"), ("linus", REPO, "write"), ("owner", OTHER, "admin")]
    {
        story.github.set_role(login, repository, role);
    }
    story.settle().await;
    story.fails(1).await;
    let text = story.unread_text();
    story.assert_usual_alert();
    text
}

/// What everybody gets at a route: anonymous, the admin, somebody who may read, triage, write, and
/// a member of another repository. 303 leads an anonymous reader to the sign-in page.
type Answers = [u16; 6];

/// What everybody gets at a page, by the README's word for who may see it. Of many repositories one
/// sees one's own; a single one that one may not see is not there.
const PROMISED: &[(&str, bool, Answers)] = &[
    //      of one repository                              anon admin read triage write other
    ("anyone", false, /*                               */ [200, 200, 200, 200, 200, 200]),
    ("anybody signed in", false, /*                    */ [303, 200, 200, 200, 200, 200]),
    ("read", false, /*                                 */ [303, 200, 200, 200, 200, 200]),
    ("read", true, /*                                  */ [303, 200, 200, 200, 200, 404]),
    ("write", true, /*                                 */ [303, 200, 403, 403, 200, 404]),
    ("admin", false, /*                                */ [303, 200, 403, 403, 403, 403]),
];

/// The rows of the README's table of pages that say all of who may see one.
fn readme_rows() -> Vec<(&'static str, String, Answers)> {
    let readme = include_str!("../README.md");
    let (_, table) = readme.split_once("| address | who | what |\n| --- | --- | --- |\n").unwrap();
    let mut pages = Vec::new();
    for (addresses, rest) in table.lines().map_while(|row| row.strip_prefix('|')?.split_once('|')) {
        let who = rest.split([';', '|']).next().unwrap().trim();
        for address in addresses.split('`').skip(1).step_by(2) {
            let route = address.replace("/OWNER/REPO", "/{owner}/{repo}");
            let has_own_row = MATRIX.iter().any(|row| (row.0, row.1) == ("GET", &route));
            let promised = PROMISED.iter().find(|row| (row.0, row.1) == (who, route.contains("{repo}")));
            pages.extend(promised.filter(|_| !has_own_row).map(|row| ("GET", route, row.2)));
        }
    }
    pages
}

/// What everybody gets at every route.
fn every_row() -> Vec<(&'static str, String, Answers)> {
    let matrix = MATRIX.iter().map(|&(method, route, answers)| (method, route.to_owned(), answers));
    matrix.chain(readme_rows()).collect()
}

/// What everybody gets where the README's table does not say all of it, or nothing. Posts are forms
/// without their secret, but for `admin*`, which is the token itself.
const MATRIX: &[(&str, &str, Answers)] = &[
    //                                                    anon admin read triage write other
    ("GET", "/installed", /*                           */ [303, 200, 200, 200, 200, 200]),
    ("POST", "/{owner}/{repo}/connect/test", /*        */ [303, 303, 403, 403, 303, 404]),
    ("POST", "/{owner}/{repo}/connect/key", /*         */ [303, 303, 403, 403, 303, 404]),
    ("POST", "/{owner}/{repo}/connect/limits", /*      */ [303, 400, 403, 403, 400, 404]),
    ("POST", "/{owner}/{repo}/connect/revoke", /*      */ [303, 400, 403, 403, 400, 404]),
    ("POST", "/{owner}/{repo}/storm", /*               */ [303, 303, 403, 303, 303, 404]),
    ("GET", "/get_weekly_error_report?repo=R", /*      */ [303, 200, 200, 200, 200, 404]),
    ("GET", "/view_traceback?repo=R&L", /*             */ [303, 200, 200, 200, 200, 404]),
    ("GET", "/add_known_error?repo=R&F", /*            */ [303, 200, 403, 200, 200, 404]),
    ("POST", "/add_known_error?repo=R&F", /*           */ [303, 200, 403, 200, 200, 404]),
    ("POST", "/handovers/end?repo=R&handover=1", /*    */ [403, 303, 403, 303, 303, 404]),
    ("POST", "/{owner}/{repo}/shadow", /*              */ [303, 303, 403, 403, 303, 404]),
    ("GET", "/{owner}/{repo}/shadow/{number}", /*      */ [303, 404, 404, 404, 404, 404]),
    ("GET", "/rules/edit?repo=R&rule=1", /*            */ [303, 404, 403, 404, 404, 404]),
    ("POST", "/rules/edit?repo=R&rule=1", /*           */ [403, 404, 403, 404, 404, 404]),
    ("POST", "/rules/end?repo=R&rule=1", /*            */ [403, 303, 403, 303, 303, 404]),
    ("GET", "/metrics", /*                             */ [401, 200, 401, 401, 401, 401]),
    ("POST", "/login", /*                              */ [403, 403, 403, 403, 403, 403]),
    ("POST", "/sessions/end", /*                       */ [403, 404, 404, 404, 404, 404]),
    ("GET", "/auth/github", /*                         */ [303, 303, 303, 303, 303, 303]),
    ("GET", "/auth/github/callback", /*                */ [403, 403, 403, 403, 403, 403]),
    ("GET", "/not_me?repo=R&L", /*                     */ [303, 200, 403, 200, 200, 404]),
    ("POST", "/not_me?repo=R&L&who=a%b", /*            */ [303, 400, 403, 400, 400, 404]),
    ("GET", "/setup/callback", /*                      */ [303, 403, 403, 403, 403, 403]),
    ("GET", "/setup/install", /*                       */ [303, 303, 403, 403, 403, 403]),
    ("POST", "/setup/forget", /*                       */ [403, 303, 403, 403, 403, 403]),
    ("GET", "/static/{name}", /*                       */ [404, 404, 404, 404, 404, 404]),
    ("GET", "/nothing/of/this", /*                     */ [404, 404, 404, 404, 404, 404]),
    ("POST", "/api/github/webhooks", /*                */ [401, 401, 401, 401, 401, 401]),
    ("POST", "/auth/logout", /*                        */ [303, 303, 303, 303, 303, 303]),
];

/// Routes for programs, which have keys of their own: `tests/ingest.rs` and `tests/server_doors.rs`
/// are about them.
const FOR_PROGRAMS: [&str; 6] = [
    "/api/{project}/envelope/",
    "/api/{project}/envelope",
    "/api/{project}/store/",
    "/api/{project}/store",
    "/api/{project}/traceback",
    "/tunnel",
];

#[test]
fn everybody_may_do_what_their_role_says_at_every_route() {
    run_test(async |story| {
        stage(story).await;
        let mut people = Vec::new();
        let mut admin = Browser::new(story);
        admin.bearer = true;
        people.push(("anonymous", Browser::new(story), String::new()));
        people.push(("admin", admin, String::new()));
        for (kind, login) in [("reader", "ada"), ("triager", "grace"), ("writer", "linus"), ("other", "owner")] {
            let browser = signed_in(story, login).await;
            let csrf = browser.get("/sessions").await.hidden("csrf");
            people.push((kind, browser, csrf));
        }
        let place = format!("filename={CART_PATH}&function_name=total");
        let mut wrong = Vec::new();
        for (method, route, expected) in every_row() {
            let path = route
                .replace("{owner}/{repo}", REPO)
                .replace("repo=R", &format!("repo={REPO}"))
                .replace("&L", &format!("&{place}&line_number=9"))
                .replace("&F", &format!("&{place}&code_fragment=nothing"))
                .replace("{number}", "1")
                .replace("{name}", "nothing.css");
            for ((kind, browser, csrf), expected) in people.iter().zip(expected) {
                let (path, query) = path.split_once('?').unwrap_or((&path, ""));
                let page = if method == "GET" {
                    browser.get(&format!("{path}?{query}")).await
                } else {
                    let mut fields: Vec<(&str, &str)> =
                        query.split('&').filter_map(|pair| pair.split_once('=')).collect();
                    fields.extend([("set", "off"), ("kind", "known_error"), ("session", "0")]);
                    // Signing out would end the session of the rows that follow.
                    if !csrf.is_empty() && path != "/auth/logout" {
                        fields.push(("csrf", csrf));
                    }
                    browser.post(path, &fields).await
                };
                if page.status != expected {
                    wrong.push(format!(
                        "{kind}: {method} {route}: {} instead of {expected}: {}",
                        page.status,
                        page.seen()
                    ));
                }
                if page.status == 303 && *kind == "anonymous" && !path.starts_with("/auth/") {
                    assert!(page.location.starts_with("/login?next="), "{path} leads to {}", page.location);
                }
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
        story.settle().await;
        story.assert_silent("a test report, and nothing else, came of it");
    });
}

/// All that is written in a folder and those in it, but unit tests.
fn server_source(folder: &Path) -> String {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries
        .map(|path| match path.is_dir() {
            true => server_source(&path),
            false => std::fs::read_to_string(path).unwrap().split("#[cfg(test)]").next().unwrap_or("").to_owned(),
        })
        .collect()
}

#[test]
fn every_route_is_in_the_readme_or_in_the_matrix() {
    let source = server_source(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/src/server")));
    let at: Vec<&str> = source.split(".route(&at(\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    // The others repeat routes of these at the root.
    let others = [".route(\"/healthz\"", ".route(\"/readyz\"", ".route(root, get(repositories::repositories))"];
    assert!(others.iter().all(|other| source.matches(other).count() == 1));
    let all = [".route(", ".route_service(", ".nest(", ".nest_service("].iter().map(|way| source.matches(way).count());
    assert_eq!(all.sum::<usize>(), at.len() + others.len(), "a route that is written otherwise");
    assert!(at.len() > 30, "{at:?}");
    let rows = every_row();
    for route in at {
        let named = rows.iter().any(|(_, path, _)| path.split('?').next() == Some(route));
        assert!(
            named || FOR_PROGRAMS.contains(&route),
            "{route} is neither in the README's table of pages nor in a row of the matrix"
        );
    }
}

#[test]
fn no_repository_is_named_as_a_page_of_ours() {
    let source = server_source(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/src/server")));
    let routes = source.split(".route(&at(\"/").skip(1).filter_map(|rest| rest.split('"').next());
    let ours = routes.filter(|route| !route.is_empty() && !route.starts_with("{owner}"));
    let parts: Vec<Vec<&str>> = ours.map(|route| route.trim_end_matches('/').split('/').collect()).collect();
    let first: BTreeSet<&str> = parts.iter().map(|parts| parts[0]).collect();
    assert_eq!(first.into_iter().collect::<Vec<_>>(), FIRST_PARTS);
    let of_two = parts.iter().filter(|parts| parts.len() == 2);
    let of_two: BTreeSet<(&str, &str)> =
        of_two.map(|parts| (parts[0], if parts[1].starts_with('{') { "*" } else { parts[1] })).collect();
    assert_eq!(of_two.into_iter().collect::<Vec<_>>(), OF_TWO_PARTS);
}

#[test]
fn the_doctor_says_whose_page_is_hidden_by_one_of_ours() {
    run_test(async |story| {
        stage(story).await;
        let names = ["static/shop", "api/shop", "rules/shop"];
        for name in names {
            story.github.add_repository(name, true);
            story.git.host.serve(name, story.repo.git_dir());
            story.github.install(name.split('/').next().unwrap(), &[name]);
        }
        story.settle().await;
        let mut admin = Browser::new(story);
        admin.bearer = true;
        let pages = [admin.get("/static/shop").await, admin.get("/api/shop").await, admin.get("/rules/shop").await];
        assert_eq!(pages.map(|page| page.status), [404, 200, 200]);
        assert_eq!(admin.get("/get_weekly_error_report?repo=static/shop").await.status, 200);
        assert_eq!(admin.get("/static/shop/whitelist").await.status, 200);
        let doctor = admin.get("/doctor").await.seen();
        assert_eq!(doctor.matches("its page can't be opened").count(), 1, "{doctor}");
        assert!(doctor.contains("/static/shop is an address of this server's own"), "{doctor}");
        const ADD: &str = "https://h.example/a/b.git";
        let commands: [&[&str]; 4] = [
            &["repository", "add", ADD, "--name", "auth/github"],
            &["repository", "add", ADD, "--name", "static/style.css"],
            &["repository", "add", ADD, "--name", "API/shop"],
            &["repository", "add", "https://h.example/login/shop.git"],
        ];
        for arguments in commands {
            let said = story.asking_command(arguments).await;
            assert!(said.contains("can't be its name") && said.contains("add_known_error, api, auth"), "{said}");
        }
    });
}

#[test]
fn a_signed_link_opens_what_it_was_signed_for_and_nothing_else() {
    run_test(async |story| {
        let mail = stage(story).await;
        let [traceback, form] = ["/view_traceback", "/add_known_error"].map(|path| link_in(&mail, path));
        let anonymous = Browser::new(story);
        let stranger = signed_in(story, "owner").await;
        let reader = signed_in(story, "ada").await;
        for browser in [&anonymous, &stranger, &reader] {
            assert_eq!(browser.get(&traceback).await.status, 200);
            assert_eq!(browser.get(&form).await.status, 200);
            let other = traceback.replace("shop%2Fcart.py", "shop%2Fother.py").replace("shop/cart.py", "shop/other.py");
            assert_ne!(browser.get(&other).await.status, 200);
        }
        // The form whitelists by the link's right, though the role would not do.
        let page = reader.get(&form).await;
        let fields =
            ["repo", "expires", "signature", "signed_for", "line_id", "csrf"].map(|name| (name, page.hidden(name)));
        let mut fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
        fields.extend([("scope", "file"), ("filename", CART_PATH)]);
        assert_eq!(reader.post("/add_known_error", &fields).await.status, 200);
        assert_eq!(story.rules().await[0].by, "a link out of a mail");
        story.settle().await;
    });
}

#[test]
fn a_person_sees_their_repositories_and_is_named_by_what_they_do() {
    run_test(async |story| {
        stage(story).await;
        let grace = signed_in(story, "grace").await;
        let page = grace.get("/").await;
        assert!(page.text.contains(REPO) && !page.text.contains(OTHER), "{}", page.seen());
        assert!(page.text.contains(">grace</a>") && !page.text.contains("GitHub App</a>"), "{}", page.text);
        let page = grace.get("/get_weekly_error_report").await;
        assert!(page.text.contains("KeyError") && !page.text.contains(OTHER), "{}", page.seen());
        let other = signed_in(story, "owner").await;
        let page = other.get("/get_weekly_error_report").await;
        assert!(!page.text.contains("KeyError") && !page.text.contains(REPO), "{}", page.seen());
        // What one may not see is told from what is not there by nothing.
        let (hidden, none) = (other.get(&format!("/{REPO}")).await, other.get("/acme/none").await);
        assert_eq!(hidden.status, none.status);
        assert_eq!(hidden.seen().replace(REPO, "X"), none.seen().replace("acme/none", "X"));

        let csrf = grace.get("/sessions").await.hidden("csrf");
        let fields = [("csrf", csrf.as_str()), ("repo", REPO), ("scope", "file"), ("filename", CART_PATH)];
        assert_eq!(grace.post("/add_known_error", &fields).await.status, 200);
        let page = grace.get(&format!("/{REPO}/whitelist")).await;
        assert!(page.seen().contains("grace"), "{}", page.seen());
        story.settle().await;
        let ada = signed_in(story, "ada").await;
        let page = ada.get(&format!("/{REPO}/whitelist")).await;
        assert!(!page.text.contains("End this entry") && !page.text.contains("Add an entry"), "{}", page.seen());
        let page = ada.get(&format!("/{REPO}")).await;
        assert!(!page.text.contains("https://") || !page.text.contains("@flawless.test/"), "no DSN: {}", page.text);
    });
}

#[test]
fn what_somebody_else_began_signs_nobody_in() {
    run_test(async |story| {
        stage(story).await;
        let mut browser = Browser::new(story);
        // No flow of this browser's.
        let page = browser.get("/auth/github/callback?code=x&state=y").await;
        assert_eq!(page.status, 403);
        assert!(page.seen().contains("begun more than ten minutes ago, or in another browser"), "{}", page.seen());
        // Browsers drop a cookie of more than 4,096 bytes.
        let long = format!("/auth/github?next=/view_traceback%3Frepo=acme/shop%26text={}", "x".repeat(3_000));
        assert!(browser.get(&long).await.set_cookie.len() < 4_096);
        // Another flow's state: somebody else's code is slipped in.
        let mine = browser.get("/auth/github").await;
        let theirs = Browser::new(story).get("/auth/github").await;
        browser.cookie = Some(mine.set_cookie.split(';').next().unwrap().to_owned());
        let back = story.github.authorize(&theirs.location, "owner");
        let page = browser.get(back.strip_prefix("https://flawless.test").unwrap()).await;
        assert_eq!(page.status, 403);
        assert!(page.seen().contains("another try"), "{}", page.seen());
        // Their code with my state: PKCE says no.
        let state = mine.location.split("state=").nth(1).unwrap().split('&').next().unwrap();
        let code = back.split("code=").nth(1).unwrap().split('&').next().unwrap();
        let page = browser.get(&format!("/auth/github/callback?code={code}&state={state}")).await;
        assert_eq!(page.status, 403);
        assert!(page.seen().contains("bad_verification_code"), "{}", page.seen());
        // They said no, or took too long.
        let page = browser.get(&format!("/auth/github/callback?error=access_denied&state={state}")).await;
        assert!(page.seen().contains("did not let GitHub"), "{}", page.seen());
        let back = story.github.authorize(&mine.location, "ada");
        story.clock.advance(11 * MINUTE);
        let page = browser.get(back.strip_prefix("https://flawless.test").unwrap()).await;
        assert!(page.seen().contains("ten minutes"), "{}", page.seen());
        // And a good one leads back to where one was, but never elsewhere.
        let page = sign_in(story, &mut browser, "ada", &format!("/{REPO}")).await;
        assert_eq!(page.location, format!("/{REPO}"));
        let page = sign_in(story, &mut Browser::new(story), "ada", "https://evil.example/").await;
        assert_eq!(page.location, "/");
    });
}

#[test]
fn the_cookie_is_kept_from_scripts_and_from_other_sites_and_is_another_each_time() {
    run_test(async |story| {
        stage(story).await;
        let mut browser = Browser::new(story);
        let page = sign_in(story, &mut browser, "ada", "/").await;
        let cookies: Vec<&str> = page.headers.get_all("set-cookie").iter().map(|it| it.to_str().unwrap()).collect();
        let session = cookies.iter().find(|it| it.starts_with("flawless_session=")).unwrap();
        for attribute in ["HttpOnly", "SameSite=Lax", "Secure", "Path=/"] {
            assert!(session.contains(attribute), "{session}");
        }
        assert!(
            cookies.iter().any(|it| it.starts_with("flawless_sign_in=;") && it.contains("Max-Age=0")),
            "{cookies:?}"
        );
        let first = browser.cookie.clone();
        // Signing in again ends the former session.
        let again = browser.get("/auth/github").await;
        let flow = again.set_cookie.split(';').next().unwrap().to_owned();
        browser.cookie = Some(format!("{}; {flow}", first.clone().unwrap()));
        let back = story.github.authorize(&again.location, "ada");
        let page = browser.get(back.strip_prefix("https://flawless.test").unwrap()).await;
        assert_eq!(page.status, 303);
        browser.cookie = first;
        assert_eq!(browser.get("/").await.status, 303, "the old cookie leads to the sign-in page");
        let rows =
            store::sessions::list(&story.services().store, Some(&"ada".into()), 10, story.clock.now()).await.unwrap();
        assert_eq!(rows.len(), 1);
        assert!(!rows[0].tokens.as_ref().unwrap().contains("ghu_"), "sealed");
    });
}

#[test]
fn many_sessions_are_listed_in_part_and_end_at_once() {
    run_test(async |story| {
        stage(story).await;
        let ada = signed_in(story, "ada").await;
        let grace = signed_in(story, "grace").await;
        let store = &story.services().store;
        let hers = store::sessions::list(store, Some(&"ada".into()), 10, story.clock.now()).await.unwrap().remove(0);
        for n in 0..150 {
            let copy = store::sessions::SessionRow { id: format!("{n:064}"), ..hers.clone() };
            store::sessions::insert(store, &copy).await.unwrap();
        }
        let page = ada.get("/sessions").await;
        assert_eq!(page.text.matches("name=\"session\"").count(), 100);
        assert!(page.seen().contains("And 51 more"), "{}", page.seen());
        let csrf = page.hidden("csrf");
        let ended = ada.post("/sessions/end", &[("csrf", csrf.as_str()), ("others", "1")]).await;
        assert_eq!((ended.status, ended.location.as_str()), (303, "/sessions"));
        let page = ada.get("/sessions").await;
        assert_eq!(page.text.matches("name=\"session\"").count(), 1, "the one that asked: {}", page.seen());
        assert!(!page.seen().contains("End all others"), "there are none");
        assert_eq!(grace.get("/sessions").await.status, 200, "somebody else's goes on");
    });
}

#[test]
fn sessions_end_by_time_by_hand_and_by_another_token() {
    run_test(async |story| {
        stage(story).await;
        let ada = signed_in(story, "ada").await;
        let phone = signed_in(story, "ada").await;
        let grace = signed_in(story, "grace").await;
        let page = ada.get("/sessions").await;
        assert_eq!(page.text.matches("name=\"session\"").count(), 2, "hers: {}", page.seen());
        let graces = store::sessions::list(&story.services().store, Some(&"grace".into()), 10, story.clock.now())
            .await
            .unwrap()[0]
            .id
            .clone();
        let csrf = page.hidden("csrf");
        assert_eq!(ada.post("/sessions/end", &[("csrf", &csrf), ("session", &graces)]).await.status, 404, "not hers");
        let page = phone.get("/sessions").await;
        let other = page.text.split("name=\"session\" value=\"").skip(1).filter_map(|it| it.split('"').next());
        let phones = page.hidden("csrf");
        for id in other.map(str::to_owned).collect::<Vec<_>>() {
            // Whichever ends itself first, the other ends what is left.
            for (browser, csrf) in [(&ada, &csrf), (&phone, &phones)] {
                browser.post("/sessions/end", &[("csrf", csrf), ("session", &id)]).await;
            }
        }
        assert_eq!((ada.get("/").await.status, phone.get("/").await.status), (303, 303));
        assert_eq!(grace.get("/").await.status, 200);
        // Signing out ends it on the server, not only in the browser.
        let csrf = grace.get("/sessions").await.hidden("csrf");
        assert_eq!(grace.post("/auth/logout", &[("csrf", "wrong")]).await.status, 303);
        assert_eq!(grace.get("/").await.status, 200);
        assert_eq!(grace.post("/auth/logout", &[("csrf", &csrf)]).await.status, 303);
        assert_eq!(grace.get("/").await.status, 303);
        // Without use for a week.
        let idle = signed_in(story, "grace").await;
        let admin = Browser::signed_in(story).await;
        story.clock.advance(6 * DAY);
        assert_eq!((idle.get("/").await.status, admin.get("/").await.status), (200, 200));
        story.clock.advance(7 * DAY + SignedDuration::from_millis(1));
        assert_eq!((idle.get("/").await.status, admin.get("/").await.status), (303, 303));
        // Another admin token ends the sessions of the old one.
        let admin = Browser::signed_in(story).await;
        assert_eq!(admin.get("/setup").await.status, 200);
        story.set("ADMIN_TOKEN", "another-token-of-the-tests");
        story.restart().await;
        let admin = Browser { base: story.url().to_owned(), ..admin };
        assert_eq!(admin.get("/setup").await.status, 303);
    });
}

#[test]
fn a_role_taken_away_is_gone_within_ten_minutes_and_tokens_are_renewed() {
    run_test(async |story| {
        stage(story).await;
        let ada = signed_in(story, "ada").await;
        let path = format!("/{REPO}");
        assert_eq!(ada.get(&path).await.status, 200);
        let asked = story.github.requests_of("apps/list-installations-for-authenticated-user").len();
        story.clock.advance(9 * MINUTE);
        assert_eq!(ada.get(&path).await.status, 200);
        assert_eq!(story.github.requests_of("apps/list-installations-for-authenticated-user").len(), asked);
        story.github.set_role("ada", REPO, "");
        story.clock.advance(2 * MINUTE);
        assert_eq!(ada.get(&path).await.status, 404);
        story.github.set_role("ada", REPO, "triage");
        story.clock.advance(10 * MINUTE);
        assert_eq!(ada.get(&path).await.status, 200);
        // After eight hours the token is over: it is renewed without a word.
        story.clock.advance(9 * 60 * MINUTE);
        assert_eq!(ada.get(&path).await.status, 200);
        story.clock.advance(9 * 60 * MINUTE);
        assert_eq!(ada.get(&path).await.status, 200);
        // She takes the App's access away.
        story.github.revoke_user("ada");
        story.clock.advance(11 * MINUTE);
        assert_eq!(ada.get(&path).await.status, 303);
    });
}

#[test]
fn while_github_is_away_its_last_word_holds_for_an_hour() {
    run_test(async |story| {
        stage(story).await;
        let ada = signed_in(story, "ada").await;
        let path = format!("/{REPO}");
        let down = |story: &Story| {
            let operation = "apps/list-installations-for-authenticated-user";
            story.github.fail_next(operation, Fault::status(502, "Bad gateway"));
        };
        story.clock.advance(11 * MINUTE);
        down(story);
        assert_eq!(ada.get(&path).await.status, 200);
        // It is not asked again at once: each question may wait for long.
        down(story);
        assert_eq!(ada.get(&path).await.status, 200);
        assert_eq!(story.github.take_faults(), 1);
        story.clock.advance(60 * MINUTE);
        down(story);
        down(story);
        let page = ada.get(&path).await;
        assert_eq!(page.status, 503);
        assert!(page.seen().contains("GitHub does not answer"), "{}", page.seen());
        down(story);
        down(story);
        let page = ada.post("/sessions/end", &[("session", "0")]).await;
        assert_eq!(page.status, 503, "a form is not blamed for it: {}", page.seen());
        story.github.take_faults();
        assert_eq!(ada.get(&path).await.status, 200, "and it goes on where it was");
    });
}

#[test]
fn without_a_client_id_only_the_token_signs_in() {
    run_test(async |story| {
        story.unset("GITHUB_CLIENT_ID");
        story.unset("GITHUB_CLIENT_SECRET");
        story.restart().await;
        let browser = Browser::new(story);
        assert!(!browser.get("/login").await.text.contains("/auth/github"));
        assert_eq!(browser.get("/auth/github").await.status, 404);
        story.set("GITHUB_CLIENT_ID", "Iv1.0123456789abcdef");
        story.set("GITHUB_CLIENT_SECRET", "client-secret-of-the-tests");
        story.restart().await;
        let browser = Browser::new(story);
        assert!(browser.get("/login").await.text.contains("Sign in with GitHub"));
    });
}
