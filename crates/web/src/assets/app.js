// What makes pages nicer for who has JavaScript. Everything works without it, but for live updates.
"use strict";

// A refused form is read from its summary.
document.querySelector("[data-focus]")?.focus();

// Keys: / to the search, g and a letter to a section, as the navigation has them.
const places = { o: "/", h: "/provisioning/handlers", l: "/provisioning/logs", d: "/provisioning/deliveries",
  e: "/provisioning/events", c: "/clients", a: "/accounts", p: "/packages", t: "/transactions", s: "/status" };
let going = 0;
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, textarea, select")) return;
  if (event.key === "/") {
    const box = document.querySelector(".filters input:not([type=hidden])");
    if (box) { event.preventDefault(); box.focus(); }
  } else if (event.key === "g") {
    going = Date.now();
  } else if (places[event.key] && Date.now() - going < 1500) {
    location.href = places[event.key];
  }
});

// Copy what a button names; such a button is of no use without a script, and may be hidden until then.
document.querySelectorAll("[data-copy][hidden]").forEach((button) => { button.hidden = false; });
const copy = async (text) => {
  if (navigator.clipboard) { await navigator.clipboard.writeText(text); return; }
  // Over plain http a browser has the old way only.
  const area = document.createElement("textarea");
  area.value = text;
  document.body.append(area);
  area.select();
  document.execCommand("copy");
  area.remove();
};
document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  const source = document.getElementById(button.dataset.copy);
  await copy(source.value ?? source.textContent);
  const words = button.textContent;
  button.textContent = "Copied";
  setTimeout(() => { button.textContent = words; }, 1500);
});

// How long ago grows while a page stays open, in the server's own words (parts/words.rs).
const MINUTE = 60, HOUR = 3600, DAY = 86400;
const span = (seconds) => seconds < MINUTE ? `${seconds} s` : seconds < HOUR ? `${Math.floor(seconds / MINUTE)} min`
  : seconds < DAY ? `${Math.floor(seconds / HOUR)} h` : seconds < 730 * DAY ? `${Math.floor(seconds / DAY)} ${seconds < 2 * DAY ? "day" : "days"}`
  : `${Math.floor(seconds / (365 * DAY))} years`;
// The clock of this machine may be wrong: what counts is how much later it is than when the page came.
const came = Date.now();
const age = (time) => {
  const [, number, unit] = /^(\d+) (s|min|h)/.exec(time.dataset.words) ?? [];
  return time.dataset.words === "now" ? 0 : Number(number) * { s: 1, min: MINUTE, h: HOUR }[unit];
};
setInterval(() => {
  const later = Math.floor((Date.now() - came) / 1000);
  document.querySelectorAll("time[datetime]").forEach((time) => {
    time.dataset.words ??= time.textContent;
    time.dataset.shown ??= String(later);
    if (!/^(now|.* (s|min|h) ago)$/.test(time.dataset.words)) return;
    const seconds = age(time) + later - Number(time.dataset.shown);
    const words = seconds < 5 ? "now" : `${span(seconds)} ago`;
    if (time.textContent !== words) time.textContent = words;
  });
}, 5000);

// Filters count at once where one chooses.
document.querySelectorAll("form.filters select").forEach((select) => {
  select.addEventListener("change", () => select.form.requestSubmit());
});

// Boxes that suit one choice only are put away while another is chosen, and not sent: data-when="scheme=http|https".
document.querySelectorAll("[data-when]").forEach((part) => {
  const [name, words] = part.dataset.when.split("=");
  const choice = document.querySelector(`[name="${name}"]`);
  if (!choice) return;
  const fit = () => {
    const away = !words.split("|").includes(choice.value) && !part.matches(".wrong") && !part.querySelector(".wrong");
    part.hidden = away;
    if ("disabled" in part) part.disabled = away;
    if (away && part.selected) {
      // What is put away does not stay chosen.
      const select = part.closest("select");
      select.value = [...select.options].find((other) => !other.disabled).value;
      select.dispatchEvent(new Event("change", { bubbles: true }));
    }
    part.querySelector(".only-plain")?.setAttribute("hidden", "");
  };
  choice.addEventListener("change", fit);
  fit();
});

// A secret that is stored is replaced as a whole: what is typed into dots would stand beside them.
document.querySelectorAll('input[type="password"]').forEach((box) => box.addEventListener("focus", () => box.select()));

// A text is checked while it is typed: data-check names who knows.
document.querySelectorAll("[data-check]").forEach((part) => {
  const box = part.querySelector("textarea, input");
  const said = document.createElement("p");
  said.setAttribute("role", "status");
  part.append(said);
  let waits;
  box.addEventListener("input", () => {
    clearTimeout(waits);
    waits = setTimeout(async () => {
      const text = box.value;
      if (!text.trim()) { said.textContent = ""; said.className = ""; return; }
      try {
        const answer = await fetch(part.dataset.check, { method: "POST", body: new URLSearchParams({ text }), signal: AbortSignal.timeout(8000) });
        if (!answer.ok || box.value !== text) return;
        const { error } = await answer.json();
        said.textContent = error ?? "It can be understood.";
        said.className = error ? "error" : "checked good";
      } catch { /* It is checked when it is sent. */ }
    }, 400);
  });
});

// A row is dragged by its grip to its place in a chain; numbers and arrows do the same.
document.querySelectorAll("[data-order]").forEach((chain) => {
  if (chain.children.length < 2) return;
  let dragged;
  for (const row of chain.children) {
    const grip = document.createElement("span");
    grip.className = "grip";
    grip.title = "Drag to another place";
    grip.setAttribute("aria-hidden", "true");
    grip.textContent = "⠿";
    grip.draggable = true;
    row.querySelector(".turn").prepend(grip);
    grip.addEventListener("dragstart", (event) => {
      dragged = row;
      row.classList.add("dragged");
      event.dataTransfer.effectAllowed = "move";
      event.dataTransfer.setDragImage(row, 0, 0);
    });
    row.addEventListener("dragover", (event) => {
      if (!dragged || dragged.parentElement !== chain) return;
      event.preventDefault();
      const { top, height } = row.getBoundingClientRect();
      if (row !== dragged) row[event.clientY < top + height / 2 ? "before" : "after"](dragged);
    });
    grip.addEventListener("dragend", () => {
      row.classList.remove("dragged");
      dragged = undefined;
      const form = document.getElementById("act");
      const put = (name, value) => { const box = document.createElement("input"); box.type = "hidden"; box.name = name; box.value = value; form.append(box); };
      put("events_id", chain.dataset.order);
      put("sequence", [...chain.children].map((one) => one.dataset.key).join(" "));
      form.submit();
    });
  }
});

// Live: the same page is asked for again, and what is new in it is taken over. Rows gather behind a button, unless live mode is on;
// parts with data-live="part" are replaced as they are.
const EVERY_MS = 2000;
const MISSES_MAX = 3;
const rows = document.querySelector('[data-live="rows"]');
const parts = [...document.querySelectorAll('[data-live="part"][id]')];
if (rows || parts.length) {
  const toggle = document.querySelector("[data-live-toggle]");
  let gathered = [];
  const fresh = document.createElement("button");
  fresh.type = "button";
  fresh.dataset.fresh = "";
  fresh.hidden = true;
  fresh.addEventListener("click", () => putIn());
  rows?.parentElement.before(fresh);

  const putIn = () => {
    const body = document.querySelector('table[data-live="rows"] tbody');
    if (!body) { location.reload(); return; }
    for (const row of gathered.reverse()) { row.classList.add("new"); body.prepend(row); setTimeout(() => row.classList.remove("new"), 50); }
    while (body.rows.length > 200) body.lastElementChild.remove();
    gathered = [];
    fresh.hidden = true;
  };
  const known = () => new Set([...document.querySelectorAll('[data-live="rows"] tr[data-key]'), ...gathered].map((row) => row.dataset.key));
  const take = (page) => {
    for (const part of parts) {
      const now = page.getElementById(part.id);
      if (now && now.innerHTML !== part.innerHTML && !part.contains(document.activeElement)) part.innerHTML = now.innerHTML;
    }
    if (!rows) return;
    const seen = known();
    const news = [...page.querySelectorAll('[data-live="rows"] tr[data-key]')].filter((row) => !seen.has(row.dataset.key));
    gathered = [...news, ...gathered].slice(0, 200);
    if (gathered.length && toggle?.checked) putIn();
    fresh.textContent = `${gathered.length} new`;
    fresh.hidden = !gathered.length;
  };
  // A page that stands still says so: it would look like one on which nothing happens.
  const still = document.createElement("p");
  still.className = "banner held";
  still.setAttribute("role", "status");
  const tell = (words, link) => {
    const to = document.createElement("a");
    to.href = location.href;
    to.textContent = link;
    still.replaceChildren(`${words} `, to);
    if (!still.isConnected) document.querySelector("main").prepend(still);
  };
  let misses = 0;
  const missed = (is) => {
    misses = is ? misses + 1 : 0;
    if (misses === MISSES_MAX) tell("This page is not live any more: it can't be asked for.", "Reload");
    if (!misses) still.remove();
  };
  const look = async () => {
    try {
      if (!document.hidden && !(new URLSearchParams(location.search).get("offset"))) {
        const answer = await fetch(location.href, { headers: { "X-Live": "1" }, signal: AbortSignal.timeout(8000) });
        if (answer.status === 401) { tell("You are not signed in any more: this page stands still.", "Sign in"); return; }
        if (answer.ok) take(new DOMParser().parseFromString(await answer.text(), "text/html"));
        missed(!answer.ok);
      }
    } catch { missed(true); /* The next look may succeed. */ }
    setTimeout(look, EVERY_MS);
  };
  if (toggle) {
    toggle.checked = sessionStorage.getItem("live") === "on";
    toggle.addEventListener("change", () => { sessionStorage.setItem("live", toggle.checked ? "on" : "off"); if (toggle.checked && gathered.length) putIn(); });
    toggle.closest("[hidden]")?.removeAttribute("hidden");
  }
  setTimeout(look, EVERY_MS);
}
