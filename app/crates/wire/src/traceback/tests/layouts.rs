//! Layouts in which people and programs print the tracebacks of six languages.

use crate::traceback::parse;
use domain::report::Exception;

/// Type and message of the raised exception, and its innermost call.
pub(super) fn said(text: &str) -> String {
    let Ok(report) = parse(text) else { return "refused".to_owned() };
    report.exceptions.last().map(one).unwrap_or_default()
}

fn one(exception: &Exception) -> String {
    let innermost = exception.frames.last().map_or_else(String::new, |frame| {
        let line = frame.line.map_or_else(|| "-".to_owned(), |line| line.to_string());
        format!("{}:{line} {}", frame.path().unwrap_or("?"), frame.function_name())
    });
    format!(
        "{}: {} | {} | {innermost}",
        exception.full_name(),
        exception.value.as_deref().unwrap_or("-"),
        exception.frames.len()
    )
}

pub(super) fn check(cases: &[(&str, &str)]) {
    let wrong: Vec<String> = cases
        .iter()
        .map(|(text, expected)| (text, said(text), expected))
        .filter(|(_, read, expected)| read != *expected)
        .map(|(text, read, expected)| format!("{text}\n  read:     {read}\n  expected: {expected}"))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[test]
fn ruby() {
    check(&[
        (
            "NoMethodError: undefined method `price' for nil:NilClass\n/srv/app/lib/cart.rb:3:in `total'\n/srv/app/lib/main.rb:9:in `<main>'\n",
            "NoMethodError: undefined method `price' for nil:NilClass | 2 | /srv/app/lib/cart.rb:3 total",
        ),
        (
            "2026-11-20T03:00:07Z pid=3 tid=oq class=SyncJob WARN: Shop::StaleOrder: order 7\nfrom before\n2026-11-20T03:00:07Z pid=3 tid=oq WARN: /srv/app/app/jobs/sync_job.rb:12:in 'SyncJob#perform'\n/srv/gems/sidekiq/processor.rb:220:in 'execute_job'\n",
            "Shop::StaleOrder: order 7\nfrom before | 2 | /srv/app/app/jobs/sync_job.rb:12 SyncJob#perform",
        ),
        (
            "rake aborted!\nActiveRecord::StatementInvalid: PG::UndefinedTable: ERROR:  relation \"carts\" does not exist\nLINE 1: SELECT 1 FROM carts\n                      ^\n/srv/app/lib/tasks/shop.rake:4:in `block in <top (required)>'\n/srv/app/bin/rake:4\n\nCaused by:\nPG::UndefinedTable: ERROR:  relation \"carts\" does not exist\n/srv/app/lib/tasks/shop.rake:4:in `block in <top (required)>'\n\nTasks: TOP => shop:sync\n",
            "ActiveRecord::StatementInvalid: PG::UndefinedTable: ERROR:  relation \"carts\" does not exist\nLINE 1: SELECT 1 FROM carts | 1 | /srv/app/lib/tasks/shop.rake:4 block in <top (required)>",
        ),
        (
            "Failures:\n\n  1) Cart totals its lines\n     Failure/Error: line.price * 2\n\n     NoMethodError:\n       undefined method `*' for nil:NilClass\n     # ./lib/cart.rb:3:in `total'\n     # ./spec/cart_spec.rb:5:in `block (2 levels) in <top (required)>'\n\nFinished in 0.08 seconds\n",
            "NoMethodError: undefined method `*' for nil:NilClass | 2 | lib/cart.rb:3 total",
        ),
        (
            "  1) Cart totals its lines\n     Failure/Error: expect(cart.total).to eq 3\n\n       expected: 3\n            got: 2\n\n       (compared using ==)\n     # ./spec/cart_spec.rb:5:in `block (2 levels) in <top (required)>'\n",
            "RSpec::Expectations::ExpectationNotMetError: expected: 3\ngot: 2\n\n(compared using ==) | 1 | spec/cart_spec.rb:5 block (2 levels) in <top (required)>",
        ),
        (
            "  1) Error:\nCartTest#test_total:\nZeroDivisionError: divided by 0\n    lib/cart.rb:3:in 'Integer#/'\n    lib/cart.rb:3:in 'Cart#share'\n    test/cart_test.rb:7:in 'CartTest#test_total'\n\n1 runs, 0 assertions\n",
            "ZeroDivisionError: divided by 0 | 2 | lib/cart.rb:3 Cart#share",
        ),
        (
            "ActionView::Template::Error (undefined method `sum' for nil:NilClass):\n    2: <ul>\n    3: <%= @rows.sum %>\n  \napp/views/orders/show.html.erb:3:in `_app_views_orders_show_html_erb__123_456'\napp/controllers/orders_controller.rb:4:in `show'\n",
            "ActionView::Template::Error: undefined method `sum' for nil:NilClass | 2 | app/views/orders/show.html.erb:3 ?",
        ),
        (
            "A KeyError occurred in orders#show:\n\n  key not found: :sku\n  app/models/cart.rb:6:in `fetch'\n\n-------------------------------\nBacktrace:\n-------------------------------\n\n  app/models/cart.rb:6:in `fetch'\n  app/models/cart.rb:6:in `row'\n",
            "KeyError: key not found: :sku | 1 | app/models/cart.rb:6 row",
        ),
        (
            "IOError: closed stream\n                 write at org/jruby/RubyIO.java:1477\n  block in print_rows at /srv/app/lib/print.rb:12\n                <main> at /srv/app/lib/main.rb:3\n",
            "IOError: closed stream | 3 | org/jruby/RubyIO.java:1477 write",
        ),
        (
            "NoMethodError: undefined method `[]' for nil:NilClass\n  File \"/srv/app/app/workers/sync.rb\", line 20, in status\n  File \"/srv/app/app/workers/base.rb\", line 9, in perform\n",
            "NoMethodError: undefined method `[]' for nil:NilClass | 2 | /srv/app/app/workers/sync.rb:20 status",
        ),
        (
            "/srv/app/main.rb:2:in 'Kernel#require_relative': /srv/app/cart.rb:9: syntax error, unexpected end-of-input (SyntaxError)\n\tfrom /srv/app/main.rb:2:in '<main>'\n",
            "SyntaxError: /srv/app/cart.rb:9: syntax error, unexpected end-of-input | 2 | /srv/app/cart.rb:9 ?",
        ),
        (
            "Shop::Odd - went wrong\n/srv/app/lib/a.rb:1:in `a'\n ... 12 levels...\n/srv/app/lib/b.rb:2:in `b'\n",
            "Shop::Odd: went wrong | 2 | /srv/app/lib/a.rb:1 a",
        ),
        ("see app/models/cart.rb:3\n", "refused"),
        ("lib/cart.rb:3: warning: assigned but unused variable - x\nlib/cart.rb:4: warning: more\n", "refused"),
    ]);
}

#[test]
fn go() {
    check(&[
        (
            "panic: boom\n\ngoroutine 7 [running]:\nmain.total(0x1)\n        /srv/app/cart.go:4 +0x1d\nmain.main()\n        /srv/app/main.go:9 +0x2e\n",
            "panic: boom | 2 | /srv/app/cart.go:4 total",
        ),
        (
            "  panic: boom\n\n  goroutine 7 [running]:\n  main.total(0x1)\n  \t/srv/app/cart.go:4 +0x1d\n  main.main()\n  \t/srv/app/main.go:9 +0x2e\n",
            "panic: boom | 2 | /srv/app/cart.go:4 total",
        ),
        (
            "panic: boom\nmain.total(0x1)\n/srv/app/cart.go:4 +0x1d\nmain.main()\n/srv/app/main.go:9 +0x2e\n",
            "panic: boom | 2 | /srv/app/cart.go:4 total",
        ),
        (
            "panic: boom\n\ngoroutine 7 [running]:\n\nmain.total(0x1)\n\n\t/srv/app/cart.go:4 +0x1d\n\nmain.main()\n\n\t/srv/app/main.go:9 +0x2e\n",
            "panic: boom | 2 | /srv/app/cart.go:4 total",
        ),
        (
            "panic: boom\n\ngoroutine 7 [running]:\nmain.total(0x1)\n\t/srv/app/cart.go:4\n\ngoroutine 1 [select]:\nmain.wait()\n\t/srv/app/wait.go:2\nmain.more()\n\t/srv/app/wait.go:3\n",
            "panic: boom | 1 | /srv/app/cart.go:4 total",
        ),
        (
            "SIGQUIT: quit\nPC=0x46 m=0 sigcode=0\n\ngoroutine 0 [idle]:\nruntime.futex()\n\t/usr/local/go/src/runtime/sys.s:55\n\ngoroutine 1 [running]:\nmain.spin()\n\t/srv/app/spin.go:7\n\nrax    0xca\n",
            "SIGQUIT: quit\nPC=0x46 m=0 sigcode=0 | 1 | /srv/app/spin.go:7 spin",
        ),
        (
            "open config.yml: no such file or directory\nexample.com/shop/config.load\n\t/srv/app/config/load.go:12\nmain.main\n\t/srv/app/main.go:20\nruntime.main\n\t/usr/local/go/src/runtime/proc.go:250\n",
            "error: open config.yml: no such file or directory | 3 | /srv/app/config/load.go:12 load",
        ),
        (
            "2026-11-20T03:00:07Z\tERROR\tcmd/main.go:9\torder failed\t{\"id\": 7}\nexample.com/shop.Submit\n\t/srv/app/shop/order.go:33\nmain.main\n\t/srv/app/main.go:20\n",
            "error: order failed | 2 | /srv/app/shop/order.go:33 Submit",
        ),
        (
            "panic: a [recovered]\n\tpanic: b\n\ngoroutine 1 [running]:\nmain.f()\n\tgithub.com/x/shop/f.go:3 +0x1\ncreated by main.g in goroutine 2\n\tgithub.com/x/shop/g.go:4 +0x2\n",
            "panic: a | 2 | github.com/x/shop/f.go:3 f",
        ),
        (
            "goroutine 1 [running]:\nruntime/debug.Stack()\n\t/usr/local/go/src/runtime/debug/stack.go:24 +0x5e\nmain.report()\n\t/srv/app/report.go:8 +0x1\n",
            "goroutine: - | 1 | /srv/app/report.go:8 report",
        ),
        ("main.go:14: listening at example.com:8080\n", "refused"),
    ]);
}

#[test]
fn node() {
    check(&[
        (
            "job failed: Error: no stock\n    at stockOf (/srv/stock.js:7:11)\n    at line (/srv/report.js:4:21)\n    ... 3 lines matching cause stack trace ...\n    at last (/srv/main.js:9:1) {\n  code: 'E7',\n  [cause]: RangeError: gone\n      at rows (/srv/rows.js:6:11)\n      at line (/srv/report.js:4:21)\n      at a (/srv/a.js:1:1)\n      at b (/srv/b.js:2:2)\n      at c (/srv/c.js:3:3)\n      at last (/srv/main.js:9:1)\n}\n",
            "Error: no stock | 6 | /srv/stock.js:7 stockOf",
        ),
        (
            "TypeError: x is not a function\n    at wasm://wasm/00a1b2:wasm-function[12]:0x3f\n    at Object.f [as g] (/srv/a.js:1:2)\n    at async Promise.all (index 0)\n    at native\n    at eval (eval at run (/srv/e.js:5:6), <anonymous>:1:1)\n    at <anonymous>\n    at /srv/b.js:3:4\n",
            "TypeError: x is not a function | 7 | wasm://wasm/00a1b2:wasm-function[12]:0x3f:- ?",
        ),
        (
            "  ● cart › totals\n\n    TypeError: Cannot read properties of undefined (reading 'price')\n\n      1 | function total(lines) {\n    > 2 |   return lines[0].price;\n        |                   ^\n      3 | }\n\n      at total (src/cart.js:2:19)\n      at Object.<anonymous> (test/cart.test.js:5:3)\n",
            "TypeError: Cannot read properties of undefined (reading 'price') | 2 | src/cart.js:2 total",
        ),
        (
            "  1) cart totals:\n\n      AssertionError [ERR_ASSERTION]: 2 == 3\n      + expected - actual\n\n      -2\n      +3\n\n      at Context.<anonymous> (test/cart.js:5:10)\n      at processImmediate (node:internal/timers:476:21)\n",
            "AssertionError: 2 == 3\n+ expected - actual\n\n-2\n+3 | 2 | test/cart.js:5 Context.<anonymous>",
        ),
        (
            "TypeError: cart is undefined\ntotal@https://shop.example.com/static/cart.js:3:14\n@https://shop.example.com/static/main.js:9:1\n",
            "TypeError: cart is undefined | 2 | https://shop.example.com/static/cart.js:3 total",
        ),
        (
            "ReferenceError: Property 'cart' doesn't exist\n    at total (address at /data/app/main.jsbundle:1:2345)\n    at anonymous (address at /data/app/main.jsbundle:1:99)\n",
            "ReferenceError: Property 'cart' doesn't exist | 2 | /data/app/main.jsbundle:1 total",
        ),
        (
            "error: Uncaught (in promise) TypeError: cart is null\n    at total (file:///srv/cart.ts:3:5)\n    at file:///srv/main.ts:9:1\n",
            "TypeError: cart is null | 2 | /srv/cart.ts:3 total",
        ),
        (
            "Error: outer\n    at f (/srv/a.js:1:2)\nCaused by: Error: inner\n    at g (/srv/b.js:3:4)\n",
            "Error: outer | 1 | /srv/a.js:1 f",
        ),
        (
            "Error: spaced\n\n    at f (/srv/a.js:1:2)\n\n    at g (/srv/b.js:3:4)\n",
            "Error: spaced | 2 | /srv/a.js:1 f",
        ),
    ]);
}

#[test]
fn java() {
    check(&[
        (
            "java.io.IOException: root\n\tat shop.Disk.read(Disk.java:3)\n\tat shop.Cart.load(Cart.java:4)\n\t... 1 more\nWrapped by: shop.LoadFailed: cart\n\tat shop.Cart.load(Cart.java:6)\n\tat shop.Main.main(Main.java:2)\n",
            "shop.LoadFailed: cart | 2 | shop/Cart.java:6 load",
        ),
        (
            "ERROR failed\nshop.RemoteFailed: it said:\njava.lang.IllegalStateException: x\n\tat other.A.f(A.java:1)\nend\n\tat shop.Client.call(Client.java:9)\n\tat shop.Main.main(Main.java:2)\n",
            "shop.RemoteFailed: it said:\njava.lang.IllegalStateException: x\n\tat other.A.f(A.java:1)\nend | 2 | shop/Client.java:9 call",
        ),
        (
            "    java.lang.IllegalStateException: x\n        at shop.A.f(A.java:1)\n        at shop.B.g(B.java:2)\n    Caused by: java.io.IOException: y\n        at shop.C.h(C.java:3)\n        ... 2 more\n    Caused by: java.net.ConnectException: z\n        at shop.D.i(D.java:4)\n        ... 3 more\n",
            "java.lang.IllegalStateException: x | 2 | shop/A.java:1 f",
        ),
        (
            "NullPointerException: x\n\tat shop.A.f(A.java:1)\n\t- locked <0x0f> (a shop.A)\n\tat shop.B.g(B.java:2)\n\n\tat app//shop.C.h(C.java:3)\n",
            "NullPointerException: x | 3 | shop/A.java:1 f",
        ),
        (
            "shop.Failed: x\n\tat shop.A.f(A.java:1)\n\t[CIRCULAR REFERENCE: shop.Failed: x]\n\tat shop.B.g(B.kt:2)\n",
            "shop.Failed: x | 2 | shop/A.java:1 f",
        ),
    ]);
}

#[test]
fn python() {
    check(&[
        (
            "  File \"/srv/app/a.py\", line 3, in f\n    g()\n  File \"/srv/app/b.py\", line 4, in g\n    return d[x]\nKeyError: 'x'\n",
            "KeyError: 'x' | 2 | /srv/app/b.py:4 g",
        ),
        (
            "Traceback (most recent call last):\n\n  File \"/srv/app/a.py\", line 3, in f\n\n    g()\n\n  File \"/srv/app/b.py\", line 4, in g\n\n    return d[x]\n\nKeyError: 'x'\n",
            "KeyError: 'x' | 2 | /srv/app/b.py:4 g",
        ),
        (
            "Traceback (most recent call last):\nFile \"/srv/app/a.py\", line 3, in f\ng()\nFile \"/srv/app/b.py\", line 4, in g\nreturn d[x]\n~^^^\nKeyError: 'x'\n",
            "KeyError: 'x' | 2 | /srv/app/b.py:4 g",
        ),
        (
            "    Traceback (most recent call last):\n      File \"/srv/app/b.py\", line 4, in g\n        return d[x]\n    shop.errors.Missing: no x\n    and no y\n\nthat is what I get\n",
            "shop.errors.Missing: no x\nand no y | 1 | /srv/app/b.py:4 g",
        ),
        (
            "Fatal Python error: Segmentation fault\n\nThread 0x01 (most recent call first):\n  File \"/srv/app/w.py\", line 1 in wait\n\nCurrent thread 0x02 (most recent call first):\n  File \"/srv/app/b.py\", line 4 in g\n  File \"/srv/app/a.py\", line 3 in <module>\n",
            "Fatal Python error: Segmentation fault | 2 | /srv/app/b.py:4 g",
        ),
        (
            "---------------------------------------------------------------------------\nKeyError                                  Traceback (most recent call last)\nCell In[3], line 2\n      1 x = 1\n----> 2 f(x)\n\nFile /srv/app/b.py:4, in f(x)\n      3 def f(x):\n----> 4     return d[x]\n\nKeyError: 1\n",
            "KeyError: 1 | 2 | /srv/app/b.py:4 f",
        ),
        (
            "KeyError                                  Traceback (most recent call last)\n<ipython-input-3-ab> in <module>\n----> 1 f(1)\n\n/srv/app/b.py in f(x)\n      3 def f(x):\n----> 4     return d[x]\n\nKeyError: 1\n",
            "KeyError: 1 | 2 | /srv/app/b.py:4 f",
        ),
        (
            "_______ test_total _______\n\n    def test_total():\n>       assert total({}) == 3\n\ntests/test_cart.py:5: \n_ _ _ _ _\n\n    def total(d):\n>       return d['x']\nE       KeyError: 'x'\n\nshop/cart.py:3: KeyError\n=== short test summary info ===\n",
            "KeyError: 'x' | 2 | shop/cart.py:3 ?",
        ),
        (
            "tests/test_cart.py:5: in test_total\n    assert total({}) == 3\nshop/cart.py:3: in total\n    return d['x']\nE   KeyError: 'x'\n",
            "KeyError: 'x' | 2 | shop/cart.py:3 total",
        ),
        (
            "Traceback (most recent call last):\n  File \"/srv/app/a.py\", line 1, in <module>\n    import b\n  File \"/srv/app/b.py\", line 4\n    def f(:\n          ^\nSyntaxError: invalid syntax\n",
            "SyntaxError: invalid syntax | 2 | /srv/app/b.py:4 ?",
        ),
        (
            "╭───────── Traceback (most recent call last) ─────────╮\n│ /srv/app/a.py:3 in <module>                         │\n│                                                     │\n│ ❱ 3 │   f(1)                                        │\n│                                                     │\n│ /srv/app/b.py:4 in f                                │\n│                                                     │\n│ ❱ 4 │   return d[x]                                 │\n╰─────────────────────────────────────────────────────╯\nKeyError: 1\n",
            "KeyError: 1 | 2 | /srv/app/b.py:4 f",
        ),
    ]);
}

#[test]
fn calls_of_a_worker_are_those_of_the_quoted_traceback() {
    let quoted = |quote: &str, kind: &str| {
        format!(
            "{kind}: \n{quote}\nTraceback (most recent call last):\n  File \"/srv/app/work.py\", line 5, in convert\n    return rates[x]\nKeyError: 'CHF'\n{quote}\n\nThe above exception was the direct cause of the following exception:\n\nTraceback (most recent call last):\n  File \"/srv/app/main.py\", line 2, in main\n    pool.map(convert, rows)\nKeyError: 'CHF'\n"
        )
    };
    for kind in [
        "multiprocessing.pool.RemoteTraceback",
        "concurrent.futures.process._RemoteTraceback",
        "billiard.pool.RemoteTraceback",
        "joblib.externals.loky.process_executor._RemoteTraceback",
    ] {
        for quote in ["\"\"\"", "'''"] {
            let report = parse(&quoted(quote, kind)).unwrap();
            let all: Vec<String> = report.exceptions.iter().map(one).collect();
            let worker = format!("{kind}: KeyError: 'CHF' | 1 | /srv/app/work.py:5 convert");
            assert_eq!(all, [worker.as_str(), "KeyError: 'CHF' | 1 | /srv/app/main.py:2 main"]);
            assert_eq!(report.exceptions[0].source.as_deref(), Some("__cause__"));
        }
    }
}

#[test]
fn rust() {
    check(&[
        (
            "  thread 'main' (4211) panicked at src/cart.rs:2:5:\n  index out of bounds\n  stack backtrace:\n     0: core::panicking::panic_bounds_check\n               at /rustc/0123/library/core/src/panicking.rs:280:5\n     1: shop::cart::nth\n               at ./src/cart.rs:2:5\n     2: shop::main\n               at ./src/main.rs:3:5\n",
            "panic: index out of bounds | 2 | src/cart.rs:2 shop::cart::nth",
        ),
        (
            "Error: \n   0: order 7\n   1: invalid digit\n\nLocation:\n   src/orders.rs:14:20\n",
            "Error: order 7\n1: invalid digit | 1 | src/orders.rs:14 ?",
        ),
        (
            "The application panicked (crashed).\nMessage:  no stock\nLocation: src/cart.rs:2\n\n  ━━━━━━━━━━ BACKTRACE ━━━━━━━━━━\n                ⋮ 5 frames hidden ⋮\n   6: shop::cart::nth::h0123456789abcdef\n      at /srv/app/src/cart.rs:2\n   7: shop::main::h0123456789abcdef\n      at /srv/app/src/main.rs:3\n",
            "panic: no stock | 2 | /srv/app/src/cart.rs:2 shop::cart::nth",
        ),
        (
            "thread 'tokio-runtime-worker' panicked at 'no stock', src/cart.rs:2:5\nstack backtrace:\n   0: shop::cart::nth\n             at ./src/cart.rs:2:5\n   [... omitted 3 frames ...]\n   4: shop::main\n             at ./src/main.rs:3:5\n",
            "panic: no stock | 2 | src/cart.rs:2 shop::cart::nth",
        ),
    ]);
}
