// What is new to somebody is explained in the margin, beside what it speaks of, three times in this
// browser; after that it is read among the keys, where it always stands.

import { isOver } from "console/run/socket";

const main = document.getElementById("run");
const KEPT = "fusion.explained";
const TIMES = 3;
// Nothing is explained that is not there.
const ABOUT = { marks: ".fused .source[data-seat]", writer: ".fused .source-own" };

function kept() {
  try {
    return JSON.parse(localStorage.getItem(KEPT)) ?? {};
  } catch {
    return null; // where nothing may be stored, it would be explained with every run
  }
}

function count(names) {
  const times = kept() ?? {};
  for (const name of names) times[name] = (times[name] ?? 0) + 1;
  try {
    localStorage.setItem(KEPT, JSON.stringify(times));
  } catch {
    // Then nothing is explained.
  }
}

function explain() {
  const times = kept();
  const texts = [...document.querySelectorAll("#keys [data-explains]")];
  const isNew = ({ dataset: { explains } }) => times && (times[explains] ?? 0) < TIMES && main.querySelector(ABOUT[explains]);
  const shown = texts.filter(isNew);
  if (!shown.length) return;
  const margin = document.createElement("div");
  margin.className = "explained";
  margin.setAttribute("role", "note");
  margin.setAttribute("aria-label", "Explained");
  margin.append(...shown.map((text) => text.cloneNode(true)));
  main.querySelector(".fused").after(margin);
  // Whoever does not come to it has not seen it.
  const seen = new IntersectionObserver(([{ isIntersecting }]) => {
    if (!isIntersecting) return;
    seen.disconnect();
    count(shown.map(({ dataset }) => dataset.explains));
  });
  seen.observe(margin);
}

if (isOver()) explain();
