"""Local variables and attributes as texts, within limits and without secrets."""

import time
from itertools import islice
from types import FrameType, FunctionType, ModuleType
from typing import Any, Dict, Iterable, List, Tuple

from sentry_sdk import serializer

from flawless._scrub import FILTERED, Scrub, attributes

# Frames whose variables are kept, the innermost: further out, they seldom say more.
MAX_FRAMES = 20

# Variables of one frame.
MAX_VARIABLES = 100

# Attributes of `self` in one frame.
MAX_ATTRIBUTES = 100

# Characters of one value.
MAX_VALUE = 250

# Characters of all variables of one report: what makes reports large. The server keeps 256 KiB.
MAX_TOTAL = 100_000

# Seconds that describing the variables of one report may take: the application waits meanwhile.
MAX_SECONDS = 0.5

# Characters of a text or of what `repr` returns that are looked at: secrets must be found before the value is cut.
MAX_LOOKED_AT = 4_000

# Levels and elements that are written of a collection; 250 characters do not hold more.
MAX_DEPTH = 4
MAX_ELEMENTS = 50

# Larger whole numbers are slow to write in decimals, and Python refuses to from 4,300 digits on.
MAX_BITS = 4_096


class Budget:
    """Characters and seconds that are left for one report."""

    def __init__(self) -> None:
        self.characters = MAX_TOTAL
        self._until = time.monotonic() + MAX_SECONDS

    def spend(self, text: str) -> bool:
        """Takes the text's length from what is left; whether there was enough."""
        self.characters -= len(text)
        return self.characters >= 0

    def is_over(self) -> bool:
        """Whether nothing more should be described."""
        return self.characters <= 0 or time.monotonic() > self._until


def learn(frames: Iterable[FrameType], scrub: Scrub) -> None:
    """Tells the scrubbing what secrets the frames hold."""
    for frame in frames:
        for name, value in _variables(frame):
            scrub.learn(name, value)


def variables(frame: FrameType, scrub: Scrub, budget: Budget) -> Dict[str, str]:
    """The frame's variables, and the attributes of `self` as `self.NAME`."""
    found: Dict[str, str] = {}
    for name, value in _variables(frame):
        _add(found, name, value, scrub, budget)
        if name == "self":
            for attribute, content in list(attributes(value).items())[:MAX_ATTRIBUTES]:
                _add(found, f"self.{attribute}", content, scrub, budget)
    return found


def _add(found: Dict[str, str], name: str, value: Any, scrub: Scrub, budget: Budget) -> None:
    if budget.is_over():
        return
    name = str(name)[:MAX_VALUE]
    text = describe(value, scrub, name.rpartition(".")[2])
    if budget.spend(name + text):
        found[name] = text


def _variables(frame: FrameType) -> List[Tuple[str, Any]]:
    try:
        items = list(islice(frame.f_locals.items(), 10 * MAX_VARIABLES))
    except Exception:
        return []
    if frame.f_code.co_name == "<module>":
        # What a module defines and imports says nothing about the failure.
        items = [
            (name, value)
            for name, value in items
            if not name.startswith("__") and not issubclass(type(value), (ModuleType, FunctionType, type))
        ]
    return items[:MAX_VARIABLES]


def describe(value: Any, scrub: Scrub, name: object = None) -> str:
    """The value as `repr` writes it, cut, without secrets. Whatever the value does, this returns a text."""
    if name is not None and scrub.is_secret(name) and value is not None and type(value) is not bool:
        return FILTERED
    try:
        text = _write(value, scrub, MAX_DEPTH)
    except Exception as error:
        text = f"<{type(value).__name__}: can't be shown ({type(error).__name__})>"
    return text if len(text) <= MAX_VALUE else text[: MAX_VALUE - 1] + "…"


def _write(value: Any, scrub: Scrub, depth: int) -> str:
    kind = type(value)
    if value is None or kind is bool or kind is float:
        return repr(value)
    if kind is int:
        return repr(value) if value.bit_length() <= MAX_BITS else f"<int of {value.bit_length()} bits>"
    if kind is str:
        return repr(scrub.text(value[:MAX_LOOKED_AT]))
    if kind in (bytes, bytearray):
        return scrub.text(repr(value[:MAX_LOOKED_AT]))
    if kind in (list, tuple, set, frozenset):
        return _collection(value, kind, scrub, depth)
    # Subclasses too: `repr` of a large one is slow, and does not know which keys are secret.
    if issubclass(kind, dict) and kind.__repr__ in _OF_DICTIONARIES:
        return _dictionary(value, scrub, depth)
    for processor in tuple(serializer.global_repr_processors):
        # So that, for instance, a query of Django is not run by showing it.
        shown = processor(value, {"memo": serializer.Memo(), "remaining_depth": depth})
        if shown is not NotImplemented:
            return scrub.text(str(shown)[:MAX_LOOKED_AT])
    shown = getattr(kind, "__sentry_repr__", None)
    text = shown(value) if callable(shown) else repr(value)
    return scrub.text(str(text)[:MAX_LOOKED_AT])


def _representations_of_dictionaries() -> Tuple[Any, ...]:
    from collections import Counter, OrderedDict, defaultdict

    return dict.__repr__, OrderedDict.__repr__, defaultdict.__repr__, Counter.__repr__


_OF_DICTIONARIES = _representations_of_dictionaries()
_BRACKETS = {list: "[]", tuple: "()", set: "{}", frozenset: "{}"}


def _collection(value: Any, kind: type, scrub: Scrub, depth: int) -> str:
    opening, closing = _BRACKETS[kind]
    if not value:
        return repr(value)
    if depth <= 0:
        return f"{opening}…{closing}"
    # A pair may be a name and its value, as in a list of headers.
    if kind is tuple and len(value) == 2 and type(value[0]) is str and scrub.is_secret(value[0]):
        return f"({value[0]!r}, {FILTERED})"
    parts: List[str] = []
    for item in islice(value, MAX_ELEMENTS):
        parts.append(_guarded(item, scrub, depth - 1))
        if _is_long(parts):
            break
    if len(parts) < len(value):
        parts.append("…")
    return f"{opening}{', '.join(parts)}{',' if kind is tuple and len(value) == 1 else ''}{closing}"


def _dictionary(value: Dict[Any, Any], scrub: Scrub, depth: int) -> str:
    if depth <= 0:
        return "{…}"
    parts: List[str] = []
    for key, item in islice(dict.items(value), MAX_ELEMENTS):
        secret = scrub.is_secret(key) and item is not None
        parts.append(f"{_guarded(key, scrub, depth - 1)}: {FILTERED if secret else _guarded(item, scrub, depth - 1)}")
        if _is_long(parts):
            break
    if len(parts) < len(value):
        parts.append("…")
    return "{" + ", ".join(parts) + "}"


def _guarded(value: Any, scrub: Scrub, depth: int) -> str:
    try:
        return _write(value, scrub, depth)
    except Exception as error:
        return f"<{type(value).__name__}: can't be shown ({type(error).__name__})>"


def _is_long(parts: List[str]) -> bool:
    return sum(map(len, parts)) > MAX_VALUE

