// Which answer is best: one stop of the keyboard, arrows within; what was seen goes along with it.

import { stepWithin } from "console/stops";

const main = document.getElementById("run");

main.addEventListener("submit", ({ target }) => {
  if (!target.closest("#verdict")) return;
  target.elements.look.value = main.dataset.look;
  const there = new Set(Array.from(target.querySelectorAll("[data-seat]"), (one) => one.dataset.seat));
  const shown = [...main.querySelectorAll(".seats > .seat")].filter((seat) => there.has(seat.dataset.seat));
  target.elements.order.value = shown.map((seat) => seat.querySelector(".chip").textContent).join("");
}, true);

main.addEventListener("click", ({ target }) => {
  const opener = target.closest("[data-verdict-note]");
  if (!opener) return;
  const isOpen = opener.getAttribute("aria-expanded") !== "true";
  opener.setAttribute("aria-expanded", String(isOpen));
  if (isOpen) document.getElementById("verdict-words").focus();
});

// A note alone is no verdict: Enter in it keeps the one there is.
main.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && event.target.id === "verdict-words") {
    const keep = event.target.parentElement.querySelector("button");
    event.preventDefault();
    if (keep) keep.click();
    return;
  }
  const row = event.target.closest(".verdict-row");
  if (row) stepWithin(row, event, ["ArrowLeft", "ArrowRight"]);
});

function oneStop() {
  const stops = main.querySelectorAll(".verdict-row button");
  const first = main.querySelector(".verdict-row [aria-pressed=true]") ?? stops[0];
  for (const stop of stops) stop.tabIndex = stop === first ? 0 : -1;
}
main.addEventListener("htmx:afterSwap", oneStop);
main.addEventListener("htmx:oobAfterSwap", oneStop);
oneStop();
