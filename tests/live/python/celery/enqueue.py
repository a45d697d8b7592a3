"""Asks the worker to send a parcel: `enqueue.py GRAMS COUNTRY`."""

import sys

from jobs.worker import app

app.send_task("parcels.send", args=[int(sys.argv[1]), sys.argv[2]])
