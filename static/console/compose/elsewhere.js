// Answers from elsewhere: as many rows as are needed, a file's text in its field, and all of it kept
// until its run is read. Without this every row is there, and files are sent as they are.

import { ANSWERS, keep, kept } from "console/draft";

const form = document.querySelector("form.compose");
const fold = document.getElementById("elsewhere");
const rows = [...fold.querySelectorAll(".answer-row")];
const add = fold.querySelector("[data-add-answer]");
const least = fold.classList.contains("elsewhere-first") ? 2 : 1;
const WRITTEN = ["answer-name", "answer-model", "answer-text"];

const fields = (row) => WRITTEN.map((name) => row.querySelector(`[name="${name}"]`));
const values = (row) => fields(row).map((field) => field.value);
const isUsed = (row) => values(row).some((value) => value.trim());
const lastUsed = () => rows.findLastIndex(isUsed) + 1;

export const hasAnswers = () => rows.some((row) => fields(row)[2].value.trim());

let shown = 0;
function show() {
  shown = Math.max(shown, least, lastUsed());
  rows.forEach((row, index) => {
    row.hidden = index >= shown;
    row.querySelector("[data-remove-answer]").hidden = shown === least && !isUsed(row);
  });
  add.hidden = shown === rows.length;
}

function tell(row, sentence) {
  const error = row.querySelector(".error");
  error.textContent = sentence;
  error.hidden = !sentence;
}

// ---- kept ----
function keepAll() {
  keep(ANSWERS, rows.some(isUsed) ? JSON.stringify(rows.map(values)) : "");
}
if (!rows.some(isUsed) && kept(ANSWERS)) {
  JSON.parse(kept(ANSWERS)).forEach((row, index) => fields(rows[index]).forEach((field, n) => (field.value = row[n])));
  fold.open = true;
}
fold.addEventListener("input", ({ target }) => {
  if (target.type === "file") return;
  keepAll();
  show();
});

// ---- files ----
const REFUSED = "is no Markdown or plain text file in UTF-8, no PDF and no Word document: paste its text.";

// A document is read by the server, since it is no text.
async function textOf(file) {
  const bytes = await file.arrayBuffer();
  const begins = new TextDecoder("latin1").decode(bytes.slice(0, 5));
  if (begins.startsWith("%PDF-") || begins.startsWith("PK")) {
    const body = new FormData();
    body.append("csrfmiddlewaretoken", form.elements.csrfmiddlewaretoken.value);
    body.append("files", file, file.name);
    const response = await fetch(fold.dataset.text, { method: "POST", body });
    if (response.status !== 200 || response.redirected) return { error: `The file “${file.name}” could not be read. Try again.` };
    return response.json();
  }
  const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  if (/^\{\\rtf|\0/.test(text)) throw new TypeError("binary");
  return { text };
}

fold.addEventListener("change", async ({ target }) => {
  const [file] = target.type === "file" ? target.files : [];
  if (!file) return;
  const row = target.closest(".answer-row");
  const [name, , text] = fields(row);
  const most = Number(fold.dataset.most);
  tell(row, "");
  if (file.size > most * 4) {
    tell(row, `The file “${file.name}” has ${(file.size / 1e6).toFixed(1)} MB; at most ${((most * 4) / 1e6).toFixed(1)} MB are read.`);
  } else {
    try {
      const read = await textOf(file);
      if (read.error) tell(row, read.error);
      else {
        text.value = read.text;
        name.value ||= file.name.replace(/\.[^.]*$/, "").slice(0, 60);
      }
    } catch {
      tell(row, `The file “${file.name}” ${REFUSED}`);
    }
  }
  target.value = ""; // its text is in the field, or it is not to be sent
  keepAll();
  show();
});

// ---- rows ----
add.addEventListener("click", () => {
  shown += 1;
  show();
  fields(rows[shown - 1])[0].focus();
});
rows.forEach((row, index) =>
  row.querySelector("[data-remove-answer]").addEventListener("click", () => {
    for (let i = index; i < rows.length; i += 1) {
      const below = rows[i + 1] ? values(rows[i + 1]) : ["", "", ""];
      fields(rows[i]).forEach((field, n) => (field.value = below[n]));
      tell(rows[i], rows[i + 1]?.querySelector(".error").textContent ?? "");
    }
    shown = Math.max(least, shown - 1);
    rows.forEach((one, i) => (one.hidden = i >= shown));
    keepAll();
    show();
    fields(rows[Math.min(index, shown - 1)])[0].focus();
  }),
);
show();

// What was said to be wrong with a field is not, once it is written anew.
form.addEventListener("input", ({ target }) => target.closest(".answer-row") && target.removeAttribute("aria-invalid"));
