"""The weather service's entrance."""

import os

import sentry_sdk
import uvicorn

sentry_sdk.init(dsn=os.environ["DSN"], release=os.environ["GIT_COMMIT"], environment="production")

from stations.api import app  # noqa: E402

if __name__ == "__main__":
    uvicorn.run(app, host="127.0.0.1", port=0)
