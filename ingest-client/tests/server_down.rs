//! A server that is down or silent changes nothing for the application. Reporting is one for a
//! process, so this is one test.
#![expect(clippy::unwrap_used, clippy::disallowed_methods, reason = "tests")]

use std::net::TcpListener;
use std::time::{Duration, Instant};

use ingest_client::{Options, capture_error, flush, init};

const KEY: &str = "0123456789abcdef0123456789abcdef";

/// Twice what the end of a program may wait for reports, and some, for a busy machine.
const BEARABLE: Duration = Duration::from_secs(8);

fn report() -> Option<String> {
    capture_error(&"many".parse::<u32>().unwrap_err())
}

#[test]
fn a_server_that_is_down_or_silent_holds_nothing_up() {
    // A port that was free a moment ago: nobody listens. More reports than the queue holds.
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let reporting = init(Options::with_dsn(format!("http://{KEY}@{nobody}/7"))).unwrap();
    let start = Instant::now();
    for _ in 0..100 {
        assert!(report().is_some(), "the application gets an id and goes on");
    }
    drop(reporting);
    assert!(start.elapsed() < BEARABLE, "reporting to nobody held the application for {:?}", start.elapsed());
    assert_eq!(report(), None, "reporting ends with its guard");

    // Connections are accepted by the system, and nobody ever reads them.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let reporting = init(Options::with_dsn(format!("http://{KEY}@{}/7", silent.local_addr().unwrap()))).unwrap();
    let start = Instant::now();
    assert!(report().is_some());
    assert!(!flush(Duration::from_millis(100)), "the report is still waiting");
    let panicked = std::thread::spawn(|| panic!("no change left")).join().unwrap_err();
    assert_eq!(panicked.downcast_ref(), Some(&"no change left"), "the application's own panic goes on");
    drop(reporting);
    assert!(start.elapsed() < BEARABLE, "a silent server held the application for {:?}", start.elapsed());
}
