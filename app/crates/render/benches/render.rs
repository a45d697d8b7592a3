//! What a mail, an issue and a page cost: `cargo bench -p render`.
#![expect(clippy::print_stdout, clippy::disallowed_methods, reason = "a bench measures time and prints what it finds")]
#![expect(clippy::unwrap_used, reason = "a bench that can't go on says so and ends")]

use render::views::{RepositoryPage, Traceback, Weekly};
use render::{Layout, View, issue, mail, page, sample_alert};
use std::hint::black_box;
use std::time::Instant;

fn main() {
    let rounds = if std::env::args().any(|argument| argument == "--bench") { 2_000 } else { 10 };
    let alert = sample_alert();
    say("mail of an alert", rounds, || mail(&alert).unwrap().text.len());
    say("issue of an alert", rounds, || issue(&alert).unwrap().body.len());
    let layout = Layout::default();
    say("page of a line", rounds, of(&layout, Traceback::sample()));
    say("page of a week", rounds, of(&layout, Weekly::sample()));
    say("page of a repository", rounds, of(&layout, RepositoryPage::sample()));
}

fn of<V: View>(layout: &Layout, view: V) -> impl FnMut() -> usize {
    move || page(layout, &view).unwrap().len()
}

/// The mean time of some work, and how much comes of it.
fn say(what: &str, rounds: u32, mut work: impl FnMut() -> usize) {
    let bytes = work();
    let began = Instant::now();
    (0..rounds).for_each(|_| _ = black_box(work()));
    let each = began.elapsed().as_secs_f64() * 1e6 / f64::from(rounds);
    println!("{what}: {each:.0} µs ({bytes} bytes)");
}
