// The first page: Fuse leads to who could answer while nobody can, and whose key it is, is told as
// it is pasted. The server does both as well.

import { hasAnswers } from "console/compose/elsewhere";

const who = document.getElementById("who");
const key = document.getElementById("first-key");
const use = document.getElementById("first-key-use");

if (who) {
  const form = who.closest("form");
  // Before the form's own listener, which takes it for sent.
  addEventListener(
    "submit",
    (event) => {
      if (event.target !== form || key?.value || who.contains(event.submitter)) return;
      // Answers that are there already need nobody, nor does a template that is begun with.
      if (hasAnswers() || event.submitter?.name === "start") return;
      event.preventDefault();
      event.stopPropagation();
      const choose = document.getElementById("first-choose");
      choose.className = "small first-choose error";
      choose.setAttribute("role", "alert");
      (who.querySelector("input, button") ?? who).focus();
    },
    { capture: true },
  );
}

if (key) {
  const giver = document.getElementById("first-giver-name");
  const row = document.getElementById("first-giver");
  const told = document.getElementById("first-key-told");
  const before = told.textContent;
  const beginnings = [...giver.options].flatMap((option) =>
    (option.dataset.begins ?? "").split(" ").filter(Boolean).map((begin) => ({ begin, option })),
  );
  row.hidden = "fold" in row.dataset;

  key.addEventListener("input", () => {
    const text = key.value.trim();
    const best = beginnings
      .filter(({ begin }) => text.startsWith(begin))
      .toSorted((one, other) => other.begin.length - one.begin.length)
      .at(0);
    giver.value = best?.option.value ?? "";
    // A key is longer than its beginning: before that nothing is asked.
    row.hidden = Boolean(best) || text.length < 8;
    told.textContent = best ? `${best.option.text} key` : row.hidden ? (text ? "" : before) : "Whose key is it?";
  });
  // Enter in the key's field means the key, not the prompt.
  key.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    use.click();
  });
  use.addEventListener("click", () => {
    told.textContent = "Trying it…";
  });
}
