//! How much of its memory the server keeps for itself, where the C library hands it out.
//!
//! glibc gives each thread an arena of its own, up to eight for each processor, and keeps what was
//! freed in them. Each thread that a burst of reports woke held some of that for good, half as much
//! again as the server needs. It reads how it is to do so once, before a program begins: so the
//! server begins once more, as the same process.

#[cfg(all(target_os = "linux", target_env = "gnu"))]
use std::os::unix::process::CommandExt as _;
#[cfg(all(target_os = "linux", target_env = "gnu"))]
use std::process::Command;

/// What glibc is told by.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
const VARIABLE: &str = "GLIBC_TUNABLES";

/// Set where the program began once more: of one that has rights of its own (`setcap`, to listen at
/// port 80), glibc takes [`VARIABLE`] away each time.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
const BEGUN: &str = "FLAWLESS_BEGUN_ONCE_MORE";

/// Where any of these is set, that stands: what somebody who runs the server has told glibc, by
/// [`VARIABLE`] or the older names of the same settings.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
const SET: [&str; 5] = [BEGUN, VARIABLE, "MALLOC_ARENA_MAX", "MALLOC_TRIM_THRESHOLD_", "MALLOC_MMAP_THRESHOLD_"];

/// From how much free memory on the end of an arena gives it back, and large pieces are given back
/// by themselves: glibc's own value to begin with, which it raises up to 64 MiB unless it is set.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
const GIVEN_BACK: usize = 128 << 10;

/// Begins this program once more with an arena for each processor, unless somebody who runs it has
/// set how memory is handed out. Returns where there is nothing to do, or that can't be done: then
/// the server takes more memory, and works as well.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
pub fn begin_with_few_arenas() {
    if SET.iter().any(|name| std::env::var_os(name).is_some()) {
        return;
    }
    let Ok(program) = std::env::current_exe() else { return };
    let arenas = std::thread::available_parallelism().map_or(2, |processors| processors.get().max(2));
    let mut arguments = std::env::args_os();
    let mut command = Command::new(program);
    if let Some(name) = arguments.next() {
        command.arg0(name);
    }
    let tunables = format!("glibc.malloc.arena_max={arenas}:glibc.malloc.trim_threshold={GIVEN_BACK}");
    // It returns only where it could not.
    let _ = command.args(arguments).env(VARIABLE, tunables).env(BEGUN, "1").exec();
}

/// Nothing, where another C library hands out memory.
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
pub fn begin_with_few_arenas() {}
