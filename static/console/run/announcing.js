// One region tells whoever listens what has come: an answer, the analysis, the fused answer, the end.
// Not each word: that is read where it stands.

const main = document.getElementById("run");
const region = document.createElement("p");
region.id = "run-told";
region.className = "visually-hidden";
region.setAttribute("role", "status");
main.prepend(region);
const seats = [...main.querySelectorAll(".seats > .seat")];
const OF_A_SEAT = { done: "is there", failed: "failed", stopped: "was stopped" };

export function announce(sentence) {
  region.textContent = sentence;
}

function states() {
  const fused = main.querySelector(".fused-state")?.dataset.state;
  const known = new Map();
  for (const seat of seats) {
    const state = OF_A_SEAT[seat.querySelector(".seat-state")?.dataset.state];
    known.set(seat.id, state && `Answer of ${seat.querySelector(".chip").textContent} ${state}.`);
  }
  const analysis = main.querySelector("#analysis > .card-head")?.dataset.state;
  known.set("analysis", { done: "The analysis is there.", failed: "The analysis failed." }[analysis]);
  const isFused = fused === "done" || main.dataset.newer === "done";
  known.set("fused", isFused ? "The fused answer is ready." : fused === "failed" && "The fused answer failed.");
  const ends = { failed: "The run failed.", cancelled: "The run was stopped.", completed: !isFused && "The run has ended." };
  known.set("run", ends[main.dataset.status]);
  return known;
}

let known = states();

function tell() {
  const now = states();
  const sentences = [...now].filter(([what, sentence]) => sentence && known.get(what) !== sentence);
  known = now;
  if (sentences.length) announce(sentences.map(([, sentence]) => sentence).join(" "));
}

// One for all of them, so that what came together is told together.
const changes = new MutationObserver(tell);
for (const seat of seats) changes.observe(document.getElementById(`${seat.id}-head`), { childList: true });
for (const id of ["fused-head", "analysis"]) changes.observe(document.getElementById(id), { childList: true });
changes.observe(main, { attributeFilter: ["data-status", "data-newer"] });
