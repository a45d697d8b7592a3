"""The queue and the tasks in it. The broker is a folder: `celery -A jobs.worker worker` takes from it."""

import os

import sentry_sdk
from celery import Celery
from celery.signals import celeryd_init, worker_ready

from jobs.postage import cheapest

app = Celery("jobs", broker="filesystem://")
folder = os.environ["QUEUE"]
app.conf.broker_transport_options = {
    "data_folder_in": folder,
    "data_folder_out": folder,
    "control_folder": os.path.join(folder, "control"),
}
app.conf.worker_hijack_root_logger = False


@celeryd_init.connect
def report_errors(**_):
    """In the worker's own process, as the client's handbook has it."""
    sentry_sdk.init(dsn=os.environ["DSN"], release=os.environ["GIT_COMMIT"], send_default_pii=True)


@worker_ready.connect
def say_so(**_):
    """Tells whoever waits that tasks are taken now."""
    print("the worker is ready", flush=True)


@app.task(name="parcels.send")
def send(grams, country):
    """Chooses a parcel's postage."""
    return cheapest(grams, country)
