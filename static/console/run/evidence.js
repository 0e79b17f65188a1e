// Quotes lead to their place in the answer; marks in the fused answer lead to
// the seat's column, and can be hidden. Without this both can still be read.

const main = document.getElementById("run");
const KEPT = "fusion.sources";

// ---- a quote in its answer ----

// Only letters and digits are compared: marks of Markdown and white space are
// not what the page shows. What a link leads to is not part of the text either.
const folded = (text) => text.normalize("NFKD").replace(/[^\p{L}\p{N}\p{So}]/gu, "");

function words(raw) {
  return folded(raw.replace(/\[([^\]]*)\]\([^)]*\)/g, "$1").replace(/^[ \t]*\d{1,9}[.)][ \t]/gm, ""));
}

function find(root, raw) {
  const needle = words(raw);
  if (!needle) return null;
  const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
  const places = [];
  let text = "";
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    if (node.parentElement.closest(".host, .copy")) continue;
    const formula = node.parentElement.closest("math");
    if (formula) {
      // Quoted is its source, which goes along with it; what is shown is all of it or nothing.
      if (!node.parentElement.matches("annotation")) continue;
      const letters = folded(node.data);
      for (let i = 0; i < letters.length; i += 1) places.push([formula]);
      text += letters;
      continue;
    }
    let at = 0;
    for (const character of node.data) {
      const letters = folded(character);
      for (let i = 0; i < letters.length; i += 1) places.push([node, at, at + character.length]);
      text += letters;
      at += character.length;
    }
  }
  const start = text.indexOf(needle);
  if (start < 0) return null;
  const [first, last] = [places[start], places[start + needle.length - 1]];
  const range = new Range();
  if (first.length > 1) range.setStart(first[0], first[1]);
  else range.setStartBefore(first[0]);
  if (last.length > 1) range.setEnd(last[0], last[2]);
  else range.setEndAfter(last[0]);
  return range;
}

function show(range) {
  if (window.Highlight && CSS.highlights) {
    CSS.highlights.set("evidence", new Highlight(range));
  } else {
    getSelection().removeAllRanges();
    getSelection().addRange(range);
  }
}

// ---- a seat's column ----

function openSeat(id) {
  main.querySelector(`.seat-tabs [aria-controls="${id}"]`)?.click();
  const seat = document.getElementById(id);
  const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
  seat?.scrollIntoView({ block: "nearest", behavior: still ? "auto" : "smooth" });
  const body = seat?.querySelector(".seat-body");
  body?.focus({ preventScroll: true });
  return body;
}

function openQuote(link) {
  const body = openSeat(link.hash.slice(1));
  const range = body && find(body.querySelector(".reading"), link.dataset.find);
  if (!range) return;
  show(range);
  chosen = link;
  body.scrollTop += range.getBoundingClientRect().top - body.getBoundingClientRect().top - body.clientHeight / 3;
}

// Passing over a quote lights it where it stands; nothing moves. A click leads there.
let chosen = null;

function light(link) {
  const answer = document.querySelector(`${link.hash} .reading`);
  const range = answer && find(answer, link.dataset.find);
  if (range) show(range);
}

if (window.Highlight && CSS.highlights) {
  main.addEventListener("pointerover", ({ target }) => {
    const link = target.closest("a.quote[data-find]");
    if (link) light(link);
  });
  main.addEventListener("pointerout", ({ target }) => {
    if (!target.closest("a.quote[data-find]")) return;
    CSS.highlights.delete("evidence");
    if (chosen?.isConnected) light(chosen);
  });
}

main.addEventListener("click", (event) => {
  const link = event.target.closest("a.quote[data-find]");
  if (link) {
    event.preventDefault();
    openQuote(link);
  }
  const source = event.target.closest(".source[data-seat]");
  if (source) openSeat(`seat-${source.dataset.seat}`);
  if (event.target.closest("[data-sources-toggle]")) toggle();
});

main.addEventListener("keydown", (event) => {
  const source = event.key === "Enter" && event.target.closest?.(".source[data-seat]");
  if (source) openSeat(`seat-${source.dataset.seat}`);
});

// ---- marks shown or hidden ----

function toggle() {
  const off = main.dataset.sources !== "off";
  main.dataset.sources = off ? "off" : "on";
  try {
    localStorage.setItem(KEPT, main.dataset.sources);
  } catch {
    // Not remembered where nothing may be stored.
  }
  dress();
}

// Parts of the page are replaced while a run goes on.
function dress() {
  const sources = main.querySelectorAll(".fused .source");
  for (const source of main.querySelectorAll(":is(.fused, .fusion) .source[data-seat]:not([role])")) {
    source.setAttribute("role", "link");
    source.tabIndex = 0;
    source.setAttribute("aria-label", `Answer ${source.textContent}`);
  }
  for (const button of main.querySelectorAll("[data-sources-toggle]")) {
    const pressed = String(main.dataset.sources !== "off");
    if (button.hidden !== !sources.length) button.hidden = !sources.length;
    if (button.getAttribute("aria-pressed") !== pressed) button.setAttribute("aria-pressed", pressed);
  }
}

try {
  main.dataset.sources = localStorage.getItem(KEPT) ?? "on";
} catch {
  main.dataset.sources = "on";
}
new MutationObserver(dress).observe(main.querySelector(".fused"), { childList: true, subtree: true });
dress();
