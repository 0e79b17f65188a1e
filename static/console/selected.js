// Beside words that somebody has selected in a text stands what can be done with them. It lies over
// the page and moves nothing. Tab leads to it, Esc away from it; for a finger it stands at the
// lower edge, out of the way of the browser's own.

import { copyContent } from "console/copying";
import { cleaned, htmlOf } from "console/rich";

const main = document.querySelector("main");
const menu = document.createElement("div");
const [ask, copy] = ["Ask about this", "Copy with source"].map(button);
menu.id = menu.className = "selected";
menu.popover = "manual";
menu.setAttribute("role", "toolbar");
menu.setAttribute("aria-label", "Selected words");
copy.setAttribute("aria-live", "polite");
menu.append(ask, copy);
main.append(menu);
const FIELDS = "input:not([type=radio], [type=checkbox]), textarea, select, [contenteditable]";
const FINGER = matchMedia("(pointer: coarse)");
const REST = 150; // ms: a selection that grows is not followed word by word

let page = null; // what a page says of its texts, see `offer`
let chosen = null; // { range, holder, part }
let isPressed = false;
let waiting = 0;
let before = null; // what had the focus

function button(says) {
  const made = document.createElement("button");
  made.type = "button";
  made.className = "button-quiet";
  made.textContent = says;
  return made;
}

// `texts` are whose words can be selected, `rooms` what they scroll in. `partOf` an element says
// `{ id, who }`, `addressOf` a part what leads to it.
export function offer(said) {
  page = said;
}

export const quotation = (who, words) =>
  `${who}:\n${words.split("\n").map((line) => `> ${line}`.trimEnd()).join("\n")}\n\n`;

const isOpen = () => menu.matches(":popover-open");
const elementOf = (node) => (node.nodeType === Node.ELEMENT_NODE ? node : node.parentElement);

// ---- what is selected ----

// Within one text: whose words they are is known. A paragraph that was selected as a whole ends
// where the next one begins, which may be another's.
function within(selected, holder) {
  const range = selected.cloneRange();
  if (holder.contains(range.endContainer)) return range;
  const beyond = range.cloneRange();
  beyond.setStartAfter(holder);
  if (range.endOffset !== 0 || beyond.toString().trim()) return null;
  range.setEnd(holder, holder.childNodes.length);
  return range;
}

function selection() {
  const selected = getSelection();
  if (selected.isCollapsed || !selected.rangeCount || document.activeElement?.matches(FIELDS)) return null;
  const whole = selected.getRangeAt(0);
  const start = elementOf(whole.startContainer);
  const holder = start.closest(page.texts);
  const range = holder && main.contains(holder) ? within(whole, holder) : null;
  if (!range || !range.toString().trim()) return null;
  const end = elementOf(range.endContainer);
  const [one, other] = [page.partOf(start), page.partOf(end)];
  const part = one?.id === other?.id && one?.who === other?.who ? one : page.partOf(holder);
  return part && { range, holder, part };
}

// ---- its words ----

// As they are read: a formula is its LaTeX, marks of source are none of them.
function contents({ range }) {
  const whole = range.cloneRange();
  const [first, last] = [whole.startContainer, whole.endContainer].map((node) => elementOf(node).closest("math"));
  if (first) whole.setStartBefore(first);
  if (last) whole.setEndAfter(last);
  return cleaned(whole.cloneContents(), { marks: false });
}

function wordsOf(one) {
  if (elementOf(one.range.commonAncestorContainer).closest("pre")) return one.range.toString().replace(/^\n+|\s+$/g, "");
  const shown = document.body.appendChild(contents(one));
  shown.className = "visually-hidden";
  shown.setAttribute("aria-hidden", "true");
  const words = shown.innerText;
  shown.remove();
  return words.replace(/[^\S\n]+\n/g, "\n").replace(/\n{3,}/g, "\n\n").trim();
}

function withSource(one) {
  const { title } = main.dataset;
  const address = page.addressOf(one.part);
  const html = contents(one);
  const source = html.appendChild(document.createElement("p"));
  const link = document.createElement("a");
  link.href = address;
  link.append(title);
  source.append(`— ${one.part.who}, `, link);
  return { plain: `${wordsOf(one)}\n\n— ${one.part.who}, “${title}”, ${address}\n`, html: htmlOf(html) };
}

// ---- where it stands ----

function place() {
  if (!chosen) return;
  const lines = [...chosen.range.getClientRects()].filter((line) => line.width);
  const room = chosen.holder.closest(page.rooms).getBoundingClientRect();
  const [top, bottom] = [Math.max(room.top, 0), Math.min(room.bottom, innerHeight)];
  const seen = lines.filter((line) => line.bottom > top && line.top < bottom);
  menu.classList.toggle("is-away", !seen.length);
  if (!seen.length || FINGER.matches) {
    for (const side of ["left", "right", "top"]) menu.style.removeProperty(side);
    return;
  }
  const [first, last] = [seen[0], seen.at(-1)];
  const below = last.bottom + 6;
  const fits = below + menu.offsetHeight <= innerHeight - 8;
  // By the side that is nearer, so that it stays in the window when its letters come late.
  const [half, wide] = [menu.offsetWidth / 2, document.documentElement.clientWidth];
  const isLeft = last.right < wide / 2;
  menu.style.left = isLeft ? `${Math.max(8, last.right - half)}px` : "auto";
  menu.style.right = isLeft ? "auto" : `${Math.max(8, wide - last.right - half)}px`;
  menu.style.top = `${Math.max(8, fits ? below : first.top - menu.offsetHeight - 6)}px`;
}

function update() {
  clearTimeout(waiting);
  if (!page || isPressed || menu.contains(document.activeElement)) return;
  chosen = selection();
  if (!chosen) {
    close();
    return;
  }
  ask.hidden = !page.canAsk();
  if (!isOpen()) menu.showPopover();
  place();
}

function close() {
  if (isOpen()) menu.hidePopover();
  if (menu.contains(document.activeElement)) leave();
}

function leave() {
  (before?.isConnected ? before : main).focus({ preventScroll: true });
}

document.addEventListener("selectionchange", () => {
  clearTimeout(waiting);
  if (getSelection().isCollapsed) update();
  else waiting = setTimeout(update, REST);
});
addEventListener("pointerdown", ({ target }) => {
  isPressed = !menu.contains(target);
});
for (const type of ["pointerup", "pointercancel"]) {
  addEventListener(type, () => {
    isPressed = false;
    waiting = setTimeout(update, 0);
  });
}
addEventListener("scroll", place, { capture: true, passive: true });
addEventListener("resize", place);
// It is as wide as its words in the page's letters, which may come later than they.
new ResizeObserver(place).observe(menu);
// Pressing what can be done with words takes none of them away.
menu.addEventListener("mousedown", (event) => event.preventDefault());

// ---- by the keyboard ----

addEventListener("keydown", (event) => {
  if (!isOpen() || event.ctrlKey || event.metaKey || event.altKey) return;
  const stops = [ask, copy].filter((stop) => !stop.hidden);
  const at = stops.indexOf(document.activeElement);
  if (event.key === "Escape") {
    if (at >= 0) leave();
    chosen = null;
    menu.hidePopover();
  } else if (event.key === "Tab" && at < 0 && !event.shiftKey) {
    before = document.activeElement;
    stops[0].focus();
  } else if (at >= 0 && ["ArrowLeft", "ArrowRight"].includes(event.key)) {
    stops[(at + 1) % stops.length].focus();
  } else if (event.key === "Tab" && at >= 0) {
    const next = stops[at + (event.shiftKey ? -1 : 1)];
    if (next) next.focus();
    else leave();
  } else return;
  event.preventDefault();
  event.stopPropagation();
}, { capture: true });

// ---- what is done ----

ask.addEventListener("click", () => {
  const one = chosen;
  const words = wordsOf(one);
  chosen = null;
  menu.hidePopover();
  page.askAbout({ who: one.part.who, words });
});
copy.addEventListener("click", async () => {
  const selected = getSelection().getRangeAt(0).cloneRange();
  await copyContent(copy, { ...withSource(chosen), shown: selected });
  // Where it went through a field, that has taken the selection.
  getSelection().removeAllRanges();
  getSelection().addRange(selected);
});
