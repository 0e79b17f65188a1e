// Seconds that run, up and down, by the server's clock.

import { all, write } from "console/run/figures";

const main = document.getElementById("run");
const offset = Number(main.dataset.now) * 1000 - Date.now(); // the server's clock minus ours

export const now = () => (Date.now() + offset) / 1000;

// `data-whole`: from ten seconds on without tenths, as `about` in fragments/figures.py.
function running(seconds, isWhole) {
  if (seconds < 60) return `${seconds.toFixed(isWhole && seconds >= 9.95 ? 0 : 1)} s`;
  return `${Math.floor(seconds / 60)} min ${String(Math.floor(seconds % 60)).padStart(2, "0")} s`;
}

export function tick() {
  const at = now();
  for (const element of all("until")) {
    write(element, `${Math.max(0, Math.ceil(Number(element.dataset.until) - at))} s`);
  }
  for (const element of all("since")) {
    write(element, running(Math.max(0, at - Number(element.dataset.since)), "whole" in element.dataset));
  }
}

export function keepTicking() {
  setInterval(tick, 100);
}
