//! What the figures should be. docs/performance.md says where each comes from.

use crate::figure::Goal;

/// Rate of repeats on SQLite, in percent of the bare handler's.
pub(crate) const OF_BARE: Goal = Goal::AtLeast(60.0);
/// Rate of repeats on PostgreSQL, in percent of SQLite's.
pub(crate) const OF_SQLITE: Goal = Goal::AtLeast(60.0);
/// Rate of repeats on SQLite, times that of the fastest other server that takes the same.
pub(crate) const OF_PEER: Goal = Goal::AtLeast(2.5);
/// Rate with many connections, in percent of that with few: no worse, but for what differs from
/// turn to turn.
pub(crate) const NO_WORSE: Goal = Goal::AtLeast(95.0);
/// From sent to acknowledged with few connections, in milliseconds.
pub(crate) const ACCEPTED_P99: Goal = Goal::AtMost(10.0);
/// Rate with a million known lines, in percent of that with a thousand.
pub(crate) const GROWN: Goal = Goal::AtLeast(80.0);
/// From its start until a server with a million known lines is ready, in seconds.
pub(crate) const READY: Goal = Goal::AtMost(1.0);
/// A page of it, in milliseconds.
pub(crate) const PAGE_P99: Goal = Goal::AtMost(100.0);
/// From the first sight of a line to its alert, in milliseconds.
pub(crate) const ALERT_P50: Goal = Goal::AtMost(150.0);
/// The same, of the slowest in a hundred.
pub(crate) const ALERT_P99: Goal = Goal::AtMost(1_000.0);
/// Until a thousand new lines at once are decided, in seconds.
pub(crate) const DECIDED: Goal = Goal::AtMost(5.0);
/// The first alert of a repository beside a flood in another, in milliseconds.
pub(crate) const BESIDE_A_FLOOD: Goal = Goal::AtMost(1_000.0);
/// The first answer of a fresh process in a long history, in milliseconds.
pub(crate) const FIRST_BLAME: Goal = Goal::AtMost(100.0);
/// Who wrote a line, asked for the first time in a warm process, in milliseconds of CPU.
pub(crate) const BLAME: Goal = Goal::AtMost(5.0);
/// The same line once more, in milliseconds of CPU.
pub(crate) const BLAME_AGAIN: Goal = Goal::AtMost(1.0);
/// Memory of a server that has nothing to do, in megabytes.
pub(crate) const IDLE: Goal = Goal::AtMost(40.0);
/// Under full load.
pub(crate) const LOADED: Goal = Goal::AtMost(80.0);
/// With 20,000 new shapes a minute.
pub(crate) const SHAPES: Goal = Goal::AtMost(120.0);
/// How much it grows over a soak, in percent, once it is warm.
pub(crate) const FLAT: Goal = Goal::AtMost(5.0);
