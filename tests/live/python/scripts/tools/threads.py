"""Looks for the smallest amount on a thread of its own, where there is none."""

import os
import threading

import sentry_sdk

from nightly import convert

sentry_sdk.init(os.environ["DSN"], release=os.environ["GIT_COMMIT"])

if __name__ == "__main__":
    worker = threading.Thread(target=convert.smallest, args=([],), name="smallest")
    worker.start()
    worker.join()
    print("the thread has ended")
