//! Fails where reading more of the same takes more than in proportion. What is compared is the time
//! that a thread had a processor, so other programs hardly matter.

use rustix::time::{ClockId, clock_gettime};
use std::time::Duration;

/// How much longer the longer text is.
const TIMES: usize = 4;
/// What reads in proportion takes [`TIMES`] as long, what reads in the square 16 times.
const MOST: u32 = 8;
/// Measurements before a text counts as slow: the least of them counts, for other programs only
/// ever add.
const TRIES: usize = 6;
/// How far indentation goes up, again and again. Even, for two things in turn.
const STAIRS: usize = 60;

/// So many parts, made of two things.
pub(super) type Arrangement = fn(&str, &str, usize) -> Vec<String>;

/// Two things in turn, each many times, and one before many of the other.
pub(super) const ARRANGEMENTS: [Arrangement; 3] = [
    |one, other, parts| [one, other].iter().cycle().take(parts).map(|it| (*it).to_owned()).collect(),
    |one, other, parts| {
        let half = |it: &str| vec![it.to_owned(); parts / 2];
        [half(one), half(other)].concat()
    },
    |one, other, parts| [vec![one.to_owned()], vec![other.to_owned(); parts]].concat(),
];

/// Fails where the longer text, of [`TIMES`] as much, takes too long; `what` names it. Both have to
/// end alike, so parts are whole stairs.
pub(super) fn assert_in_proportion(read: impl Fn(&str), text: impl Fn(usize) -> String, what: &str) {
    let (short, long) = (text(1), text(TIMES));
    let (mut of_short, mut of_long) = (Duration::MAX, Duration::MAX);
    for _ in 0..TRIES {
        of_short = of_short.min(time(&read, &short));
        of_long = of_long.min(time(&read, &long));
        if of_long <= of_short * MOST {
            return;
        }
    }
    panic!("{what} takes {of_short:?}, {TIMES} times as much of it {of_long:?}");
}

fn time(read: impl Fn(&str), text: &str) -> Duration {
    let before = processor_time();
    read(text);
    processor_time() - before
}

fn processor_time() -> Duration {
    let now = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(now.tv_sec.try_into().unwrap(), now.tv_nsec.try_into().unwrap())
}

/// So many parts are whole stairs.
pub(super) const fn stairs(count: usize) -> usize {
    count * STAIRS
}
