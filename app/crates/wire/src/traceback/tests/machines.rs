//! What hosts, servers and daemons make of tracebacks: AWS Lambda's answers, a syslog's numbers,
//! PHP's masters and pages.

use super::layouts::check;

#[test]
fn what_lambda_answers_is_an_exception() {
    check(&[
        (
            r#"{"errorMessage": "'tea'", "errorType": "KeyError", "requestId": "8f", "stackTrace": ["  File \"/var/task/app.py\", line 9, in handler\n    fill(event)\n", "  File \"/var/task/cup.py\", line 3, in fill\n    return event['tea']\n"]}"#,
            "KeyError: 'tea' | 2 | /var/task/cup.py:3 fill",
        ),
        (
            "{\n  \"errorMessage\": \"'tea'\",\n  \"errorType\": \"KeyError\",\n  \"requestId\": \"8f\",\n  \"stackTrace\": [\n    \"  File \\\"/var/task/app.py\\\", line 9, in handler\\n    fill(event)\\n\",\n    \"  File \\\"/var/task/cup.py\\\", line 3, in fill\\n    return event['tea']\\n\"\n  ]\n}",
            "KeyError: 'tea' | 2 | /var/task/cup.py:3 fill",
        ),
        (
            r#"{"stackTrace": [["/var/task/app.py", 9, "handler", "fill(event)"], ["/var/task/cup.py", 3, "fill", "x['tea']"]], "errorType": "KeyError", "errorMessage": "'tea'"}"#,
            "KeyError: 'tea' | 2 | /var/task/cup.py:3 fill",
        ),
        (
            "{\n  \"stackTrace\": [\n    [\n      \"/var/task/app.py\",\n      9,\n      \"handler\",\n      \"fill(event)\"\n    ],\n    [\n      \"/var/task/cup.py\",\n      3,\n      \"fill\",\n      \"x['tea']\"\n    ]\n  ],\n  \"errorType\": \"KeyError\",\n  \"errorMessage\": \"'tea'\"\n}",
            "KeyError: 'tea' | 2 | /var/task/cup.py:3 fill",
        ),
        (
            "[ERROR] KeyError: 'tea'\nTraceback (most recent call last):\n\u{a0}\u{a0}File \"/var/task/cup.py\", line 3, in fill\n\u{a0}\u{a0}\u{a0}\u{a0}return event['tea']\nEND RequestId: 8f5\nREPORT RequestId: 8f5\tDuration: 1 ms",
            "KeyError: 'tea' | 1 | /var/task/cup.py:3 fill",
        ),
        (
            r#"{"timestamp": "2026", "log_level": "ERROR", "errorMessage": "'tea'", "errorType": "KeyError", "requestId": "8f", "stackTrace": ["  File \"/var/task/cup.py\", line 3, in fill\n    return event['tea']\n"]}"#,
            "KeyError: 'tea' | 1 | /var/task/cup.py:3 fill",
        ),
        (
            r#"{"errorType": "ReferenceError", "errorMessage": "x is not defined", "trace": ["ReferenceError: x is not defined", "    at fill (/var/task/cup.js:3:5)", "    at Runtime.handler (/var/task/index.js:9:10)"]}"#,
            "ReferenceError: x is not defined | 2 | /var/task/cup.js:3 fill",
        ),
        (
            "{\n    \"errorType\": \"ReferenceError\",\n    \"errorMessage\": \"x is not defined\",\n    \"trace\": [\n        \"ReferenceError: x is not defined\",\n        \"    at fill (/var/task/cup.js:3:5)\",\n        \"    at Runtime.handler (/var/task/index.js:9:10)\"\n    ]\n}",
            "ReferenceError: x is not defined | 2 | /var/task/cup.js:3 fill",
        ),
        (
            "2026-11-20T03:00:07.123Z\t8f5\tERROR\tInvoke Error \t{\"errorType\": \"Error\", \"errorMessage\": \"no tea\", \"code\": \"E1\", \"stack\": [\"Error: no tea\", \"    at fill (/var/task/cup.js:3:5)\", \"    at Runtime.handler (/var/task/index.js:9:10)\"]}",
            "Error: no tea | 2 | /var/task/cup.js:3 fill",
        ),
        (
            "2026-11-20T03:00:07.123Z\t8f5\tERROR\tUncaught Exception \t{\"errorType\": \"Runtime.UnhandledPromiseRejection\", \"errorMessage\": \"TypeError: no tea\", \"reason\": {\"errorType\": \"TypeError\", \"errorMessage\": \"no tea\", \"stack\": [\"TypeError: no tea\", \"    at fill (/var/task/cup.js:3:5)\", \"    at main (/var/task/index.js:9:10)\"]}, \"promise\": {}, \"stack\": [\"Runtime.UnhandledPromiseRejection: TypeError: no tea\", \"    at process.<anonymous> (/var/runtime/index.js:35:15)\", \"    at process.emit (events.js:203:15)\"]}",
            "TypeError: no tea | 2 | /var/task/cup.js:3 fill",
        ),
        (
            r#"{"errorMessage": "no tea", "errorType": "Error", "stackTrace": ["fill (/var/task/cup.js:3:5)", "exports.handler (/var/task/index.js:9:10)"]}"#,
            "Error: no tea | 2 | /var/task/cup.js:3 fill",
        ),
        (
            r#"{"errorMessage": "no tea", "errorType": "java.lang.IllegalStateException", "stackTrace": ["com.shop.Cup.fill(Cup.java:3)", "com.shop.Handler.handleRequest(Handler.java:9)", "java.base/jdk.internal.reflect.DirectMethodHandleAccessor.invoke(Unknown Source)"]}"#,
            "java.lang.IllegalStateException: no tea | 3 | com/shop/Cup.java:3 fill",
        ),
        (
            r#"{"errorMessage": "order failed", "errorType": "java.lang.RuntimeException", "stackTrace": ["com.shop.Handler.handleRequest(Handler.java:9)"], "cause": {"errorMessage": "no tea", "errorType": "java.lang.IllegalStateException", "stackTrace": ["com.shop.Cup.fill(Cup.java:3)", "com.shop.Handler.handleRequest(Handler.java:8)"]}}"#,
            "java.lang.RuntimeException: order failed | 1 | com/shop/Handler.java:9 handleRequest",
        ),
        (
            "{\n  \"errorMessage\": \"order failed\",\n  \"errorType\": \"java.lang.RuntimeException\",\n  \"stackTrace\": [\n    \"com.shop.Handler.handleRequest(Handler.java:9)\"\n  ],\n  \"cause\": {\n    \"errorMessage\": \"no tea\",\n    \"errorType\": \"java.lang.IllegalStateException\",\n    \"stackTrace\": [\n      \"com.shop.Cup.fill(Cup.java:3)\",\n      \"com.shop.Handler.handleRequest(Handler.java:8)\"\n    ]\n  }\n}",
            "java.lang.RuntimeException: order failed | 1 | com/shop/Handler.java:9 handleRequest",
        ),
        (
            r#"{"errorMessage": "undefined method `tea' for nil", "errorType": "Function<NoMethodError>", "stackTrace": ["/var/task/cup.rb:3:in `fill'", "/var/task/function.rb:9:in `lambda_handler'"]}"#,
            "NoMethodError: undefined method `tea' for nil | 2 | /var/task/cup.rb:3 fill",
        ),
        (
            "Error raised from handler method\n{\n  \"errorMessage\": \"no tea\",\n  \"errorType\": \"Function<Shop::NoTea>\",\n  \"stackTrace\": [\n    \"/var/task/cup.rb:3:in 'Shop::Cup#fill'\",\n    \"/var/task/function.rb:9:in 'Object#lambda_handler'\"\n  ]\n}",
            "Shop::NoTea: no tea | 2 | /var/task/cup.rb:3 Shop::Cup#fill",
        ),
        (
            r#"{"errorMessage": "runtime error: index out of range [3] with length 2", "errorType": "boundsError", "stackTrace": [{"path": "github.com/aws/aws-lambda-go@v1.41.0/lambda/errors.go", "line": 39, "label": "lambdaPanicResponse"}, {"path": "runtime/panic.go", "line": 884, "label": "gopanic"}, {"path": "runtime/panic.go", "line": 113, "label": "goPanicIndex"}, {"path": "cup/cup.go", "line": 3, "label": "Fill"}, {"path": "main/main.go", "line": 9, "label": "handler"}]}"#,
            "boundsError: runtime error: index out of range [3] with length 2 | 2 | cup/cup.go:3 Fill",
        ),
        (
            r#"{"errorType": "InvalidOperationException", "errorMessage": "no tea", "stackTrace": ["at Shop.Cup.Fill(Int32 n) in /src/Cup.cs:line 3", "at Shop.Function.Handler(String s) in /src/Function.cs:line 9", "at lambda_method(Closure , Stream )"], "cause": {"errorType": "FormatException", "errorMessage": "bad", "stackTrace": ["at Shop.Parse(String s) in /src/Parse.cs:line 5"]}}"#,
            "InvalidOperationException: no tea | 2 | /src/Cup.cs:3 Fill",
        ),
    ]);
}

#[test]
fn what_other_hosts_write() {
    check(&[
        (
            "[2026-11-20T03:00:07.123Z] System.Private.CoreLib: Exception while executing function: Functions.HttpTrigger1. System.Private.CoreLib: Result: Failure\n[2026-11-20T03:00:07.124Z] Exception: KeyError: 'tea'\n[2026-11-20T03:00:07.124Z] Stack:   File \"/azure-functions-host/workers/python/dispatcher.py\", line 479, in _handle__invocation_request\n[2026-11-20T03:00:07.124Z]     call_result = await self._loop.run_in_executor(\n[2026-11-20T03:00:07.125Z]   File \"/home/site/wwwroot/HttpTrigger1/__init__.py\", line 3, in main\n[2026-11-20T03:00:07.125Z]     tea = x['tea']\n[2026-11-20T03:00:07.126Z] .",
            "KeyError: 'tea' | 2 | /home/site/wwwroot/HttpTrigger1/__init__.py:3 main",
        ),
        (
            "Result: Failure\nException: KeyError: 'tea'\nStack:   File \"/azure-functions-host/workers/python/dispatcher.py\", line 479, in _handle__invocation_request\n    call_result = await self._loop.run_in_executor(\n  File \"/home/site/wwwroot/HttpTrigger1/__init__.py\", line 3, in main\n    tea = x['tea']\n",
            "KeyError: 'tea' | 2 | /home/site/wwwroot/HttpTrigger1/__init__.py:3 main",
        ),
        (
            "Result: Failure\nException: no tea\nStack: Error: no tea\n    at fill (/home/site/wwwroot/cup.js:3:5)\n    at main (/home/site/wwwroot/index.js:9:10)\n",
            "Error: no tea | 2 | /home/site/wwwroot/cup.js:3 fill",
        ),
        (
            r#"{"severity": "ERROR", "message": "order failed\nTraceback (most recent call last):\n  File \"/srv/shop/cart.py\", line 3, in total\n    return self.a[0]\nKeyError: 'x'\n", "serviceContext": {"service": "x"}}"#,
            "KeyError: 'x' | 1 | /srv/shop/cart.py:3 total",
        ),
        (
            r#"{"severity": "ERROR", "message": "panic: no tea\n\ngoroutine 1 [running]:\nmain.fill(0x1)\n\t/srv/a.go:12 +0x1d\nmain.main()\n\t/srv/main.go:9 +0x1d\n"}"#,
            "panic: no tea | 2 | /srv/a.go:12 fill",
        ),
        (
            r#"{"severity": "ERROR", "message": "order failed", "stack_trace": "java.lang.IllegalStateException: no tea\n\tat com.shop.Cup.fill(Cup.java:3)\n\tat com.shop.Main.main(Main.java:9)\n"}"#,
            "java.lang.IllegalStateException: no tea | 2 | com/shop/Cup.java:3 fill",
        ),
        (
            "ERROR  function-1  x1y2  2026-11-20 03:00:07.123  Traceback (most recent call last):\n                                                    File \"/workspace/main.py\", line 3, in f\n                                                      return a[0]\n                                                  KeyError: 'x'",
            "KeyError: 'x' | 1 | /workspace/main.py:3 f",
        ),
        (
            r#"{"insertId": "1", "textPayload": "Traceback (most recent call last):\n  File \"/srv/shop/cart.py\", line 3, in total\n    return self.a[0]\nKeyError: 'x'\n", "severity": "ERROR"}"#,
            "KeyError: 'x' | 1 | /srv/shop/cart.py:3 total",
        ),
        (
            r#"{"insertId": "1", "jsonPayload": {"message": "TypeError: no tea\n    at fill (/srv/cup.js:3:5)\n    at main (/srv/main.js:9:1)"}, "severity": "ERROR"}"#,
            "TypeError: no tea | 2 | /srv/cup.js:3 fill",
        ),
    ]);
}

#[test]
fn octal_numbers_of_a_syslog_are_signs() {
    check(&[
        (
            "Nov 20 03:00:07 host app[12]: java.lang.IllegalStateException: no tea\nNov 20 03:00:07 host app[12]: #011at com.shop.Cup.fill(Cup.java:3)\nNov 20 03:00:07 host app[12]: #011at com.shop.Main.main(Main.java:9)\n",
            "java.lang.IllegalStateException: no tea | 2 | com/shop/Cup.java:3 fill",
        ),
        (
            "Nov 20 03:00:07 host app[12]: java.lang.IllegalStateException: no tea#012#011at com.shop.Cup.fill(Cup.java:3)#012#011at com.shop.Main.main(Main.java:9)",
            "java.lang.IllegalStateException: no tea | 2 | com/shop/Cup.java:3 fill",
        ),
        (
            r#"Nov 20 03:00:07 host app[12]: Traceback (most recent call last):#012  File "/srv/shop/cart.py", line 3, in total#012    return self.a[0]#012KeyError: 'x'"#,
            "KeyError: 'x' | 1 | /srv/shop/cart.py:3 total",
        ),
        (
            r#"Nov 20 03:00:07 host app[12]: #033[31mTraceback (most recent call last):#012  File "/srv/shop/cart.py", line 3, in total#012    return self.a[0]#012KeyError: 'x'#033[0m"#,
            "KeyError: 'x' | 1 | /srv/shop/cart.py:3 total",
        ),
        (
            "Nov 20 03:00:07 host app[12]: panic: no tea\nNov 20 03:00:07 host app[12]: \nNov 20 03:00:07 host app[12]: goroutine 1 [running]:\nNov 20 03:00:07 host app[12]: main.fill(0x1)\nNov 20 03:00:07 host app[12]: #011/srv/a.go:12 +0x1d\nNov 20 03:00:07 host app[12]: main.main()\nNov 20 03:00:07 host app[12]: #011/srv/main.go:9 +0x1d\n",
            "panic: no tea | 2 | /srv/a.go:12 fill",
        ),
        (
            "Nov 20 03:00:07 host app[12]: PHP Fatal error:  Uncaught Error: no tea in /srv/a.php:3#012Stack trace:#012#0 /srv/index.php(7): bar()#012#1 {main}#012  thrown in /srv/a.php on line 3",
            "Error: no tea | 2 | /srv/a.php:3 bar",
        ),
        (
            "Nov 20 03:00:07 host app[12]: NoMethodError (undefined method `tea' for nil):#012  #012app/cup.rb:3:in `fill'#012app/main.rb:9:in `serve'",
            "NoMethodError: undefined method `tea' for nil | 2 | app/cup.rb:3 fill",
        ),
    ]);
}

#[test]
fn what_php_fpm_says_that_its_children_said() {
    check(&[
        (
            "[20-Nov-2026 03:00:07] WARNING: [pool www] child 7 said into stderr: \"NOTICE: PHP message: PHP Fatal error:  Uncaught Error: no tea in /srv/a.php:3\"\n[20-Nov-2026 03:00:07] WARNING: [pool www] child 7 said into stderr: \"Stack trace:\"\n[20-Nov-2026 03:00:07] WARNING: [pool www] child 7 said into stderr: \"#0 /srv/index.php(7): bar()\"\n[20-Nov-2026 03:00:07] WARNING: [pool www] child 7 said into stderr: \"#1 {main}\"\n[20-Nov-2026 03:00:07] WARNING: [pool www] child 7 said into stderr: \"  thrown in /srv/a.php on line 3\"\n",
            "Error: no tea | 2 | /srv/a.php:3 bar",
        ),
        (
            "[20-Nov-2026 03:00:07] WARNING: [pool www] child 7 said into stderr: \"NOTICE: PHP message: PHP Fatal error:  Uncaught Error: no tea in /srv/a.php:3\"\n[20-Nov-2026 03:00:07] WARNING: [pool www] child 7 said into stderr: \"Stack trace:\"\n[20-Nov-2026 03:00:07] WARNING: [pool www] child 7 said into stderr: \"#0 /srv/index.php(7): bar()\"\n[20-Nov-2026 03:00:07] WARNING: [pool www] child 7 said into stderr: \"#1 {main}\"\n[20-Nov-2026 03:00:07] WARNING: [pool www] child 7 said into stderr: \"  thrown in /srv/a.php on line 3\", pipe is closed\n",
            "Error: no tea | 2 | /srv/a.php:3 bar",
        ),
        (
            "[20-Nov-2026 03:00:07] WARNING: [pool www] child 7 said into stderr: \"PHP Fatal error:  Uncaught Shop\\NoTea: no \"tea\" here in /srv/a.php:3\"\n[20-Nov-2026 03:00:07] WARNING: [pool www] child 7 said into stderr: \"Stack trace:\"\n[20-Nov-2026 03:00:07] WARNING: [pool www] child 7 said into stderr: \"#0 /srv/index.php(7): bar()\"\n[20-Nov-2026 03:00:07] WARNING: [pool www] child 7 said into stderr: \"#1 {main}\"\n[20-Nov-2026 03:00:07] WARNING: [pool www] child 7 said into stderr: \"  thrown in /srv/a.php on line 3\"\n",
            r#"Shop\NoTea: no "tea" here | 2 | /srv/a.php:3 bar"#,
        ),
        (
            "[20-Nov-2026 03:00:07] WARNING: [pool www] child 7 said into stderr: \"NOTICE: PHP message: PHP Fatal error:  Uncaught Error: no te...\"\n[20-Nov-2026 03:00:07] WARNING: [pool www] child 7 said into stderr: \"a in /srv/a.php:3\"\n[20-Nov-2026 03:00:07] WARNING: [pool www] child 7 said into stderr: \"Stack trace:\"\n[20-Nov-2026 03:00:07] WARNING: [pool www] child 7 said into stderr: \"#0 /srv/index.php(7): bar()\"\n[20-Nov-2026 03:00:07] WARNING: [pool www] child 7 said into stderr: \"#1 {main}\"\n[20-Nov-2026 03:00:07] WARNING: [pool www] child 7 said into stderr: \"  thrown in /srv/a.php on line 3\"\n",
            "Error: no tea | 2 | /srv/a.php:3 bar",
        ),
        (
            "[20-Nov-2026 03:00:07] WARNING: [pool www] child 7 said into stderr: \"[2026-11-20 03:00:07] production.ERROR: no tea {\"exception\":\"[object] (App\\\\NoTea(code: 0): no tea at /srv/app/Cup.php:3)\"\n[20-Nov-2026 03:00:07] WARNING: [pool www] child 7 said into stderr: \"[stacktrace]\"\n[20-Nov-2026 03:00:07] WARNING: [pool www] child 7 said into stderr: \"#0 /srv/index.php(7): App\\\\Cup->fill()\"\n[20-Nov-2026 03:00:07] WARNING: [pool www] child 7 said into stderr: \"#1 {main}\"\n[20-Nov-2026 03:00:07] WARNING: [pool www] child 7 said into stderr: \"\"}\"\n",
            "App\\NoTea: no tea | 2 | /srv/app/Cup.php:3 App\\Cup::fill",
        ),
        (
            "web-1  | [20-Nov-2026 03:00:07] WARNING: [pool www] child 7 said into stderr: \"NOTICE: PHP message: PHP Fatal error:  Uncaught Error: no tea in /srv/a.php:3\"\nweb-1  | [20-Nov-2026 03:00:07] WARNING: [pool www] child 7 said into stderr: \"Stack trace:\"\nweb-1  | [20-Nov-2026 03:00:07] WARNING: [pool www] child 7 said into stderr: \"#0 /srv/index.php(7): bar()\"\nweb-1  | [20-Nov-2026 03:00:07] WARNING: [pool www] child 7 said into stderr: \"#1 {main}\"\nweb-1  | [20-Nov-2026 03:00:07] WARNING: [pool www] child 7 said into stderr: \"  thrown in /srv/a.php on line 3\"\n",
            "Error: no tea | 2 | /srv/a.php:3 bar",
        ),
        (
            "[20-Nov-2026 03:00:07] WARNING: [pool www] child 7 said into stdout: \"Traceback\"\n[20-Nov-2026 03:00:07] WARNING: [pool www] child 7 said into stdout: \"NOTICE: PHP message: PHP Fatal error:  Uncaught Error: no tea in /srv/a.php:3\"\n[20-Nov-2026 03:00:07] WARNING: [pool www] child 7 said into stdout: \"Stack trace:\"\n[20-Nov-2026 03:00:07] WARNING: [pool www] child 7 said into stdout: \"#0 /srv/index.php(7): bar()\"\n[20-Nov-2026 03:00:07] WARNING: [pool www] child 7 said into stdout: \"#1 {main}\"\n[20-Nov-2026 03:00:07] WARNING: [pool www] child 7 said into stdout: \"  thrown in /srv/a.php on line 3\"\n",
            "Error: no tea | 2 | /srv/a.php:3 bar",
        ),
    ]);
}

#[test]
fn what_web_servers_say_that_php_said() {
    check(&[
        (
            "2026/11/20 03:00:07 [error] 12#12: *5 FastCGI sent in stderr: \"PHP message: PHP Fatal error:  Uncaught Error: no tea in /srv/a.php:3\nStack trace:\n#0 /srv/index.php(7): bar()\n#1 {main}\n  thrown in /srv/a.php on line 3\" while reading response header from upstream, client: 10.0.0.1, server: shop.example.com, request: \"GET /cup HTTP/1.1\", upstream: \"fastcgi://unix:/run/php.sock:\", host: \"shop.example.com\"",
            "Error: no tea | 2 | /srv/a.php:3 bar",
        ),
        (
            "2026/11/20 03:00:07 [error] 12#12: *5 FastCGI sent in stderr: \"PHP message: PHP Warning:  Undefined variable $x in /srv/b.php on line 9; PHP message: PHP Fatal error:  Uncaught Error: no tea in /srv/a.php:3\nStack trace:\n#0 /srv/index.php(7): bar()\n#1 {main}\n  thrown in /srv/a.php on line 3\" while reading upstream, client: 10.0.0.1",
            "Error: no tea | 2 | /srv/a.php:3 bar",
        ),
        (
            r#"2026/11/20 03:00:07 [error] 12#12: *5 FastCGI sent in stderr: "PHP message: PHP Fatal error:  Allowed memory size of 134217728 bytes exhausted (tried to allocate 20480 bytes) in /srv/a.php on line 3" while reading response header from upstream, client: 10.0.0.1, server: shop.example.com, request: "GET /cup HTTP/1.1""#,
            "Fatal error: Allowed memory size of 134217728 bytes exhausted (tried to allocate 20480 bytes) | 1 | /srv/a.php:3 ?",
        ),
        (
            "[Fri Nov 20 03:00:07.123456 2026] [php:error] [pid 12] [client 10.0.0.1:5312] PHP Fatal error:  Uncaught Error: no tea in /srv/a.php:3\nStack trace:\n#0 /srv/index.php(7): bar()\n#1 {main}\n  thrown in /srv/a.php on line 3",
            "Error: no tea | 2 | /srv/a.php:3 bar",
        ),
        (
            "[Fri Nov 20 03:00:07.123456 2026] [php:error] [pid 12] [client 10.0.0.1:5312] PHP Fatal error:  Uncaught Error: no tea in /srv/a.php:3\\nStack trace:\\n#0 /srv/index.php(7): bar()\\n#1 {main}\\n  thrown in /srv/a.php on line 3, referer: http://shop.example.com/",
            "Error: no tea | 2 | /srv/a.php:3 bar",
        ),
        (
            "[Fri Nov 20 03:00:07.123456 2026] [php:error] [pid 12] [client 10.0.0.1:5312] PHP Fatal error:  Uncaught Error: no tea in /srv/a.php:3\n[Fri Nov 20 03:00:07.123456 2026] [php:error] [pid 12] [client 10.0.0.1:5312] PHP Stack trace:\n[Fri Nov 20 03:00:07.123456 2026] [php:error] [pid 12] [client 10.0.0.1:5312] PHP   1. {main}() /srv/index.php:0\n[Fri Nov 20 03:00:07.123456 2026] [php:error] [pid 12] [client 10.0.0.1:5312] PHP   2. bar($x = 1) /srv/index.php:7\n",
            "Error: no tea | 2 | /srv/a.php:3 bar",
        ),
        (
            "[Fri Nov 20 03:00:07.123456 2026] [proxy_fcgi:error] [pid 12:tid 140] [client 10.0.0.1:5312] AH01071: Got error 'PHP message: PHP Fatal error:  Uncaught Error: no tea in /srv/a.php:3\\nStack trace:\\n#0 /srv/index.php(7): bar()\\n#1 {main}\\n  thrown in /srv/a.php on line 3'",
            "Error: no tea | 2 | /srv/a.php:3 bar",
        ),
        (
            "[Fri Nov 20 03:00:07.123456 2026] [proxy_fcgi:error] [pid 12:tid 140] [client 10.0.0.1:5312] AH01071: Got error 'PHP message: PHP Warning:  Undefined variable $y in /srv/b.php on line 2PHP message: PHP Fatal error:  Uncaught Error: no tea in /srv/a.php:3\\nStack trace:\\n#0 /srv/index.php(7): bar()\\n#1 {main}\\n  thrown in /srv/a.php on line 3', referer: http://shop.example.com/",
            "Error: no tea | 2 | /srv/a.php:3 bar",
        ),
    ]);
}

#[test]
fn what_php_prints_on_a_page() {
    check(&[
        (
            "<br />\n<b>Fatal error</b>:  Uncaught Error: no tea in /srv/a.php:3\nStack trace:\n#0 /srv/index.php(7): bar()\n#1 {main}\n  thrown in <b>/srv/a.php</b> on line <b>3</b><br />\n",
            "Error: no tea | 2 | /srv/a.php:3 bar",
        ),
        (
            "<br />\n<b>Fatal error</b>:  Allowed memory size of 1 bytes exhausted in <b>/srv/a.php</b> on line <b>3</b><br />\n",
            "Fatal error: Allowed memory size of 1 bytes exhausted | 1 | /srv/a.php:3 ?",
        ),
        (
            "<br />\n<b>Parse error</b>:  syntax error, unexpected token &quot;;&quot; in <b>/srv/a.php</b> on line <b>3</b><br />\n",
            r#"ParseError: syntax error, unexpected token ";" | 1 | /srv/a.php:3 ?"#,
        ),
        (
            "<br />\n<font size='1'><table class='xdebug-error xe-uncaught-exception' dir='ltr' border='1' cellspacing='0' cellpadding='1'>\n<tr><th align='left' bgcolor='#f57900' colspan=\"5\"><span style='background-color: #cc0000; color: #fce94f; font-size: x-large;'>( ! )</span> Fatal error: Uncaught Shop\\NoTea: no &quot;tea&quot; here in /srv/src/Cup.php on line <i>3</i></th></tr>\n<tr><th align='left' bgcolor='#f57900' colspan=\"5\"><span style='background-color: #cc0000; color: #fce94f; font-size: x-large;'>( ! )</span> Shop\\NoTea: no &quot;tea&quot; here in /srv/src/Cup.php on line <i>3</i></th></tr>\n<tr><th align='left' bgcolor='#e9b96e' colspan='5'>Call Stack</th></tr>\n<tr><th align='center' bgcolor='#eeeeec'>#</th><th align='left' bgcolor='#eeeeec'>Time</th></tr>\n<tr><td bgcolor='#eeeeec' align='center'>1</td><td bgcolor='#eeeeec' align='center'>0.0002</td><td bgcolor='#eeeeec' align='right'>415096</td><td bgcolor='#eeeeec'>{main}(  )</td><td title='/srv/index.php' bgcolor='#eeeeec'>.../index.php<b>:</b>0</td></tr>\n<tr><td bgcolor='#eeeeec' align='center'>2</td><td bgcolor='#eeeeec' align='center'>0.0002</td><td bgcolor='#eeeeec' align='right'>415096</td><td bgcolor='#eeeeec'>run( <span>$what = </span><span>&#39;a&#39;</span> )</td><td title='/srv/index.php' bgcolor='#eeeeec'>.../index.php<b>:</b>63</td></tr>\n<tr><td bgcolor='#eeeeec' align='center'>3</td><td bgcolor='#eeeeec' align='center'>0.0002</td><td bgcolor='#eeeeec' align='right'>415096</td><td bgcolor='#eeeeec'>Shop\\Cup->fill( <span>$jar = </span><span>&#39;plum&#39;</span> )</td><td title='/srv/run.php' bgcolor='#eeeeec'>.../run.php<b>:</b>11</td></tr>\n</table></font>\n",
            r#"Shop\NoTea: no "tea" here | 3 | /srv/src/Cup.php:3 Shop\Cup::fill"#,
        ),
        (
            "<br />\n<font size='1'><table class='xdebug-error xe-uncaught-exception' dir='ltr' border='1' cellspacing='0' cellpadding='1'>\n<tr><th align='left' bgcolor='#f57900' colspan=\"5\"><span style='background-color: #cc0000; color: #fce94f; font-size: x-large;'>( ! )</span> Fatal error: Cannot redeclare bar() in /srv/src/Cup.php on line <i>3</i></th></tr>\n<tr><th align='left' bgcolor='#e9b96e' colspan='5'>Call Stack</th></tr>\n<tr><th align='center' bgcolor='#eeeeec'>#</th><th align='left' bgcolor='#eeeeec'>Time</th></tr>\n<tr><td bgcolor='#eeeeec' align='center'>1</td><td bgcolor='#eeeeec' align='center'>0.0002</td><td bgcolor='#eeeeec' align='right'>415096</td><td bgcolor='#eeeeec'>{main}(  )</td><td title='/srv/index.php' bgcolor='#eeeeec'>.../index.php<b>:</b>0</td></tr>\n<tr><td bgcolor='#eeeeec' align='center'>2</td><td bgcolor='#eeeeec' align='center'>0.0002</td><td bgcolor='#eeeeec' align='right'>415096</td><td bgcolor='#eeeeec'>require( <font color='#00bb00'>&#39;/srv/src/Cup.php&#39;</font> )</td><td title='/srv/index.php' bgcolor='#eeeeec'>.../index.php<b>:</b>63</td></tr>\n</table></font>\n",
            "Fatal error: Cannot redeclare bar() | 2 | /srv/src/Cup.php:3 require",
        ),
        (
            "\nFatal error: Uncaught Shop\\NoTea: no tea in /srv/src/Cup.php on line 3\n\nShop\\NoTea: no tea in /srv/src/Cup.php on line 3\n\nCall Stack:\n    0.0002     415096   1. {main}() /srv/index.php:0\n    0.0002     424968   2. run($what = 'a') /srv/index.php:63\n    0.0003     425024   3. Shop\\Cup->fill($jar = 'plum') /srv/run.php:11\n",
            "Shop\\NoTea: no tea | 3 | /srv/src/Cup.php:3 Shop\\Cup::fill",
        ),
    ]);
}
