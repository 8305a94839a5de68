// A handler for the walks: a real little server, as the mission's example has it, that can be told to answer otherwise.
import { createServer } from "node:http";
import { api } from "./harness.mjs";

/** What it was asked, in order. */
export const calls = [];
/** How it answers: a status and what it says as JSON, for a call. */
export const answers = { by: () => [200, {}] };

const server = createServer((request, response) => {
  let body = "";
  request.on("data", (part) => { body += part; });
  request.on("end", () => {
    const call = { path: request.url, headers: request.headers, body: JSON.parse(body) };
    calls.push(call);
    const [status, said] = answers.by(call);
    response.writeHead(status, { "Content-Type": "application/json" }).end(JSON.stringify(said));
  });
});
await new Promise((ready) => server.listen(0, "127.0.0.1", ready));
// It does not keep a walk from its end.
server.unref();
server.on("connection", (socket) => socket.unref());

export const SCRIPT = "<script>alert(1)</script>";
export const address = `127.0.0.1:${server.address().port}`;
export const url = (path) => `http://${address}${path}`;
/** Saves a handler that is this server. */
export const make = (more) => api("provisioning.handlers.create", { event: "clients.create", task: url("/api"), ...more });

// The form.
export const box = (page, label) => page.getByLabel(label, { exact: true });
export const name = (page) => page.getByLabel("Name (required)");
export const apply = (page) => page.getByRole("button", { name: "Apply" }).click();
/** Opens what is folded away. */
export const more = async (page) => { if (!await page.locator("details.rest").evaluate((part) => part.open)) await page.getByText("More:").click(); };
