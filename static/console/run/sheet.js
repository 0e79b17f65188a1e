// The answers' sheet. No second row: a column has a least width, and what does not fit stands
// as a spine; a click opens it and folds the column that was read longest ago.

import { ACROSS, oneStop, whenLaidOut } from "console/stops";

const main = document.getElementById("run");
const sheet = main.querySelector(".seats");
const seats = [...sheet.children];
const LEAST = 240; // of a column, in CSS pixels
const SPINE = 44;
const PHONE = matchMedia("(width <= 43.75em)");

// What can be done with a column is one stop.
const ACTS = ".seat-title [data-copy], .seat-end button, .seat-acts button";
const seeToStops = [];

const folded = new Set(); // by whoever reads
const opened = new Set(); // at least once: the rest is unread
let read = [...seats]; // the one read last comes first

function room() {
  return Math.max(1, Math.floor((sheet.clientWidth - SPINE * seats.length) / (LEAST - SPINE)));
}

export function layOut() {
  // A pinned column never folds for another.
  const wanted = read
    .filter((seat) => !folded.has(seat))
    .toSorted((one, other) => other.matches(".is-pinned") - one.matches(".is-pinned"));
  const fits = seats.length * LEAST <= sheet.clientWidth ? seats.length : room();
  const shown = PHONE.matches ? new Set(seats) : new Set(wanted.slice(0, fits));
  for (const seat of seats) {
    seat.classList.toggle("is-spine", !shown.has(seat));
    if (shown.has(seat) && !PHONE.matches) opened.add(seat);
  }
  sheet.classList.add("is-laid");
  for (const see of seeToStops) whenLaidOut(see);
  tellUnread();
}

export function openSeat(id) {
  const seat = document.getElementById(id);
  folded.delete(seat);
  read = [seat, ...read.filter((other) => other !== seat)];
  if (sheet.classList.contains("has-one")) setAlone(seat);
  layOut();
  seat.querySelector(".seat-body").focus({ preventScroll: true });
}

function setAlone(seat) {
  sheet.classList.toggle("has-one", Boolean(seat));
  for (const one of seats) {
    one.classList.toggle("is-alone", one === seat);
    one.querySelector("[data-alone]").setAttribute("aria-pressed", String(one === seat));
  }
}

sheet.addEventListener("click", ({ target }) => {
  const seat = target.closest(".seat");
  if (target.closest("[data-open]")) openSeat(seat.id);
  if (target.closest("[data-alone]")) setAlone(seat.matches(".is-alone") ? null : seat);
  if (target.closest("[data-fold]")) {
    setAlone(null);
    folded.add(seat);
    layOut();
    seat.querySelector("[data-open]").focus({ preventScroll: true });
  }
});

// Whoever reads in a column, or goes there, has read it last.
for (const type of ["wheel", "focusin", "pointerdown"]) {
  sheet.addEventListener(type, ({ target }) => {
    const seat = target.closest(".seat:not(.is-spine)");
    if (seat && read[0] !== seat) read = [seat, ...read.filter((other) => other !== seat)];
  }, { passive: true });
}

// ---- Esc leads back to all of them ----

export function closeAlone() {
  const alone = sheet.querySelector(".is-alone");
  if (!alone) return false;
  setAlone(null);
  return true;
}

// ---- what spines and rail tell of a column is what its head says ----

function tellState(seat) {
  const state = seat.querySelector(".seat-state");
  if (!state) return;
  const cost = (seat.querySelector(".seat-figures > :last-child dd")?.textContent ?? "").replace("—", "");
  seat.querySelector(".seat-told").textContent = `${state.textContent}  ${cost}`.trim();
  const link = main.querySelector(`.rail [data-part="${seat.id}"]`);
  link.dataset.state = state.dataset.state;
  link.querySelector(".rail-state").textContent = state.dataset.state === "done" ? "✓" : state.textContent;
}

function tellUnread() {
  for (const seat of seats) {
    const isUnread = !PHONE.matches && !opened.has(seat);
    seat.classList.toggle("is-unread", isUnread);
    main.querySelector(`.rail [data-part="${seat.id}"]`).classList.toggle("is-unread", isUnread);
  }
}

for (const seat of seats) {
  const head = document.getElementById(`${seat.id}-head`);
  const see = oneStop(seat, ACROSS, ACTS, { hides: true });
  seeToStops.push(see);
  new MutationObserver(() => {
    tellState(seat);
    whenLaidOut(see);
  }).observe(head, { childList: true });
  tellState(seat);
}
new ResizeObserver(layOut).observe(sheet);
