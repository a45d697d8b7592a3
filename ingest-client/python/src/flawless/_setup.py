"""Begins and ends reporting."""

import atexit
import os
import sys
import threading
import time
from typing import Any, Callable, Iterable, Optional, Pattern, Union

import sentry_sdk
from sentry_sdk.integrations.atexit import AtexitIntegration
from sentry_sdk.scope import add_global_event_processor

from flawless._options import checked_threshold, find_dsn, find_release
from flawless._reporter import MAX_TEXT, QUEUE_SIZE, SHUTDOWN_SECONDS, Reporter
from flawless._scrub import Rules

_lock = threading.Lock()
_reporter: Optional[Reporter] = None
_registered = False


def init(
    dsn: Optional[str] = None,
    *,
    release: Optional[str] = None,
    environment: Optional[str] = None,
    server_name: Optional[str] = None,
    scrub_names: Iterable[str] = (),
    scrub_patterns: Iterable[Union[str, Pattern[str]]] = (),
    clock: Callable[[], float] = time.monotonic,
    **sentry_options: Any,
) -> bool:
    """Begins reporting; returns whether there is a DSN. Without one all calls of this package do nothing.

    `dsn` and `release` come from the arguments, else `FLAWLESS_DSN` and `FLAWLESS_RELEASE`, else `SENTRY_DSN` and
    `SENTRY_RELEASE`; the release is at last the commit that is checked out where the program was started.
    `scrub_names` and `scrub_patterns` add to what is hidden. Further options are those of `sentry_sdk.init`.

    Raises `flawless.InitError` where the DSN can't be used.
    """
    global _reporter, _registered
    found = find_dsn(dsn, os.environ)
    rules = Rules(scrub_names, scrub_patterns)
    close()
    if found is None:
        return False
    reporter = Reporter(
        rules,
        clock,
        with_locals=bool(sentry_options.pop("include_local_variables", True)),
        before_send=sentry_options.pop("before_send", None),
    )
    integrations = list(sentry_options.pop("integrations", None) or [])
    if not any(isinstance(integration, AtexitIntegration) for integration in integrations):
        # Its own callback writes to the terminal of a program that ends while the server is down.
        integrations.append(AtexitIntegration(callback=_say_nothing))
    options = {
        "max_value_length": MAX_TEXT,
        "transport_queue_size": QUEUE_SIZE,
        "shutdown_timeout": SHUTDOWN_SECONDS,
        # Flawless drops both: they would only be further requests.
        "auto_session_tracking": False,
        "send_client_reports": False,
        # It keeps none of them.
        "max_breadcrumbs": 0,
        **sentry_options,
    }
    sentry_sdk.init(
        dsn=found,
        release=find_release(release, os.environ),
        environment=environment,
        server_name=server_name,
        # We describe variables ourselves, within limits and without secrets.
        include_local_variables=False,
        before_send=reporter.before_send,
        integrations=integrations,
        **options,
    )
    reporter.client = sentry_sdk.get_client()
    with _lock:
        _reporter = reporter
        if not _registered:
            _registered = True
            add_global_event_processor(_process)
            # After sentry-sdk's own, so that it runs before it.
            atexit.register(close)
            if hasattr(os, "register_at_fork"):
                os.register_at_fork(after_in_child=_forked)
    return True


def flush(timeout: float = SHUTDOWN_SECONDS) -> None:
    """Sends the counts that wait and waits until all is sent, for `timeout` seconds at most."""
    reporter = _reporter
    if reporter is not None:
        reporter.flush(timeout)


def close(timeout: float = SHUTDOWN_SECONDS) -> None:
    """Sends what waits and ends the reporting. The end of the program does it, too."""
    global _reporter
    with _lock:
        reporter, _reporter = _reporter, None
    if reporter is not None:
        reporter.close(timeout)


def report_exception(error: Optional[BaseException] = None, *, error_threshold: Optional[int] = None) -> None:
    """Reports an exception that the application has caught, by default the one that it is handling."""
    __tracebackhide__ = True
    checked_threshold(error_threshold)
    error = error if error is not None else sys.exc_info()[1]
    if error is not None:
        report(error, None, error_threshold, True)


def report(error: BaseException, since: Optional[int], threshold: Optional[int], handled: bool) -> None:
    """Hands an exception to the reporter, where there is one."""
    __tracebackhide__ = True
    reporter = _reporter
    if reporter is not None:
        reporter.report(error, since, threshold, handled)


def _process(event: Any, hint: Any) -> Any:
    reporter = _reporter
    return event if reporter is None else reporter.process(event, hint or {})


def _forked() -> None:
    global _lock
    _lock = threading.Lock()
    if _reporter is not None:
        _reporter.forked()


def _say_nothing(_pending: int, _timeout: float) -> None:
    return None
