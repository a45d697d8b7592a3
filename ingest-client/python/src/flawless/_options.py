"""Where reports go and which revision they come from: arguments first, the environment second."""

import os
import sys
from pathlib import Path
from typing import Mapping, Optional
from urllib.parse import urlsplit

from flawless._revision import checked_out_at

# Digits in the key of a DSN: Flawless gives out keys of 32 hexadecimal digits, as the Sentry protocol has them.
KEY_DIGITS = 32

# Characters of an error threshold's number: the server counts in 64 bits.
MAX_THRESHOLD = 2**63 - 1


class InitError(ValueError):
    """Why reporting can't start. The key is left out of the message, which may end in a log."""


def find_dsn(argument: Optional[str], environment: Mapping[str, str]) -> Optional[str]:
    """The DSN from the argument, `FLAWLESS_DSN` or `SENTRY_DSN`. Empty counts as absent: so it is switched off."""
    candidates = [
        ("flawless.init(dsn=…)", argument),
        ("FLAWLESS_DSN", environment.get("FLAWLESS_DSN")),
        ("SENTRY_DSN", environment.get("SENTRY_DSN")),
    ]
    for origin, dsn in candidates:
        if dsn is not None and str(dsn).strip():
            dsn = str(dsn).strip()
            fault = _fault(dsn)
            if fault is not None:
                raise InitError(f"the DSN in {origin} can't be used: {fault}")
            return dsn
    return None


def _fault(dsn: str) -> Optional[str]:
    form = "https://KEY@HOST/PROJECT"
    try:
        url = urlsplit(dsn)
        key, host = url.username, url.hostname
        url.port  # noqa: B018: it is read only when asked for, and may be no number
    except ValueError:
        return f"it is not a URL ({form})"
    if "://" not in dsn:
        return f"it is not a URL ({form})"
    if url.scheme not in ("http", "https"):
        return "it begins with neither http:// nor https://"
    if not host:
        return f"it is not a URL ({form})"
    if not key:
        return f"it has no key ({form})"
    if len(key) != KEY_DIGITS or any(digit not in "0123456789abcdefABCDEF" for digit in key):
        return f"its key is not {KEY_DIGITS} hexadecimal digits"
    project = url.path.rstrip("/").rpartition("/")[2]
    if not (project.isascii() and project.isdigit()):
        return f"it does not end in the project's number ({form})"
    return None


def find_release(argument: Optional[str], environment: Mapping[str, str]) -> Optional[str]:
    """The release from the argument, `FLAWLESS_RELEASE` or `SENTRY_RELEASE`, else the commit that is checked out."""
    for release in (argument, environment.get("FLAWLESS_RELEASE"), environment.get("SENTRY_RELEASE")):
        if release is not None and str(release).strip():
            return str(release).strip()
    # A service often starts elsewhere: then its main program is where the repository is.
    main = getattr(sys.modules.get("__main__"), "__file__", None)
    for directory in (_working_directory(), Path(main).parent if main else None):
        commit = checked_out_at(directory) if directory is not None else None
        if commit is not None:
            return commit
    return None


def _working_directory() -> Optional[Path]:
    try:
        return Path(os.getcwd())
    except OSError:
        return None


def checked_threshold(threshold: Optional[int]) -> Optional[int]:
    """The threshold, where it is a number that the server takes."""
    if threshold is None:
        return None
    if isinstance(threshold, bool) or not isinstance(threshold, int) or not 1 <= threshold <= MAX_THRESHOLD:
        raise ValueError(f"error_threshold is a whole number from 1 on, not {threshold!r}")
    return threshold
