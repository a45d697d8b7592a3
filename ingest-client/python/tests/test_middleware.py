"""WSGI and ASGI: what fails in a request is reported with the request, and goes on to the server."""

import asyncio
import unittest
from typing import Any, Dict, Iterator, List
from wsgiref.util import FileWrapper, setup_testing_defaults
from wsgiref.validate import validator

import flawless
from tests.sink import SinkCase, frames, variables


def environ(**more: Any) -> Dict[str, Any]:
    made: Dict[str, Any] = {
        "REQUEST_METHOD": "POST",
        "SCRIPT_NAME": "",
        "PATH_INFO": "/cart/\xc3\xa4",
        "QUERY_STRING": "sku=quince&token=swordfish",
        "HTTP_HOST": "shop.example",
        "HTTP_USER_AGENT": "Browser/1",
        "HTTP_AUTHORIZATION": "Bearer swordfish-bearer",
        "HTTP_COOKIE": "id=swordfish-cookie",
        **more,
    }
    setup_testing_defaults(made)
    return made


class Wsgi(SinkCase):
    def serve(self, application: Any, **more: Any) -> List[bytes]:
        """What a server does: calls, iterates, closes."""
        response = application(environ(**more), lambda status, headers, error=None: lambda data: None)
        try:
            return list(response)
        finally:
            if hasattr(response, "close"):
                response.close()

    def test_a_failing_call_is_reported_with_its_request(self) -> None:
        def application(_environ: Any, _start_response: Any) -> Any:
            flawless.add_information(customer=5)
            raise ValueError("no swordfish-bearer")

        with self.assertRaises(ValueError):
            self.serve(flawless.wsgi.Middleware(application))
        event = self.only()
        request = event["request"]
        self.assertEqual(request["method"], "POST")
        self.assertEqual(request["url"], "http://shop.example/cart/%C3%A4")
        self.assertEqual(request["query_string"], "sku=quince&token=[Filtered]")
        self.assertEqual(request["headers"]["User-Agent"], "Browser/1")
        self.assertEqual(request["headers"]["Authorization"], "[Filtered]")
        self.assertEqual(request["headers"]["Cookie"], "[Filtered]")
        self.assertEqual(event["exception"]["values"][-1]["value"], "no [Filtered]")
        self.assertEqual(event["extra"]["customer"], "5")
        self.assertEqual(frames(event)[-1]["function"], "application")
        self.assertIn("serve", [frame["function"] for frame in frames(event)])
        # The next report has nothing of this request.
        flawless.report_exception(KeyError("later"))
        self.assertNotIn("request", self.reported()[-1])
        self.assertNotIn("customer", self.reported()[-1]["extra"])

    def test_a_response_that_fails_later_is_reported_with_its_request(self) -> None:
        closed: List[str] = []

        class Response:
            def __iter__(self) -> Iterator[bytes]:
                yield b"one"
                number = 3
                raise ValueError(number)

            def close(self) -> None:
                closed.append("closed")
                raise KeyError("closing")

        with self.assertRaises(KeyError):
            self.serve(flawless.wsgi.Middleware(lambda _environ, _start: Response()))
        first, second = self.reported()
        self.assertEqual(variables(first, "__iter__")["number"], "3")
        self.assertEqual(frames(second)[-1]["function"], "close")
        self.assertEqual(closed, ["closed"])
        for event in (first, second):
            self.assertEqual(event["request"]["method"], "POST")

    def test_what_works_is_handed_on_as_it_is(self) -> None:
        def application(_environ: Any, start_response: Any) -> Any:
            start_response("200 OK", [("Content-Type", "text/plain")])
            return iter([b"one", b"two"])

        checked = validator(flawless.wsgi.Middleware(validator(application)))
        self.assertEqual(self.serve(checked, REQUEST_METHOD="GET"), [b"one", b"two"])
        listed = [b"one"]
        self.assertIs(flawless.wsgi.Middleware(lambda *_: listed)(environ(), None), listed)  # type: ignore[arg-type]
        file = FileWrapper(None)  # type: ignore[arg-type]
        served = flawless.wsgi.Middleware(lambda *_: file)(environ(**{"wsgi.file_wrapper": FileWrapper}), None)  # type: ignore
        self.assertIs(served, file)
        self.assertEqual(self.reported(), [])

    def test_an_odd_environment_fails_nothing(self) -> None:
        middleware = flawless.wsgi.Middleware(lambda *_: [b"fine"])
        self.assertEqual(middleware({}, None), [b"fine"])  # type: ignore[arg-type]
        self.assertEqual(middleware({"PATH_INFO": "\udc80", 5: 6}, None), [b"fine"])  # type: ignore

    def test_wrapped_functions_in_requests_report_once(self) -> None:
        @flawless.wrap_function(error_threshold=3)
        def application(_environ: Any, _start_response: Any) -> Any:
            raise ValueError("it failed")

        with self.assertRaises(ValueError):
            self.serve(flawless.wsgi.Middleware(flawless.wsgi.Middleware(application)))
        event = self.only()
        self.assertEqual(event["contexts"]["flawless"]["error_threshold"], 3)
        self.assertEqual(event["request"]["method"], "POST")


class Asgi(SinkCase):
    scope = {
        "type": "http",
        "method": "GET",
        "scheme": "https",
        "path": "/cart/ä",
        "query_string": b"sku=quince",
        "headers": [(b"host", b"shop.example"), (b"x-api-key", b"swordfish"), (b"accept", b"*/*")],
        "server": ("127.0.0.1", 8000),
    }

    def test_a_failing_request_is_reported(self) -> None:
        async def application(_scope: Any, _receive: Any, _send: Any) -> None:
            await asyncio.sleep(0)
            raise ValueError("no swordfish")

        with self.assertRaises(ValueError):
            asyncio.run(flawless.asgi.Middleware(application)(dict(self.scope), None, None))  # type: ignore[arg-type]
        event = self.only()
        self.assertEqual(
            event["request"],
            {
                "method": "GET",
                "url": "https://shop.example/cart/%C3%A4",
                "query_string": "sku=quince",
                "headers": {"Host": "shop.example", "X-Api-Key": "[Filtered]", "Accept": "*/*"},
            },
        )
        self.assertEqual(event["exception"]["values"][-1]["value"], "no [Filtered]")

    def test_requests_at_the_same_time_are_kept_apart(self) -> None:
        async def application(scope: Any, _receive: Any, _send: Any) -> None:
            flawless.add_information(path=scope["path"])
            await asyncio.sleep(0.01)
            raise ValueError("it failed")

        middleware = flawless.asgi.Middleware(application)

        async def main() -> None:
            await asyncio.gather(
                *(middleware({**self.scope, "path": f"/{number}"}, None, None) for number in range(4)),
                return_exceptions=True,
            )

        asyncio.run(main())
        for event in self.reported():
            self.assertTrue(event["request"]["url"].endswith(event["extra"]["path"]))
        self.assertEqual(len(self.sink.events), 4)

    def test_a_websocket_is_watched_and_a_lifespan_passed_through(self) -> None:
        async def application(scope: Any, _receive: Any, _send: Any) -> None:
            raise ValueError(scope["type"])

        middleware = flawless.asgi.Middleware(application)
        for kind in ("lifespan", "websocket"):
            with self.assertRaises(ValueError):
                asyncio.run(middleware({"type": kind, "path": "/live"}, None, None))  # type: ignore[arg-type]
        event = self.only()
        self.assertEqual(event["exception"]["values"][-1]["value"], "websocket")
        self.assertEqual(event["request"]["method"], "WEBSOCKET")

    def test_messages_pass_unchanged(self) -> None:
        sent: List[Any] = []

        async def application(_scope: Any, receive: Any, send: Any) -> None:
            await send(await receive())

        async def receive() -> str:
            return "message"

        async def send(message: Any) -> None:
            sent.append(message)

        asyncio.run(flawless.asgi.Middleware(application)(dict(self.scope), receive, send))  # type: ignore[arg-type]
        self.assertEqual(sent, ["message"])
        self.assertEqual(self.reported(), [])


if __name__ == "__main__":
    unittest.main()
