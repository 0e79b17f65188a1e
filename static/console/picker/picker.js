// Choosing a model: below a field that names one stands the list of what can be chosen, by the
// pattern of a combobox. The field stays a text field: what is typed is what is sent.

import { named as nameOf, howMany, putName, readModels, search } from "console/picker/models";
import { optionOf, putStar, star } from "console/picker/rows";

const MORE = 24; // rows are made as they are scrolled to
const PAGE = 8;
const panel = document.createElement("div");
panel.className = "picker";
panel.hidden = true;
panel.innerHTML = `
  <div class="picker-row picker-titles" aria-hidden="true">
    <span>Model</span><span>Key</span><span>$ in</span><span>$ out</span><span>Context</span><span>Takes</span>
  </div>
  <div class="picker-list" role="listbox" id="picker-list" aria-label="Models"></div>
  <div class="picker-foot" aria-hidden="true">
    <span class="picker-count"></span>
    <span>$ per million tokens · also image, tools, free, &lt;$1</span>
    <span class="picker-keys"><kbd>↑</kbd><kbd>↓</kbd> choose <kbd>↵</kbd> take <kbd>Alt ↵</kbd> star <kbd>Esc</kbd> leave it as it is</span>
  </div>`;
const list = panel.querySelector("[role=listbox]");
const count = panel.querySelector(".picker-count");
const told = document.createElement("p");
told.className = "visually-hidden";
told.setAttribute("role", "status");
document.body.append(told);

let field = null; // whose list stands open
let host = null; // over whose width
let before = ""; // what was in it when one came to it, chose last, or looked
let rows = []; // { line, way, isWay, isOpen }, of which the first ones are options
let active = -1;
let text = "";

// Where the key has a field of its own, the name stands alone, and `data-at` says whose it is.
const chosenIn = ({ value, dataset: { at } }) => (at && nameOf(`${at}:${value}`)) || nameOf(value);

// ---- open and closed ----

export function open(input, query = "") {
  if (!howMany()) return;
  if (field !== input) {
    close();
    field = input;
    if (!query) before = input.value;
    host = input.closest("[data-picker]") ?? input.form;
    if (panel.parentElement !== host) host.append(panel);
    put();
    show(query);
    // Where the window ends at the field, the list would be looked for in vain.
    panel.scrollIntoView({ block: "nearest" });
    return;
  }
  show(query);
}

export function close() {
  if (!field) return;
  field.setAttribute("aria-expanded", "false");
  field.removeAttribute("aria-activedescendant");
  panel.hidden = true;
  list.replaceChildren();
  told.textContent = "";
  field = null;
}

function show(query) {
  text = query.trim();
  const lines = search(text);
  const chosen = chosenIn(field);
  rows = lines.map((line) => ({ line, way: line.ways[0], isWay: false, isOpen: false }));
  const isSeen = rows.length > 0;
  panel.hidden = !isSeen;
  field.setAttribute("aria-expanded", String(isSeen));
  list.replaceChildren();
  list.scrollTop = 0;
  if (isSeen) fill(MORE);
  count.textContent = `${lines.length} of ${howMany()} models`;
  told.textContent = isSeen ? `${lines.length} models` : "No listed model is called that; it is asked for as it is typed.";
  // What is typed means the first of them; who only looks has the one that was chosen.
  go(text ? 0 : rows.findIndex(({ line }) => line === chosen?.line));
}

// Below its field, over the whole width of the form.
function put() {
  const { top } = host.getBoundingClientRect();
  panel.style.insetBlockStart = `${field.getBoundingClientRect().bottom - top - host.clientTop + 4}px`;
}
addEventListener("resize", () => field && put());

function fill(upTo) {
  const chosen = chosenIn(field)?.way;
  const from = list.children.length;
  const more = rows.slice(from, upTo).map((row, n) => optionOf(row, { at: from + n, of: rows.length, text, chosen }));
  list.append(...more);
}
list.addEventListener("scroll", () => {
  if (list.scrollTop + 2 * list.clientHeight > list.scrollHeight) fill(list.children.length + MORE);
});

// ---- the row that would be taken ----

function go(to) {
  list.children[active]?.setAttribute("aria-selected", "false");
  active = rows.length ? Math.min(to, rows.length - 1) : -1;
  if (active < 0) return field.removeAttribute("aria-activedescendant");
  if (active >= list.children.length) fill(active + MORE);
  const option = list.children[active];
  option.setAttribute("aria-selected", "true");
  field.setAttribute("aria-activedescendant", option.id);
  if (active) option.scrollIntoView({ block: "nearest" });
}

// The keys of a model that several reach, each a row below it.
function unfold(number) {
  const row = rows[number];
  if (row.isWay || row.isOpen || row.line.ways.length < 2) return false;
  row.isOpen = true;
  rows.splice(number + 1, 0, ...row.line.ways.map((way) => ({ line: row.line, way, isWay: true })));
  const shown = list.children.length;
  list.replaceChildren();
  fill(shown + row.line.ways.length);
  active = -1;
  go(number + 1);
  return true;
}

function take(number) {
  const input = field;
  const { way } = rows[number];
  close();
  putName(input, way.name);
  before = input.value;
}

// Which stand first is another matter when the list is opened anew: nothing moves under a finger.
function mark(number) {
  const { line } = rows[number];
  star(line, (words) => {
    told.textContent = words;
    for (const [n, row] of rows.entries()) if (row.line === line && list.children[n]) putStar(list.children[n], row);
  });
}

list.addEventListener("click", ({ target }) => {
  const option = target.closest("[role=option]");
  if (!option) return;
  const number = [...list.children].indexOf(option);
  if (target.closest(".picker-star")) return mark(number);
  if (!(target.closest(".picker-ways") && unfold(number))) take(number);
});
// The field keeps the focus.
panel.addEventListener("mousedown", (event) => event.preventDefault());

// ---- fields ----

const isField = (target) => target.matches?.("[data-model]");

export function prepare(input) {
  input.setAttribute("role", "combobox");
  input.setAttribute("aria-autocomplete", "list");
  input.setAttribute("aria-expanded", "false");
  input.setAttribute("aria-controls", list.id);
}

addEventListener("click", ({ target }) => {
  if (!isField(target)) return;
  if (field === target) return;
  target.select();
  open(target);
});
addEventListener("focusin", ({ target }) => {
  if (!isField(target)) return;
  before = target.value;
  if (!target.role) prepare(target);
});
addEventListener("focusout", ({ target }) => target === field && close());
addEventListener("input", (event) => {
  const { target, data, inputType } = event;
  if (!isField(target)) return;
  const isWhole = (data?.length ?? 0) > 1 || inputType === "insertFromPaste";
  // Who pastes a whole name has chosen.
  const isChosen = isWhole && (nameOf(target.value) || /[:/]/.test(target.value));
  if (isChosen) before = target.value;
  if (isChosen || !target.value) return close();
  open(target, target.value);
});

const ACTS = {
  ArrowDown: () => go(active + 1 < rows.length ? active + 1 : 0),
  ArrowUp: () => go(active > 0 ? active - 1 : rows.length - 1),
  PageDown: () => go(active + PAGE),
  PageUp: () => go(Math.max(0, active - PAGE)),
  Enter: () => (active < 0 ? close() : take(active)),
  Escape: () => {
    field.value = before;
    close();
  },
};

addEventListener("keydown", (event) => {
  const { target, key } = event;
  if (!isField(target) || event.isComposing || event.ctrlKey || event.metaKey || event.shiftKey) return;
  const isOpen = target === field && !panel.hidden;
  if (!isOpen) {
    if (key !== "ArrowDown" || !howMany()) return;
    event.preventDefault();
    return open(target);
  }
  const inwards = getComputedStyle(panel).direction === "rtl" ? "ArrowLeft" : "ArrowRight";
  const isAtEnd = target.selectionStart === target.value.length;
  if (key === inwards && isAtEnd && active >= 0 && unfold(active)) return event.preventDefault();
  if (event.altKey && key === "Enter" && active >= 0) {
    event.preventDefault();
    return mark(active);
  }
  if (event.altKey || !ACTS[key]) return;
  event.preventDefault();
  ACTS[key]();
});

document.body.addEventListener("htmx:afterSwap", ({ target }) => {
  if (target.id !== "models" || !readModels()) return;
  const { activeElement } = document;
  if (!isField(activeElement)) return;
  // Somebody waits for it, or had begun to type.
  if ("waits" in activeElement.dataset && !activeElement.value) open(activeElement, activeElement.dataset.query);
  else if (activeElement.value && !nameOf(activeElement.value)) open(activeElement, activeElement.value);
});
for (const input of document.querySelectorAll("[data-model]")) prepare(input);
// Who has come and begun to type before this was loaded.
if (isField(document.activeElement)) before = document.activeElement.defaultValue;
