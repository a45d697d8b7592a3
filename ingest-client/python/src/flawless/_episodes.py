"""One exception is reported once, whoever meets it on its way: wrappers, middleware, or sentry-sdk's integrations."""

import asyncio
import concurrent.futures
import itertools
from typing import Optional

# In the exception's own `__dict__`: exceptions of Python itself can't be referred to weakly.
_MARK = "__flawless_reported__"

_steps = itertools.count(1)

# These are how programs go on, not how they fail. The rest of them are no subclasses of `Exception`.
_CONTROL_FLOW = (StopIteration, StopAsyncIteration, asyncio.CancelledError, concurrent.futures.CancelledError)


def is_reported_at_all(error: BaseException) -> bool:
    """False for `KeyboardInterrupt`, `SystemExit`, `GeneratorExit`, cancellation, and ends of iteration."""
    return isinstance(error, Exception) and not isinstance(error, _CONTROL_FLOW)


def begin() -> int:
    """A number that is larger than all before: what a wrapper notes when it is entered."""
    return next(_steps)


def mark(error: BaseException) -> None:
    """Notes that the exception has been reported."""
    try:
        object.__getattribute__(error, "__dict__")[_MARK] = next(_steps)
    except Exception:
        # No exception of Python's comes here; without a mark, it may be reported twice.
        pass


def unmark(error: BaseException) -> None:
    """Takes the mark back: nothing was sent after all."""
    try:
        object.__getattribute__(error, "__dict__").pop(_MARK, None)
    except Exception:
        pass


def was_reported(error: BaseException, since: Optional[int] = None) -> bool:
    """Whether it has been reported, by somebody who met it after `since`.

    A program may keep one exception object and raise it again and again. So a wrapper asks only for marks that were made
    while it ran.
    """
    try:
        marked = object.__getattribute__(error, "__dict__").get(_MARK)
    except Exception:
        return False
    return isinstance(marked, int) and (since is None or marked > since)
