//! `app check`: does everything work that the configuration names? A line each.

use super::Failed;
use crate::clock::Clock;
use crate::config::Config;
use crate::pipeline::Rooms;
use crate::serve::open_rooms;
use std::process::ExitCode;

/// Checks everything. Exit code 1 where something does not work.
///
/// # Errors
/// None beyond what the lines say.
pub async fn check(config: Config, clock: Clock) -> Result<ExitCode, Failed> {
    let mut sound = true;
    println!("ok    configuration");
    match open_rooms(&config).await {
        Ok((rooms, _)) => {
            println!("ok    database: {}", shown(&config, "DATABASE_URL"));
            sound &= say("mail", mail(&config, &rooms).await);
            sound &= say("GitHub", github(&config, &rooms).await);
            sound &= mirrors(&rooms, clock.now_ms()).await;
            rooms.store.close().await;
        }
        Err(error) => sound &= say("rooms", Err(error.to_string())),
    }
    Ok(if sound { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn say(what: &str, result: Result<String, String>) -> bool {
    match &result {
        Ok(text) => println!("ok    {what}: {text}"),
        Err(text) => println!("FAIL  {what}: {text}"),
    }
    result.is_ok()
}

fn shown(config: &Config, name: &str) -> String {
    config.shown().into_iter().find(|(key, _)| *key == name).map(|(_, value)| value).unwrap_or_default()
}

async fn mail(config: &Config, rooms: &Rooms) -> Result<String, String> {
    if config.smtp_url.is_none() {
        return Ok(format!("no SMTP_URL, mails are written to {}", config.outbox().display()));
    }
    rooms.mailer.check().await.map_err(|error| error.to_string())
}

async fn github(config: &Config, rooms: &Rooms) -> Result<String, String> {
    let Some(app) = rooms.app.get() else {
        return Ok(format!("no APP_ID, issues are written to {}", config.outbox().display()));
    };
    let github = app.github;
    let slug = github.app_slug().await.map_err(|error| error.to_string())?;
    let installations = github.installations().await.map_err(|error| error.to_string())?;
    if app.webhook_secret.is_none() {
        return Err(format!("the App {slug} answers, but WEBHOOK_SECRET is not set: no webhook can be believed"));
    }
    Ok(format!("the App {slug} answers, with {} installation(s)", installations.len()))
}

async fn mirrors(rooms: &Rooms, now_ms: i64) -> bool {
    let rows = match rooms.store.repositories().await {
        Ok(rows) => rows,
        Err(error) => return say("repositories", Err(error.to_string())),
    };
    if rows.is_empty() {
        println!("ok    mirrors: no repository is watched yet");
    }
    let mut sound = true;
    for row in rows {
        let name = &row.repository.full_name;
        sound &= match (&row.fetch_error, rooms.mirrors.exists(row.repository.id)) {
            (Some(error), _) => say(name, Err(format!("not fetched: {error}"))),
            (None, false) => say(name, Ok("not cloned yet; the server does that when it runs".to_owned())),
            (None, true) => {
                say(name, Ok(format!("mirrored, fetched {} minutes ago", (now_ms - row.fetched_at_ms) / 60_000)))
            }
        };
        if let Some(error) = &row.settings_error {
            sound &= say(name, Err(format!(".github/flawless.yml is not used: {}", error.replace('\n', "; "))));
        }
    }
    sound
}
