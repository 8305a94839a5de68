"""An after handler with nothing but Python's standard library.

Deliveries come at least once, and a repeat may come late. So the highest `era` and `seq` of each object are kept, in
a file that survives a restart, and whatever is not higher is answered with success and otherwise ignored.
"""

import base64
import hashlib
import hmac
import json
import os
import sqlite3
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock

SECRET = base64.b64decode(os.environ["HOOKSWITCH_SECRET"].removeprefix("whsec_"))
known = sqlite3.connect(os.environ.get("KNOWN", "known.db"), check_same_thread=False)
known.execute("CREATE TABLE IF NOT EXISTS known (object TEXT PRIMARY KEY, era INTEGER NOT NULL, seq INTEGER NOT NULL)")
lock = Lock()


def signed(headers, body):
    """Standard Webhooks: HMAC-SHA256 of `id.timestamp.body`."""
    sent = headers.get("webhook-timestamp", "0")
    if not sent.isdigit() or abs(time.time() - int(sent)) > 300:
        return False
    text = f"{headers.get('webhook-id', '')}.{sent}.".encode() + body
    expected = "v1," + base64.b64encode(hmac.new(SECRET, text, hashlib.sha256).digest()).decode()
    return any(hmac.compare_digest(one, expected) for one in headers.get("webhook-signature", "").split(" "))


def provision(payload):
    """Here your softswitch learns what has happened."""
    event = payload["event"]
    print(event["seq"], event["events_id"], event["object_id"], flush=True)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"  # keeps the connection: much faster

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.answer(self.take(body) if signed(self.headers, body) else 401)

    def take(self, body):
        payload = json.loads(body)
        event = payload["event"]
        collection = event["events_id"].rpartition(".")[0]
        key = f"{collection}/{event['object_id']}"
        number = (event.get("era", 0), event["seq"])
        with lock, known:  # commits, or rolls back when provisioning fails: then the event comes again
            row = known.execute("SELECT era, seq FROM known WHERE object = ?", [key]).fetchone()
            if row and row >= number:
                return 204
            provision(payload)
            known.execute("INSERT OR REPLACE INTO known VALUES (?, ?, ?)", [key, *number])
        return 204

    def answer(self, status):
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


if __name__ == "__main__":
    ThreadingHTTPServer(("127.0.0.1", int(os.environ.get("PORT", "5000"))), Handler).serve_forever()
