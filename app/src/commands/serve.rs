//! `flawless serve`: the server, until it is asked to stop.

use super::{Failed, stop::stop_signal};
use crate::clock::Clock;
use crate::config::Config;
use crate::serve::Flawless;
use crate::services::admin_token::{AdminToken, TokenOrigin};
use crate::terminal::say;

/// Shows a token that nobody knows yet, and says where the one that is known is void.
fn say_token(token: &AdminToken) {
    if token.origin == TokenOrigin::MadeInPlace {
        say!("ADMIN_TOKEN was set at an earlier start, and is not any more.");
        if !token.is_new {
            say!("The admin token is the one that was printed here once. Without it, set ADMIN_TOKEN and start again.");
        }
    }
    if token.is_new {
        say!("Admin token, shown this once (set ADMIN_TOKEN to choose your own): {}", token.token.expose());
    }
}

/// Serves until Ctrl-C or SIGTERM.
///
/// # Errors
/// The server can't be opened.
pub async fn serve(config: Config, clock: Clock) -> Result<(), Failed> {
    #[cfg(unix)]
    outlive_full_files();
    let flawless = Flawless::open(config, clock).await?;
    let url = flawless.config.public_url.clone().unwrap_or_default();
    tracing::info!(address = %flawless.address, "listening");
    say!("Flawless is at {url}");
    say_token(&flawless.admin_token);
    if flawless.config.app.is_none() {
        say!("No GitHub App is configured (APP_ID): issues are written to {}", flawless.config.outbox().display());
    }
    if flawless.config.smtp_url.is_none() {
        say!("No mail server is configured (SMTP_URL): mails are written to {}", flawless.config.outbox().display());
    }
    if store::repositories::list(&flawless.handles.store).await?.is_empty() {
        say!("No repository is watched yet: `flawless repository add URL`, or install the GitHub App on one");
    }
    flawless.run(true, stop_signal()).await;
    Ok(())
}

/// Writing to a file that may not grow any more (`ulimit -f`) fails as on a full disk, and does not
/// end the process.
#[cfg(unix)]
fn outlive_full_files() {
    use signal_hook::consts::SIGXFSZ;
    let heard = std::sync::Arc::<std::sync::atomic::AtomicBool>::default();
    if let Err(error) = signal_hook::flag::register(SIGXFSZ, heard) {
        tracing::warn!(%error, "a file that reaches its limit (`ulimit -f`) will end the server");
    }
}
