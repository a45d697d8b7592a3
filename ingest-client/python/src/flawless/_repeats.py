"""Repeats of an error are counted here and told together, so that a failing loop costs a handful of requests."""

import threading
import time
from collections import OrderedDict, deque
from typing import Any, Callable, Deque, Dict, Hashable, List, Optional, Tuple

# The first of a kind are told one by one: they may differ in their variables.
FIRST = 10

# A repeat that was counted is told after this many seconds at the latest.
LONGEST_WAIT = 600.0

# Kinds of errors that are told apart at a time; the one seen longest ago makes room. An entry is some kilobytes.
MAX_KINDS = 500

# Counts of kinds that made room and wait to be told. They leave within moments; this is for when they can't.
MAX_EVICTED = 500

Waiting = Tuple[Dict[str, Any], int]


class _Kind:
    __slots__ = ("total", "pending", "told_at", "event")

    def __init__(self) -> None:
        self.total = 0
        self.pending = 0
        self.told_at = 0.0
        self.event: Optional[Dict[str, Any]] = None


class Repeats:
    """Counts by kind of error. The first 10 are told at once, then each power of two, and what is left after 10 minutes."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.RLock()
        self._kinds: "OrderedDict[Hashable, _Kind]" = OrderedDict()
        self._evicted: Deque[Waiting] = deque(maxlen=MAX_EVICTED)

    def seen(self, key: Hashable) -> int:
        """Counts one. Returns how many occurrences the report to be sent now stands for; 0: none is to be sent."""
        now = self._clock()
        with self._lock:
            kind = self._kinds.get(key)
            if kind is None:
                kind = self._kinds[key] = _Kind()
                self._make_room()
            else:
                self._kinds.move_to_end(key)
            kind.total += 1
            kind.pending += 1
            first = kind.total <= FIRST
            power_of_two = kind.total & (kind.total - 1) == 0
            if not (first or power_of_two or now - kind.told_at >= LONGEST_WAIT):
                return 0
            count, kind.pending, kind.told_at = kind.pending, 0, now
            return count

    def keep(self, key: Hashable, event: Dict[str, Any]) -> None:
        """Keeps what was sent for this kind: its pending count is sent with it when no further one comes."""
        with self._lock:
            kind = self._kinds.get(key)
            if kind is not None:
                kind.event = event

    def wait(self) -> Optional[float]:
        """Seconds until something has to be told; None: nothing is waiting."""
        with self._lock:
            if self._evicted:
                return 0.0
            told = [kind.told_at for kind in self._kinds.values() if kind.pending and kind.event is not None]
            return max(0.0, min(told) + LONGEST_WAIT - self._clock()) if told else None

    def take(self, at_most: int, all_of_it: bool = False) -> List[Waiting]:
        """Takes what has waited long enough, or whatever waits: events with the counts to be told."""
        now = self._clock()
        with self._lock:
            taken = [self._evicted.popleft() for _ in range(min(at_most, len(self._evicted)))]
            for kind in self._kinds.values():
                if len(taken) >= at_most:
                    break
                if kind.pending and kind.event is not None and (all_of_it or now - kind.told_at >= LONGEST_WAIT):
                    taken.append((kind.event, kind.pending))
                    kind.pending, kind.told_at = 0, now
            return taken

    def forget(self) -> None:
        """After a fork: what was counted before is the parent's, and its lock may be held for ever."""
        self._lock = threading.RLock()
        self._kinds = OrderedDict()
        self._evicted = deque(maxlen=MAX_EVICTED)

    def _make_room(self) -> None:
        if len(self._kinds) > MAX_KINDS:
            _, oldest = self._kinds.popitem(last=False)
            if oldest.pending and oldest.event is not None:
                self._evicted.append((oldest.event, oldest.pending))
