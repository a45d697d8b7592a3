"""From an exception to an event that leaves: what is added, counted, scrubbed and kept back on the way."""

import threading
import time
from datetime import datetime, timezone
from typing import Any, Callable, Dict, Hashable, List, Optional

import sentry_sdk
from sentry_sdk.integrations.dedupe import DedupeIntegration
from sentry_sdk.utils import event_from_exception, serialize_frame

from flawless import _describe, _episodes, _information, _tracebacks
from flawless._repeats import Repeats
from flawless._scrub import Rules, Scrub

# Reports that wait for the sending thread; when the server is down, further ones are dropped. The largest have half a
# megabyte, so that at most some tens of megabytes wait.
QUEUE_SIZE = 100

# Seconds that the end of the program waits for reports to leave: long enough for a distant server, short enough that a
# restart is not held up by one that is down.
SHUTDOWN_SECONDS = 2.0

# Characters of a message, of a line of source, and of other single texts that sentry-sdk writes.
MAX_TEXT = 8_000

# Counts handed to the queue at a time, so that it keeps room for what happens meanwhile.
MAX_AT_ONCE = QUEUE_SIZE // 2

# Seconds between two looks at what waits: what made room for others is told no later than this, and a queue that is full
# is left alone meanwhile.
SHORTEST_PAUSE = 0.05
LONGEST_PAUSE = 60.0

# Nested calls that making a report may need. Where a recursion has just failed there are not as many left, and the next
# wrapper outward makes the report.
ROOM = 200

_HINT = "flawless"
_COUNTED = "counted"
_RESENT = "resent"

BeforeSend = Callable[[Any, Any], Any]


class Reporter:
    """What is set up by `flawless.init`. Its methods raise nothing and wait for nobody, but for `flush`."""

    def __init__(self, rules: Rules, clock: Callable[[], float], with_locals: bool, before_send: Optional[BeforeSend]) -> None:
        self.client: Any = None
        self.repeats = Repeats(clock)
        self._rules = rules
        self._with_locals = with_locals
        self._users_before_send = before_send
        self._lock = threading.Lock()
        self._thread: Optional[threading.Thread] = None
        self._closed = threading.Event()

    # --- From a wrapper or middleware -----------------------------------------------------------------------------

    def report(self, error: BaseException, since: Optional[int], threshold: Optional[int], handled: bool) -> None:
        """Reports an exception that is being handled right now, unless it has been reported since then."""
        __tracebackhide__ = True
        try:
            if self._closed.is_set() or not _episodes.is_reported_at_all(error):
                return
            if _episodes.was_reported(error, since) or not _tracebacks.has_room(ROOM):
                return
            _episodes.mark(error)
            kind = _tracebacks.kind_of(error)
            count = self.repeats.seen(kind)
            if count == 0:
                self._wake()
                return
            event, hint = event_from_exception(
                error,
                client_options=self.client.options,
                mechanism={"type": "flawless", "handled": handled},
            )
            hint[_HINT] = {_COUNTED: count, "kind": kind, "threshold": threshold}
            self._forget_last()
            # The scope's own client may be another one by now, which would not scrub.
            with sentry_sdk.new_scope() as scope:
                scope.set_client(self.client)
                scope.capture_event(event, hint=hint)
        except Exception:
            # The application's own exception is what matters now.
            _episodes.unmark(error)

    def _forget_last(self) -> None:
        """Lets an exception object pass that is raised again: sentry-sdk would take it for the same report."""
        dedupe = self.client.get_integration(DedupeIntegration)
        last = getattr(dedupe, "_last_seen", None)
        if last is not None:
            last.set(None)

    # --- From sentry-sdk, for every event whoever captured it -----------------------------------------------------

    def process(self, event: Dict[str, Any], hint: Dict[str, Any]) -> Dict[str, Any]:
        """Adds the callers' frames, before sentry-sdk looks at the frames as a whole."""
        try:
            error = _error_of(hint)
            values = ((event.get("exception") or {}).get("values")) or []
            frames = (values[-1].get("stacktrace") or {}).get("frames") if values else None
            if error is not None and frames and self.client is not None and sentry_sdk.get_client() is self.client:
                callers = _tracebacks.caller_places(error.__traceback__)
                room = max(0, _tracebacks.MAX_OUTER_FRAMES + _tracebacks.MAX_INNER_FRAMES - len(frames))
                written = [
                    serialize_frame(frame, tb_lineno=line, include_local_variables=False, max_value_length=MAX_TEXT)
                    for frame, line in (callers[-room:] if room else [])
                ]
                frames[:0] = written
        except Exception:
            pass
        return event

    def before_send(self, event: Dict[str, Any], hint: Dict[str, Any]) -> Optional[Dict[str, Any]]:
        """The last word on an event: counts it, adds what is known, and scrubs it. None: nothing is sent."""
        ours = hint.get(_HINT) or {}
        if _RESENT in ours:
            event["contexts"] = {**(event.get("contexts") or {}), "flawless": {"count": ours[_RESENT]}}
            if ours.get("threshold") is not None:
                event["contexts"]["flawless"]["error_threshold"] = ours["threshold"]
            return event
        error = _error_of(hint)
        kind: Optional[Hashable] = ours.get("kind")
        count = ours.get(_COUNTED, 1)
        if error is not None and not ours:
            if _episodes.was_reported(error):
                return None
            _episodes.mark(error)
            kind = _tracebacks.kind_of(error)
            count = self.repeats.seen(kind)
            if count == 0:
                self._wake()
                return None
        scrub = Scrub(self._rules)
        try:
            self._add(event, error, scrub)
            if self._users_before_send is not None:
                changed = self._users_before_send(event, hint)
                if changed is None:
                    return None
                event = changed
            event = _scrubbed(event, scrub)
        except Exception:
            # Unscrubbed text never leaves; where it failed still does.
            event = {**_bare(event), "event_id": event["event_id"], "timestamp": event["timestamp"]}
            for value in event["exception"]["values"]:
                value["value"] = ""
        said = {"count": count}
        if ours.get("threshold") is not None:
            said["error_threshold"] = ours["threshold"]
        event["contexts"] = {**(event.get("contexts") or {}), "flawless": said}
        if kind is not None:
            self.repeats.keep(kind, _bare(event))
        return event

    def _add(self, event: Dict[str, Any], error: Optional[BaseException], scrub: Scrub) -> None:
        added, request = _information.current()
        if request and not event.get("request"):
            event["request"] = dict(request)
        for name, value in added.items():
            scrub.learn(name, value)
        for part in ("request", "extra", "contexts", "tags", "user"):
            scrub.learn(None, event.get(part))
        for crumb in ((event.get("breadcrumbs") or {}).get("values")) or ():
            scrub.learn(None, crumb)
        if added:
            extra = dict(event.get("extra") or {})
            for name, value in added.items():
                # Texts and numbers as they are; `repr` would put quotes around them.
                plain = type(value) in (str, bool, int, float) and not scrub.is_secret(name)
                extra[name] = scrub.text(str(value))[: 4 * _describe.MAX_VALUE] if plain else _describe.describe(value, scrub, name)
            event["extra"] = extra
        for value in ((event.get("exception") or {}).get("values")) or ():
            # sentry-sdk leaves out where Python's own exceptions come from; settings name them in full.
            if value.get("type") and not value.get("module"):
                value["module"] = "builtins"
        if error is not None:
            self._add_variables(event, error, scrub)

    def _add_variables(self, event: Dict[str, Any], error: BaseException, scrub: Scrub) -> None:
        values = ((event.get("exception") or {}).get("values")) or []
        pairs: List[Any] = []
        # After those of the tracebacks, the causes' too: callers say less about the failure.
        callers: List[Any] = []
        for value, one in zip(reversed(values), _tracebacks.exceptions_of(error)):
            places = _tracebacks.traceback_places(one.__traceback__)
            inside = len(places)
            if one is error:
                places = _tracebacks.caller_places(one.__traceback__) + places
            frames = ((value.get("stacktrace") or {}).get("frames")) or []
            for step, (written, (frame, line)) in enumerate(zip(reversed(frames), reversed(places))):
                if written.get("function") == frame.f_code.co_name and written.get("lineno") == line:
                    (pairs if step < inside else callers).append((written, frame))
            if len(frames) > _tracebacks.MAX_INNER_FRAMES + _tracebacks.MAX_OUTER_FRAMES:
                del frames[_tracebacks.MAX_OUTER_FRAMES : -_tracebacks.MAX_INNER_FRAMES]
        pairs = (pairs + callers)[: _describe.MAX_FRAMES]
        # Secrets are learned with the variables not sent, too: they may stand in the message.
        _describe.learn([frame for _, frame in pairs], scrub)
        if not self._with_locals:
            return
        budget = _describe.Budget()
        for written, frame in pairs:
            described = _describe.variables(frame, scrub, budget)
            if described:
                written["vars"] = described

    # --- What waits ------------------------------------------------------------------------------------------------

    def _send_waiting(self, all_of_it: bool) -> int:
        waiting = self.repeats.take(MAX_AT_ONCE, all_of_it)
        for event, count in waiting:
            threshold = ((event.get("contexts") or {}).get("flawless") or {}).get("error_threshold")
            again = {**event, "timestamp": datetime.now(timezone.utc)}
            self.client.capture_event(again, hint={_HINT: {_RESENT: count, "threshold": threshold}})
        return len(waiting)

    def flush(self, timeout: float) -> None:
        """Sends the counts that wait and waits until all is sent, for `timeout` seconds at most."""
        until = time.monotonic() + timeout
        try:
            while True:
                sent = self._send_waiting(all_of_it=True)
                left = until - time.monotonic()
                self.client.flush(timeout=max(0.01, left))
                if sent < MAX_AT_ONCE or left <= 0:
                    return
        except Exception:
            return

    def close(self, timeout: float) -> None:
        """Sends what waits, within this time, and ends the reporting."""
        if self._closed.is_set():
            return
        until = time.monotonic() + timeout
        self.flush(timeout)
        self._closed.set()
        try:
            self.client.close(timeout=max(0.0, until - time.monotonic()))
        except Exception:
            return

    def _wake(self) -> None:
        """Makes sure that a thread is there which tells counts that have waited long enough."""
        with self._lock:
            if (self._thread is None or not self._thread.is_alive()) and not self._closed.is_set():
                self._thread = threading.Thread(target=self._run, name="flawless-repeats", daemon=True)
                try:
                    self._thread.start()
                except RuntimeError:
                    # The interpreter is ending: the end sends what waits.
                    self._thread = None

    def _run(self) -> None:
        while True:
            with self._lock:
                wait = self.repeats.wait()
                if wait is None:
                    # Under the lock: who counts afterwards sees that the thread is gone.
                    self._thread = None
                    return
            if self._closed.wait(min(max(wait, SHORTEST_PAUSE), LONGEST_PAUSE)):
                return
            try:
                self._send_waiting(all_of_it=False)
            except Exception:
                continue

    def forked(self) -> None:
        """In a new process: threads and counts are the parent's."""
        self._lock = threading.Lock()
        self._thread = None
        self.repeats.forget()


def _error_of(hint: Dict[str, Any]) -> Optional[BaseException]:
    error = (hint.get("exc_info") or (None, None, None))[1]
    return error if isinstance(error, BaseException) else None


# Parts of an event in which nobody writes secrets, or which say where the code is: the server compares those.
_KEPT = frozenset(
    "event_id timestamp platform level release environment server_name dist sdk modules fingerprint type _meta".split()
)
_KEPT_CONTEXTS = frozenset(["trace", "runtime", "flawless"])


def _scrubbed(event: Dict[str, Any], scrub: Scrub) -> Dict[str, Any]:
    changed = dict(event)
    for name, part in event.items():
        if name in _KEPT:
            continue
        if name in ("exception", "threads"):
            values = [_scrubbed_stack(value, scrub) for value in (part or {}).get("values") or ()]
            changed[name] = {**part, "values": values}
        elif name == "contexts":
            changed[name] = {
                key: value if key in _KEPT_CONTEXTS else scrub.tree(value, key) for key, value in (part or {}).items()
            }
        else:
            changed[name] = scrub.tree(part)
    return changed


def _scrubbed_stack(value: Dict[str, Any], scrub: Scrub) -> Dict[str, Any]:
    changed = dict(value)
    if isinstance(changed.get("value"), str):
        changed["value"] = scrub.text(changed["value"])
    if changed.get("mechanism"):
        changed["mechanism"] = scrub.tree(changed["mechanism"])
    stack = changed.get("stacktrace")
    if isinstance(stack, dict) and stack.get("frames"):
        frames = [
            {**frame, "vars": scrub.tree(frame["vars"])} if frame.get("vars") else frame for frame in stack["frames"]
        ]
        changed["stacktrace"] = {**stack, "frames": frames}
    return changed


def _bare(event: Dict[str, Any]) -> Dict[str, Any]:
    """What a later report of further repeats needs: where, and the last message; no variables, request or source."""
    kept = ("level", "release", "environment", "server_name", "dist", "platform", "transaction", "sdk")
    bare = {name: event[name] for name in kept if event.get(name) is not None}
    flawless = (event.get("contexts") or {}).get("flawless")
    if flawless:
        bare["contexts"] = {"flawless": flawless}
    bare["exception"] = {"values": [_bare_exception(one) for one in (event.get("exception") or {}).get("values") or ()]}
    return bare


def _bare_exception(value: Dict[str, Any]) -> Dict[str, Any]:
    parts = {name: value[name] for name in ("type", "module", "value", "mechanism") if value.get(name) is not None}
    wanted = ("filename", "abs_path", "function", "module", "lineno", "context_line", "in_app")
    frames = ((value.get("stacktrace") or {}).get("frames")) or []
    parts["stacktrace"] = {
        "frames": [{name: frame[name] for name in wanted if frame.get(name) is not None} for frame in frames]
    }
    return parts
