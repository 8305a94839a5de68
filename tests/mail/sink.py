"""A mail server that keeps what it is sent: one JSON object a line, in a file.

PORT        where it listens, on 127.0.0.1
OUT         the file that it writes to
CERTIFICATE a PEM file with certificate and key: it offers STARTTLS, or is smtps with SMTPS=1
USER_NAME   with PASSWORD: it wants to know who sends
"""

import asyncio
import json
import os
import ssl
from email import message_from_bytes, policy

from aiosmtpd.smtp import SMTP, AuthResult


class Sink:
    async def handle_RCPT(self, server, session, envelope, address, options):
        if address.startswith("nobody@"):
            return "550 5.1.1 there is nobody of that name"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        message = message_from_bytes(envelope.content, policy=policy.default)
        kept = {
            "from": envelope.mail_from,
            "to": envelope.rcpt_tos,
            "headers": {name.lower(): str(value) for name, value in message.items()},
            "text": message.get_content(),
            "encrypted": session.ssl is not None or "SMTPS" in os.environ,
            "signed_in": session.authenticated,
        }
        with open(os.environ["OUT"], "a", encoding="utf-8") as out:
            out.write(json.dumps(kept) + "\n")
        return "250 2.0.0 queued"


def signed_in(server, session, envelope, mechanism, data):
    wanted = (os.environ["USER_NAME"].encode(), os.environ["PASSWORD"].encode())
    # Not handled: the library answers 535 then.
    return AuthResult(success=(data.login, data.password) == wanted, handled=False)


async def main():
    context = None
    if "CERTIFICATE" in os.environ:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(os.environ["CERTIFICATE"])
    smtps = "SMTPS" in os.environ
    wants_name = "USER_NAME" in os.environ

    def serve():
        return SMTP(
            Sink(),
            tls_context=None if smtps else context,
            authenticator=signed_in if wants_name else None,
            auth_required=wants_name,
            auth_require_tls=context is not None and not smtps,
        )

    loop = asyncio.get_running_loop()
    server = await loop.create_server(serve, "127.0.0.1", int(os.environ["PORT"]), ssl=context if smtps else None)
    async with server:
        await server.serve_forever()


asyncio.run(main())
