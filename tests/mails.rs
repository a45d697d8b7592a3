//! Mail to a real server on loopback: what arrives, and what is done when it does not.

use crate::harness::smtp::{Mode, SmtpServer};
use domain::timestamp::Timestamp;
use email::{MailError, Mailer, OutgoingMail};
use jiff::SignedDuration;
use std::path::Path;
use std::time::Duration;

const FROM: &str = "Flawless <flawless@example.com>";

fn mail() -> OutgoingMail {
    OutgoingMail {
        message_id: "line-12.to-7@flawless.example.com".to_owned(),
        to_name: "Ada Lovelace".to_owned(),
        to_email: "ada@example.engineering".to_owned(),
        subject: "[acme/shop] KeyError in total (shop/cart.py:42)".to_owned(),
        text: "You wrote this line.\n.\n..\n.hidden\n".to_owned(),
        html: "<p>You wrote this line.</p>\n".to_owned(),
        date: Timestamp::from_millis(1_795_347_060_000),
        reply_to: Some("team@example.com".to_owned()),
        repository: "acme/shop".to_owned(),
        line: Some(12),
        list_id: Some("acme-shop.flawless.example.com".to_owned()),
    }
}

fn mailer(url: &str) -> Mailer {
    Mailer::new(Some(url), FROM, Path::new("no-outbox")).unwrap()
}

#[tokio::test]
async fn a_mail_arrives_as_it_was_written() {
    let server = SmtpServer::start().await;
    mailer(&server.url()).send(&mail()).await.unwrap();
    let received = server.take();
    assert_eq!(received.len(), 1);
    let received = &received[0];
    assert_eq!(received.from, "flawless@example.com");
    assert_eq!(received.to, ["ada@example.engineering"]);
    assert_eq!(received.text().replace("\r\n", "\n"), mail().text);
    assert_eq!(received.html().replace("\r\n", "\n"), mail().html);
    for (name, value) in [
        ("From", "Flawless <flawless@example.com>"),
        ("To", "\"Ada Lovelace\" <ada@example.engineering>"),
        ("Reply-To", "team@example.com"),
        ("Message-ID", "<line-12.to-7@flawless.example.com>"),
        ("Date", "Sun, 22 Nov 2026 11:31:00 +0000"),
        ("Auto-Submitted", "auto-generated"),
        ("X-Flawless-Repository", "acme/shop"),
        ("X-Flawless-Line", "12"),
        ("List-Id", "<acme-shop.flawless.example.com>"),
    ] {
        assert_eq!(received.header(name).unwrap_or_default(), value, "{name}");
    }
    assert_eq!(received.parsed().subject(), Some("[acme/shop] KeyError in total (shop/cart.py:42)"));
    assert!(received.header("Content-Type").unwrap().starts_with("multipart/alternative"));
    assert_eq!(server.take(), [], "taken is taken");
}

#[tokio::test]
async fn letters_of_all_languages_survive() {
    let server = SmtpServer::start().await;
    let long = "ключ не найден, Schlüssel fehlt, 鍵がありません ".repeat(6);
    let sent = OutgoingMail {
        to_name: "Zoë \"Ζωή\" Müller, 佐藤".to_owned(),
        subject: long.trim().to_owned(),
        text: format!("{long}\n{}\n", "x".repeat(2_000)),
        ..mail()
    };
    mailer(&server.url()).send(&sent).await.unwrap();
    let received = &server.take()[0];
    assert_eq!(received.parsed().subject().unwrap(), sent.subject);
    assert_eq!(received.parsed().to().unwrap().first().unwrap().name().unwrap(), sent.to_name);
    assert_eq!(received.text().replace("\r\n", "\n"), sent.text);
    let raw = String::from_utf8(received.raw.clone()).unwrap();
    assert!(raw.is_ascii() && raw.lines().all(|line| line.len() <= 998), "any server can pass it on");
}

#[tokio::test]
async fn a_busy_server_is_tried_again() {
    let server = SmtpServer::start().await;
    let mailer = mailer(&server.url());
    server.set(Mode::Later);
    let error = mailer.send(&mail()).await.unwrap_err();
    assert!(matches!(&error, MailError::Transient { code: 451, text, .. } if text.contains("Greylisted")), "{error}");
    assert!(error.is_worth_a_retry() && server.take().is_empty());
    server.set(Mode::Accept);
    mailer.send(&mail()).await.unwrap();
    assert_eq!((server.take().len(), server.attempts()), (1, 2));
}

#[tokio::test]
async fn an_unknown_recipient_is_given_up() {
    let server = SmtpServer::start().await;
    server.set(Mode::NoSuchUser);
    let error = mailer(&server.url()).send(&mail()).await.unwrap_err();
    assert!(matches!(&error, MailError::Permanent { code: 550, .. }) && !error.is_worth_a_retry(), "{error}");
    insta::assert_snapshot!(
        error.to_string().replace(server.url().trim_start_matches("smtp://"), "HOST"),
        @"HOST refuses the mail (550): 5.1.1 No such user here"
    );
}

#[tokio::test]
async fn a_lost_answer_leads_to_a_copy_that_can_be_recognised() {
    let server = SmtpServer::start().await;
    let mailer = mailer(&server.url());
    for (mode, arrived) in [(Mode::DropBeforeAccepting, 0), (Mode::DropAfterAccepting, 1)] {
        server.set(mode);
        let error = mailer.send(&mail()).await.unwrap_err();
        assert!(error.may_have_arrived() && error.is_worth_a_retry(), "{mode:?}: {error}");
        let first = server.take();
        assert_eq!(first.len(), arrived, "{mode:?}");
        server.set(Mode::Accept);
        mailer.send(&mail()).await.unwrap();
        let second = server.take();
        for copy in first.iter().chain(&second) {
            assert_eq!(copy.header("Message-ID").unwrap(), "<line-12.to-7@flawless.example.com>");
        }
    }
}

#[tokio::test]
async fn a_slow_server_is_waited_for() {
    let server = SmtpServer::start().await;
    server.set(Mode::Delay(Duration::from_millis(300)));
    mailer(&server.url()).send(&mail()).await.unwrap();
    assert_eq!(server.take().len(), 1);
}

#[tokio::test]
async fn nobody_there_is_worth_a_retry() {
    let server = SmtpServer::start().await;
    let url = server.url();
    server.stop().await;
    let mailer = mailer(&url);
    let error = mailer.send(&mail()).await.unwrap_err();
    assert!(matches!(&error, MailError::Unreachable { .. }) && error.is_worth_a_retry(), "{error}");
    assert!(error.to_string().contains("refused"), "{error}");
    assert!(mailer.check().await.is_err());
}

#[tokio::test]
async fn passwords_are_used_and_not_repeated() {
    let server = SmtpServer::with_login("flawless", "p@ss").await;
    let right = mailer(&server.url_as("flawless", "p%40ss"));
    right.send(&mail()).await.unwrap();
    assert!(right.check().await.unwrap().ends_with("takes mail from flawless@example.com"));
    assert_eq!(server.take().len(), 1);

    let wrong = mailer(&server.url_as("flawless", "hunter2"));
    for error in [wrong.send(&mail()).await.unwrap_err(), wrong.check().await.unwrap_err()] {
        assert!(matches!(&error, MailError::Permanent { code: 535, .. }), "{error}");
        assert!(
            !error.to_string().contains("hunter2") && error.is_worth_a_retry(),
            "an operator can repair it: {error}"
        );
    }
    let none = mailer(&server.url());
    assert!(matches!(none.send(&mail()).await.unwrap_err(), MailError::Permanent { code: 530, .. }));
    assert!(!format!("{right:?}").contains("p@ss"), "nor in a log");
    assert!(server.take().is_empty());
}

#[tokio::test]
async fn encryption_that_is_asked_for_is_not_given_up() {
    let server = SmtpServer::start().await;
    let error = mailer(&format!("{}?tls=required", server.url())).send(&mail()).await.unwrap_err();
    assert!(matches!(&error, MailError::Unreachable { .. }), "{error}");
    assert!(error.to_string().contains("STARTTLS") && server.take().is_empty(), "{error}");
}

#[tokio::test]
async fn addresses_that_the_server_can_not_take_are_given_up() {
    let server = SmtpServer::start().await;
    let sent = OutgoingMail { to_email: "zoë@example.com".to_owned(), ..mail() };
    let error = mailer(&server.url()).send(&sent).await.unwrap_err();
    assert!(matches!(&error, MailError::BadAddress { .. }) && !error.is_worth_a_retry(), "{error}");
}

#[tokio::test]
async fn without_a_server_mails_are_files_in_order() {
    let directory = tempfile::tempdir().unwrap();
    let outbox = directory.path().join("data/outbox");
    let mailer = Mailer::new(None, FROM, &outbox).unwrap();
    assert!(mailer.check().await.unwrap().contains("outbox"));
    let later = OutgoingMail {
        message_id: "b/../../x@h".to_owned(),
        date: mail().date + SignedDuration::from_millis(1),
        ..mail()
    };
    mailer.send(&later).await.unwrap();
    mailer.send(&mail()).await.unwrap();
    mailer.send(&mail()).await.unwrap();
    let mut names: Vec<String> =
        std::fs::read_dir(&outbox).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    assert_eq!(
        names,
        ["001795347060000-line-12.to-7@flawless.example.com.eml", "001795347060001-b_.._.._x@h.eml"],
        "the same mail is the same file, and nothing else is left"
    );
    let raw = std::fs::read(outbox.join(&names[0])).unwrap();
    let parsed = mail_parser::MessageParser::default().parse(&raw).unwrap();
    assert_eq!(parsed.subject(), Some("[acme/shop] KeyError in total (shop/cart.py:42)"));
    assert_eq!(parsed.body_text(0).unwrap().replace("\r\n", "\n"), mail().text);

    let blocked = Mailer::new(None, FROM, &outbox.join(&names[0])).unwrap();
    let error = blocked.send(&mail()).await.unwrap_err();
    assert!(matches!(&error, MailError::Outbox { .. }) && error.is_worth_a_retry(), "{error}");
    assert!(blocked.check().await.is_err());
}
