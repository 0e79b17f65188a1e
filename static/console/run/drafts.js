// What is written under a run stays until it is asked; what this run was asked is no draft.

import { ANSWERS, COMPOSE, followOf, keep, kept } from "console/draft";

const main = document.getElementById("run");

export function fillFollowUp() {
  const field = document.getElementById("follow-prompt");
  if (field) field.value ||= kept(followOf(location.pathname));
}

main.addEventListener("input", ({ target }) => {
  if (target.id === "follow-prompt") keep(followOf(location.pathname), target.value);
});

const before = main.querySelector("[data-before]");
const asked = (main.querySelector(".prompt-whole") ?? main.querySelector(".prompt")).textContent;
if (kept(COMPOSE).trim() === asked.trim()) keep(ANSWERS, "");
for (const draft of [COMPOSE, followOf(before?.dataset.before)]) {
  if (kept(draft).trim() === asked.trim()) keep(draft, "");
}
fillFollowUp();
