"""Additional information: what the application and its web server know beside the traceback."""

from contextlib import contextmanager
from contextvars import ContextVar, Token
from typing import Any, Dict, Iterator, Mapping, Optional, Tuple

# Entries kept at a time: what is added in an endless loop must not grow for ever.
MAX_ENTRIES = 100

_Known = Tuple[Mapping[str, Any], Optional[Mapping[str, Any]]]

# Never changed in place: another task may share it. First what was added, then the request.
_known: "ContextVar[_Known]" = ContextVar("flawless_information", default=({}, None))


def _with(values: Mapping[str, Any]) -> Dict[str, Any]:
    added = dict(_known.get()[0])
    for name, value in values.items():
        added.pop(name, None)
        added[name] = value
    for name in list(added)[: max(0, len(added) - MAX_ENTRIES)]:
        del added[name]
    return added


def add_information(**values: Any) -> None:
    """Adds to what reports of this thread, task or request say from now on."""
    _known.set((_with(values), _known.get()[1]))


@contextmanager
def information(**values: Any) -> Iterator[None]:
    """Adds to what reports say inside of the `with` block; what is added inside ends with it too."""
    token = _known.set((_with(values), _known.get()[1]))
    try:
        yield
    finally:
        _reset(token)


def enter_request(request: Mapping[str, Any]) -> "Token[_Known]":
    """From here to `leave_request`, reports carry this request and nothing of an earlier one."""
    return _known.set(({}, request))


def leave_request(token: "Token[_Known]") -> _Known:
    """Ends the request; returns what was known, for when it goes on elsewhere."""
    known = _known.get()
    _reset(token)
    return known


def resume(known: _Known) -> "Token[_Known]":
    """Goes on with a request that was left."""
    return _known.set(known)


def current() -> _Known:
    """What was added, and the request."""
    return _known.get()


def _reset(token: "Token[_Known]") -> None:
    try:
        _known.reset(token)
    except ValueError:
        # Left in another context than entered, as a generator can be that is closed by the garbage collector.
        pass
