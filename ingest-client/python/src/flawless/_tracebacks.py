"""From an exception to its frames: those of the traceback, those of its callers, and what makes two of them the same."""

import sys
from itertools import chain, islice
from types import FrameType, TracebackType
from typing import Hashable, Iterator, List, Optional, Tuple

from sentry_sdk.utils import should_hide_frame

# Exceptions of a chain or group that are looked at: the server keeps as many.
MAX_EXCEPTIONS = 30

# Innermost frames kept of one exception: the failing line is among them even below deep frameworks.
MAX_INNER_FRAMES = 150

# Outermost frames kept beside them, which say how it was started.
MAX_OUTER_FRAMES = 50

# Steps along a stack or traceback. Python's own limit is 1,000 unless it was raised.
MAX_STEPS = 10_000

Place = Tuple[FrameType, int]


def traceback_places(traceback: Optional[TracebackType]) -> List[Place]:
    """Frames and lines of a traceback, outermost first, without those of the reporting."""
    return [
        (step.tb_frame, step.tb_lineno) for step in _steps(traceback) if not should_hide_frame(step.tb_frame)
    ]


def _steps(traceback: Optional[TracebackType]) -> Iterator[TracebackType]:
    for _ in range(MAX_STEPS):
        if traceback is None:
            return
        yield traceback
        traceback = traceback.tb_next


def caller_places(traceback: Optional[TracebackType]) -> List[Place]:
    """Frames above the `try` that caught the exception, outermost first: they are on the stack, not in the traceback.

    None where the traceback does not begin in a function that is running in this thread.
    """
    if traceback is None:
        return []
    start = traceback.tb_frame
    frame: Optional[FrameType] = sys._getframe(1)
    for _ in range(MAX_STEPS):
        if frame is None or frame is start:
            break
        frame = frame.f_back
    if frame is None:
        return []
    places: List[Place] = []
    frame = frame.f_back
    # Outermost ones are cut off later, so all are gathered.
    for _ in range(MAX_STEPS):
        if frame is None:
            break
        if not should_hide_frame(frame):
            places.append((frame, frame.f_lineno))
        frame = frame.f_back
    places.reverse()
    return places


def exceptions_of(error: BaseException) -> List[BaseException]:
    """The exception with its causes, and the members of a group, in the order in which sentry-sdk writes them."""
    found: List[BaseException] = []
    _gather(error, hasattr(error, "exceptions"), found)
    return found


def _gather(error: BaseException, group: bool, found: List[BaseException]) -> None:
    if len(found) >= MAX_EXCEPTIONS or any(error is other for other in found):
        return
    found.append(error)
    cause = error.__cause__ if error.__suppress_context__ else error.__context__
    if cause is not None:
        _gather(cause, group, found)
    members = getattr(error, "exceptions", ()) if group else ()
    for member in members if isinstance(members, (list, tuple)) else ():
        if isinstance(member, BaseException):
            _gather(member, group, found)


def kind_of(error: BaseException) -> Hashable:
    """What is the same for repeats: types of the exceptions, and files, functions and lines of their tracebacks."""
    return tuple(
        (type(one).__module__, type(one).__qualname__, tuple(_lines(one.__traceback__))) for one in exceptions_of(error)
    )


def _lines(traceback: Optional[TracebackType]) -> Iterator[Hashable]:
    """Of a runaway recursion, the beginning: how deep it went differs from time to time."""
    first = (
        (step.tb_frame.f_code.co_filename, step.tb_frame.f_code.co_name, step.tb_lineno) for step in _steps(traceback)
    )
    start = list(islice(first, MAX_INNER_FRAMES))
    last: Optional[Hashable] = None
    for last in first:
        pass
    return chain(start, () if last is None else (last,))


def has_room(steps: int) -> bool:
    """Whether this many calls can be nested from here: there is little room where a recursion has just failed."""
    try:
        _nest(steps)
    except RecursionError:
        return False
    return True


def _nest(steps: int) -> None:
    if steps > 0:
        _nest(steps - 1)
