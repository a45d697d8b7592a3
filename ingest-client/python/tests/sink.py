"""A server on this machine that takes envelopes as Flawless does, and a test case that reports to it."""

import gzip
import json
import os
import subprocess
import sys
import textwrap
import threading
import unittest
import zlib
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Dict, List, Optional

import flawless
from flawless import _information

KEY = "0123456789abcdef0123456789abcdef"

# Seconds that a test waits for what should take milliseconds.
PATIENCE = 20.0


class Sink:
    """Answers as it is told and keeps what it was sent. `hold` makes it as slow as a test wants."""

    def __init__(self, port: int = 0) -> None:
        self.events: List[Dict[str, Any]] = []
        self.requests = 0
        self.status = 200
        self.go_on = threading.Event()
        self.go_on.set()
        sink = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            # Answers in one piece and at once: else each waits for 40 ms.
            wbufsize = -1
            disable_nagle_algorithm = True

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                sink.go_on.wait()
                sink.take(self.headers.get("Content-Encoding"), body)
                answer = b"{}"
                self.send_response(sink.status)
                self.send_header("Content-Length", str(len(answer)))
                # As Flawless does: everything but errors is unwanted for a minute.
                self.send_header("X-Sentry-Rate-Limits", "60:transaction;session;replay:organization")
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]
        self.dsn = f"http://{KEY}@127.0.0.1:{self.port}/7"
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def take(self, encoding: Optional[str], body: bytes) -> None:
        if encoding == "gzip":
            body = gzip.decompress(body)
        elif encoding == "deflate":
            body = zlib.decompress(body)
        self.requests += 1
        for event in events_of(body):
            self.events.append(event)

    def stop(self) -> None:
        self.go_on.set()
        self._server.shutdown()
        self._server.server_close()


def events_of(envelope: bytes) -> List[Dict[str, Any]]:
    """The events of an envelope: a line of headers, then for each item a line of headers and its payload."""
    _, _, rest = envelope.partition(b"\n")
    found = []
    while rest.strip():
        line, _, rest = rest.partition(b"\n")
        header = json.loads(line)
        length = header.get("length")
        if length is None:
            payload, _, rest = rest.partition(b"\n")
        else:
            payload, rest = rest[:length], rest[length + 1 :]
        if header["type"] == "event":
            found.append(json.loads(payload))
    return found


class Clock:
    """Stands still until a test moves it."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


class SinkCase(unittest.TestCase):
    """A sink and a client that reports to it."""

    options: Dict[str, Any] = {}

    def setUp(self) -> None:
        for name in ("FLAWLESS_DSN", "SENTRY_DSN", "FLAWLESS_RELEASE", "SENTRY_RELEASE", "SENTRY_ENVIRONMENT"):
            os.environ.pop(name, None)
        self.sink = Sink()
        self.addCleanup(self.sink.stop)
        # Not only of this test, since all run in one thread.
        _information._known.set(({}, None))
        self.clock = Clock()
        self.begin(**self.options)
        self.addCleanup(flawless.close)

    def begin(self, **options: Any) -> None:
        # Without looking for fifty frameworks at each of a hundred beginnings.
        options.setdefault("auto_enabling_integrations", False)
        self.assertTrue(flawless.init(self.sink.dsn, release="1.0", clock=self.clock, **options))

    def reported(self) -> List[Dict[str, Any]]:
        """All events so far, without the counts that still wait."""
        import sentry_sdk

        sentry_sdk.flush(timeout=PATIENCE)
        return self.sink.events

    def only(self) -> Dict[str, Any]:
        events = self.reported()
        self.assertEqual(len(events), 1, [event.get("exception") for event in events])
        return events[0]


def frames(event: Dict[str, Any]) -> List[Dict[str, Any]]:
    """Frames of the raised exception, outermost first."""
    found: List[Dict[str, Any]] = event["exception"]["values"][-1]["stacktrace"]["frames"]
    return found


def variables(event: Dict[str, Any], function: str) -> Dict[str, str]:
    """Variables of the innermost frame of this function."""
    found: Dict[str, str] = [frame for frame in frames(event) if frame["function"] == function][-1].get("vars", {})
    return found


def counts(events: List[Dict[str, Any]]) -> List[int]:
    """How many occurrences each event says it stands for."""
    return [event["contexts"]["flawless"]["count"] for event in events]


def run(program: str, *arguments: str, timeout: float = PATIENCE, **environment: str) -> "subprocess.CompletedProcess[str]":
    """Runs a program of its own, as an application would be."""
    # Without `-P`: the folder of the tests is nothing to an application.
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program), *arguments],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )
