//! Tracebacks as thirteen languages print them. Each begins as that language's does, so that the
//! fuzzer need not find out.

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

pub(super) fn php(data: &[u8]) {
    read("PHP Fatal error:  Uncaught E: x in /srv/a.php:3\nStack trace:\n#0 /srv/a.php(12): f()\n#1 {main}\n", data);
}

pub(super) fn dotnet(data: &[u8]) {
    read("A.XException: x\n   at A.B.F() in /srv/a.cs:line 3\n", data);
}

pub(super) fn elixir(data: &[u8]) {
    read("** (KeyError) x\n    (a 0.1.0) lib/a.ex:3: A.f/1\n", data);
}

pub(super) fn dart(data: &[u8]) {
    read("Unhandled exception:\nBad state: x\n#0      f (package:a/a.dart:3:12)\n", data);
}

pub(super) fn perl(data: &[u8]) {
    read("x at a.pl line 3.\n\tmain::f(1) called at a.pl line 9\n", data);
}

pub(super) fn swift(data: &[u8]) {
    read("a.swift:3: Fatal error: x\n", data);
}

pub(super) fn cpp(data: &[u8]) {
    read("==1==ERROR: AddressSanitizer: x on y\n    #0 0x1 in f(int) /srv/a.cc:3:5\n", data);
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
