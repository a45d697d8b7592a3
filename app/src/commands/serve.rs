//! `flawless serve`: the server, until it is asked to stop.

use super::Failed;
use crate::clock::Clock;
use crate::config::Config;
use crate::serve::Flawless;
use crate::terminal::say;

/// Serves until Ctrl-C or SIGTERM.
///
/// # Errors
/// The server can't be opened.
pub async fn serve(config: Config, clock: Clock) -> Result<(), Failed> {
    let flawless = Flawless::open(config, clock).await?;
    let url = flawless.config.public_url.clone().unwrap_or_default();
    tracing::info!(address = %flawless.address, "listening");
    say!("Flawless is at {url}");
    if flawless.token_is_new {
        say!("Admin token, shown this once (set ADMIN_TOKEN to choose your own): {}", flawless.admin_token.expose());
    }
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

/// Done when the process is asked to stop. Asked again, it ends at once, whatever it is doing: what
/// was acknowledged is durable.
pub(super) async fn stop_signal() {
    let interrupt = async {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    };
    #[cfg(unix)]
    let terminate = async {
        match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
            Ok(mut signal) => {
                // Both are heard from here on.
                end_at_the_second();
                signal.recv().await;
            }
            Err(_) => std::future::pending().await,
        }
    };
    #[cfg(not(unix))]
    let terminate = std::future::pending::<()>();
    tokio::select! {
        // In this order, so that the second counts only once the first is heard.
        biased;
        () = interrupt => {}
        () = terminate => {}
    }
}

/// The second signal ends the process within the handler, even where no thread is left to notice.
#[cfg(unix)]
fn end_at_the_second() {
    use signal_hook::consts::{SIGINT, SIGTERM};
    use signal_hook::flag;
    let asked = std::sync::Arc::<std::sync::atomic::AtomicBool>::default();
    for signal in [SIGINT, SIGTERM] {
        // 128 and the signal's number is what shells call a process that a signal ended.
        let heard = flag::register_conditional_shutdown(signal, 128 + signal, asked.clone())
            .and_then(|_| flag::register(signal, asked.clone()));
        if let Err(error) = heard {
            tracing::warn!(%error, "a second signal will not end the server at once");
        }
    }
}
