"""Converts an amount whose currency nobody trades, logs the failure, and goes on."""

import logging
import os

import sentry_sdk

from nightly import convert

sentry_sdk.init(os.environ["DSN"], release=os.environ["GIT_COMMIT"])
log = logging.getLogger("nightly.books")

if __name__ == "__main__":
    try:
        convert.euros(12.5, "XAU", {"USD": 1.09})
    except KeyError:
        log.exception("booking %s could not be converted", 4711)
    print("the books are closed")
