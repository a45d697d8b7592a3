"""The box office's web server."""

import os

import sentry_sdk
from flask import Flask, jsonify, request
from werkzeug.serving import make_server

from tickets.seats import Plan

sentry_sdk.init(
    dsn=os.environ["DSN"],
    release=os.environ["GIT_COMMIT"],
    environment="staging",
    traces_sample_rate=1.0,
    enable_logs=True,
)
app = Flask(__name__)
plan = Plan("friday")


@app.post("/reservations")
def reservations():
    """Takes `{"row": "B", "seats": [1, 2]}`."""
    order = request.get_json()
    return jsonify(price=plan.reserve(order["row"], order["seats"]))


if __name__ == "__main__":
    server = make_server("127.0.0.1", 0, app, threaded=True)
    print(f"listening on http://127.0.0.1:{server.port}", flush=True)
    server.serve_forever()
