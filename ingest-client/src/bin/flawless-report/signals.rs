//! Signals under `run`: the command decides what they mean, and this one stays until it has ended.

use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM};
use signal_hook::iterator::Signals;
use std::io::IsTerminal;
use std::process::{Command, Stdio};

/// Hands the signals that ask for an end on to the command. Those of the keyboard reach it by themselves.
pub(crate) fn hand_on_to(child: u32) {
    let Ok(mut signals) = Signals::new([SIGINT, SIGQUIT, SIGTERM, SIGHUP]) else { return };
    let by_keyboard = std::io::stdin().is_terminal();
    // Ends with the process.
    let _ = std::thread::Builder::new().name("signals".to_owned()).spawn(move || {
        for signal in signals.forever() {
            if by_keyboard && matches!(signal, SIGINT | SIGQUIT) {
                continue;
            }
            // The standard library sends no signal but SIGKILL, and calling the system by hand is `unsafe`.
            let _ = Command::new("kill")
                .args([format!("-{signal}"), child.to_string()])
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .status();
        }
    });
}
