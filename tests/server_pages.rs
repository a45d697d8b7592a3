//! The pages over real HTTP: signing in, links out of mails, whitelisting, and what strangers are
//! shown.

use crate::harness::browser::{Browser, TOKEN, link_in, unescaped};
use crate::harness::story::{CART_PATH, REPO, Story, run_test};
use jiff::SignedDuration;
use url::Url;

/// Path and query of the address in a mail that has this path.
fn field(link: &str, name: &str) -> String {
    let url = Url::parse(&format!("https://flawless.test{link}")).unwrap();
    url.query_pairs().find(|(key, _)| key == name).unwrap_or_else(|| panic!("{name}: {link}")).1.into_owned()
}

#[test]
fn nobody_sees_a_page_before_signing_in() {
    run_test(async |story| {
        story.install().await;
        let stranger = Browser::new(story);
        for (path, next) in [
            ("/", "%2F"),
            ("/acme/shop", "%2Facme%2Fshop"),
            ("/get_weekly_error_report?repo=acme/shop", "%2Fget_weekly_error_report%3Frepo%3Dacme%2Fshop"),
            ("/setup", "%2Fsetup"),
            ("/installed", "%2Finstalled"),
            ("/view_traceback?repo=acme/shop", "%2Fview_traceback%3Frepo%3Dacme%2Fshop"),
            ("/add_known_error?repo=acme/shop", "%2Fadd_known_error%3Frepo%3Dacme%2Fshop"),
        ] {
            let page = stranger.get(path).await;
            assert_eq!((page.status, page.location), (303, format!("/login?next={next}")), "{path}");
        }
        let wrong = stranger.post("/login", &[("token", "guess"), ("next", "/acme/shop")]).await;
        assert_eq!((wrong.status, wrong.set_cookie.as_str()), (403, ""));
        assert_eq!(wrong.hidden("next"), "/acme/shop");
        let away = stranger.post("/login", &[("token", TOKEN), ("next", "https://evil.example/")]).await;
        assert_eq!((away.status, away.location.as_str()), (303, "/"));
        let forged = Browser { cookie: Some("flawless_session=9999999999999.00".to_owned()), ..Browser::new(story) };
        assert_eq!(forged.get("/").await.status, 303);
    });
}

#[test]
fn one_is_signed_in_by_a_cookie_that_scripts_and_other_sites_do_not_get() {
    run_test(async |story| {
        story.install().await;
        let stranger = Browser::new(story);
        let cookie = stranger.post("/login", &[("token", TOKEN)]).await.set_cookie;
        for part in ["HttpOnly", "SameSite=Lax", "Secure", "Path=/", "Max-Age=2592000"] {
            assert!(cookie.contains(part), "{part}: {cookie}");
        }
        let admin = Browser::signed_in(story).await;
        let page = admin.get("/").await;
        assert!(page.status == 200 && page.text.contains(REPO), "{}", page.text);
        let header = |name: &str| page.headers.get(name).map_or("", |value| value.to_str().unwrap()).to_owned();
        assert!(header("content-security-policy").starts_with("default-src 'none'"));
        assert!(!header("content-security-policy").contains("script-src"));
        assert_eq!(header("x-frame-options"), "DENY");
        assert_eq!(header("x-content-type-options"), "nosniff");
        assert_eq!(header("cache-control"), "no-store");
        assert_eq!(header("referrer-policy"), "same-origin");
        let shop = admin.get("/acme/shop").await;
        let (key, project) = story.key().await;
        assert!(shop.text.contains(&format!("https://{key}@flawless.test/{project}")), "{}", shop.text);
        assert_eq!(admin.get("/acme/nothing").await.status, 404);
        // Another site's form has no secret.
        assert_eq!(admin.post("/auth/logout", &[]).await.set_cookie, "");
        let out = admin.post("/auth/logout", &[("csrf", &page.hidden("csrf"))]).await;
        assert!(out.set_cookie.contains("flawless_session=;") && out.set_cookie.contains("Max-Age=0"));
        story.clock.advance(SignedDuration::from_hours(7 * 24));
        assert_eq!(admin.get("/").await.status, 303);
    });
}

#[test]
fn guessing_is_answered_as_such_and_locks_nobody_out() {
    run_test(async |story| {
        story.set("METRICS_TOKEN", "metrics-token-of-the-tests");
        story.restart().await;
        let stranger = Browser::new(story);
        let get = async |path: &str, token: &str| {
            let request = stranger.http.get(format!("{}{path}", stranger.base));
            stranger.send(request.header("authorization", format!("Bearer {token}"))).await
        };
        for n in 0..10 {
            assert_eq!(stranger.post("/login", &[("token", &n.to_string())]).await.status, 403);
        }
        for _ in 0..20 {
            assert_eq!(stranger.post("/login", &[("token", "10")]).await.status, 429);
        }
        let metrics = async |token: &str| get("/metrics", token).await;
        assert_eq!(metrics(TOKEN).await.status, 200, "the page's guesses are not the scraper's");
        for n in 0..10 {
            assert_eq!(metrics(&n.to_string()).await.status, 401);
        }
        let page = metrics("10").await;
        assert_eq!((page.status, page.headers["retry-after"].to_str().unwrap()), (429, "60"));
        assert_eq!(get("/", "11").await.status, 429, "a page says so as well");
        // Whatever was guessed, from the same address and within the same minute.
        assert_eq!(metrics(TOKEN).await.status, 200);
        assert_eq!(metrics("metrics-token-of-the-tests").await.status, 200);
        assert_eq!(get("/", TOKEN).await.status, 200);
        assert_eq!(get("/", "metrics-token-of-the-tests").await.status, 429, "it admits to the metrics only");
        assert_eq!(stranger.post("/login", &[("token", "metrics-token-of-the-tests")]).await.status, 429);
        assert_eq!(stranger.post("/login", &[("token", TOKEN)]).await.status, 303);
        story.clock.advance(SignedDuration::from_mins(1));
        assert_eq!(metrics("10").await.status, 401);
    });
}

#[test]
fn behind_a_trusted_proxy_each_client_has_its_own_guesses() {
    run_test(async |story| {
        let guess = async |story: &Story, client: &str| {
            let request = story.http.post(format!("{}/login", story.url())).body("token=wrong");
            let request = request.header("content-type", "application/x-www-form-urlencoded");
            request.header("x-forwarded-for", client).send().await.unwrap().status().as_u16()
        };
        let guesses = async |story: &Story, client: &str| {
            for _ in 0..10 {
                assert_eq!(guess(story, client).await, 403, "{client}");
            }
            assert_eq!(guess(story, client).await, 429, "{client}");
        };
        // Nobody's word is taken by default: who names another address each time is one all the
        // same.
        guesses(story, "198.51.100.1").await;
        assert_eq!(guess(story, "198.51.100.2").await, 429);
        story.set("TRUSTED_PROXIES", "10.0.0.0/8 127.0.0.1");
        story.restart().await;
        guesses(story, "198.51.100.1").await;
        guesses(story, "203.0.113.7, 198.51.100.2, 10.1.1.1").await;
        assert_eq!(guess(story, "8.8.8.8, 198.51.100.2").await, 429, "what the client wrote itself does not count");
        guesses(story, "2001:db8:0:1::1").await;
        assert_eq!(guess(story, "2001:db8:0:1:2:3:4:5").await, 429, "the same network of 64 bits");
        assert_eq!(guess(story, "2001:db8:0:2::1").await, 403);
    });
}

#[test]
fn a_mails_link_shows_its_traceback_and_nothing_else() {
    run_test(async |story| {
        let mail = story.alerted().await;
        let stranger = Browser::new(story);
        let view = link_in(&mail, "/view_traceback?");
        let page = stranger.get(&view).await;
        assert_eq!(page.status, 200, "{}", page.text);
        assert!(page.text.contains("PRICES[sku]") && page.text.contains("KeyError"));
        // A right to read must not turn into a right to whitelist, nor last longer with each look.
        assert!(page.text.contains("/add_known_error?"), "the way there is shown");
        assert!(!unescaped(&page.text).contains("signature="), "{}", page.text);
        let elsewhere = view.replace("cart.py", "card.py");
        assert_eq!(stranger.get(&elsewhere).await.status, 403);
        let as_whitelist = format!(
            "/add_known_error?repo=acme%2Fshop&filename={}&function_name={}&code_fragment={}&expires={}&signature={}&line_id={}",
            field(&view, "filename"),
            field(&view, "function_name"),
            field(&view, "text"),
            field(&view, "expires"),
            field(&view, "signature"),
            field(&view, "line_id")
        );
        assert_eq!(stranger.get(&as_whitelist).await.status, 403);
        story.clock.advance(SignedDuration::from_hours(91 * 24));
        let late = stranger.get(&view).await;
        assert_eq!(late.status, 403);
        assert!(unescaped(&late.text).contains("/login?next="), "the way in is shown: {}", late.text);
    });
}

#[test]
fn a_mails_link_whitelists_in_its_file_and_only_when_it_is_posted() {
    run_test(async |story| {
        let mail = story.alerted().await;
        let stranger = Browser::new(story);
        let whitelist = link_in(&mail, "/add_known_error?");
        let form = stranger.get(&whitelist).await;
        assert_eq!(form.status, 200, "{}", form.text);
        assert!(story.rules().await.is_empty(), "mail scanners follow links");

        let names = ["expires", "signature", "signed_for", "line_id"];
        let hidden = names.map(|name| (name, form.hidden(name)));
        let by_link: Vec<_> =
            [("repo", REPO)].into_iter().chain(hidden.iter().map(|(name, value)| (*name, value.as_str()))).collect();
        let with = |more: &[(&'static str, &'static str)]| {
            by_link.iter().copied().chain(more.iter().copied()).collect::<Vec<(&str, &str)>>()
        };
        for (field, word) in [("kind", "building_block"), ("scope", "folder")] {
            let refused = stranger.post("/add_known_error", &with(&[(field, word)])).await;
            assert_eq!(refused.status, 400, "{field}");
            assert!(refused.text.contains("has to be one of"), "{}", refused.text);
        }
        let refused = stranger.post("/add_known_error", &with(&[("code_fragment", "a\0b")])).await;
        assert_eq!(refused.status, 400, "no code has such a character, and PostgreSQL takes none");
        let other = stranger.post("/add_known_error", &with(&[("scope", "file"), ("filename", "shop/db.py")])).await;
        assert_eq!(other.status, 400, "{}", other.text);
        assert!(other.text.contains("sign in to whitelist elsewhere"));
        let forged: Vec<(&str, &str)> = with(&[("scope", "file"), ("filename", "shop/db.py")])
            .into_iter()
            .map(|(name, value)| (name, if name == "signed_for" { "{}" } else { value }))
            .collect();
        assert_eq!(stranger.post("/add_known_error", &forged).await.status, 303);
        assert!(story.rules().await.is_empty());

        let function = with(&[
            ("scope", "function"),
            ("filename", CART_PATH),
            ("function_name", "total"),
            ("min_alert_threshold", "1000"),
        ]);
        for _ in 0..2 {
            let saved = stranger.post("/add_known_error", &function).await;
            assert_eq!(saved.status, 200, "{}", saved.text);
            assert!(saved.text.contains("told once, at 1,000 occurrences"));
        }
        let rules = story.rules().await;
        assert_eq!(rules.len(), 1, "sent twice, made once");
        assert_eq!((rules[0].made.rule.pattern().code, rules[0].by.as_str()), (None, "a link out of a mail"));
        assert!(story.lines().await[0].known, "in force at once");
    });
}

#[test]
fn an_admin_whitelists_and_takes_it_back() {
    run_test(async |story| {
        story.alerted().await;
        let admin = Browser::signed_in(story).await;
        let empty = admin.get("/add_known_error?repo=acme/shop").await;
        assert_eq!((empty.status, empty.text.contains("role=\"alert\"")), (200, false), "nobody filled it in yet");
        let line = [
            ("repo", REPO),
            ("scope", "line"),
            ("filename", "./shop/cart.py"),
            ("function_name", "total"),
            ("code_fragment", "amount += PRICES[sku]"),
        ];
        let foreign = admin.post("/add_known_error", &line).await;
        assert_eq!(foreign.status, 403, "another site's form has no secret");
        let csrf = empty.hidden("csrf");
        let ours = |more: &[(&'static str, &'static str)]| {
            let mut fields = vec![("csrf", csrf.as_str())];
            fields.extend(line.iter().filter(|(name, _)| more.iter().all(|(other, _)| other != name)).copied());
            fields.extend(more.iter().copied());
            fields
        };
        let crossed = ours(&[("min_alert_threshold", "9"), ("max_alert_threshold", "3")]);
        let wrong = admin.post("/add_known_error", &crossed).await;
        assert!(wrong.status == 400 && wrong.text.contains("less than the count above"), "{}", wrong.text);
        assert_eq!(admin.post("/add_known_error", &ours(&[("filename", "a\0b")])).await.status, 400);
        assert_eq!(admin.post("/add_known_error", &ours(&[])).await.status, 200);
        assert!(story.lines().await[0].known, "found although the path was written with ./");
        let weekly = admin.get("/get_weekly_error_report?repo=acme/shop").await;
        assert!(!weekly.text.contains("PRICES[sku]"), "known errors are left out");
        let weekly = admin.get("/get_weekly_error_report?repo=acme/shop&include_known_errors=true").await;
        assert!(weekly.text.contains("PRICES[sku]"));

        let rule = story.rules().await[0].made.id.0.to_string();
        let end = [("repo", REPO), ("rule", rule.as_str())];
        assert_eq!(admin.post("/rules/end", &end).await.status, 403);
        let end = [("repo", REPO), ("rule", rule.as_str()), ("csrf", csrf.as_str())];
        let ended = admin.post("/rules/end", &end).await;
        assert_eq!((ended.status, ended.location.as_str()), (303, "/acme/shop/whitelist"));
        assert!(!story.lines().await[0].known);
    });
}

#[test]
fn a_form_opened_by_a_link_works_for_who_signs_in_meanwhile() {
    run_test(async |story| {
        let mail = story.alerted().await;
        let form = Browser::new(story).get(&link_in(&mail, "/add_known_error?")).await;
        let hidden = ["expires", "signature", "signed_for", "line_id"].map(|name| (name, form.hidden(name)));
        let mut fields = vec![("repo", REPO), ("csrf", ""), ("scope", "file"), ("filename", CART_PATH)];
        fields.extend(hidden.iter().map(|(name, value)| (*name, value.as_str())));
        let saved = Browser::signed_in(story).await.post("/add_known_error", &fields).await;
        assert_eq!(saved.status, 200, "{}", saved.text);
    });
}

#[test]
fn the_week_is_the_one_of_its_moment() {
    run_test(async |story| {
        story.alerted().await;
        let admin = Browser::signed_in(story).await;
        let now = story.clock.now().as_seconds();
        let at = async |seconds: i64| {
            admin.get(&format!("/get_weekly_error_report?timestamp={seconds}")).await.text.contains("PRICES[sku]")
        };
        assert!(at(now).await);
        assert!(!at(now - 8 * 24 * 3600).await);
        let bad = admin.get("/get_weekly_error_report?timestamp=yesterday").await;
        assert!(bad.status == 400 && bad.text.contains("Unix seconds"), "{}", bad.text);
        assert_eq!(admin.get("/get_weekly_error_report?repo=acme/other").await.status, 404);
        // Links stay on the name of the server by which the page is read: the cookie is there.
        let page = admin.get("/get_weekly_error_report").await;
        assert!(unescaped(&page.text).contains("href=\"/view_traceback?"), "{}", page.text);
        let shop = admin.get("/acme/shop").await;
        assert!(unescaped(&shop.text).contains("href=\"/get_weekly_error_report?"), "{}", shop.text);
    });
}

#[test]
fn a_strange_request_is_answered_by_a_page() {
    run_test(async |story| {
        story.install().await;
        let admin = Browser::signed_in(story).await;
        for (path, status) in [
            ("/nowhere", 404),
            ("/static/nothing.css", 404),
            ("/view_traceback?repo=acme/shop&filename=no.py&function_name=f", 404),
            ("/view_traceback?repo=acme/shop&filename=a%00b", 400),
            ("/view_traceback?repo=a&repo=b", 400),
            ("/view_traceback", 400),
            ("/add_known_error", 400),
            ("/acme/%00", 404),
            ("/acme/%ff", 400),
        ] {
            let page = admin.get(path).await;
            assert_eq!(page.status, status, "{path}: {}", page.text);
        }
        let no_form = admin.http.post(format!("{}/login", admin.base)).body("token=x");
        assert_eq!(admin.send(no_form).await.status, 400);
        assert_eq!(admin.post("/rules/end", &[("repo", REPO), ("rule", "first")]).await.status, 400);
    });
}
