// An after handler with nothing but Node's standard library.
//
// Deliveries come at least once, and a repeat may come late: the highest `era` and `seq` of each object are kept, and whatever
// is not higher is answered with success and otherwise ignored. Keep them in your database; here they are in memory.
const crypto = require("node:crypto");
const http = require("node:http");

const secret = Buffer.from(process.env.HOOKSWITCH_SECRET.replace(/^whsec_/, ""), "base64");
const known = new Map(); // object -> { era, seq }

/** Standard Webhooks: HMAC-SHA256 of `id.timestamp.body`. */
function isSigned(headers, body) {
  const sent = Number(headers["webhook-timestamp"]);
  if (!(Math.abs(Date.now() / 1000 - sent) < 300)) return false;
  const mac = crypto.createHmac("sha256", secret).update(`${headers["webhook-id"]}.${sent}.`).update(body);
  const expected = Buffer.from(`v1,${mac.digest("base64")}`);
  return (headers["webhook-signature"] ?? "").split(" ").some((one) => {
    const given = Buffer.from(one);
    return given.length === expected.length && crypto.timingSafeEqual(given, expected);
  });
}

/** Here your softswitch learns what has happened. */
function provision({ event }) {
  console.log(event.seq, event.events_id, event.object_id);
}

function take(body) {
  const payload = JSON.parse(body);
  const { events_id, object_id, era = 0, seq } = payload.event;
  const key = `${events_id.slice(0, events_id.lastIndexOf("."))}/${object_id}`;
  const last = known.get(key) ?? { era: 0, seq: 0 };
  if (era < last.era || (era === last.era && seq <= last.seq)) return;
  provision(payload);
  known.set(key, { era, seq });
}

http
  .createServer(async (request, response) => {
    try {
      const chunks = [];
      for await (const chunk of request) chunks.push(chunk);
      const body = Buffer.concat(chunks);
      if (!isSigned(request.headers, body)) return response.writeHead(401).end();
      take(body);
      response.writeHead(204).end();
    } catch (error) {
      console.error(error);
      response.writeHead(500).end(); // it will come again
    }
  })
  .listen(Number(process.env.PORT ?? 5000), "127.0.0.1");
