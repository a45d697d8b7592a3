//! Text that PostgreSQL refuses, or has no place for in an index: told and kept like any other, on
//! either database.

use crate::harness::git_repo::{ADA, GRACE};
use crate::harness::scenes::MINUTE;
use crate::harness::smtp::Mode;
use crate::harness::story::{CART, CART_PATH, Story, run_test};
use serde_json::json;
use sha2::{Digest as _, Sha256};
use std::io::{Read as _, Write as _};
use std::net::TcpListener;

/// So many characters in which nothing is found twice, so that PostgreSQL can't make them shorter.
fn incompressible(length: usize) -> String {
    let digests = (0_u32..).map(|number| hex::encode(Sha256::digest(number.to_le_bytes())));
    digests.flat_map(|digest| digest.into_bytes()).map(char::from).take(length).collect()
}

/// The failing line is of a commit whose author is called so; nothing checks what a tool wrote.
fn cart_by(story: &mut Story, author: &str) {
    let text = CART.replace("PRICES[sku]", "PRICES[sku.strip()]");
    story.repo.commit(GRACE, "2026-02-01T10:00:00Z", &[(CART_PATH, &text)], "Strip");
    let commit = story.repo.git(&["cat-file", "commit", "HEAD"]);
    let file = story.repo.path().join("odd");
    std::fs::write(&file, commit.replacen("author Grace Hopper", &format!("author {author}"), 1)).unwrap();
    let odd = story.repo.git(&["hash-object", "-t", "commit", "-w", "--literally", file.to_str().unwrap()]);
    std::fs::remove_file(file).unwrap();
    story.repo.force(&odd);
}

/// The subjects and recipients of new mails.
fn told(story: &Story) -> Vec<String> {
    story.mails().iter().map(|mail| mail.to.join(", ")).collect()
}

#[test]
fn who_has_a_nul_in_their_name_is_told() {
    run_test(async |story| {
        cart_by(story, "Gra\0ce Hopper");
        story.install().await;
        story.cart_fails_at("PRICES[sku.strip()]").await;
        assert_eq!(told(story), ["grace@example.com"]);
        assert_eq!(story.lines().await[0].author().as_ref().unwrap().name, "Gra\u{fffd}ce Hopper");
        story.changes();
    });
}

#[test]
fn who_has_a_nul_in_the_mailmap_is_told() {
    run_test(async |story| {
        story.commit(ADA, "2026-02-01T10:00:00Z", &[(".mailmap", "A\0da <ada@example.com>\n")], "Names");
        story.install().await;
        story.fails(1).await;
        assert_eq!(told(story), ["ada@example.com"]);
        assert_eq!(story.lines().await[0].author().as_ref().unwrap().name, "A\u{fffd}da");
        story.changes();
    });
}

#[test]
fn a_mail_that_is_refused_with_a_nul_is_given_up_and_says_so() {
    run_test(async |story| {
        story.install().await;
        story.smtp.set(Mode::RefusedWithNul);
        story.fails(1).await;
        story.changes();
        let line = story.lines().await[0].id;
        let deliveries = store::deliveries::of_line(&story.services().store, line).await.unwrap();
        let error = deliveries.iter().find_map(|delivery| delivery.error.clone()).unwrap();
        assert!(error.contains("content\\u{0} rejected"), "it is seen: {error}");
        assert_eq!(story.smtp.attempts(), 1, "it is not sent again for want of a note");
    });
}

#[test]
fn what_a_git_server_says_with_a_nul_is_shown() {
    run_test(async |story| {
        story.install().await;
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        // It ends with the test's process.
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                // It is asked first: who is answered before may find the line closed.
                let _ = stream.read(&mut [0; 1_000]);
                stream.write_all(b"0014ERR no\0such repo").unwrap();
            }
        });
        story.watch_plainly("team/odd", &format!("git://127.0.0.1:{port}/odd")).await;
        let page = story.page("/team/odd").await;
        assert!(page.contains("no\u{fffd}such repo"), "{page}");
        story.command(&["repository", "remove", "team/odd"]);
        story.later(MINUTE).await;
    });
}

#[test]
fn a_file_whose_path_no_index_takes_keeps_no_report_from_being_told() {
    run_test(async |story| {
        let blob = story.repo.git(&["rev-parse", &format!("HEAD:{CART_PATH}")]);
        let folders: Vec<String> =
            incompressible(3_600).as_bytes().chunks(200).map(|part| String::from_utf8_lossy(part).into()).collect();
        let path = format!("{}/deep.py", folders.join("/"));
        story.repo.git(&["update-index", "--add", "--cacheinfo", &format!("100644,{blob},{path}")]);
        story.repo.git_as(GRACE, "2026-02-01T10:00:00Z", &["commit", "--quiet", "--message", "Deep"]);
        story.install().await;
        let mut event = story.event_at(&story.repo.head(), &path, "PRICES[sku]", "total", "web-1");
        let frame = &mut event["exception"]["values"][0]["stacktrace"]["frames"][1];
        frame["filename"] = json!("deep.py");
        frame["abs_path"] = json!("/srv/app/deep.py");
        story.report(&event).await;
        let lines = story.lines().await;
        assert_eq!(lines.iter().map(|line| line.place.path.as_str()).collect::<Vec<_>>(), ["/srv/app/deep.py"]);
        assert!(story.changes().iter().any(|change| change.contains("#1 opened")));
    });
}

#[test]
fn a_team_whose_name_no_index_takes_is_asked_for_like_any_other() {
    run_test(async |story| {
        let owners = format!("* @acme/{}\n", incompressible(4_000));
        let gone = "Alan Turing <alan@example.com>";
        story.commit(
            gone,
            "2024-01-05T10:00:00Z",
            &[("shop/old.py", "def decode(text):\n    return KEYS[text]\n")],
            "Decode",
        );
        story.commit(ADA, "2026-01-06T10:00:00Z", &[(".github/CODEOWNERS", &owners)], "Owners");
        story.install().await;
        story.fails_at("shop/old.py", "KEYS[text]", "decode").await;
        assert_eq!(told(story).len(), 1);
        story.changes();
    });
}
