//! Tracebacks as six languages print them. Each begins as that language's does, so that the fuzzer
//! need not find out.

use super::reports::{assert_scrubbed, assert_within_limits};

pub(super) fn python(data: &[u8]) {
    read("Traceback (most recent call last):\n  File \"a.py\", line 1, in f\n    g()\n", data);
}

pub(super) fn node(data: &[u8]) {
    read("Error: x\n    at f (/srv/a.js:1:2)\n", data);
}

pub(super) fn ruby(data: &[u8]) {
    read("a.rb:1:in 'f': x (E)\n\tfrom a.rb:2:in 'g'\n", data);
}

pub(super) fn java(data: &[u8]) {
    read("java.lang.E: x\n\tat a.B.f(B.java:1)\n", data);
}

pub(super) fn go(data: &[u8]) {
    read("panic: x\n\ngoroutine 1 [running]:\nmain.f(0x1)\n\t/srv/a.go:1 +0x1\n", data);
}

pub(super) fn rust(data: &[u8]) {
    read(
        "thread 'main' panicked at src/main.rs:1:2:\nx\nstack backtrace:\n   0: a::f\n             at ./src/a.rs:1:2\n",
        data,
    );
}

/// Before a traceback, behind it, and without one: what is found is within the limits, and its
/// secrets are hidden.
fn read(beginning: &str, data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    for text in [format!("{beginning}{text}"), format!("{text}\n{beginning}"), text.into_owned()] {
        let Ok(report) = wire::traceback::parse(&text) else { continue };
        assert!(report.exceptions.iter().any(|exception| !exception.frames.is_empty()), "no frames, and no error");
        assert_within_limits(&report);
        assert_scrubbed(report);
    }
}
