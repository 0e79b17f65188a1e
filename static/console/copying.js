// Copies a text: as rich text and plain text together, so that headings, tables and bold arrive in
// a word processor, or as Markdown alone. Also where a browser gives pages no clipboard, as over
// plain http: through a field.

import { claimOf, cleaned, htmlOf, markdownOf } from "console/rich";

// ---- how: the last choice is remembered ----

const KEPT = "fusion.copy";
let how = { form: "rich", marks: false };
try {
  how = { ...how, ...JSON.parse(localStorage.getItem(KEPT)) };
} catch {
  // Nothing was chosen, or nothing may be stored.
}

export const chosen = () => how;

export function choose(change) {
  how = { ...how, ...change };
  try {
    localStorage.setItem(KEPT, JSON.stringify(how));
  } catch {
    // Not remembered where nothing may be stored.
  }
}

// ---- the clipboard ----

async function put({ plain, html }) {
  try {
    if (html) {
      const kinds = { "text/plain": plain, "text/html": html };
      const parts = Object.entries(kinds).map(([type, text]) => [type, new Blob([text], { type })]);
      await navigator.clipboard.write([new ClipboardItem(Object.fromEntries(parts))]);
    } else {
      await navigator.clipboard.writeText(plain);
    }
    return true;
  } catch {
    return putThroughField({ plain, html });
  }
}

function putThroughField({ plain, html }) {
  const focused = document.activeElement;
  const field = document.createElement("textarea");
  field.value = plain;
  field.readOnly = true;
  field.className = "visually-hidden";
  document.body.append(field);
  field.select();
  const fill = (event) => {
    event.preventDefault();
    event.clipboardData.setData("text/plain", plain);
    if (html) event.clipboardData.setData("text/html", html);
  };
  document.addEventListener("copy", fill);
  let copied = false;
  try {
    copied = document.execCommand("copy");
  } catch {
    // Then it is said that nothing was copied.
  }
  document.removeEventListener("copy", fill);
  field.remove();
  focused?.focus({ preventScroll: true });
  return copied;
}

// ---- what a button copies ----

// An element that `data-copy` names, whose text a page may show as it is read; else the code, the
// table or the claim that it stands with. `shown` is what is marked for whoever copies by hand.
function contentOf(button, { marks }) {
  const id = button.dataset.copy;
  if (!id) return partOf(button.closest(".code, .tabled, .claim"), { marks });
  const source = document.getElementById(id);
  const marked = marks ? document.getElementById(button.dataset.copyMarked ?? "") : null;
  const plain = (marked ?? source).value ?? (marked ?? source).textContent;
  if (source.select || !source.hidden) return { plain, html: "", shown: source };
  const shown = document.querySelector(`[data-text="${id.replace(/-source$/, "")}"]`)
    ?? button.closest(".fusion")?.querySelector(".reading");
  return { plain, html: shown ? htmlOf(cleaned(shown, { marks })) : "", shown };
}

function partOf(holder, { marks }) {
  const pre = holder.querySelector("pre");
  if (pre) {
    const shown = pre.querySelector("code") ?? pre;
    return { plain: shown.textContent, html: htmlOf(cleaned(holder)), shown };
  }
  const part = holder.matches(".claim") ? claimOf(holder) : holder;
  return { plain: markdownOf(part, { marks }), html: htmlOf(cleaned(part, { marks })), shown: holder };
}

function mark(shown) {
  if (shown?.select) shown.select();
  else if (shown instanceof Range) {
    getSelection().removeAllRanges();
    getSelection().addRange(shown);
  } else if (shown) getSelection().selectAllChildren(shown);
  return Boolean(shown);
}

export const copy = (button) => copyContent(button, contentOf(button, how));

// `content`: `plain`, and `html` where there is some, which goes along but with who wants Markdown.
export async function copyContent(button, { plain, html = "", shown = null }) {
  const content = { plain, html: how.form === "markdown" ? "" : html, shown };
  if (await put(content)) {
    say(button, "Copied");
    return;
  }
  const isMarked = mark(content.shown);
  say(button, isMarked ? "Press Ctrl C" : "Not copied");
  tell(isMarked
    ? "This browser lets no page copy here. The text is selected: press Ctrl C, or ⌘ C."
    : `This browser lets no page copy here. This was to be copied: ${content.plain}`);
}

// Only the word changes: what else a button says is for whoever does not see where it stands.
function say(button, word) {
  const label = button.firstChild;
  button.dataset.label ??= label.data;
  label.data = word;
  setTimeout(() => (label.data = button.dataset.label), 2000);
}

function tell(sentence) {
  document.querySelector(".copy-told")?.remove();
  const note = document.createElement("p");
  note.className = "copy-told notice notice-warn";
  note.setAttribute("role", "status");
  document.body.append(note);
  note.textContent = sentence;
  setTimeout(() => note.remove(), 8000);
}

addEventListener("click", ({ target }) => {
  const button = target.closest?.("[data-copy], .copy");
  if (button) copy(button);
});
