// Keys of a page: letters, digits and signs that act without a modifier. What stands on the page
// with a key (`data-key`) is pressed by it; what else they do, a page's own modules say. They can be
// switched off, and none acts where somebody writes, composes a sign or has a dialog before them.

const dialog = document.getElementById("keys");
const on = document.getElementById("keys-on");
const KEPT = "fusion.keys";
const WRITTEN_IN =
  "textarea, select, [contenteditable]:not([contenteditable=false]), input:not([type=radio], [type=checkbox], [type=button], [type=submit])";
// What lies before the page: its keys are its own.
const BEFORE = "dialog[open], :popover-open";
const APPLE = /Mac|iPhone|iPad/.test(navigator.platform);

const acts = new Map();

// `repeats`: held down, it goes on.
export function act(key, what, { repeats = false } = {}) {
  acts.set(key, { what, repeats });
}

// ---- which key was meant: by the sign that it wrote, on any keyboard ----

function meant(event) {
  const { key } = event;
  if (event.isComposing || key === "Process" || key === "Dead" || event.metaKey) return "";
  const isSign = /^[^\p{L}\p{N}]$/u.test(key);
  // Some keyboards write brackets and the slash by AltGr (Windows says Ctrl and Alt), or by Option.
  const isWriting = isSign && (event.getModifierState("AltGraph") || (APPLE && event.altKey));
  if ((event.ctrlKey || event.altKey) && !isWriting) return "";
  // Others write digits and signs by Shift.
  if (event.shiftKey && /^\p{L}+$/u.test(key)) return "";
  return key.toLowerCase();
}

// ---- switched on or off, in this browser ----

function isOn() {
  try {
    return localStorage.getItem(KEPT) !== "off";
  } catch {
    return on.checked;
  }
}

on.addEventListener("change", () => {
  try {
    localStorage.setItem(KEPT, on.checked ? "on" : "off");
  } catch {
    // Not remembered where nothing may be stored.
  }
});

// ---- the list of them ----

function showKeys() {
  on.checked = isOn();
  dialog.showModal();
}
act("?", showKeys);
dialog.querySelector("button").addEventListener("click", () => dialog.close());
addEventListener("click", ({ target }) => {
  const button = target.closest?.("[data-keys]");
  if (!button) return;
  // From a menu: that closes, and has the focus again afterwards.
  const menu = button.closest("details.menu");
  if (menu) {
    menu.open = false;
    menu.querySelector("summary").focus();
  }
  showKeys();
});

// ---- pressed ----

const marked = (key) => document.querySelector(`[data-key="${CSS.escape(key)}"]`);

addEventListener("keydown", (event) => {
  const { target } = event;
  if (event.defaultPrevented || !target.closest || target.closest(WRITTEN_IN)) return;
  if (document.querySelector(BEFORE) || target.closest("details.menu[open]")) return;
  const key = meant(event);
  if (!key) return;
  const { what, repeats } = acts.get(key) ?? { what: marked(key) && (() => marked(key).click()) };
  // Back leads back whatever is switched off.
  if (!what || (key !== "escape" && !isOn()) || (event.repeat && !repeats)) return;
  if (key !== "escape") event.preventDefault();
  what();
});
