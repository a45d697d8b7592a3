//! `flawless configure`: a questionnaire that writes `flawless.toml`.

use super::Failed;
use crate::config::{Config, FILE};
use crate::terminal::{self, say};
use email::Mailer;
use std::collections::BTreeMap;
use std::io::{BufRead, IsTerminal, Write};
use std::path::Path;

/// One question: a setting, what it is for, and whether the answer is a secret, which is never
/// shown.
struct Question {
    name: &'static str,
    text: &'static str,
    secret: bool,
}

const fn question(name: &'static str, text: &'static str, secret: bool) -> Question {
    Question { name, text, secret }
}

/// Asked in this order; an empty answer keeps the default.
const QUESTIONS: [Question; 13] = [
    question("HOST", "Address to listen on", false),
    question("PORT", "Port to listen on", false),
    question("PUBLIC_URL", "Address that people and applications reach the server by", false),
    question("DATABASE_URL", "Database, sqlite://… or postgres://…", true),
    question("SMTP_URL", "Mail server, smtp://user:password@host:587?tls=required", true),
    question("MAIL_FROM", "Sender of mails, Flawless <flawless@example.com>", false),
    question("OPERATOR_EMAIL", "Your address, for errors that nobody else can be told of", false),
    question("APP_ID", "Number of the GitHub App", false),
    question("PRIVATE_KEY_PATH", "File with the App's private key", false),
    question("WEBHOOK_SECRET", "Secret of the App's webhooks", true),
    question("ADMIN_TOKEN", "Token that admits to the pages, 16 characters or more", true),
    question("METRICS_TOKEN", "Token that admits Prometheus to /metrics, 16 characters or more", true),
    question("TRUSTED_PROXIES", "Addresses of the web servers in front, whose X-Forwarded-For is believed", false),
];

/// Asks, checks and writes.
///
/// # Errors
/// The terminal ends before the questions do, or the file can't be written.
pub async fn configure() -> Result<(), Failed> {
    say!("This writes {FILE} into this folder. An empty answer leaves a setting at its default.");
    if Path::new(FILE).exists() && !yes(&format!("{FILE} is there already. Write it anew?"))? {
        say!("Nothing was changed.");
        return Ok(());
    }
    let mut answers: BTreeMap<String, String> = BTreeMap::new();
    for asked in &QUESTIONS {
        // The App's other settings mean nothing without its number.
        let of_app = matches!(asked.name, "PRIVATE_KEY_PATH" | "WEBHOOK_SECRET");
        if of_app && !answers.contains_key("APP_ID") {
            continue;
        }
        loop {
            let answer = ask(asked)?;
            if answer.is_empty() {
                break;
            }
            match check(asked.name, &answer, &answers).await {
                Ok(said) => {
                    if let Some(said) = said {
                        say!("  {said}");
                    }
                    answers.insert(asked.name.to_owned(), answer);
                    break;
                }
                Err(wrong) => say!("  {wrong}"),
            }
        }
    }
    write(&answers)?;
    say!("Wrote {FILE}. `flawless check` tells whether everything works, `flawless` starts the server.");
    Ok(())
}

/// What is wrong with an answer, or what was found out about it.
async fn check(name: &str, answer: &str, before: &BTreeMap<String, String>) -> Result<Option<String>, String> {
    let mut settings = BTreeMap::from([(name.to_owned(), answer.to_owned())]);
    match name {
        "APP_ID" => return answer.parse::<u64>().map(|_| None).map_err(|_| "This has to be a number.".to_owned()),
        "PRIVATE_KEY_PATH" => {
            settings.extend(before.get("APP_ID").map(|id| ("APP_ID".to_owned(), id.clone())));
        }
        "SMTP_URL" => {
            let mailer = Mailer::new(Some(answer), "Flawless <flawless@localhost>", Path::new("."))
                .map_err(|error| error.to_string())?;
            return match mailer.check().await {
                Ok(said) => Ok(Some(said)),
                // It may be started later: the answer is kept, and the doubt is said.
                Err(error) => Ok(Some(format!("Kept, but: {error}"))),
            };
        }
        "MAIL_FROM" => {
            let mailer = Mailer::new(None, answer, Path::new("."));
            return mailer.map(|_| None).map_err(|error| error.to_string());
        }
        "WEBHOOK_SECRET" => return Ok(None),
        _ => {}
    }
    Config::from_parts(None, settings).map(|_| None).map_err(|error| error.to_string())
}

fn ask(asked: &Question) -> Result<String, Failed> {
    let prompt = format!("{} [{}]: ", asked.text, asked.name);
    if asked.secret && std::io::stdin().is_terminal() {
        return Ok(rpassword::prompt_password(prompt)?.trim().to_owned());
    }
    terminal::prompt(prompt);
    line()
}

fn yes(text: &str) -> Result<bool, Failed> {
    loop {
        terminal::prompt(format_args!("{text} [y/n]: "));
        match line()?.to_ascii_lowercase().as_str() {
            "y" | "yes" => return Ok(true),
            "n" | "no" => return Ok(false),
            _ => say!("  Please answer y or n."),
        }
    }
}

fn line() -> Result<String, Failed> {
    let mut text = String::new();
    if std::io::stdin().lock().read_line(&mut text)? == 0 {
        return Err("the questionnaire was left before its end; nothing was written".into());
    }
    Ok(text.trim().to_owned())
}

/// Writes the file for its owner's eyes only: it holds secrets.
fn write(answers: &BTreeMap<String, String>) -> Result<(), Failed> {
    let lower = answers.iter().map(|(name, value)| (name.to_ascii_lowercase(), toml::Value::from(value.as_str())));
    let text = lower.collect::<toml::Table>().to_string();
    let unfinished = format!(".{FILE}.tmp");
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&unfinished)?;
    file.write_all(text.as_bytes())?;
    // The old file is replaced by one that is on the disk, or not at all.
    file.sync_all()?;
    Ok(std::fs::rename(&unfinished, FILE)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_sender_that_is_no_address_is_asked_for_again() {
        let said = check("MAIL_FROM", "nobody", &BTreeMap::new()).await.expect_err("it is no address");
        assert!(said.contains("MAIL_FROM is \"nobody\", which is no address"), "{said}");
        assert_eq!(check("MAIL_FROM", "Flawless <flawless@example.com>", &BTreeMap::new()).await, Ok(None));
    }
}
