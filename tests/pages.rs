//! The pages: who sees them, what they show, what they change.

use crate::harness::story::{CART_PATH, Story, run_test};
use jiff::SignedDuration;
use reqwest::{Client, Response, redirect::Policy};

/// A browser that follows no redirect by itself, so that the story sees each.
fn browser() -> Client {
    Client::builder().redirect(Policy::none()).build().unwrap()
}

async fn sign_in(story: &Story, client: &Client) -> String {
    let form = "token=admin-token-of-the-tests&next=%2F";
    let answer = client
        .post(format!("{}/login", story.url()))
        .header("Content-Type", "application/x-www-form-urlencoded")
        .body(form)
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 303);
    let cookie = answer.headers()["set-cookie"].to_str().unwrap().to_owned();
    assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Lax") && cookie.contains("Secure"), "{cookie}");
    cookie.split(';').next().unwrap().to_owned()
}

async fn get(story: &Story, client: &Client, cookie: &str, path: &str) -> (u16, String) {
    let answer = client.get(format!("{}{path}", story.url())).header("Cookie", cookie).send().await.unwrap();
    (answer.status().as_u16(), answer.text().await.unwrap())
}

/// The path and query of the first link in a text whose path is this.
fn link_in(text: &str, path: &str) -> String {
    let at =
        text.find(&format!("https://flawless.test{path}")).unwrap_or_else(|| panic!("no link to {path} in {text}"));
    let link: String = text[at..].chars().take_while(|c| !c.is_whitespace() && !matches!(c, '>' | ')' | '"')).collect();
    link.trim_start_matches("https://flawless.test").to_owned()
}

fn location(answer: &Response) -> &str {
    answer.headers()["location"].to_str().unwrap()
}

#[test]
fn nobody_sees_a_page_without_signing_in() {
    run_test(async |story| {
        story.alerted().await;
        let client = browser();
        for path in [
            "/",
            "/acme/shop",
            "/get_weekly_error_report",
            "/view_traceback?repo=acme%2Fshop&filename=shop%2Fcart.py&function_name=total",
            "/add_known_error?repo=acme%2Fshop&filename=shop%2Fcart.py",
            "/setup",
            "/installed",
        ] {
            let answer = client.get(format!("{}{path}", story.url())).send().await.unwrap();
            assert_eq!(answer.status(), 303, "{path}");
            assert!(location(&answer).starts_with("/login?next=%2F"), "{path}");
        }
        let metrics = client.get(format!("{}/metrics", story.url())).send().await.unwrap();
        assert_eq!(metrics.status(), 401);
        let health = client.get(format!("{}/check_health", story.url())).send().await.unwrap().text().await.unwrap();
        assert!(!health.contains("configuration") && health.contains("\"up\":true"), "{health}");
        let wrong = client
            .post(format!("{}/login", story.url()))
            .header("Content-Type", "application/x-www-form-urlencoded")
            .body("token=guess&next=%2F")
            .send()
            .await
            .unwrap();
        assert_eq!(wrong.status(), 403);
        assert!(!wrong.headers().contains_key("set-cookie"));
        assert_eq!(get(story, &client, "flawless_session=99999999999999.00", "/").await.0, 303);
    });
}

#[test]
fn the_admin_sees_what_failed_and_whose_it_is() {
    run_test(async |story| {
        story.alerted().await;
        let client = browser();
        let cookie = sign_in(story, &client).await;
        let (key, project) = story.key().await;
        let (status, home) = get(story, &client, &cookie, "/").await;
        assert!(status == 200 && home.contains("acme/shop"), "{home}");
        let (status, page) = get(story, &client, &cookie, "/acme/shop").await;
        assert!(status == 200 && page.contains(&format!("https://{key}@flawless.test/{project}")), "{page}");
        assert!(page.contains("shop/cart.py:9"));
        let (status, week) = get(story, &client, &cookie, "/get_weekly_error_report").await;
        assert_eq!(status, 200);
        for word in ["Ada Lovelace", "shop/cart.py:9", "KeyError", "#1"] {
            assert!(week.contains(word), "{word} in {week}");
        }
        let path = "/view_traceback?repo=acme%2Fshop&filename=shop%2Fcart.py&function_name=total&line_number=9";
        let (status, page) = get(story, &client, &cookie, path).await;
        assert_eq!(status, 200);
        // Escaped where escaping is due.
        for word in ["amount += PRICES[sku]", "Ada Lovelace", "sku"] {
            assert!(page.contains(word), "{word} in {page}");
        }
        let (_, health) = get(story, &client, &cookie, "/check_health").await;
        assert!(health.contains("DATABASE_URL") && !health.contains("PRIVATE KEY-----"), "{health}");
        assert_eq!(get(story, &client, &cookie, "/acme/nothing").await.0, 404);
        assert_eq!(get(story, &client, &cookie, "/no/such/page").await.0, 404);
        let metrics = client
            .get(format!("{}/metrics", story.url()))
            .bearer_auth("admin-token-of-the-tests")
            .send()
            .await
            .unwrap()
            .text()
            .await
            .unwrap();
        assert!(metrics.contains("flawless_reports_accepted_total 1"), "{metrics}");
    });
}

#[test]
fn a_link_out_of_a_mail_opens_its_line_and_no_other() {
    run_test(async |story| {
        let mail = story.alerted().await;
        let client = browser();
        let link = link_in(&mail, "/view_traceback");
        let (status, page) = get(story, &client, "", &link).await;
        assert_eq!(status, 200, "{page}");
        assert!(page.contains("shop/cart.py"));
        let other = link.replace("function_name=total", "function_name=other");
        assert_eq!(get(story, &client, "", &other).await.0, 403);
        story.clock.advance(SignedDuration::from_hours(91 * 24));
        assert_eq!(get(story, &client, "", &link).await.0, 403);
    });
}

#[test]
fn a_link_out_of_a_mail_whitelists_by_post_only() {
    run_test(async |story| {
        let mail = story.alerted().await;
        let client = browser();
        let link = link_in(&mail, "/add_known_error");
        let (status, form) = get(story, &client, "", &link).await;
        assert_eq!(status, 200, "{form}");
        assert!(story.rules().await.is_empty(), "mail scanners follow links");
        let fields: Vec<(String, String)> = inputs(&form);
        let body: String = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(fields.iter().map(|(name, value)| (name.as_str(), value.as_str())))
            .append_pair("scope", "line")
            .finish();
        let post = |body: String| {
            client
                .post(format!("{}/add_known_error", story.url()))
                .header("Content-Type", "application/x-www-form-urlencoded")
                .body(body)
                .send()
        };
        let answer = post(body.clone()).await.unwrap();
        assert_eq!(answer.status(), 200);
        let rules = story.rules().await;
        assert_eq!(rules.len(), 1);
        assert_eq!(rules[0].made.entry.file, CART_PATH);
        assert!(story.lines().await[0].known);
        let forged = body.replace("repo=acme%2Fshop", "repo=acme%2Fother");
        assert_ne!(post(forged).await.unwrap().status(), 200);
    });
}

#[test]
fn a_form_from_another_site_changes_nothing() {
    run_test(async |story| {
        story.alerted().await;
        let client = browser();
        let cookie = sign_in(story, &client).await;
        let body = "repo=acme%2Fshop&filename=shop%2Fcart.py&scope=file&csrf=forged";
        let answer = client
            .post(format!("{}/add_known_error", story.url()))
            .header("Cookie", &cookie)
            .header("Content-Type", "application/x-www-form-urlencoded")
            .body(body)
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), 403);
        assert!(story.rules().await.is_empty());
    });
}

#[test]
fn pages_work_below_a_path() {
    run_test(async |story| {
        story.stop().await;
        story.set("PUBLIC_URL", "https://flawless.test/errors");
        story.start().await;
        let client = browser();
        let answer = client.get(format!("{}/errors/", story.url())).send().await.unwrap();
        assert_eq!((answer.status().as_u16(), location(&answer)), (303, "/errors/login?next=%2Ferrors%2F"));
        let css = client.get(format!("{}/errors/static/style.css", story.url())).send().await.unwrap();
        assert_eq!(css.status(), 200);
    });
}

/// Names and values of a page's inputs that are not choices.
fn inputs(page: &str) -> Vec<(String, String)> {
    let attribute = |tag: &str, name: &str| {
        let value = tag.split_once(&format!("{name}=\""))?.1.split_once('"')?.0;
        Some(
            value
                .replace("&#x27;", "'")
                .replace("&quot;", "\"")
                .replace("&#x2f;", "/")
                .replace("&lt;", "<")
                .replace("&gt;", ">")
                .replace("&amp;", "&"),
        )
    };
    page.split("<input ")
        .skip(1)
        .map(|rest| rest.split_once('>').unwrap().0)
        .filter(|tag| !tag.contains("radio"))
        .filter_map(|tag| Some((attribute(tag, "name")?, attribute(tag, "value").unwrap_or_default())))
        .collect()
}
