//! Forms of the languages whose texts are rarer, and what is none of theirs.

use super::*;

/// Type, innermost path and line of a text's raised exception.
fn read(text: &str) -> String {
    let report = parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
    let raised = report.raised().unwrap();
    let frame = raised.frames.last().unwrap();
    let line = frame.line.map_or_else(String::new, |line| format!(":{line}"));
    format!("{} {}{line} {}", raised.kind, frame.path().unwrap_or("?"), frame.function_name())
}

#[test]
fn php_in_other_layouts() {
    for (text, expected) in [
        (
            "Fatal error: Uncaught Shop\\NoPrice: tea in C:\\shop\\Cart.php:21 Stack trace: #0 C:\\shop\\index.php(4): \
             Shop\\Cart->total() #1 {main} thrown in C:\\shop\\Cart.php on line 21",
            "Shop\\NoPrice C:\\shop\\Cart.php:21 Shop\\Cart::total",
        ),
        (
            "<br />\n<b>Warning</b>:  Undefined variable $tea in <b>/srv/shop/cart.php</b> on line <b>9</b><br />",
            "Warning /srv/shop/cart.php:9 ?",
        ),
        (
            "PHP Parse error:  syntax error, unexpected token \";\" in /srv/cart.php on line 9",
            "ParseError /srv/cart.php:9 ?",
        ),
        (
            "PHP Fatal error:  Uncaught exception 'NoPrice' with message 'tea' in /srv/cart.php:9\nStack trace:\n\
             #0 {main}\n  thrown in /srv/cart.php on line 9",
            "NoPrice /srv/cart.php:9 ?",
        ),
        (
            "[2026-03-11T08:15:01] request.CRITICAL: Uncaught PHP Exception Shop\\NoPrice: \"tea\" at /srv/Cart.php line 21 {}",
            "Shop\\NoPrice /srv/Cart.php:21 ?",
        ),
        (
            "PHP Fatal error:  Uncaught Error: x in /srv/run.php(3) : eval()'d code:8\nStack trace:\n\
             #0 /srv/run.php(3): eval()\n#1 {main}",
            "Error /srv/run.php:3 ?",
        ),
        (
            "   TypeError \n\n  Unsupported operand types\n\n  at app/Cart.php:12\n      8▕ x\n  ➜  12▕ y\n\n  \
             1   app/Shop.php:34\n      App\\Cart::total()\n",
            "TypeError app/Cart.php:12 ?",
        ),
    ] {
        assert_eq!(read(text), expected);
    }
}

#[test]
fn of_php_the_line_is_in_what_calls_a_function_of_its_own() {
    let calls = "#1 /srv/public/index.php(4): Shop\\Cart->price()\n#2 {main}\n";
    for (called, expected) in [
        ("#0 /srv/src/Cart.php(15): intdiv(3, 0)", "Shop\\Cart::price"),
        ("#0 /srv/src/Cart.php(15): PDO->query('select')", "Shop\\Cart::price"),
        ("#0 /srv/src/Cart.php(15): DateTime->__construct('never')", "Shop\\Cart::price"),
        ("#0 /srv/src/Money.php(9): Shop\\Money->share(0)", "Shop\\Money::share"),
        ("#0 /srv/src/Cart.php(15): Shop\\Cart->{closure}(1)", "Shop\\Cart::{closure}"),
        ("#0 [internal function]: Shop\\Cart->{closure}(1)", "Shop\\Cart::{closure}"),
    ] {
        let text = format!(
            "PHP Fatal error:  Uncaught ValueError: no in /srv/src/Cart.php:15\nStack trace:\n{called}\n{calls}  \
             thrown in /srv/src/Cart.php on line 15\n"
        );
        assert_eq!(read(&text), format!("ValueError /srv/src/Cart.php:15 {expected}"), "{called}");
        let logged = format!(
            "[2026-11-20 03:00:07] local.ERROR: no {{\"exception\":\"[object] (ValueError(code: 0): no at \
             /srv/src/Cart.php:15)\n[stacktrace]\n{called}\n{calls}\"}}\n"
        );
        assert_eq!(read(&logged), format!("ValueError /srv/src/Cart.php:15 {expected}"), "{called}");
    }
    for (text, functions) in [
        (
            "PHP Fatal error:  Uncaught DivisionByZeroError: Division by zero in /srv/run.php:3\nStack trace:\n\
             #0 /srv/run.php(3): intdiv(1, 0)\n#1 {main}\n  thrown in /srv/run.php on line 3\n",
            vec!["?"],
        ),
        (
            "In Cart.php line 15:\n\n  [ValueError]\n  no\n\nException trace:\n  at /srv/src/Cart.php:15\n \
             intdiv() at /srv/src/Cart.php:15\n Shop\\Cart->price() at /srv/public/index.php:4\n",
            vec!["Shop\\Cart::price", "?"],
        ),
        (
            "ErrorException: Undefined variable $tea in /srv/src/Cart.php:15\nStack trace:\n\
             #0 /srv/vendor/HandleExceptions.php(256): Laravel\\HandleExceptions->handleError(2, 'Undefined', '/srv/src/Cart.php', 15)\n\
             #1 /srv/src/Cart.php(15): Laravel\\HandleExceptions->{closure}(2, 'Undefined', '/srv/src/Cart.php', 15)\n\
             #2 /srv/public/index.php(4): Shop\\Cart->price()\n#3 {main}\n",
            vec!["Shop\\Cart::price", "?"],
        ),
    ] {
        let report = parse(text).unwrap();
        let frames = &report.raised().unwrap().frames;
        let read: Vec<&str> = frames.iter().rev().map(Frame::function_name).collect();
        assert_eq!(read, functions, "{text}");
    }
}

#[test]
fn a_warning_says_less_than_an_error_before_it() {
    let error =
        "PHP Fatal error:  Uncaught E: x in /srv/a.php:3\nStack trace:\n#0 {main}\n  thrown in /srv/a.php on line 3\n";
    let warning = "PHP Warning:  Undefined variable $x in /srv/b.php on line 9\n";
    assert_eq!(read(&format!("{error}{warning}")), "E /srv/a.php:3 ?");
    assert_eq!(read(warning), "Warning /srv/b.php:9 ?");
}

#[test]
fn dotnet_in_the_languages_of_its_machines() {
    for at in [
        "bei Shop.Cart.Total() in C:\\a\\Cart.cs:Zeile 12.",
        "à Shop.Cart.Total() dans C:\\a\\Cart.cs:ligne 12",
        "en Shop.Cart.Total() en C:\\a\\Cart.cs:línea 12",
        "in Shop.Cart.Total() in C:\\a\\Cart.cs:riga 12",
        "在 Shop.Cart.Total() 位置 C:\\a\\Cart.cs:行号 12",
        "場所 Shop.Cart.Total() 場所 C:\\a\\Cart.cs:行 12",
        "в Shop.Cart.Total() в C:\\a\\Cart.cs:строка 12",
        "at Shop.Cart.Total () [0x00012] in C:\\a\\Cart.cs:12 ",
        "at Shop.Cart+<>c.<Total>b__0_0() in C:\\a\\Cart.cs:line 12",
        "at Shop.Cart.<Total>d__3`1.MoveNext() in C:\\a\\Cart.cs:line 12",
    ] {
        assert_eq!(read(&format!("Shop.NoPrice: x\n   {at}\n")), "Shop.NoPrice C:\\a\\Cart.cs:12 Total", "{at}");
    }
    let unity = "NullReferenceException: Object reference not set\nShop.Cart.Total () (at Assets/Scripts/Cart.cs:12)\n";
    assert_eq!(read(unity), "NullReferenceException Assets/Scripts/Cart.cs:12 Total");
}

#[test]
fn what_names_its_place_alone() {
    for (text, expected) in [
        ("no price at ./nightly.pl line 7.", "die ./nightly.pl:7 ?"),
        ("Died at -e line 1.", "die -e:1 ?"),
        ("no price at /usr/local/bin/nightly line 7, <STDIN> line 2.", "die /usr/local/bin/nightly:7 ?"),
        ("Fatal error: Index out of range: file Shop/Cart.swift, line 12", "Fatal error Shop/Cart.swift:12 ?"),
        ("Shop/Cart.swift:12: Precondition failed: no price", "Precondition failed Shop/Cart.swift:12 ?"),
        (
            "Swift/ErrorType.swift:200: Fatal error: Error raised at top level: Shop.CartError.empty",
            "Shop.CartError.empty Swift/ErrorType.swift:200 ?",
        ),
        ("shop: cart.c:12: total: Assertion `price > 0' failed.", "assertion failed cart.c:12 total"),
        ("** (SyntaxError) invalid syntax found on lib/shop.ex:3:5:", "SyntaxError lib/shop.ex:3 ?"),
        ("** (TokenMissingError) token missing on lib/shop.ex:9:4:", "TokenMissingError lib/shop.ex:9 ?"),
    ] {
        assert_eq!(read(text).replace("./nightly", "nightly"), expected.replace("./nightly", "nightly"));
    }
}

#[test]
fn ordinary_words_are_no_traceback() {
    for text in [
        "see the manual at chapter 3 line 12.",
        "AH00526: Syntax error on line 3 of /etc/apache2/apache2.conf:",
        "error at line 3 of config.yml",
        "Warning: the price changed on line 3",
        "Warning: deprecated option",
        "   at the end of the day (really)",
        "   at noon (UTC) in Berlin",
        "#1 fix the build (shop.dart)",
        "#0 first item",
        "0 errors in 3 files at /srv/shop",
        "1 file changed in shop at 08:15:01",
        "Error: no such file: /srv/shop/cart.cc",
        "cart.cc:3:5: error: expected ';'",
        "(shop 0.1.0) started",
        "lib/shop/cart.ex:3: warning",
        "fatal error: cart.h: No such file or directory",
        "compilation terminated.",
    ] {
        assert!(
            matches!(parse(text), Err(WireError::Unrecognised(_))),
            "{text:?}: {:?}",
            parse(text).map(|report| report.exceptions)
        );
    }
}

#[test]
fn frames_without_symbols_are_said_to_be_such() {
    let text = "==7==ERROR: AddressSanitizer: SEGV on unknown address 0x0\n    #0 0x6e13 (/srv/shop+0x11)\n    #1 0x6e14 (/srv/shop+0x12)\n";
    assert_eq!(read(text), "SEGV ? (without symbols)");
    let text = "Exception Type:  EXC_BREAKPOINT (SIGTRAP)\n\nThread 0 Crashed:\n0   Shop  0x0000000104c3d2f0 0x104c20000 + 4056\n";
    assert_eq!(read(text), "EXC_BREAKPOINT ? Shop (without symbols)");
}

#[test]
fn two_processes_that_write_into_one_line_end_nothing() {
    let text = "** (CompileError) lib/a.ex:12: undefined variable\n\
                \u{20}   (elixir 1.14.3) lib/kernel/parallel_compiler.ex:340: f in Kernel.Par ** (Shop.NoPrice) none\n\
                \u{20}       (shop 0.1.0) lib/shop/cart.ex:18: Shop.Cart.show/2\n";
    let report = parse(text).unwrap();
    let frames = &report.exceptions.last().unwrap().frames;
    assert!(frames.iter().any(|frame| frame.filename.as_deref() == Some("lib/shop/cart.ex")), "{frames:?}");
}

#[test]
fn of_a_chain_that_is_too_long_those_with_frames_stay() {
    let outer = "---> A.OuterException: o ".repeat(MAX_EXCEPTIONS * 2);
    let text = format!(
        "System.Exception: first {outer}---> A.InnerException: x\n   at A.F() in C:\\a.cs:line 3\n   \
         --- End of inner exception stack trace ---\n"
    );
    let report = parse(&text).unwrap();
    assert_eq!(report.exceptions.len(), MAX_EXCEPTIONS);
    let located: Vec<&str> =
        report.exceptions.iter().filter(|one| !one.frames.is_empty()).map(|one| one.kind.as_str()).collect();
    assert_eq!(located, ["A.InnerException"]);
    assert_eq!(report.exceptions.last().unwrap().kind, "System.Exception", "the one that was raised");
}

#[test]
fn of_go_the_package_is_told_from_its_function() {
    for (called, module, function) in [
        ("main.main()", "main", "main"),
        ("main.main.func1(0x1)", "main", "main.func1"),
        (
            "example.com/acme/shop/internal/cart.(*Cart).Total(0xc000, 0x1)",
            "example.com/acme/shop/internal/cart",
            "(*Cart).Total",
        ),
        ("example.com/shop.Sum[...](0x1)", "example.com/shop", "Sum[...]"),
        ("shop.Sum[example.com/shop/cart.Line](0x1)", "shop", "Sum[example.com/shop/cart.Line]"),
        ("gopkg.in/yaml%2ev3.Unmarshal(0x1)", "gopkg.in/yaml%2ev3", "Unmarshal"),
        ("example.com/shop.glob..func1()", "example.com/shop", "glob..func1"),
    ] {
        let text = format!(
            "panic: no tea\n\ngoroutine 1 [running]:\n{called}\n\t/srv/cart.go:4 +0x1d\nmain.run()\n\t/srv/main.go:9 +0x2e\n"
        );
        let report = parse(&text).unwrap();
        let innermost = report.raised().unwrap().frames.last().unwrap();
        assert_eq!((innermost.module.as_deref(), innermost.function_name()), (Some(module), function));
    }
}

#[test]
fn of_runners_before_minitest_each_call_is_read() {
    for text in [
        "  1) Failure:\ntest_total(CartTest)\n    [test/cart_test.rb:5:in `check'\n     test/cart_test.rb:9:in `test_total']:\n<3> expected but was\n<4>.\n",
        "  1) Failure:\ntest_total(CartTest) [test/cart_test.rb:5:in `check' test/cart_test.rb:9:in `test_total']:\n<3> expected but was\n<4>.\n",
        "  1) Failure:\ntest_total(CartTest) [test/cart_test.rb:5:in `check' test/cart_test.rb:9:in]:\n<3> expected but was\n<4>.\n",
    ] {
        assert_eq!(read(text), "Test::Unit::AssertionFailedError test/cart_test.rb:5 check", "{text}");
        assert_eq!(parse(text).unwrap().raised().unwrap().frames.len(), 2);
    }
}

#[test]
fn of_xunit_what_was_inside_is_the_cause() {
    let said = "  Failed Shop.Tests.CartTests.Total [3 ms]\n  Error Message:\n   System.InvalidOperationException : no rows\n---- \
                System.NullReferenceException : no table\n  Stack Trace:\n     at Shop.Cart.Total() in /src/Cart.cs:line 9\n   \
                at Shop.Tests.CartTests.Total() in /src/CartTests.cs:line 12\n";
    let inner = "----- Inner Stack Trace -----\n   at Shop.Rows.Get() in /src/Rows.cs:line 3\n   at Shop.Cart.Total() in /src/Cart.cs:line 7\n";
    let report = parse(&format!("{said}{inner}")).unwrap();
    let told: Vec<String> = report
        .exceptions
        .iter()
        .map(|one| {
            let line = one.frames.last().and_then(|frame| frame.line);
            format!("{} {:?} {line:?} {}", one.dotted_name(), one.value.as_deref(), one.frames.len())
        })
        .collect();
    assert_eq!(
        told,
        [
            "System.NullReferenceException Some(\"no table\") Some(3) 2",
            "System.InvalidOperationException Some(\"no rows\") Some(9) 2"
        ]
    );
}

#[test]
fn what_go_test_writes_as_json_is_read_test_by_test() {
    let output = |test: &str, text: &str| {
        let said = serde_json::json!({"Time": "2026-11-20T03:00:07Z", "Action": "output", "Package": "example.com/shop", "Test": test, "Output": text});
        format!("{said}\n")
    };
    let run = "{\"Action\":\"run\",\"Package\":\"example.com/shop\",\"Test\":\"TestTotal\"}\n";
    let failed = [
        run.to_owned(),
        output("TestTotal", "=== RUN   TestTotal\n"),
        output("TestTax", "=== RUN   TestTax\n"),
        output("TestTotal", "    cart_test.go:12: total = 3, want 4\n"),
        output("TestTotal", "--- FAIL: TestTotal (0.00s)\n"),
        run.replace("run", "fail"),
    ];
    assert_eq!(read(&failed.concat()), "FAIL cart_test.go:12 TestTotal");
    let panicked = [
        output("TestTotal", "panic: no tea [recovered]\n"),
        output("TestTotal", "\tpanic: no tea\n"),
        output("TestTotal", "\n"),
        output("TestTotal", "goroutine 6 [running]:\n"),
        output("TestTotal", "panic({0x1, 0x2})\n"),
        output("TestTax", "=== RUN   TestTax\n"),
        output("TestTotal", "\t/usr/local/go/src/runtime/panic.go:792 +0x132\n"),
        output("TestTotal", "example.com/shop.Total(...)\n"),
        output("TestTotal", "\t/srv/shop/cart.go:9 +0x1d\n"),
        output("TestTotal", "example.com/shop.TestTotal(0x1)\n"),
        output("TestTotal", "\t/srv/shop/cart_test.go:12 +0x1d\n"),
    ];
    assert_eq!(read(&panicked.concat()), "panic /srv/shop/cart.go:9 Total");
}
