//! Warnings, dumps, and errors that a program or a test wanted: none of them is what failed.

use super::*;

/// Type, message, innermost path and line of a text's raised exception.
fn read(text: &str) -> String {
    let Ok(report) = parse(text) else { return "none".to_owned() };
    let raised = report.raised().unwrap();
    let frame = raised.frames.last().unwrap();
    let value = raised.value.as_deref().unwrap_or("-");
    format!("{} {value} {}:{}", raised.kind, frame.path().unwrap_or("?"), frame.line.unwrap_or(0))
}

#[test]
fn a_stack_among_an_errors_properties_is_not_the_error() {
    for before in ["", "web-1  | ", "2026-03-11T08:15:01Z "] {
        for stack in [
            "data: { message: 'no cup', stack: 'Error: no cup\\n    at pour (/app/src/cup.js:4:1)' }",
            "body: '{\"stack\":\"Error: no cup\\\\n    at pour (/app/src/cup.js:4:1)\"}'",
            "stack: 'Error: no cup\\n' +\n      '    at pour (/app/src/cup.js:4:1)\\n' +\n      '    at fill (/app/src/cup.js:9:1)'",
        ] {
            let text = format!(
                "TeaError: 502\n    at get (/srv/src/get.js:7:3)\n    at async serve (/srv/src/tea.js:21:13) {{\n  \
                 code: 'E1',\n  response: {{\n    {stack}\n  }}\n}}\n"
            );
            let text: String = text.lines().map(|line| format!("{before}{line}\n")).collect();
            assert_eq!(read(&text), "TeaError 502 /srv/src/get.js:7", "{text}");
        }
    }
    // Behind the braces, a value is one again.
    let text = "TeaError: 502\n    at serve (/srv/src/tea.js:21:13) {\n  code: 'E1'\n}\n\
                err=\"Error: no cup\\n    at pour (/app/src/cup.js:4:1)\"\n";
    assert_eq!(read(text), "Error no cup /app/src/cup.js:4");
}

#[test]
fn perls_warnings_are_no_deaths() {
    let warnings = [
        "Use of uninitialized value $cup in addition (+) at lib/Tea.pm line 3.\n",
        "Use of uninitialized value $cup in print at lib/Tea.pm line 3 during global destruction.\n",
        "Deep recursion on subroutine \"Tea::pour\" at lib/Tea.pm line 3.\n",
        "Subroutine pour redefined at lib/Tea.pm line 3.\n",
        "\t(in cleanup) no cup at lib/Tea.pm line 3.\n",
    ];
    for warning in warnings {
        assert_eq!(read(warning), "none", "{warning}");
        let death = "no sugar at lib/Cup.pm line 12.\n";
        assert_eq!(read(&format!("{warning}{death}")), "die no sugar lib/Cup.pm:12");
        assert_eq!(read(&format!("{death}{warning}")), "die no sugar lib/Cup.pm:12");
    }
}

#[test]
fn nodes_warnings_are_no_errors() {
    let stack = "    at warn (node:events:587:17)\n    at brew (/srv/src/brew.js:12:11)\n";
    let error = "TypeError: no cup\n    at pour (/srv/src/cup.js:4:3)\n";
    for said in [
        "MaxListenersExceededWarning: Possible leak. 11 listeners added",
        "[DEP0005] DeprecationWarning: Buffer() is deprecated",
        "Warning: Accessing non-existent property 'tea'",
    ] {
        let warning = format!("(node:81) {said}\n{stack}");
        assert_eq!(read(&warning), "none", "{warning}");
        assert_eq!(read(&format!("{error}{warning}")), "TypeError no cup /srv/src/cup.js:4");
        assert_eq!(read(&format!("{warning}{error}")), "TypeError no cup /srv/src/cup.js:4");
    }
    assert_eq!(
        read(&format!("(node:81) UnhandledPromiseRejectionWarning: {error}")),
        "TypeError no cup /srv/src/cup.js:4"
    );
}

#[test]
fn phps_notices_are_no_errors() {
    for said in ["Notice:  Undefined variable: cup", "Deprecated:  f() is old", "Strict Standards:  not static"] {
        assert_eq!(read(&format!("PHP {said} in /srv/cup.php on line 3\n")), "none", "{said}");
    }
    assert_eq!(
        read("PHP Warning:  no cup in /srv/cup.php on line 3\nPHP Notice:  x in /srv/tea.php on line 4\n"),
        "Warning no cup /srv/cup.php:3"
    );
}

#[test]
fn a_dump_of_threads_is_no_trace() {
    let dump = "Full thread dump OpenJDK 64-Bit Server VM (21.0.2+13 mixed mode):\n\n\
                \"main\" #1 prio=5 os_prio=0 tid=0x7f nid=0x1 waiting on condition  [0x7f]\n   \
                java.lang.Thread.State: TIMED_WAITING (sleeping)\n\tat java.lang.Thread.sleep(java.base@21/Native Method)\n\
                \tat com.tea.Main.main(Main.java:8)\n\t- locked <0x1> (a com.tea.Cup)\n\tat com.tea.Main.run(Main.java:9)\n\n\
                \"GC\" os_prio=0 tid=0x7f runnable\n\n";
    let deadlock = "Found one Java-level deadlock:\n=============================\n\"a\":\n  waiting to lock monitor 0x7f\n\n\
                    Java stack information for the threads listed above:\n===================\n\
                    \"a\":\n\tat com.tea.Cup.fill(Cup.java:3)\n\t- waiting to lock <0x2>\n\tat com.tea.Cup.run(Cup.java:9)\n";
    let trace = "java.lang.IllegalStateException: no cup\n\tat com.tea.Pot.pour(Pot.java:30)\n\tat com.tea.Pot.main(Pot.java:3)\n";
    let raised = "IllegalStateException no cup com/tea/Pot.java:30";
    for dump in [dump.to_owned(), deadlock.to_owned(), format!("{dump}{deadlock}")] {
        assert_eq!(read(&dump), "none", "{dump}");
        assert_eq!(read(&format!("{trace}{dump}")), raised);
        assert_eq!(read(&format!("{dump}{trace}")), raised);
    }
}

#[test]
fn a_panic_that_a_test_wanted_is_no_failure() {
    let wanted = "thread 'cup::empty' panicked at src/cup.rs:9:5:\nno tea\nnote: run with `RUST_BACKTRACE=1`\n\
                  test cup::empty - should panic ... ok\n";
    let inline =
        "test cup::empty - should panic ... thread 'cup::empty' (812) panicked at src/cup.rs:9:5:\nno tea\nok\n";
    let failed = "thread 'cup::full' (813) panicked at src/tea.rs:20:5:\nno sugar\n\ntest cup::full ... FAILED\n";
    for wanted in [wanted, inline] {
        assert_eq!(read(wanted), "none", "{wanted}");
        assert_eq!(read(&format!("{failed}{wanted}")), "panic no sugar src/tea.rs:20");
    }
    assert_eq!(
        read("thread 'cup::empty' panicked at src/cup.rs:9:5:\nno tea\n\ntest cup::empty - should panic ... FAILED\n"),
        "panic no tea src/cup.rs:9"
    );
}

#[test]
fn what_was_written_to_jests_console_is_not_what_failed() {
    let failed = " FAIL  src/cup.test.js\n  ● pours\n\n    expect(received).toBe(expected)\n\n    Expected: 4\n    Received: 3\n\n    \
                  > 5 |   expect(t).toBe(4)\n        |             ^\n\n      at Object.toBe (src/cup.test.js:5:13)\n\n";
    let console = " PASS  src/tea.test.js\n  ● Console\n\n    console.error\n      Error: no tea\n          \
                   at brew (/srv/node_modules/tea/brew.js:12:9)\n          at go (/srv/src/tea.js:12:3)\n\n      \
                   > 12 |   x()\n           |   ^\n\n      at error (src/tea.js:13:2)\n\n    console.warn\n      TypeError: no pot\n          \
                   at pot (/srv/src/pot.js:3:3)\n\n";
    let (some, none) = ("Test Suites: 1 failed, 1 passed, 2 total\n", "Test Suites: 1 passed, 1 total\n");
    for text in [format!("{failed}{console}"), format!("{failed}{console}{some}"), format!("{console}{failed}{some}")] {
        assert!(read(&text).ends_with(" src/cup.test.js:5"), "{text}{}", read(&text));
    }
    assert_eq!(read(&format!("{console}{none}")), "none");
    assert_eq!(read(&format!("{console}Tests:       3 passed, 3 total\n")), "none");
    assert_eq!(read(console), "TypeError no pot /srv/src/pot.js:3");
}

#[test]
fn a_record_that_could_not_be_logged_has_its_callers() {
    let record = "--- Logging error ---\nTraceback (most recent call last):\n  File \"/usr/lib/python3.12/logging/__init__.py\", line 9, in emit\n    \
                  msg = self.format(record)\nTypeError: not all arguments converted\nCall stack:\n  \
                  File \"/srv/main.py\", line 30, in <module>\n    bye()\n  File \"/srv/log.py\", line 4, in bye\n    \
                  log(\"tea\", 1)\nMessage: 'tea'\nArguments: (1,)\n";
    let report = parse(record).unwrap();
    let lines: Vec<_> = report.raised().unwrap().frames.iter().map(|frame| frame.line.unwrap()).collect();
    assert_eq!(lines, [30, 4, 9]);
    assert_eq!(read(record), "TypeError not all arguments converted /usr/lib/python3.12/logging/__init__.py:9");
    let error =
        "Traceback (most recent call last):\n  File \"/srv/cup.py\", line 12, in fill\n    x()\nValueError: no tea\n";
    assert_eq!(read(&format!("{error}{record}")), "ValueError no tea /srv/cup.py:12");
    // What was to be logged is what failed.
    let (title, rest) = record.split_once('\n').unwrap();
    let context = "During handling of the above exception, another exception occurred:";
    assert_eq!(read(&format!("{title}\n{error}\n{context}\n\n{rest}")), "ValueError no tea /srv/cup.py:12");
    assert_eq!(read(&format!("{record}{error}")), "ValueError no tea /srv/cup.py:12");
}

#[test]
fn what_is_printed_behind_a_message_of_one_line_is_no_part_of_it() {
    let calls = "Traceback (most recent call last):\n  File \"/srv/cup.py\", line 12, in fill\n    x()\n";
    for said in ["ZeroDivisionError: division by zero", "KeyError: 'tea'", "IndexError: list index out of range"] {
        let (kind, value) = said.split_once(": ").unwrap();
        assert_eq!(read(&format!("{calls}{said}\nprogress 0\nprogress 1\n")), format!("{kind} {value} /srv/cup.py:12"));
    }
    // What anybody raises may say more.
    assert_eq!(read(&format!("{calls}ValueError: no tea\nno cup\n")), "ValueError no tea\nno cup /srv/cup.py:12");
    let cause = format!(
        "{calls}KeyError: 'tea'\na note\n\nDuring handling of the above exception, another exception occurred:\n\n"
    );
    let report = parse(&format!("{cause}{calls}ValueError: x\n")).unwrap();
    assert_eq!(report.exceptions[0].value.as_deref(), Some("'tea'\na note"));
}

#[test]
fn a_failed_test_of_xctest_is_read_and_no_compilers_error() {
    let failed = "/src/Tests/CupTests.swift:12: error: -[TeaTests.CupTests testFill] : XCTAssertEqual failed: (\"3\") is not equal to (\"4\")\n";
    assert_eq!(read(failed), "XCTAssertEqual (\"3\") is not equal to (\"4\") /src/Tests/CupTests.swift:12");
    let linux = "/src/Tests/CupTests.swift:9: error: CupTests.testFill : failed - no tea\nTest Case 'CupTests.testFill' failed (0.01 seconds)\n";
    assert_eq!(read(linux), "XCTFail failed - no tea /src/Tests/CupTests.swift:9");
    let thrown = "/src/Tests/CupTests.swift:9: error: CupTests.testFill : threw error \"noTea\"\n";
    assert_eq!(read(thrown), "XCTFail threw error \"noTea\" /src/Tests/CupTests.swift:9");
    for compiled in [
        "/src/Cup.swift:12:10: error: cannot find 'tea' in scope\n",
        "/src/Cup.swift:12: error: expected ' : ' in a type\n",
    ] {
        assert_eq!(read(compiled), "none");
    }
}

#[test]
fn the_place_that_type_script_could_not_compile_is_named() {
    for place in ["src/cup.ts:4:7 - error TS2322", "src/cup.ts(4,7): error TS2322"] {
        let text = format!(
            "TSError: ⨯ Unable to compile TypeScript:\n{place}: Type 'string' is not assignable to type 'number'.\n\n    \
             at createTSError (/srv/node_modules/ts-node/src/index.ts:859:12)\n    at Module.m._compile (/srv/node_modules/ts-node/src/index.ts:1618:23)\n"
        );
        assert!(read(&text).starts_with("TSError ⨯ Unable to"), "{}", read(&text));
        assert!(read(&text).ends_with(" src/cup.ts:4"), "{}", read(&text));
    }
}

#[test]
fn what_java_told_python_is_pythons() {
    let calls = "Traceback (most recent call last):\n  File \"/srv/jobs/tea.py\", line 30, in <module>\n    go()\n  \
                 File \"/opt/spark/python/lib/py4j-src.zip/py4j/protocol.py\", line 326, in value\n\
                 py4j.protocol.Py4JJavaError: An error occurred while calling o42.go.\n";
    let java = "\tat org.tea.Fs.open(Fs.java:2)\n\tat org.tea.Spark.a(Spark.scala:3)\n\tat org.tea.Spark.b(Spark.scala:4)\n\
                \tat java.lang.Thread.run(Thread.java:748)\n";
    let text = format!("{calls}: java.io.IOException: no tea\n{java}");
    assert!(read(&text).starts_with("Py4JJavaError "), "{}", read(&text));
    assert!(read(&text).ends_with("/py4j/protocol.py:326"), "{}", read(&text));
    let worker = "Traceback (most recent call last):\n  File \"/srv/jobs/cup.py\", line 9, in fill\n    x()\nValueError: no cup\n";
    let text = format!(
        "{calls}: org.tea.SparkException: Job aborted: org.tea.PythonException: {worker}\n{java}\nDriver stacktrace:\n{java}\
         Caused by: org.tea.PythonException: {worker}\n{java}\t... 1 more\n"
    );
    assert_eq!(read(&text), "ValueError no cup /srv/jobs/cup.py:9");
    // Java's own, later.
    let later = "java.lang.IllegalStateException: no pot\n\tat com.tea.Pot.pour(Pot.java:30)\n\tat com.tea.Pot.main(Pot.java:3)\n";
    assert_eq!(
        read(&format!("{calls}: java.io.IOException: no tea\n\n{later}")),
        "IllegalStateException no pot com/tea/Pot.java:30"
    );
}

#[test]
fn an_errors_name_alone_in_its_line_is_its_type() {
    let calls = "    at brew (/srv/node_modules/tea/brew.js:3:5)\n    at async fill (/srv/src/cup.ts:33:5)\n";
    for said in [
        "Invalid `tea.brew()` invocation in\n/srv/src/cup.ts:33:5\n\n  32 try {\n→ 33   await tea.brew(\nNo tea",
        "\nNo tea",
        "No tea",
    ] {
        let text = format!("TeaKnownRequestError: \n{said}\n{calls}");
        let read = read(&text);
        assert!(read.starts_with("TeaKnownRequestError ") && read.contains("No tea "), "{read}");
    }
    let eyre = "Error: \n   0: reading the menu\n   1: no such file\n\nLocation:\n   src/menu.rs:9\n";
    assert_eq!(read(eyre), "Error reading the menu\n1: no such file src/menu.rs:9");
}
