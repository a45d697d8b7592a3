//! A stock-taker that reports by the `sentry` crate itself: an error with its backtrace, then a
//! panic.
#![expect(clippy::print_stdout, reason = "a program talks to a person")]

mod shelves;

fn main() {
    let dsn = std::env::var("DSN").unwrap_or_default();
    let options =
        sentry::ClientOptions::new().dsn(&dsn).maybe_release(std::env::var("GIT_COMMIT").ok()).attach_stacktrace(true);
    let _reporting = sentry::init(options);
    if let Err(error) = shelves::read("jam: 12\nhoney: many\n") {
        sentry::capture_error(&error);
        println!("the list is damaged: {error}");
    }
    println!("each jar weighs {} g", shelves::weight_of_each(4800, &[]));
}
