"""A real Flask app with one route for each kind of handler that the tests need.

/api is the handler that integrators start from: it sends its input straight back. The other routes vary it.
"""

import os
import threading

from flask import Flask, jsonify, request
from werkzeug.serving import make_server

app = Flask(__name__)
calls = []  # what came in, for the tests to read
never = threading.Event()  # is never set


@app.before_request
def note():
    if request.path != "/calls":
        calls.append({"path": request.path, "body": request.get_json(silent=True), "headers": dict(request.headers)})


@app.get("/calls")
def show_calls():
    return jsonify(calls)


@app.route("/api", methods=["GET", "POST"])
def echo():
    return request.get_json(force=True)


@app.post("/adds")
def adds():
    payload = request.get_json()
    payload["data"]["notes"] = "added by Flask"
    return payload


@app.post("/forbids")
def forbids():
    return jsonify(message="not this one", code="F1", field="name"), 403


@app.post("/verdict")
def verdict():
    return {"verdict": "forbid", "message": "no verdict but no"}


@app.post("/fails")
def fails():
    raise RuntimeError("a bug in the handler")


@app.post("/hangs")
def hangs():
    never.wait(60)
    return {}


@app.post("/text")
def text():
    return "OK"


@app.post("/closes")
def closes():
    request.environ["werkzeug.socket"].shutdown(2)
    return {}


@app.post("/calls-back")
def calls_back():
    """Changes the very client that it is being asked about, through the Core API, and says what it reacts to."""
    import json
    from urllib.request import Request, urlopen

    event = request.get_json()["event"]
    call = {
        "jsonrpc": "2.0",
        "id": 1,
        "method": "clients.update",
        "params": {"id": event["object_id"], "c_company": "seen by Flask"},
    }
    headers = {
        "Content-Type": "application/json",
        "X-Api-Key": request.args["key"],
        "Hookswitch-Cause": request.headers["Hookswitch-Cause"],
    }
    with urlopen(Request(request.args["api"], json.dumps(call).encode(), headers), timeout=5) as answer:
        error = json.load(answer).get("error")
    return {"verdict": "forbid", "message": str(error)} if error else {}


if __name__ == "__main__":
    make_server("127.0.0.1", int(os.environ["PORT"]), app, threaded=True).serve_forever()
