// P pins the text that one reads, and so does the menu beside its *Copy*; at most two of them: Pinned
// shows them side by side.

import { announce } from "console/run/announcing";
import { layOut } from "console/run/sheet";

const main = document.getElementById("run");
const link = main.querySelector("[data-pinned]");
const TEXTS = ".seat, .fused, .aside";

let reading = null;
for (const type of ["focusin", "pointerdown", "wheel"]) {
  main.addEventListener(type, ({ target }) => (reading = target.closest(TEXTS) ?? reading), { passive: true });
}

// As the page for two texts names them.
function nameOf(text) {
  if (text.matches(".seat")) return text.querySelector(".chip").textContent;
  return `${text.matches(".fused") ? "fused" : "analysis"}-${main.dataset.fusion}`;
}

let pinned = [];

export const textOf = (part) => part.closest(".claim, .tabled, .code") ? null : part.closest(TEXTS);
export const canBePinned = (text) => Boolean(link && text && (main.dataset.fusion || text.matches(".seat")));
export const isPinned = (text) => pinned.includes(text);

export function pin(text = reading) {
  if (!canBePinned(text)) return;
  pinned = isPinned(text) ? pinned.filter((other) => other !== text) : [...pinned, text].slice(-2);
  for (const one of main.querySelectorAll(TEXTS)) one.classList.toggle("is-pinned", isPinned(one));
  layOut();
  const names = pinned.map(nameOf);
  const address = new URL(link.href);
  ["left", "right"].forEach((side, at) => {
    if (names[at]) address.searchParams.set(side, names[at]);
    else address.searchParams.delete(side);
  });
  link.href = address;
  link.querySelector(".pins").textContent = names.length ? ` ${names.join(", ")}` : "";
  announce(names.length ? `Pinned: ${names.join(" and ")}.` : "Nothing is pinned.");
}
