// Columns: one at a time on a phone, whole answers on demand, and how far each has been scrolled.

import { isOver, want } from "console/run/socket";

const main = document.getElementById("run");
const seats = main.querySelector(".seats");
const expand = main.querySelector("[data-expand]");
const bodies = [...seats.querySelectorAll(".seat-body")];

const PHONE = matchMedia("(width <= 43.75em)");

// ---- the one that a phone shows ----

export function showSeat(id) {
  for (const seat of seats.children) seat.classList.toggle("is-current", seat.id === id);
  tellWants();
}

// Only what is seen is sent: on a phone one column at a time, behind another window nothing.
function tellWants() {
  const current = seats.querySelector(".is-current");
  if (document.hidden) want([]);
  else if (current && PHONE.matches) want([current.id, "fused"]);
  else want(null);
}
addEventListener("resize", tellWants);
document.addEventListener("visibilitychange", tellWants);

seats.classList.add("tabbed");
showSeat(seats.firstElementChild.id);

// ---- whole answers ----

expand.addEventListener("click", () => {
  const whole = seats.classList.toggle("is-whole");
  expand.setAttribute("aria-pressed", String(whole));
});

// Offered where there is something to show; it keeps its place, so nothing jumps.
function offerExpand() {
  const isCut = bodies.some((body) => body.scrollHeight > body.clientHeight + 1);
  expand.toggleAttribute("data-idle", !isCut && !seats.classList.contains("is-whole"));
}
addEventListener("resize", offerExpand);

// ---- scrolling ----

// A column follows its text, and a reader who has scrolled up stays where they read. Observers
// are told when the page has been laid out, so that asking how it lies costs nothing.
const following = new Set();

function watchEnd(body) {
  const end = body.appendChild(document.createElement("span"));
  const near = new IntersectionObserver(([{ isIntersecting, rootBounds }]) => {
    if (!rootBounds?.height) return; // a column that is not shown
    if (isIntersecting) following.add(body);
    else following.delete(body);
  }, { root: body, rootMargin: "0px 0px 24px 0px" });
  near.observe(end);
}

const growth = new ResizeObserver((entries) => {
  const grown = new Set(entries.map(({ target }) => target.closest("[data-follow]")));
  for (const body of grown) {
    if (!isOver() && following.has(body)) body.scrollTop = body.scrollHeight;
  }
  offerExpand();
});

for (const body of bodies) {
  watchEnd(body);
  for (const part of body.children) growth.observe(part);
}

const touched = new WeakSet();
for (const type of ["wheel", "touchmove", "keydown", "pointerdown"]) {
  main.addEventListener(type, ({ target }) => {
    const body = target.closest("[data-follow]");
    if (body) touched.add(body);
  }, { passive: true });
}

// An answer that is whole is read from its beginning, unless somebody reads in it already.
function showBeginnings() {
  for (const body of bodies) {
    if (!touched.has(body)) body.scrollTop = 0;
  }
}

// Code, tables and formulas that are wider than their column can be scrolled by the keyboard too.
export function reachWideThings() {
  const things = [...main.querySelectorAll(".reading :is(pre, table, math[display])")];
  const areWide = things.map((thing) => thing.scrollWidth > thing.clientWidth + 1);
  things.forEach((thing, n) => {
    if (areWide[n]) thing.tabIndex = 0;
    else thing.removeAttribute("tabindex");
  });
}

// An observer is told when the page has been laid out: asked before, it would have to be laid out
// for the answer.
function whenLaidOut(work) {
  const once = new ResizeObserver(() => {
    once.disconnect();
    work();
  });
  once.observe(main);
}

addEventListener("resize", () => whenLaidOut(reachWideThings));
main.addEventListener("toggle", () => whenLaidOut(reachWideThings), true);
whenLaidOut(reachWideThings);

// Of a run that has ended.
export function settle() {
  whenLaidOut(() => {
    reachWideThings();
    whenLaidOut(showBeginnings);
  });
}
