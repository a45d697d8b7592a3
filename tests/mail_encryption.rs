//! Mails to servers that are encrypted, from the first byte or from `STARTTLS` on.

use crate::harness::encrypted_mail::{EncryptedServer, Encryption};
use crate::harness::smtp::SmtpServer;
use crate::harness::story::{Story, run_test};
use jiff::SignedDuration;
use std::time::Duration;

/// An encrypted server that asks for a user and a password, and the story's settings for it.
async fn encrypted(story: &mut Story, encryption: Encryption, address: &str) -> (EncryptedServer, SmtpServer) {
    let inner = SmtpServer::with_login("flawless", "p@ss").await;
    let outer = EncryptedServer::start(encryption, inner.port(), story.folder()).await;
    story.set("SMTP_URL", &address.replace("PORT", &outer.port().to_string()));
    story.set("SSL_CERT_FILE", outer.certificate());
    (outer, inner)
}

const ENCRYPTED: &str = "smtps://flawless:p%40ss@localhost:PORT";
const UPGRADED: &str = "smtp://flawless:p%40ss@localhost:PORT?tls=required";
const UPGRADED_IF_OFFERED: &str = "smtp://flawless:p%40ss@localhost:PORT?tls=opportunistic";

#[test]
fn an_alert_goes_to_an_encrypted_server() {
    for (encryption, address) in
        [(Encryption::Always, ENCRYPTED), (Encryption::Upgraded, UPGRADED), (Encryption::Upgraded, UPGRADED_IF_OFFERED)]
    {
        run_test(async |story| {
            story.install().await;
            let (outer, inner) = encrypted(story, encryption, address).await;
            let (key, project) = story.key().await;
            let event = story.event();
            story.stop().await;
            let mut process = story.start_process().await;
            assert_eq!(story.send_to(&process.url, &key, project, &event).await, 200);
            let mut changes = Vec::new();
            for _ in 0..400 {
                changes.extend(story.changes());
                if !inner.unread().is_empty() && changes.iter().any(|change| change.contains("assigned")) {
                    break;
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            process.signal("TERM");
            assert!(process.ended(Duration::from_secs(30)).await.is_some());
            let log = process.log(story);
            story.start().await;
            story.later(SignedDuration::from_secs(200)).await;
            let mails = inner.take();
            assert_eq!(mails.len(), 1, "{log}");
            assert_eq!(mails[0].to, ["ada@example.com"]);
            let heard = outer.heard_in_the_clear();
            assert!(!heard.contains("AUTH") && !heard.contains("MAIL"), "{heard}");
        });
    }
}

/// What `flawless check` says of the mail server.
async fn checked(story: &Story) -> String {
    let said = story.asking_command(&["check"]).await;
    said.lines().filter(|line| line.contains("localhost")).collect::<Vec<_>>().join("\n")
}

#[test]
fn a_server_that_is_not_who_it_says_gets_no_password() {
    for (encryption, address, why) in [
        (Encryption::Always, ENCRYPTED, "certificate"),
        (Encryption::Upgraded, UPGRADED, "certificate"),
        (Encryption::Upgraded, UPGRADED_IF_OFFERED, "certificate"),
        (Encryption::UpgradedWithMore, UPGRADED, "can't be reached"),
        (Encryption::TakenOut, UPGRADED, "STARTTLS is not supported"),
    ] {
        run_test(async |story| {
            story.install().await;
            let (outer, inner) = encrypted(story, encryption, address).await;
            if why == "certificate" {
                story.unset("SSL_CERT_FILE");
            }
            let said = checked(story).await;
            assert!(said.contains(why), "{encryption:?} {address}: {said}");
            let heard = outer.heard_in_the_clear();
            assert!(!heard.contains("AUTH") && inner.attempts() == 0, "{heard}");
        });
    }
}

#[test]
fn check_talks_to_an_encrypted_server() {
    for (encryption, address) in [(Encryption::Always, ENCRYPTED), (Encryption::Upgraded, UPGRADED)] {
        run_test(async |story| {
            story.install().await;
            let (_outer, inner) = encrypted(story, encryption, address).await;
            let said = checked(story).await;
            assert!(inner.attempts() > 0, "{said}");
        });
    }
}
