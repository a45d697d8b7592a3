"""WSGI middleware: reports what the application raises, also while the response is being read, with the request."""

from typing import Any, Callable, Dict, Iterable, Iterator
from urllib.parse import quote

from flawless import _episodes, _information, _setup

# Headers of one request that are kept, and characters of one: browsers send some twenty.
MAX_HEADERS = 60
MAX_HEADER = 1_000

_LATIN = "latin-1"


class Middleware:
    """`application = flawless.wsgi.Middleware(application)`. Exceptions go on to the server as they would without it."""

    def __init__(self, application: Callable[..., Iterable[bytes]]) -> None:
        self._application = application

    def __call__(self, environ: Dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        __tracebackhide__ = True
        since = _episodes.begin()
        token = _information.enter_request(_request(environ))
        known = _information.current()
        try:
            response = self._application(environ, start_response)
        except Exception as error:
            _setup.report(error, since, None, False)
            raise
        finally:
            known = _information.leave_request(token)
        # These can't fail while they are read, and servers treat them in a way of their own.
        wrapper = environ.get("wsgi.file_wrapper")
        if isinstance(response, (list, tuple)) or (isinstance(wrapper, type) and isinstance(response, wrapper)):
            return response
        return _Response(response, since, known)


class _Response:
    """The response's parts. They are made outside of the middleware's call, whenever the server asks for them."""

    def __init__(self, response: Iterable[bytes], since: int, known: Any) -> None:
        self._response = response
        self._parts: Any = None
        self._since = since
        self._known = known

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        __tracebackhide__ = True
        return self._watched(self._next)

    def close(self) -> None:
        """Closes the application's response, where it can be closed."""
        __tracebackhide__ = True
        close = getattr(self._response, "close", None)
        if close is not None:
            self._watched(close)

    def _next(self) -> bytes:
        __tracebackhide__ = True
        if self._parts is None:
            self._parts = iter(self._response)
        return next(self._parts)

    def _watched(self, step: Callable[[], Any]) -> Any:
        __tracebackhide__ = True
        token = _information.resume(self._known)
        try:
            return step()
        except Exception as error:
            _setup.report(error, self._since, None, False)
            raise
        finally:
            self._known = _information.leave_request(token)


def _request(environ: Dict[str, Any]) -> Dict[str, Any]:
    """What is known of a request; nothing of it may fail the request."""
    try:
        headers: Dict[str, str] = {}
        for name, value in environ.items():
            if len(headers) >= MAX_HEADERS:
                break
            if name.startswith("HTTP_"):
                headers[name[5:].replace("_", "-").title()] = str(value)[:MAX_HEADER]
            elif name in ("CONTENT_TYPE", "CONTENT_LENGTH") and value:
                headers[name.replace("_", "-").title()] = str(value)[:MAX_HEADER]
        host = environ.get("HTTP_HOST") or f"{environ.get('SERVER_NAME', '')}:{environ.get('SERVER_PORT', '')}"
        # WSGI hands on the path decoded, its bytes as Latin-1.
        path = str(environ.get("SCRIPT_NAME", "")) + str(environ.get("PATH_INFO", ""))
        url = f"{environ.get('wsgi.url_scheme', 'http')}://{host}{quote(path.encode(_LATIN, 'replace'))}"
        return {
            "method": str(environ.get("REQUEST_METHOD", "")),
            "url": url[:MAX_HEADER],
            "query_string": str(environ.get("QUERY_STRING", ""))[:MAX_HEADER],
            "headers": headers,
        }
    except Exception:
        return {}
