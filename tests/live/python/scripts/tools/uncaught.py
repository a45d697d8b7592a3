"""Reads a file of rates that is damaged, and dies of it. The release is what the client finds out itself."""

import os

import sentry_sdk

from nightly import rates

sentry_sdk.init(os.environ["DSN"])

if __name__ == "__main__":
    print(rates.read(["USD=1.09", "CHF=unknown"]))
