//! What frameworks and loggers print of exceptions, as text and as data.

use super::layouts::check;

#[test]
fn go() {
    check(&[
        (
            "\n\n2026/11/20 03:00:07 [Recovery] 2026/11/20 - 03:00:07 panic recovered:\nruntime error: index out of range [3] with length 2\n/usr/local/go/src/runtime/panic.go:114 (0x43f2a4)\n\tgoPanicIndex: panic(boundsError{x: int64(x), signed: true, y: y, code: boundsIndex})\n/srv/shop/cup.go:3 (0x7f1a2b)\n\tFill: return items[i]\n/srv/shop/main.go:9 (0x7f1a2c)\n\tmain.func1: Fill(c)\n/go/pkg/mod/github.com/gin-gonic/gin@v1.9.1/context.go:174 (0x7e4a2b)\n\t(*Context).Next: c.handlers[c.index](c)\n",
            "panic: runtime error: index out of range [3] with length 2 | 3 | /srv/shop/cup.go:3 Fill",
        ),
        (
            "\n\n2026/11/20 03:00:07 [Recovery] 2026/11/20 - 03:00:07 panic recovered:\nGET /x HTTP/1.1\nHost: localhost:8080\nAccept: */*\n\n\nruntime error: index out of range [3] with length 2\n/usr/local/go/src/runtime/panic.go:114 (0x43f2a4)\n\tgoPanicIndex: panic(boundsError{x: int64(x), signed: true, y: y, code: boundsIndex})\n/srv/shop/cup.go:3 (0x7f1a2b)\n\tFill: return items[i]\n/srv/shop/main.go:9 (0x7f1a2c)\n\tmain.func1: Fill(c)\n/go/pkg/mod/github.com/gin-gonic/gin@v1.9.1/context.go:174 (0x7e4a2b)\n\t(*Context).Next: c.handlers[c.index](c)\n",
            "panic: runtime error: index out of range [3] with length 2 | 3 | /srv/shop/cup.go:3 Fill",
        ),
        (
            "\n\n2026/11/20 03:00:07 [Recovery] 2026/11/20 - 03:00:07 panic recovered:\nGET /x HTTP/1.1\r\nHost: localhost:8080\r\nAccept: */*\r\n\r\n\r\nruntime error: index out of range [3] with length 2\n/usr/local/go/src/runtime/panic.go:114 (0x43f2a4)\n\tgoPanicIndex: panic(boundsError{x: int64(x), signed: true, y: y, code: boundsIndex})\n/srv/shop/cup.go:3 (0x7f1a2b)\n\tFill: return items[i]\n/srv/shop/main.go:9 (0x7f1a2c)\n\tmain.func1: Fill(c)\n/go/pkg/mod/github.com/gin-gonic/gin@v1.9.1/context.go:174 (0x7e4a2b)\n\t(*Context).Next: c.handlers[c.index](c)\n",
            "panic: runtime error: index out of range [3] with length 2 | 3 | /srv/shop/cup.go:3 Fill",
        ),
        (
            "\n\n\u{1b}[31m2026/11/20 03:00:07 [Recovery] 2026/11/20 - 03:00:07 panic recovered:\nruntime error: index out of range [3] with length 2\n/usr/local/go/src/runtime/panic.go:114 (0x43f2a4)\n\tgoPanicIndex: panic(boundsError{x: int64(x), signed: true, y: y, code: boundsIndex})\n/srv/shop/cup.go:3 (0x7f1a2b)\n\tFill: return items[i]\n/srv/shop/main.go:9 (0x7f1a2c)\n\tmain.func1: Fill(c)\n/go/pkg/mod/github.com/gin-gonic/gin@v1.9.1/context.go:174 (0x7e4a2b)\n\t(*Context).Next: c.handlers[c.index](c)\n\u{1b}[0m\n",
            "panic: runtime error: index out of range [3] with length 2 | 3 | /srv/shop/cup.go:3 Fill",
        ),
        (
            "\n\n2026/11/20 03:00:07 [Recovery] 2026/11/20 - 03:00:07 panic recovered:\nno tea\nin the cup\n/usr/local/go/src/runtime/panic.go:114 (0x43f2a4)\n\tgoPanicIndex: panic(boundsError{x: int64(x), signed: true, y: y, code: boundsIndex})\n/srv/shop/cup.go:3 (0x7f1a2b)\n\tFill: return items[i]\n/srv/shop/main.go:9 (0x7f1a2c)\n\tmain.func1: Fill(c)\n/go/pkg/mod/github.com/gin-gonic/gin@v1.9.1/context.go:174 (0x7e4a2b)\n\t(*Context).Next: c.handlers[c.index](c)\n",
            "panic: no tea\nin the cup | 3 | /srv/shop/cup.go:3 Fill",
        ),
        (
            "web-1  | \nweb-1  | \nweb-1  | 2026/11/20 03:00:07 [Recovery] 2026/11/20 - 03:00:07 panic recovered:\nweb-1  | runtime error: index out of range [3] with length 2\nweb-1  | /usr/local/go/src/runtime/panic.go:114 (0x43f2a4)\nweb-1  | \tgoPanicIndex: panic(boundsError{x: int64(x), signed: true, y: y, code: boundsIndex})\nweb-1  | /srv/shop/cup.go:3 (0x7f1a2b)\nweb-1  | \tFill: return items[i]\nweb-1  | /srv/shop/main.go:9 (0x7f1a2c)\nweb-1  | \tmain.func1: Fill(c)\nweb-1  | /go/pkg/mod/github.com/gin-gonic/gin@v1.9.1/context.go:174 (0x7e4a2b)\nweb-1  | \t(*Context).Next: c.handlers[c.index](c)\n",
            "panic: runtime error: index out of range [3] with length 2 | 3 | /srv/shop/cup.go:3 Fill",
        ),
        (
            "\n\n2026/11/20 03:00:07 [Recovery] 2026/11/20 - 03:00:07 panic recovered:\nruntime error: index out of range [3] with length 2\n/usr/local/go/src/runtime/panic.go:114 (0x43f2a4)\n\tgoPanicIndex: panic(boundsError{x: int64(x), signed: true, y: y, code: boundsIndex})\n/srv/shop/cup.go:3 (0x7f1a2b)\n\tFill: return items[i]\n/srv/shop/main.go:9 (0x7f1a2c)\n\tmain.func1: Fill(c)\n/go/pkg/mod/github.com/gin-gonic/gin@v1.9.1/context.go:174 (0x7e4a2b)\n\t(*Context).Next: c.handlers[c.index](c)\n[GIN] 2026/11/20 - 03:00:07 | 500 |    1.2ms | 127.0.0.1 | GET \"/x\"\n",
            "panic: runtime error: index out of range [3] with length 2 | 3 | /srv/shop/cup.go:3 Fill",
        ),
        (
            "2026/11/20 03:00:07 [Recovery] 2026/11/20 - 03:00:07 panic recovered:\nno tea\n/srv/shop/cup.go:3 (0x7f1a2b)\n/go/pkg/mod/github.com/gin-gonic/gin@v1.9.1/context.go:174 (0x7e4a2b)\n",
            "panic: no tea | 2 | /srv/shop/cup.go:3 ?",
        ),
        (
            r#"{"time": "2026", "level": "-", "prefix": "echo", "file": "recover.go", "line": "129", "message": "[PANIC RECOVER] no tea goroutine 20 [running]:\ngithub.com/labstack/echo/v4/middleware.RecoverWithConfig.func1.1.1()\n\t/go/pkg/mod/github.com/labstack/echo/v4@v4.11/middleware/recover.go:100 +0x170\npanic({0x7a, 0x8b})\n\t/usr/local/go/src/runtime/panic.go:884 +0x213\nmain.fill({0x9, 0x1})\n\t/srv/shop/cup.go:3 +0x25\nmain.main()\n\t/srv/shop/main.go:9 +0x25\n"}"#,
            "panic: no tea | 2 | /srv/shop/cup.go:3 fill",
        ),
        (
            "2026/11/20 03:00:07 [PANIC RECOVER] no tea goroutine 20 [running]:\ngithub.com/labstack/echo/v4/middleware.RecoverWithConfig.func1.1.1()\n\t/go/pkg/mod/github.com/labstack/echo/v4@v4.11/middleware/recover.go:100 +0x170\npanic({0x7a, 0x8b})\n\t/usr/local/go/src/runtime/panic.go:884 +0x213\nmain.fill({0x9, 0x1})\n\t/srv/shop/cup.go:3 +0x25\nmain.main()\n\t/srv/shop/main.go:9 +0x25\n",
            "panic: no tea | 2 | /srv/shop/cup.go:3 fill",
        ),
        (
            "{\"time\":\"2026\",\"level\":\"-\",\"prefix\":\"echo\",\"file\":\"recover.go\",\"line\":\"129\",\"message\":\"[PANIC RECOVER] no tea goroutine 20 [running]:\\ngithub.com/labstack/echo/v4/middleware.RecoverWithConfig.func1.1.1()\\n\\t/go/pkg/mod/github.com/labstack/echo/v4@v4.11/middleware/recover.go:100 +0x170\\npanic({0x7a, 0x8b})\\n\\t/usr/local/go/src/runtime/panic.go:884 +0x213\\nmain.fill({0x9, 0x1})\\n\\t/srv/shop/cup.go:3 +0x25\\nmain.main()\\n\\t/srv/shop/main.go:9 +0x25\\n\n\"}",
            "panic: no tea | 2 | /srv/shop/cup.go:3 fill",
        ),
        (
            "\n panic: no tea\n \n -> main.fill\n ->   /srv/shop/cup.go:3\n\n    main.(*Shop).serve\n      /srv/shop/main.go:9\n    net/http.HandlerFunc.ServeHTTP\n      /usr/local/go/src/net/http/server.go:2136\n    \n",
            "panic: no tea | 3 | /srv/shop/cup.go:3 fill",
        ),
        (
            "\n\u{1b}[36;1m panic: \u{1b}[0mno tea\n \n\u{1b}[31;1m -> \u{1b}[0mmain.fill\n\u{1b}[31;1m -> \u{1b}[0m  /srv/shop/cup.go:3\n\n    main.(*Shop).serve\n      /srv/shop/main.go:9\n    net/http.HandlerFunc.ServeHTTP\n      /usr/local/go/src/net/http/server.go:2136\n    \n",
            "panic: no tea | 3 | /srv/shop/cup.go:3 fill",
        ),
        (
            "2026/11/20 03:00:07 http\n\n panic: no tea\n \n -> main.fill\n ->   /srv/shop/cup.go:3\n\n    main.(*Shop).serve\n      /srv/shop/main.go:9\n    net/http.HandlerFunc.ServeHTTP\n      /usr/local/go/src/net/http/server.go:2136\n    \n2026/11/20 03:00:08 \"GET http://localhost:3000/ HTTP/1.1\" from [::1]:5312 - 500 0B in 1.2ms\n",
            "panic: no tea | 3 | /srv/shop/cup.go:3 fill",
        ),
        (
            r#"{"level": "error", "ts": 1, "caller": "shop/a.go:12", "msg": "order failed", "error": "no tea", "stacktrace": "main.fill\n\t/srv/a.go:12\nmain.main\n\t/srv/main.go:9\nruntime.main\n\t/usr/local/go/src/runtime/proc.go:250"}"#,
            "error: order failed: no tea | 3 | /srv/a.go:12 fill",
        ),
        (
            r#"{"level": "error", "ts": 1, "caller": "shop/a.go:12", "msg": "order failed", "error": "no tea", "errorVerbose": "no tea\nmain.brew\n\t/srv/brew.go:5\nmain.fill\n\t/srv/a.go:11\nmain.main\n\t/srv/main.go:9", "stacktrace": "main.fill\n\t/srv/a.go:12\nmain.main\n\t/srv/main.go:9\nruntime.main\n\t/usr/local/go/src/runtime/proc.go:250"}"#,
            "error: no tea | 3 | /srv/brew.go:5 brew",
        ),
        (
            "2026-11-20T03:00:07.123Z\tERROR\tshop/a.go:12\torder failed\t{\"error\": \"no tea\"}\nmain.fill\n\t/srv/a.go:12\nmain.main\n\t/srv/main.go:9\nruntime.main\n\t/usr/local/go/src/runtime/proc.go:250\n",
            "error: order failed: no tea | 3 | /srv/a.go:12 fill",
        ),
        (
            r#"{"level": "panic", "ts": 1, "caller": "shop/a.go:12", "msg": "no tea", "stacktrace": "main.fill\n\t/srv/a.go:12\nmain.main\n\t/srv/main.go:9\nruntime.main\n\t/usr/local/go/src/runtime/proc.go:250"}"#,
            "error: no tea | 3 | /srv/a.go:12 fill",
        ),
        (
            r#"{"level": "error", "stack": [{"func": "fill", "line": "3", "source": "cup.go"}, {"func": "main", "line": "9", "source": "main.go"}, {"func": "goexit", "line": "1650", "source": "asm_arm64.s"}], "error": "no tea", "time": 1}"#,
            "error: no tea | 3 | cup.go:3 fill",
        ),
        (
            r#"time="2026-11-20T03:00:07Z" level=error msg="order failed" error="no tea" stack="goroutine 1 [running]:\nruntime/debug.Stack()\n\t/usr/local/go/src/runtime/debug/stack.go:24 +0x5e\nmain.fill(0x1)\n\t/srv/a.go:12 +0x1d\nmain.main()\n\t/srv/main.go:9 +0x1d\n""#,
            "error: order failed: no tea | 2 | /srv/a.go:12 fill",
        ),
        (
            r#"{"level": "error", "msg": "order failed", "error": "no tea", "stack": "goroutine 1 [running]:\nruntime/debug.Stack()\n\t/usr/local/go/src/runtime/debug/stack.go:24 +0x5e\nmain.fill(0x1)\n\t/srv/a.go:12 +0x1d\nmain.main()\n\t/srv/main.go:9 +0x1d\n"}"#,
            "error: order failed: no tea | 2 | /srv/a.go:12 fill",
        ),
        (
            "no tea\nmain.brew\n\t/srv/brew.go:5\nmain.fill\n\t/srv/a.go:11\nruntime.goexit\n\t/usr/local/go/src/runtime/asm_amd64.s:1571\norder failed\nmain.serve\n\t/srv/main.go:9\nmain.main\n\t/srv/main.go:20\nruntime.goexit\n\t/usr/local/go/src/runtime/asm_amd64.s:1571\n",
            "error: order failed | 3 | /srv/main.go:9 serve",
        ),
        (
            r#"time=2026-11-20T03:00:07Z level=ERROR source=/srv/a.go:12 msg="order failed" err="no tea" stack="goroutine 1 [running]:\nruntime/debug.Stack()\n\t/usr/local/go/src/runtime/debug/stack.go:24 +0x5e\nmain.fill(0x1)\n\t/srv/a.go:12 +0x1d\nmain.main()\n\t/srv/main.go:9 +0x1d\n""#,
            "error: order failed: no tea | 2 | /srv/a.go:12 fill",
        ),
        (
            r#"{"time": "2026", "level": "ERROR", "msg": "panic", "err": "no tea", "stack": "goroutine 1 [running]:\nruntime/debug.Stack()\n\t/usr/local/go/src/runtime/debug/stack.go:24 +0x5e\nmain.fill(0x1)\n\t/srv/a.go:12 +0x1d\nmain.main()\n\t/srv/main.go:9 +0x1d\n"}"#,
            "panic: no tea | 2 | /srv/a.go:12 fill",
        ),
        (
            "2026/11/20 03:00:07 panic: no tea\ngoroutine 20 [running]:\nruntime/debug.Stack()\n\t/usr/local/go/src/runtime/debug/stack.go:24 +0x5e\ngithub.com/gofiber/fiber/v2/middleware/recover.defaultStackTraceHandler(0x1, {0x1, 0x2})\n\t/go/pkg/mod/github.com/gofiber/fiber/v2@v2.50.0/middleware/recover/recover.go:12 +0x2c\ngithub.com/gofiber/fiber/v2/middleware/recover.New.func1.1()\n\t/go/pkg/mod/github.com/gofiber/fiber/v2@v2.50.0/middleware/recover/recover.go:31 +0x8d\npanic({0x1, 0x2})\n\t/usr/local/go/src/runtime/panic.go:914 +0x21f\nmain.fill(0x1)\n\t/srv/a.go:12 +0x1d\nmain.main()\n\t/srv/main.go:9 +0x1d\n",
            "panic: no tea | 2 | /srv/a.go:12 fill",
        ),
    ]);
}

#[test]
fn python() {
    check(&[
        (
            r#"{"event": "request failed", "level": "error", "exception": [{"exc_type": "ZeroDivisionError", "exc_value": "division by zero", "syntax_error": null, "is_cause": false, "frames": [{"filename": "/srv/app/main.py", "lineno": 30, "name": "main"}, {"filename": "/srv/app/app.py", "lineno": 12, "name": "divide"}]}]}"#,
            "ZeroDivisionError: division by zero | 2 | /srv/app/app.py:12 divide",
        ),
        (
            r#"{"event": "request failed", "level": "error", "exception": [{"exc_type": "OrderError", "exc_value": "order failed", "exc_notes": [], "syntax_error": null, "is_cause": false, "frames": [{"filename": "/srv/app/main.py", "lineno": 30, "name": "main", "locals": {"x": "1"}}]}, {"exc_type": "KeyError", "exc_value": "'tea'", "is_cause": true, "frames": [{"filename": "/srv/app/main.py", "lineno": 28, "name": "main"}, {"filename": "/srv/app/cup.py", "lineno": 3, "name": "fill"}]}]}"#,
            "OrderError: order failed | 1 | /srv/app/main.py:30 main",
        ),
        (
            "{\n  \"event\": \"request failed\",\n  \"level\": \"error\",\n  \"exception\": [\n    {\n      \"exc_type\": \"OrderError\",\n      \"exc_value\": \"order failed\",\n      \"exc_notes\": [],\n      \"syntax_error\": null,\n      \"is_cause\": false,\n      \"frames\": [\n        {\n          \"filename\": \"/srv/app/main.py\",\n          \"lineno\": 30,\n          \"name\": \"main\",\n          \"locals\": {\n            \"x\": \"1\"\n          }\n        }\n      ]\n    },\n    {\n      \"exc_type\": \"KeyError\",\n      \"exc_value\": \"'tea'\",\n      \"is_cause\": true,\n      \"frames\": [\n        {\n          \"filename\": \"/srv/app/main.py\",\n          \"lineno\": 28,\n          \"name\": \"main\"\n        },\n        {\n          \"filename\": \"/srv/app/cup.py\",\n          \"lineno\": 3,\n          \"name\": \"fill\"\n        }\n      ]\n    }\n  ]\n}",
            "OrderError: order failed | 1 | /srv/app/main.py:30 main",
        ),
        (
            r#"{"asctime": "2026", "levelname": "ERROR", "message": "order failed", "exc_info": "Traceback (most recent call last):\n  File \"/srv/shop/cart.py\", line 3, in total\n    return self.a[0]\nKeyError: 'x'"}"#,
            "KeyError: 'x' | 1 | /srv/shop/cart.py:3 total",
        ),
        (
            "2026-11-20 03:00:07.123 | ERROR    | __main__:nested:15 - What?!\nTraceback (most recent call last):\n\n  File \"/srv/main.py\", line 17, in <module>\n    nested(0)\n    └ <function nested at 0x000001D782E3D090>\n\n> File \"/srv/main.py\", line 13, in nested\n    func(5, c)\n    │       └ 0\n    └ <function func at 0x000001D780773E20>\n\n  File \"/srv/cup.py\", line 3, in func\n    return a / b\n           │   └ 0\n           └ 5\n\nZeroDivisionError: division by zero\n",
            "ZeroDivisionError: division by zero | 3 | /srv/cup.py:3 func",
        ),
        (
            "2026-11-20 03:00:07.123 | ERROR    | __main__:nested:15 - What?!\nTraceback (most recent call last):\n\n  File \"/srv/main.py\", line 17, in <module>\n    nested(0)\n    └ <function nested at 0x000001D782E3D090>\n\n> File \"/srv/main.py\", line 13, in nested\n    func(5, c)\n    │       └ 0\n    └ <function func at 0x000001D780773E20>\n\n  File \"/srv/cup.py\", line 3, in func\n    return a / b\n           │   └ 0\n           └ 5\n\nZeroDivisionError: division by zero\n\n\nThe above exception was the direct cause of the following exception:\n\n\nTraceback (most recent call last):\n\n> File \"/srv/main.py\", line 20, in <module>\n    serve()\n    └ <function serve at 0x1>\n\n  File \"/srv/serve.py\", line 4, in serve\n    raise OrderError(\"x\") from e\n          └ <class '__main__.OrderError'>\n\n__main__.OrderError: x\n",
            "OrderError: x | 2 | /srv/serve.py:4 serve",
        ),
        (
            r#"{"text": "2026-11-20 03:00:07.123 | ERROR    | __main__:nested:15 - What?!\nTraceback (most recent call last):\n\n  File \"/srv/main.py\", line 17, in <module>\n    nested(0)\n    \u2514 <function nested at 0x000001D782E3D090>\n\n> File \"/srv/main.py\", line 13, in nested\n    func(5, c)\n    \u2502       \u2514 0\n    \u2514 <function func at 0x000001D780773E20>\n\n  File \"/srv/cup.py\", line 3, in func\n    return a / b\n           \u2502   \u2514 0\n           \u2514 5\n\nZeroDivisionError: division by zero\n", "record": {"elapsed": {"repr": "0:00:00.1", "seconds": 0.1}, "exception": {"type": "ZeroDivisionError", "value": "division by zero", "traceback": true}, "extra": {}, "file": {"name": "main.py", "path": "/srv/main.py"}, "function": "nested", "level": {"icon": "\u274c", "name": "ERROR", "no": 40}, "line": 15, "message": "What?!"}}"#,
            "ZeroDivisionError: division by zero | 3 | /srv/cup.py:3 func",
        ),
        (
            "[11/20/26 03:00:07] ERROR    order failed                          main.py:31\n                    ╭───────────────────── Traceback (most recent call last) ─────────────────────╮\n                    │ /srv/app/main.py:30 in main                                                 │\n                    │                                                                             │\n                    │   27                                                                        │\n                    │   28 def main():                                                            │\n                    │   29 │   \"\"\"it\"\"\"                                                             │\n                    │ ❱ 30 │   x = divide(2, 0)                                                   │\n                    │   31                                                                        │\n                    │                                                                             │\n                    │ ╭──── locals ────╮                                                          │\n                    │ │ x = 1          │                                                          │\n                    │ ╰────────────────╯                                                          │\n                    │                                                                             │\n                    │ /srv/app/app.py:12 in divide                                                │\n                    │                                                                             │\n                    │   10 def divide(a, b):                                                      │\n                    │   11 │   if True:                                                           │\n                    │ ❱ 12 │   │   return a / b                                                   │\n                    ╰─────────────────────────────────────────────────────────────────────────────╯\n                    ZeroDivisionError: division by zero\n",
            "ZeroDivisionError: division by zero | 2 | /srv/app/app.py:12 divide",
        ),
        (
            "╭───────────────────── Traceback (most recent call last) ─────────────────────╮\n│ /srv/app/main.py:30 in main                                                 │\n│                                                                             │\n│   27                                                                        │\n│   28 def main():                                                            │\n│   29 │   \"\"\"it\"\"\"                                                             │\n│ ❱ 30 │   x = divide(2, 0)                                                   │\n│   31                                                                        │\n│                                                                             │\n│ ╭──── locals ────╮                                                          │\n│ │ x = 1          │                                                          │\n│ ╰────────────────╯                                                          │\n│                                                                             │\n│ /srv/app/very/long/path/of/some/kind/that/is/broken/over/lines/of/the/box/a │\n│ pp.py:12 in divide                                                          │\n│                                                                             │\n│   10 def divide(a, b):                                                      │\n│   11 │   if True:                                                           │\n│ ❱ 12 │   │   return a / b                                                   │\n╰─────────────────────────────────────────────────────────────────────────────╯\nZeroDivisionError: division by zero\n",
            "ZeroDivisionError: division by zero | 2 | /srv/app/very/long/path/of/some/kind/that/is/broken/over/lines/of/the/box/app.py:12 divide",
        ),
        (
            "╭───────────────────── Traceback (most recent call last) ─────────────────────╮\n│ /srv/app/main.py:30 in main                                                 │\n│                                                                             │\n│   27                                                                        │\n│   28 def main():                                                            │\n│   29 │   \"\"\"it\"\"\"                                                             │\n│ ❱ 30 │   x = divide(2, 0)                                                   │\n│   31                                                                        │\n│                                                                             │\n│ ╭──── locals ────╮                                                          │\n│ │ x = 1          │                                                          │\n│ ╰────────────────╯                                                          │\n│                                                                             │\n│ /srv/app/app.py:12 in divide                                                │\n│                                                                             │\n│   10 def divide(a, b):                                                      │\n│   11 │   if True:                                                           │\n│ ❱ 12 │   │   return a / b                                                   │\n╰─────────────────────────────────────────────────────────────────────────────╯\nZeroDivisionError: division by zero\n\nThe above exception was the direct cause of the following exception:\n\n╭───────────────────── Traceback (most recent call last) ─────────────────────╮\n│ /srv/app/main.py:30 in main                                                 │\n│                                                                             │\n│   27                                                                        │\n│   28 def main():                                                            │\n│   29 │   \"\"\"it\"\"\"                                                             │\n│ ❱ 30 │   x = divide(2, 0)                                                   │\n│   31                                                                        │\n│                                                                             │\n│ ╭──── locals ────╮                                                          │\n│ │ x = 1          │                                                          │\n│ ╰────────────────╯                                                          │\n│                                                                             │\n│ /srv/app/app.py:20 in dividex                                               │\n│                                                                             │\n│   10 def divide(a, b):                                                      │\n│   11 │   if True:                                                           │\n│ ❱ 12 │   │   return a / b                                                   │\n╰─────────────────────────────────────────────────────────────────────────────╯\nOrderError: no order\n",
            "OrderError: no order | 2 | /srv/app/app.py:20 dividex",
        ),
        (
            "Traceback (most recent call last):\n  File \"/srv/main.py\", line 9, in <module>\n    shout(\"x\")\n    └ <function shout at 0x7f>\n  File \"/srv/cup.py\", line 3, in shout\n    return what[0] + 1\n           │         └ 1\n           └ 'x'\nTypeError: must be str, not int\n",
            "TypeError: must be str, not int | 2 | /srv/cup.py:3 shout",
        ),
        (
            "[2026-11-20 03:00:07,123: ERROR/ForkPoolWorker-1] Task shop.tasks.fill[8f5-1] raised unexpected: KeyError('x')\nTraceback (most recent call last):\n  File \"/srv/shop/cart.py\", line 3, in total\n    return self.a[0]\nKeyError: 'x'\n",
            "KeyError: 'x' | 1 | /srv/shop/cart.py:3 total",
        ),
        (
            "[2026-11-20 03:00:07 +0000] [12] [ERROR] Error handling request /cup\nTraceback (most recent call last):\n  File \"/srv/shop/cart.py\", line 3, in total\n    return self.a[0]\nKeyError: 'x'\n",
            "KeyError: 'x' | 1 | /srv/shop/cart.py:3 total",
        ),
        (
            "INFO:     127.0.0.1:5312 - \"GET /cup HTTP/1.1\" 500 Internal Server Error\nERROR:    Exception in ASGI application\nTraceback (most recent call last):\n  File \"/srv/shop/cart.py\", line 3, in total\n    return self.a[0]\nKeyError: 'x'\n",
            "KeyError: 'x' | 1 | /srv/shop/cart.py:3 total",
        ),
        (
            "---------------------------------------------------------------------------\nKeyError                                  Traceback (most recent call last)\nCell In[3], line 1\n----> 1 total({})\n\nCell In[2], line 3, in total(cart)\n      1 def total(cart):\n      2     # all\n----> 3     return cart['x']\n\nKeyError: 'x'\n",
            "KeyError: 'x' | 2 | Cell In[2]:3 total",
        ),
        (
            "---------------------------------------------------------------------------\nKeyError                                  Traceback (most recent call last)\nCell In[3], line 1\n----> 1 total({})\n\nFile /srv/shop/cart.py:3, in total(cart)\n      1 def total(cart):\n      2     # all\n----> 3     return cart['x']\n\nKeyError: 'x'\n",
            "KeyError: 'x' | 2 | /srv/shop/cart.py:3 total",
        ),
        (
            "---------------------------------------------------------------------------\nKeyError                                  Traceback (most recent call last)\n<ipython-input-3-1a2b> in <module>\n----> 1 total({})\n\n/srv/shop/cart.py in total(cart)\n      1 def total(cart):\n      2     # all\n----> 3     return cart['x']\n\nKeyError: 'x'",
            "KeyError: 'x' | 2 | /srv/shop/cart.py:3 total",
        ),
        (
            "---------------------------------------------------------------------------\nKeyError                                  Traceback (most recent call last)\nInput In [3], in <cell line: 1>()\n----> 1 total({})\n\nInput In [2], in total(cart)\n      1 def total(cart):\n      2     # all\n----> 3     return cart['x']\n\nKeyError: 'x'\n",
            "KeyError: 'x' | 2 | Input In [2]:3 total",
        ),
        (
            r#"{"cells": [{"cell_type": "code", "outputs": [{"ename": "KeyError", "evalue": "'x'", "output_type": "error", "traceback": ["\u001b[0;31m-------\u001b[0m", "\u001b[0;31mKeyError\u001b[0m                                  Traceback (most recent call last)", "Cell \u001b[0;32mIn[3], line 1\u001b[0m\n\u001b[0;32m----> 1\u001b[0m total({})\n", "File \u001b[0;32m/srv/shop/cart.py:3\u001b[0m, in \u001b[0;36mtotal\u001b[0;34m(cart)\u001b[0m\n\u001b[1;32m      2\u001b[0m     # all\n\u001b[0;32m----> 3\u001b[0m     return cart['x']\n", "\u001b[0;31mKeyError\u001b[0m: 'x'"]}]}]}"#,
            "KeyError: 'x' | 2 | /srv/shop/cart.py:3 total",
        ),
    ]);
}

#[test]
fn javascript() {
    check(&[
        (
            r#"{"level": 50, "time": 1, "pid": 12, "hostname": "h", "err": {"type": "TypeError", "message": "no tea", "stack": "TypeError: no tea\n    at fill (/srv/cup.js:3:5)\n    at main (/srv/main.js:9:1)"}, "msg": "order failed"}"#,
            "TypeError: no tea | 2 | /srv/cup.js:3 fill",
        ),
        (
            "[03:00:07.123] ERROR (12): order failed\n    err: {\n      \"type\": \"TypeError\",\n      \"message\": \"no tea\",\n      \"stack\":\n          TypeError: no tea\n              at fill (/srv/cup.js:3:5)\n              at main (/srv/main.js:9:1)\n      \"code\": \"E1\"\n    }\n    reqId: 5\n",
            "TypeError: no tea | 2 | /srv/cup.js:3 fill",
        ),
        (
            r#"{"name": "shop", "hostname": "h", "pid": 12, "level": 50, "err": {"message": "no tea", "name": "TypeError", "stack": "TypeError: no tea\n    at fill (/srv/cup.js:3:5)\n    at main (/srv/main.js:9:1)"}, "msg": "no tea", "time": "2026", "v": 0}"#,
            "TypeError: no tea | 2 | /srv/cup.js:3 fill",
        ),
        (
            "[2026-11-20T03:00:07.123Z] ERROR: shop/12 on host: order failed\n    TypeError: no tea\n        at fill (/srv/cup.js:3:5)\n        at main (/srv/main.js:9:1)\n",
            "TypeError: no tea | 2 | /srv/cup.js:3 fill",
        ),
        (
            r#"{"name": "shop", "level": 50, "err": {"message": "a; caused by b", "name": "VError", "stack": "VError: order failed: no tea\n    at serve (/srv/main.js:9:1)\n    at go (/srv/main.js:10:1)\nCaused by: TypeError: no tea\n    at fill (/srv/cup.js:3:5)\n    at main (/srv/main.js:9:1)"}, "msg": "x", "v": 0}"#,
            "VError: order failed: no tea | 2 | /srv/main.js:9 serve",
        ),
        (
            r#"{"level": "error", "message": "no tea", "stack": "TypeError: no tea\n    at fill (/srv/cup.js:3:5)\n    at main (/srv/main.js:9:1)"}"#,
            "TypeError: no tea | 2 | /srv/cup.js:3 fill",
        ),
        (
            r#"{"date": "Fri", "error": {}, "exception": true, "level": "error", "message": "uncaughtException: no tea\nTypeError: no tea\n    at fill (/srv/cup.js:3:5)\n    at main (/srv/main.js:9:1)", "os": {"loadavg": [1, 2, 3]}, "process": {"pid": 12}, "stack": "TypeError: no tea\n    at fill (/srv/cup.js:3:5)\n    at main (/srv/main.js:9:1)", "trace": [{"column": 5, "file": "/srv/cup.js", "function": "fill", "line": 3, "method": null, "native": false}, {"column": 1, "file": "/srv/main.js", "function": "main", "line": 9}]}"#,
            "TypeError: no tea | 2 | /srv/cup.js:3 fill",
        ),
        (
            r#"{"message": "order failed", "error": {"type": "TypeError", "message": "no tea", "stack_trace": "TypeError: no tea\n    at fill (/srv/cup.js:3:5)\n    at main (/srv/main.js:9:1)"}}"#,
            "TypeError: no tea | 2 | /srv/cup.js:3 fill",
        ),
    ]);
}

#[test]
fn jvm_and_dotnet() {
    check(&[
        (
            r#"{"@timestamp": "2026", "log.level": "ERROR", "message": "order failed", "ecs.version": "1.2.0", "error.type": "java.lang.IllegalStateException", "error.message": "no tea", "error.stack_trace": "java.lang.IllegalStateException: no tea\n\tat com.shop.Cup.fill(Cup.java:3)\n\tat com.shop.Main.main(Main.java:9)\n"}"#,
            "java.lang.IllegalStateException: no tea | 2 | com/shop/Cup.java:3 fill",
        ),
        (
            r#"{"@timestamp": "2026", "log.level": "ERROR", "message": "order failed", "error.type": "java.lang.IllegalStateException", "error.message": "no tea", "error.stack_trace": ["java.lang.IllegalStateException: no tea", "\tat com.shop.Cup.fill(Cup.java:3)", "\tat com.shop.Main.main(Main.java:9)"]}"#,
            "java.lang.IllegalStateException: no tea | 2 | com/shop/Cup.java:3 fill",
        ),
        (
            r#"{"@timestamp": "2026", "@version": "1", "message": "order failed", "logger_name": "com.shop.Main", "thread_name": "main", "level": "ERROR", "level_value": 40000, "stack_trace": "java.lang.IllegalStateException: no tea\n\tat com.shop.Cup.fill(Cup.java:3)\n\tat com.shop.Main.main(Main.java:9)\n"}"#,
            "java.lang.IllegalStateException: no tea | 2 | com/shop/Cup.java:3 fill",
        ),
        (
            r#"{"message": "order failed", "level": "ERROR", "stack_trace": "java.io.IOException: disk\n\tat com.shop.Disk.read(Disk.java:5)\n\tat com.shop.Cup.fill(Cup.java:2)\n\t... 1 common frames omitted\nWrapped by: java.lang.IllegalStateException: no tea\n\tat com.shop.Cup.fill(Cup.java:3)\n\tat com.shop.Main.main(Main.java:9)\n"}"#,
            "java.lang.IllegalStateException: no tea | 2 | com/shop/Cup.java:3 fill",
        ),
        (
            r#"{"message": "order failed", "level": "ERROR", "stack_trace": "<#1a2b3c4d> c.s.NoTea: no tea\n\tat c.s.Cup.fill(Cup.java:3)\n\tat c.s.Main.main(Main.java:9)\n\t... 12 frames truncated\n"}"#,
            "c.s.NoTea: no tea | 2 | c/s/Cup.java:3 fill",
        ),
        (
            r#"{"instant": {"epochSecond": 1}, "thread": "main", "level": "ERROR", "loggerName": "x", "message": "order failed", "thrown": {"commonElementCount": 0, "localizedMessage": "no tea", "message": "no tea", "name": "java.lang.IllegalStateException", "extendedStackTrace": [{"class": "com.shop.Cup", "method": "fill", "file": "Cup.java", "line": 3, "exact": true, "location": "x.jar", "version": "?"}, {"class": "com.shop.Main", "method": "main", "file": "Main.java", "line": 9}]}}"#,
            "java.lang.IllegalStateException: no tea | 2 | com/shop/Cup.java:3 fill",
        ),
        (
            r#"{"@t": "2026", "@mt": "order {Id} failed", "@l": "Error", "@x": "System.InvalidOperationException: no tea\n   at Shop.Cup.Fill(Int32 n) in /src/Cup.cs:line 3\n   at Shop.Program.Main() in /src/Program.cs:line 9", "Id": 5}"#,
            "System.InvalidOperationException: no tea | 2 | /src/Cup.cs:3 Fill",
        ),
        (
            r#"{"Timestamp": "2026", "Level": "Error", "MessageTemplate": "x", "Exception": "System.InvalidOperationException: no tea\n   at Shop.Cup.Fill(Int32 n) in /src/Cup.cs:line 3\n   at Shop.Program.Main() in /src/Program.cs:line 9", "Properties": {}}"#,
            "System.InvalidOperationException: no tea | 2 | /src/Cup.cs:3 Fill",
        ),
        (
            "[03:00:07 ERR] order 5 failed\nSystem.InvalidOperationException: no tea\n   at Shop.Cup.Fill(Int32 n) in /src/Cup.cs:line 3\n   at Shop.Program.Main() in /src/Program.cs:line 9\n",
            "System.InvalidOperationException: no tea | 2 | /src/Cup.cs:3 Fill",
        ),
        (
            r#"{"EventId": 0, "LogLevel": "Error", "Category": "x", "Message": "order failed", "Exception": "System.InvalidOperationException: no tea    at Shop.Cup.Fill(Int32 n) in /src/Cup.cs:line 3    at Shop.Program.Main() in /src/Program.cs:line 9"}"#,
            "System.InvalidOperationException: no tea | 2 | /src/Cup.cs:3 Fill",
        ),
        (
            r#"{"EventId": 0, "LogLevel": "Error", "Category": "x", "Message": "order failed", "Exception": "System.InvalidOperationException: no tea\n   at Shop.Cup.Fill(Int32 n) in /src/Cup.cs:line 3\n   at Shop.Program.Main() in /src/Program.cs:line 9"}"#,
            "System.InvalidOperationException: no tea | 2 | /src/Cup.cs:3 Fill",
        ),
        (
            "fail: Shop.Program[0]\n      order failed\n      System.InvalidOperationException: no tea\n         at Shop.Cup.Fill(Int32 n) in /src/Cup.cs:line 3\n         at Shop.Program.Main() in /src/Program.cs:line 9\n",
            "System.InvalidOperationException: no tea | 2 | /src/Cup.cs:3 Fill",
        ),
        (
            "2026-11-20 03:00:07.1234|ERROR|Shop.Program|order failed|System.InvalidOperationException: no tea\n   at Shop.Cup.Fill(Int32 n) in /src/Cup.cs:line 3\n   at Shop.Program.Main() in /src/Program.cs:line 9\n",
            "System.InvalidOperationException: no tea | 2 | /src/Cup.cs:3 Fill",
        ),
    ]);
}

#[test]
fn php_ruby_and_elixir() {
    check(&[
        (
            r#"{"message": "no tea", "context": {"exception": {"class": "App\\NoTea", "message": "no tea", "code": 0, "file": "/srv/app/Cup.php:3", "trace": ["/srv/app/Main.php:9", "/srv/public/index.php:7"]}}, "level": 400, "level_name": "ERROR", "channel": "app", "datetime": "2026", "extra": {}}"#,
            "App\\NoTea: no tea | 3 | /srv/app/Cup.php:3 ?",
        ),
        (
            r#"{"message": "order failed", "context": {"exception": {"class": "App\\OrderFailed", "message": "order failed", "code": 0, "file": "/srv/app/Order.php:8", "previous": {"class": "App\\NoTea", "message": "no tea", "code": 0, "file": "/srv/app/Cup.php:3"}}}, "level": 400}"#,
            "App\\OrderFailed: order failed | 1 | /srv/app/Order.php:8 ?",
        ),
        (
            "[2026-11-20T03:00:07.123+00:00] app.ERROR: no tea {\"exception\":\"[object] (App\\\\NoTea(code: 0): no tea at /srv/app/Cup.php:3)\"} []\n",
            "App\\NoTea: no tea | 1 | /srv/app/Cup.php:3 ?",
        ),
        (
            "[2026-11-20T03:00:07.123+00:00] production.ERROR: no tea {\"userId\":1,\"exception\":\"[object] (App\\\\NoTea(code: 0): no tea at /srv/app/Cup.php:3)\n[stacktrace]\n#0 /srv/app/Main.php(9): App\\\\Cup->fill()\n#1 {main}\n\"} \n",
            "App\\NoTea: no tea | 2 | /srv/app/Cup.php:3 App\\Cup::fill",
        ),
        (
            r#"[2026-11-20T03:00:07.123+00:00] request.CRITICAL: Uncaught PHP Exception App\NoTea: "no tea" at Cup.php line 3 {"exception":"[object] (App\\NoTea(code: 0): no tea at /srv/app/Cup.php:3)"} []"#,
            "App\\NoTea: no tea | 1 | /srv/app/Cup.php:3 ?",
        ),
        (
            "method=GET path=/cup format=html controller=CupsController action=show status=500 error='NoMethodError: undefined method `tea' for nil' duration=5.10 view=0.00 db=0.00\n\nNoMethodError (undefined method `tea' for nil):\n  \napp/models/cup.rb:3:in `fill'\napp/controllers/cups_controller.rb:9:in `show'\n",
            "NoMethodError: undefined method `tea' for nil | 2 | app/models/cup.rb:3 fill",
        ),
        (
            r#"{"method": "GET", "path": "/cup", "status": 500, "exception": ["NoMethodError", "undefined method `tea' for nil"], "exception_object": "x", "backtrace": ["app/models/cup.rb:3:in `fill'", "app/controllers/cups_controller.rb:9:in `show'"]}"#,
            "NoMethodError: undefined method `tea' for nil | 2 | app/models/cup.rb:3 fill",
        ),
        (
            r#"{"host": "h", "level": "fatal", "message": "Error occurred", "exception": {"name": "NoMethodError", "message": "undefined method `tea' for nil", "stack_trace": ["app/models/cup.rb:3:in `fill'", "app/controllers/cups_controller.rb:9:in `show'"]}}"#,
            "NoMethodError: undefined method `tea' for nil | 2 | app/models/cup.rb:3 fill",
        ),
        (
            r#"{"ts": "2026", "pid": 12, "tid": "a", "lvl": "WARN", "msg": "NoMethodError: undefined method `tea' for nil", "ctx": {"class": "CupJob", "jid": "5"}, "backtrace": ["app/models/cup.rb:3:in `fill'", "app/jobs/cup_job.rb:9:in `perform'"]}"#,
            "NoMethodError: undefined method `tea' for nil | 2 | app/models/cup.rb:3 fill",
        ),
        (
            r#"{"class": "CupJob", "jid": "5", "error_message": "undefined method `tea' for nil", "error_class": "NoMethodError", "error_backtrace": ["app/models/cup.rb:3:in `fill'", "app/jobs/cup_job.rb:9:in `perform'"]}"#,
            "NoMethodError: undefined method `tea' for nil | 2 | app/models/cup.rb:3 fill",
        ),
        (
            "{\"ts\":\"2026\",\"pid\":12,\"tid\":\"a\",\"lvl\":\"WARN\",\"msg\":\"NoMethodError: undefined method `tea' for nil\"}\n{\"ts\":\"2026\",\"pid\":12,\"tid\":\"a\",\"lvl\":\"WARN\",\"msg\":\"app/models/cup.rb:3:in `fill'\\napp/jobs/cup_job.rb:9:in `perform'\"}\n",
            "NoMethodError: undefined method `tea' for nil | 2 | app/models/cup.rb:3 fill",
        ),
        (
            r#"{"time": "2026", "severity": "error", "message": "GenServer Shop.Cup terminating\n** (KeyError) key :tea not found in: %{}\n    (shop 0.1.0) lib/shop/cup.ex:3: Shop.Cup.fill/1\n    (shop 0.1.0) lib/shop.ex:9: Shop.serve/1\nLast message: :fill\nState: %{}"}"#,
            "KeyError: key :tea not found in: %{} | 2 | lib/shop/cup.ex:3 fill/1",
        ),
        (
            r#"{"severity": "ERROR", "message": "x", "error": {"message": "** (KeyError) key :tea not found in: %{}\n    (shop 0.1.0) lib/shop/cup.ex:3: Shop.Cup.fill/1\n    (shop 0.1.0) lib/shop.ex:9: Shop.serve/1\n", "initial_call": null}}"#,
            "KeyError: key :tea not found in: %{} | 2 | lib/shop/cup.ex:3 fill/1",
        ),
        (
            r#"{"message": "failed", "error": {"kind": "KeyError", "message": "key :tea not found in: %{}", "stack": "    (shop 0.1.0) lib/shop/cup.ex:3: Shop.Cup.fill/1\n    (shop 0.1.0) lib/shop.ex:9: Shop.serve/1\n"}}"#,
            "KeyError: key :tea not found in: %{} | 2 | lib/shop/cup.ex:3 fill/1",
        ),
    ]);
}
