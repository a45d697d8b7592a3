//! Being asked to stop: heard, and the end in time whatever the rest of the process does.

#[cfg(unix)]
use std::io::Read as _;
#[cfg(unix)]
use std::time::Duration;

/// How long after it was asked to stop the process ends in any case: a second more than all that is
/// waited for takes (connections 11, steps 10, the database 3, git work 2, the log 1; where the
/// database is out of reach, putting jobs back is cut off by it), and less than the 30 after which
/// process managers kill.
#[cfg(unix)]
const ENDED_WITHIN: Duration = Duration::from_secs(28);

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
                if let Err(error) = end_within(ENDED_WITHIN) {
                    tracing::warn!(%error, "nothing sees to it that the server ends in time");
                }
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

/// Ends the process this long after the first signal, as an orderly end does, unless it has ended
/// by then: by a thread of its own, which waits for no other thread, no runtime and no log.
#[cfg(unix)]
fn end_within(limit: Duration) -> std::io::Result<()> {
    let (mut asked, ask) = std::os::unix::net::UnixStream::pair()?;
    for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM] {
        signal_hook::low_level::pipe::register(signal, ask.try_clone()?)?;
    }
    let watch = move || {
        if asked.read_exact(&mut [0]).is_ok() {
            std::thread::sleep(limit);
            #[expect(clippy::disallowed_methods, reason = "who could return from main may stand still")]
            std::process::exit(0);
        }
    };
    std::thread::Builder::new().name("end in time".to_owned()).spawn(watch).map(drop)
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use std::io::BufRead as _;
    use std::process::{Command, Stdio};

    /// Set in the process that is to be ended.
    const STANDS_STILL: &str = "FLAWLESS_TEST_STANDS_STILL";
    const LIMIT: Duration = Duration::from_secs(1);

    #[test]
    fn a_process_whose_runtime_stands_still_ends_in_time() {
        if std::env::var_os(STANDS_STILL).is_some() {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let _heard = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()).unwrap();
                end_within(LIMIT).unwrap();
                println!("\nready");
                std::thread::sleep(Duration::from_secs(60));
            });
            panic!("it was not ended");
        }
        let name = "commands::stop::tests::a_process_whose_runtime_stands_still_ends_in_time";
        let mut still = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", name, "--nocapture"])
            .env(STANDS_STILL, "1")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let said = std::io::BufReader::new(still.stdout.take().unwrap()).lines().map(Result::unwrap);
        assert!(said.into_iter().any(|line| line == "ready"), "it starts");
        let asked = Command::new("kill").args(["-TERM", &still.id().to_string()]).status().unwrap();
        assert!(asked.success());
        assert_eq!(still.wait().unwrap().code(), Some(0));
    }
}
