// An after handler with the kit for Node.js: each event is taken once, also over restarts, and a late repeat overwrites nothing.
import http from "node:http";
import { Forged, Seen, verify } from "hookswitch"; // npm install ./kits/node

const seen = new Seen(process.env.KNOWN ?? "seen.log");

/** Here your softswitch learns what has happened. */
function provision({ event }) {
  console.log(event.seq, event.events_id, event.object_id);
}

http
  .createServer(async (request, response) => {
    try {
      const chunks = [];
      for await (const chunk of request) chunks.push(chunk);
      const payload = verify(process.env.HOOKSWITCH_SECRET, request.headers, Buffer.concat(chunks));
      await seen.once(payload, () => provision(payload));
      response.writeHead(204).end();
    } catch (error) {
      response.writeHead(error instanceof Forged ? 401 : 500).end(); // it will come again
    }
  })
  .listen(Number(process.env.PORT ?? 5000), "127.0.0.1");
