"""What a Hookswitch handler needs besides its own rules: is the call genuine, how to answer, has this event been seen.

Nothing but Python's standard library (3.9 or later). The contract is Hookswitch's Provisioning API: Standard Webhooks signatures,
replies of before handlers, at-least-once deliveries of after handlers.

    import hookswitch

    payload = hookswitch.verify(SECRET, request.headers, request.get_data())
    if payload["data"]["name"].startswith("Test"):
        return hookswitch.forbid("test clients are not made here", field="name")
    return hookswitch.allow()
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import hashlib
import hmac
import json
import sqlite3
import threading
import time
from typing import Any, Iterator, Mapping, Sequence

__all__ = ["Forged", "Seen", "allow", "forbid", "modify", "verify"]
__version__ = "0.1.0"

#: A call that is older, or newer, than this many seconds is taken for one that somebody has kept and sends again.
TOLERANCE_S = 300


class Forged(Exception):
    """The call was not signed with this secret, or not lately. Answer it with 401."""


def verify(
    secret: str | Sequence[str],
    headers: Mapping[str, str],
    body: bytes,
    *,
    tolerance_s: float = TOLERANCE_S,
    now: float | None = None,
) -> dict[str, Any]:
    """Checks the signature of a call and gives its payload.

    `secret` is the handler's `whsec_...`, or several while one takes another's place. `headers` may be any mapping, whatever the case
    of its names. `body` is what came, byte for byte: a body that was parsed and written again has another signature.
    `now` is the time in seconds since 1970, for tests. Raises `Forged`.
    """
    given = {name.lower(): value for name, value in headers.items()}
    identity, sent = given.get("webhook-id", ""), given.get("webhook-timestamp", "")
    if not (sent.isascii() and sent.isdigit()) or abs((time.time() if now is None else now) - int(sent)) > tolerance_s:
        raise Forged("the time of the call is missing or too far from now")
    signed = f"{identity}.{sent}.".encode() + body
    secrets = [secret] if isinstance(secret, str) else secret
    expected = [_signature(one, signed) for one in secrets]
    # While a secret is rotated there are two, separated by a blank.
    signatures = given.get("webhook-signature", "").split(" ")
    if not any(hmac.compare_digest(one.encode(), good.encode()) for one in signatures for good in expected):
        raise Forged("the signature is missing or wrong")
    payload = json.loads(body)
    if not isinstance(payload, dict):
        raise Forged("the body is no object")
    return payload


def _signature(secret: str, signed: bytes) -> str:
    try:
        key = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    except binascii.Error as error:
        raise ValueError("the secret is whsec_ and base64, as Hookswitch has shown it") from error
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()


def allow(*, warnings: Sequence[str] = ()) -> dict[str, Any]:
    """The reply of a before handler that has nothing against it. The caller is told of `warnings`."""
    return {"warnings": list(warnings)} if warnings else {}


def forbid(message: str, *, code: str | None = None, field: str | None = None) -> dict[str, Any]:
    """The reply of a before handler that says no: why, a code of your own, and the field that is at fault."""
    reply = {"verdict": "forbid", "message": message, "code": code, "field": field}
    return {name: value for name, value in reply.items() if value is not None}


def modify(data: Mapping[str, Any], *, warnings: Sequence[str] = ()) -> dict[str, Any]:
    """The reply of a before handler that changes these keys of `data`; what is not named stays."""
    return {"data": dict(data), **allow(warnings=warnings)}


class Seen:
    """What an after handler has heard, so that a repeat is done once and a late one never overwrites newer state.

    Of each object the highest `era` and `seq` are kept, in an SQLite file that survives a restart (`:memory:` for tests).

        seen = hookswitch.Seen("seen.db")

        with seen.once(payload) as is_new:
            if is_new:
                provision(payload)

    Where the block raises, nothing is noted: answer with an error, and the event comes again. Threads take turns.
    """

    def __init__(self, path: str) -> None:
        self._lock = threading.Lock()
        self._known = sqlite3.connect(path, check_same_thread=False)
        with self._known:
            self._known.execute(
                "CREATE TABLE IF NOT EXISTS seen (object TEXT PRIMARY KEY, era INTEGER NOT NULL, seq INTEGER NOT NULL)"
            )

    @contextlib.contextmanager
    def once(self, payload: Mapping[str, Any]) -> Iterator[bool]:
        """True for the block if this was not heard yet; noted when the block ends without an exception."""
        event = payload["event"]
        key = f"{event['events_id'].rpartition('.')[0]}/{event['object_id']}"
        number = (event.get("era", 0), event["seq"])
        with self._lock, self._known:
            row = self._known.execute("SELECT era, seq FROM seen WHERE object = ?", [key]).fetchone()
            is_new = row is None or tuple(row) < number
            yield is_new
            if is_new:
                self._known.execute("INSERT OR REPLACE INTO seen VALUES (?, ?, ?)", [key, *number])

    def close(self) -> None:
        """Closes the file."""
        self._known.close()
