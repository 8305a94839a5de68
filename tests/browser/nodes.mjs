// Two nodes on one database: what one of them is told is seen on the pages of the other, without loading them again.
import { api, assert, base, go, look, shot, signIn, until, walk } from "./harness.mjs";

const elsewhere = process.env.ELSEWHERE;
const there = (method, params) => api(method, params, undefined, elsewhere);

await walk({}, async (page) => {
  await signIn(page);
  await go(page, "/status");
  const nodes = page.getByRole("table").locator("tbody tr");
  assert.equal(await nodes.count(), 2);
  await page.getByText("this page").waitFor();
  await until("each has its shards", async () => (await nodes.allInnerTexts()).every((row) => /alive\s+128\s/.test(row)));
  await look(page, "the status of two nodes");
  await shot(page, "status-two-nodes");

  await go(page, "/");
  await there("provisioning.handlers.create", { name: "Gone", event: "clients.create", task: "http://127.0.0.1:1/" });
  await there("clients.create", { name: "Acme" });
  await page.locator("#failures").getByText("Gone").first().waitFor();
  await page.goto(`${elsewhere}/resellers`);
  await page.getByRole("link", { name: "Default" }).waitFor();
});
assert.notEqual(base, elsewhere);
