// A live run: frames from the socket are put in place, in order, and acknowledged.
// The page is whole without this; it then shows what a reload finds.

import { COMPOSE, followOf, keep, kept } from "console/draft";

const main = document.getElementById("run");
const FINAL = ["completed", "failed", "cancelled"];
const SILENCE = 45_000; // the server says something every 15 s
let socket = null;
let over = FINAL.includes(main.dataset.status);
let delay = 300;
let lastHeard = 0;

// ---- frames ----

const containers = new Map();
for (const element of document.querySelectorAll("[data-text]")) {
  containers.set(element.dataset.text, {
    element,
    final: element.querySelector("[data-final]"),
    block: element.querySelector("[data-block]"),
    line: element.querySelector("[data-line]"),
  });
}

function apply(frame) {
  const followed = [...document.querySelectorAll("[data-follow]")].filter(isAtBottom);
  for (const text of frame.texts ?? []) applyText(text);
  for (const [id, html] of Object.entries(frame.fragments ?? {})) applyFragment(id, html);
  if (frame.status) main.dataset.status = frame.status;
  for (const element of followed) element.scrollTop = element.scrollHeight;
  if (over || frame.end) end();
  offerExpand();
  tick();
}

// What may be done with an ended run tells of all of it: the server's page has it.
let ended = false;
function end() {
  if (ended) return;
  ended = true;
  for (const form of main.querySelectorAll(".while-running")) form.remove();
  offerWhatFollows();
  reachWideThings();
  for (const body of seats.querySelectorAll(".seat-body")) {
    if (!touched.has(body)) body.scrollTop = 0; // to be read from its beginning
  }
}

async function offerWhatFollows() {
  const answer = await fetch(location.href).catch(() => null);
  if (!answer?.ok) return; // a reload has it
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  for (const place of main.querySelectorAll("[data-when-ended]")) {
    const found = page.getElementById(place.id);
    if (found) place.replaceWith(found);
  }
  fillFollowUp();
}

function applyText({ id, reset, final, block, line }) {
  const place = containers.get(id);
  if (!place) return;
  if (reset) place.final.textContent = place.block.textContent = place.line.textContent = "";
  // Text of models: the server has rendered and sanitised it, and the strict
  // content security policy lets nothing run that might have come through.
  if (final) place.final.insertAdjacentHTML("beforeend", final);
  if (block !== undefined) place.block.innerHTML = block;
  if (line !== undefined) place.line.textContent = line;
}

function applyFragment(id, html) {
  const element = document.getElementById(id);
  if (!element) return;
  const open = keptOpen(element);
  const focused = element.contains(document.activeElement) ? document.activeElement.dataset.copy : null;
  // Our own templates, in which everything somebody else wrote is escaped.
  element.innerHTML = html;
  for (const details of element.querySelectorAll("details[data-keep]")) {
    if (open.has(details.dataset.keep)) details.open = open.get(details.dataset.keep);
  }
  if (focused) element.querySelector(`[data-copy="${focused}"]`)?.focus();
}

function keptOpen(element) {
  const all = element.querySelectorAll("details[data-keep]");
  return new Map(Array.from(all, (details) => [details.dataset.keep, details.open]));
}

const touched = new WeakSet();
for (const type of ["wheel", "touchmove", "keydown", "pointerdown"]) {
  main.addEventListener(type, ({ target }) => {
    const body = target.closest("[data-follow]");
    if (body) touched.add(body);
  }, { passive: true });
}

// A reader who has scrolled up stays where they read.
function isAtBottom(element) {
  return element.scrollHeight - element.scrollTop - element.clientHeight < 24;
}

// ---- the socket ----

function connect() {
  const scheme = location.protocol === "https:" ? "wss:" : "ws:";
  socket = new WebSocket(`${scheme}//${location.host}${main.dataset.socket}`);
  lastHeard = Date.now();
  let parts = ""; // of a long frame: "+…" goes on, "=…" is the last
  socket.onmessage = (event) => {
    lastHeard = Date.now();
    if (event.data[0] === "+") {
      parts += event.data.slice(1);
      return;
    }
    const frame = JSON.parse(event.data[0] === "=" ? parts + event.data.slice(1) : event.data);
    parts = "";
    delay = 300;
    over = over || Boolean(frame.end);
    apply(frame);
    socket.send(JSON.stringify({ ack: frame.n }));
    main.dataset.live = over ? "over" : "yes";
  };
  socket.onclose = (event) => {
    if (event.target !== socket) return; // one we had given up
    if (event.code === 4404) location.reload();
    else reconnect();
  };
}

function reconnect() {
  if (over) return;
  main.dataset.live = "no";
  setTimeout(connect, delay * (0.75 + Math.random() / 2));
  delay = Math.min(delay * 2, 5000);
}

function watchForSilence() {
  if (socket?.readyState === WebSocket.OPEN && Date.now() - lastHeard > SILENCE) giveUp();
}

// A closing handshake over a dead line takes a minute: nobody waits for it.
function giveUp() {
  if (over || !socket) return;
  const silent = socket;
  socket = null;
  silent.close();
  reconnect();
}
addEventListener("offline", giveUp);

// ---- seconds that run ----

const offset = Number(main.dataset.now) * 1000 - Date.now(); // the server's clock minus ours

function tick() {
  const now = (Date.now() + offset) / 1000;
  for (const element of main.querySelectorAll("[data-until]")) {
    element.textContent = `${Math.max(0, Math.ceil(Number(element.dataset.until) - now))} s`;
  }
  for (const element of main.querySelectorAll("[data-since]")) {
    const seconds = Math.max(0, now - Number(element.dataset.since));
    element.textContent = seconds < 60
      ? `${seconds.toFixed(1)} s`
      : `${Math.floor(seconds / 60)} min ${String(Math.floor(seconds % 60)).padStart(2, "0")} s`;
  }
}

// ---- drafts: what this run was asked is one no more ----

function fillFollowUp() {
  const field = document.getElementById("follow-prompt");
  if (field) field.value ||= kept(followOf(location.pathname));
}
main.addEventListener("input", ({ target }) => {
  if (target.id === "follow-prompt") keep(followOf(location.pathname), target.value);
});
const before = main.querySelector(".follows a");
const asked = (main.querySelector(".prompt-whole") ?? main.querySelector(".prompt")).textContent;
for (const draft of [COMPOSE, followOf(before?.pathname)]) {
  if (kept(draft).trim() === asked.trim()) keep(draft, "");
}
fillFollowUp();

// ---- columns: tabs on a phone, whole answers on demand ----

const tabs = main.querySelector(".seat-tabs");
const seats = main.querySelector(".seats");

function showSeat(id) {
  for (const tab of tabs.children) {
    tab.setAttribute("aria-pressed", String(tab.getAttribute("aria-controls") === id));
  }
  for (const seat of seats.children) seat.classList.toggle("is-current", seat.id === id);
}

tabs.hidden = seats.children.length < 2;
seats.classList.add("tabbed");
showSeat("seat-0");
tabs.addEventListener("click", (event) => {
  const tab = event.target.closest("button");
  if (tab) showSeat(tab.getAttribute("aria-controls"));
});

const expand = main.querySelector("[data-expand]");
expand.addEventListener("click", () => {
  const whole = seats.classList.toggle("is-whole");
  expand.setAttribute("aria-pressed", String(whole));
});

// Offered where there is something to show; it keeps its place, so nothing jumps.
function offerExpand() {
  const bodies = [...seats.querySelectorAll(".seat-body")];
  const isCut = bodies.some((body) => body.scrollHeight > body.clientHeight + 1);
  expand.toggleAttribute("data-idle", !isCut && !seats.classList.contains("is-whole"));
}
addEventListener("resize", offerExpand);
offerExpand();

// Code and tables that are wider than their column can be scrolled by the keyboard too.
function reachWideThings() {
  for (const wide of main.querySelectorAll(".reading :is(pre, table)")) {
    if (wide.scrollWidth > wide.clientWidth + 1) wide.tabIndex = 0;
    else wide.removeAttribute("tabindex");
  }
}
addEventListener("resize", reachWideThings);
main.addEventListener("toggle", reachWideThings, true); // fusions side by side
reachWideThings();

// A page left open is not to be read longer than the run may be.
async function stillAllowed() {
  if (document.hidden || !(over || ended)) return;
  const answer = await fetch(location.href, { method: "HEAD" }).catch(() => null);
  if (answer?.status === 404 || answer?.redirected) location.reload(); // to sign in
}
document.addEventListener("visibilitychange", stillAllowed);
setInterval(stillAllowed, 30_000);

if (!over) {
  connect();
  setInterval(tick, 100);
  setInterval(watchForSilence, 5000);
}
tick();
