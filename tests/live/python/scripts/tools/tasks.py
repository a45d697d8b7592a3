"""Adds amounts up in a task of asyncio that nobody asks for its result."""

import asyncio
import os

import sentry_sdk
from sentry_sdk.integrations.asyncio import AsyncioIntegration

from nightly import convert


async def main():
    """Starts the task, and waits for the end of it only."""
    sentry_sdk.init(os.environ["DSN"], release=os.environ["GIT_COMMIT"], integrations=[AsyncioIntegration()])
    task = asyncio.create_task(convert.total([3.5, 4.0], "XAU", {"USD": 1.09}), name="total")
    await asyncio.wait([task])
    print("the task has ended")


if __name__ == "__main__":
    asyncio.run(main())
