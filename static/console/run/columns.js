// Columns: tabs on a phone, whole answers on demand, and how far each has been scrolled.

const main = document.getElementById("run");
const tabs = main.querySelector(".seat-tabs");
const seats = main.querySelector(".seats");
const expand = main.querySelector("[data-expand]");

// ---- tabs ----

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

// ---- whole answers ----

expand.addEventListener("click", () => {
  const whole = seats.classList.toggle("is-whole");
  expand.setAttribute("aria-pressed", String(whole));
});

// Offered where there is something to show; it keeps its place, so nothing jumps.
export function offerExpand() {
  const bodies = [...seats.querySelectorAll(".seat-body")];
  const isCut = bodies.some((body) => body.scrollHeight > body.clientHeight + 1);
  expand.toggleAttribute("data-idle", !isCut && !seats.classList.contains("is-whole"));
}
addEventListener("resize", offerExpand);
offerExpand();

// ---- scrolling ----

const touched = new WeakSet();
for (const type of ["wheel", "touchmove", "keydown", "pointerdown"]) {
  main.addEventListener(type, ({ target }) => {
    const body = target.closest("[data-follow]");
    if (body) touched.add(body);
  }, { passive: true });
}

// An answer that is whole is read from its beginning, unless somebody reads in it already.
export function showBeginnings() {
  for (const body of seats.querySelectorAll(".seat-body")) {
    if (!touched.has(body)) body.scrollTop = 0;
  }
}

// Code, tables and formulas that are wider than their column can be scrolled by the keyboard too.
export function reachWideThings() {
  for (const wide of main.querySelectorAll(".reading :is(pre, table, math[display])")) {
    if (wide.scrollWidth > wide.clientWidth + 1) wide.tabIndex = 0;
    else wide.removeAttribute("tabindex");
  }
}
addEventListener("resize", reachWideThings);
main.addEventListener("toggle", reachWideThings, true); // fusions side by side
reachWideThings();
