"""The decorators: what a wrapped function raises is reported, and raised again unless that is not wanted."""

import functools
import inspect
from typing import Any, Callable, Optional, TypeVar, overload

from flawless import _episodes, _setup
from flawless._options import checked_threshold

F = TypeVar("F", bound=Callable[..., Any])
C = TypeVar("C", bound=type)

_WRAPPED = "__flawless_wrapped__"

# Python calls the other special methods in the course of things, and expects some of their exceptions.
_SPECIAL = frozenset(["__init__", "__call__"])


class _Settings:
    __slots__ = ("threshold", "reraise")

    def __init__(self, error_threshold: Optional[int], reraise_exception: bool) -> None:
        self.threshold = checked_threshold(error_threshold)
        self.reraise = reraise_exception

    def swallows(self, error: BaseException, since: int) -> bool:
        """Reports the exception; whether it ends here."""
        __tracebackhide__ = True
        if not _episodes.is_reported_at_all(error):
            return False
        _setup.report(error, since, self.threshold, not self.reraise)
        return not self.reraise


@overload
def wrap_function(function: F) -> F: ...


@overload
def wrap_function(*, error_threshold: Optional[int] = ..., reraise_exception: bool = ...) -> Callable[[F], F]: ...


def wrap_function(
    function: Optional[Callable[..., Any]] = None,
    *,
    error_threshold: Optional[int] = None,
    reraise_exception: bool = True,
) -> Any:
    """Reports what the function raises. It may be sync or async, a generator or an async generator.

    `error_threshold`: nobody is told before this many occurrences. `reraise_exception=False`: the exception ends here, and
    the function returns None (a generator ends).
    """
    settings = _Settings(error_threshold, reraise_exception)
    if function is None:
        return lambda wrapped: _wrapped(wrapped, settings)
    return _wrapped(function, settings)


@overload
def wrap_class(cls: C) -> C: ...


@overload
def wrap_class(*, error_threshold: Optional[int] = ..., reraise_exception: bool = ...) -> Callable[[C], C]: ...


def wrap_class(
    cls: Optional[type] = None, *, error_threshold: Optional[int] = None, reraise_exception: bool = True
) -> Any:
    """Wraps the methods that the class itself defines: of instances, of the class, and static ones.

    Of special methods only `__init__` and `__call__`. `__init__` always raises again: nobody could use half an object.
    """
    settings = _Settings(error_threshold, reraise_exception)
    if cls is None:
        return lambda wrapped: _wrapped_class(wrapped, settings)
    return _wrapped_class(cls, settings)


def _wrapped_class(cls: type, settings: _Settings) -> type:
    if not isinstance(cls, type):
        raise TypeError(f"wrap_class wraps classes, not {type(cls).__name__}; for functions there is wrap_function")
    raising = _Settings(settings.threshold, True)
    for name, member in list(vars(cls).items()):
        if name.startswith("__") and name.endswith("__") and name not in _SPECIAL:
            continue
        chosen = raising if name == "__init__" else settings
        if isinstance(member, (staticmethod, classmethod)) and inspect.isroutine(member.__func__):
            setattr(cls, name, type(member)(_wrapped(member.__func__, chosen)))
        elif inspect.isfunction(member):
            setattr(cls, name, _wrapped(member, chosen))
    return cls


def _wrapped(function: Any, settings: _Settings) -> Any:
    if isinstance(function, (staticmethod, classmethod)):
        # The decorators may stand in either order.
        return type(function)(_wrapped(function.__func__, settings))
    if isinstance(function, type):
        raise TypeError("wrap_function wraps functions; for classes there is wrap_class")
    if not callable(function):
        raise TypeError(f"wrap_function wraps functions, not {type(function).__name__}")
    # Not by `hasattr`: `functools.wraps` of another decorator copies it to what that decorator makes.
    if getattr(function, _WRAPPED, None) is function:
        return function
    if inspect.iscoroutinefunction(function):
        wrapper = _coroutine(function, settings)
    elif inspect.isasyncgenfunction(function):
        wrapper = _async_generator(function, settings)
    elif inspect.isgeneratorfunction(function):
        wrapper = _generator(function, settings)
    else:
        wrapper = _plain(function, settings)
    setattr(wrapper, _WRAPPED, wrapper)
    return wrapper


def _plain(function: Any, settings: _Settings) -> Any:
    @functools.wraps(function)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        __tracebackhide__ = True
        since = _episodes.begin()
        try:
            return function(*args, **kwargs)
        except Exception as error:
            if not settings.swallows(error, since):
                raise
        return None

    return wrapper


def _coroutine(function: Any, settings: _Settings) -> Any:
    @functools.wraps(function)
    async def wrapper(*args: Any, **kwargs: Any) -> Any:
        __tracebackhide__ = True
        since = _episodes.begin()
        try:
            return await function(*args, **kwargs)
        except Exception as error:
            if not settings.swallows(error, since):
                raise
        return None

    return wrapper


def _generator(function: Any, settings: _Settings) -> Any:
    @functools.wraps(function)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        __tracebackhide__ = True
        since = _episodes.begin()
        try:
            return (yield from function(*args, **kwargs))
        except Exception as error:
            if not settings.swallows(error, since):
                raise
        return None

    return wrapper


def _async_generator(function: Any, settings: _Settings) -> Any:
    @functools.wraps(function)
    async def wrapper(*args: Any, **kwargs: Any) -> Any:
        __tracebackhide__ = True
        since = _episodes.begin()
        try:
            inner = function(*args, **kwargs)
            try:
                value = await inner.__anext__()
                while True:
                    try:
                        sent = yield value
                    except GeneratorExit:
                        await inner.aclose()
                        raise
                    except BaseException as thrown:
                        value = await inner.athrow(thrown)
                    else:
                        value = await inner.asend(sent)
            except StopAsyncIteration:
                return
        except Exception as error:
            if not settings.swallows(error, since):
                raise

    return wrapper
