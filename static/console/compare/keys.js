// Digits lead to the other looks, L and X switch what stands above the texts. They are off where
// the keys of a run are, and none acts while somebody writes in a field.

const main = document.getElementById("compare");
const KEPT = "fusion.keys"; // as run/keys.js

function isOff() {
  try {
    return localStorage.getItem(KEPT) === "off";
  } catch {
    return false;
  }
}

const looks = main.querySelectorAll(".looks a");
const acts = {
  1: () => looks[0].click(),
  2: () => looks[1].click(),
  l: () => document.getElementById("scroll-together").click(),
  x: () => document.getElementById("compare-form").elements.differs.click(),
};

addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
  if (event.target.closest("input:not([type=checkbox]), textarea, select, [contenteditable]")) return;
  const act = acts[event.key.toLowerCase()];
  if (!act || isOff()) return;
  event.preventDefault();
  act();
});
