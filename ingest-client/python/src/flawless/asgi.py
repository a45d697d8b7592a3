"""ASGI middleware: reports what the application raises in requests and websockets, with the request."""

from typing import Any, Awaitable, Callable, Dict
from urllib.parse import quote

from flawless import _episodes, _information, _setup
from flawless.wsgi import MAX_HEADER, MAX_HEADERS

_LATIN = "latin-1"


class Middleware:
    """`application = flawless.asgi.Middleware(application)`. Exceptions go on to the server as they would without it."""

    def __init__(self, application: Callable[..., Awaitable[Any]]) -> None:
        self._application = application

    async def __call__(self, scope: Dict[str, Any], receive: Any, send: Any) -> Any:
        __tracebackhide__ = True
        if scope.get("type") not in ("http", "websocket"):
            # Applications without a lifespan say so by an exception.
            return await self._application(scope, receive, send)
        since = _episodes.begin()
        token = _information.enter_request(_request(scope))
        try:
            return await self._application(scope, receive, send)
        except Exception as error:
            _setup.report(error, since, None, False)
            raise
        finally:
            _information.leave_request(token)


def _request(scope: Dict[str, Any]) -> Dict[str, Any]:
    """What is known of a request; nothing of it may fail the request."""
    try:
        headers = {
            name.decode(_LATIN).title(): value.decode(_LATIN)[:MAX_HEADER]
            for name, value in list(scope.get("headers") or ())[:MAX_HEADERS]
        }
        host = headers.get("Host")
        if host is None:
            server = scope.get("server") or ("", None)
            host = f"{server[0]}:{server[1]}" if server[1] is not None else str(server[0])
        scheme = scope.get("scheme") or ("ws" if scope["type"] == "websocket" else "http")
        return {
            "method": str(scope.get("method") or ("WEBSOCKET" if scope["type"] == "websocket" else "")),
            "url": f"{scheme}://{host}{quote(scope.get('path') or '')}"[:MAX_HEADER],
            "query_string": (scope.get("query_string") or b"").decode(_LATIN)[:MAX_HEADER],
            "headers": headers,
        }
    except Exception:
        return {}
