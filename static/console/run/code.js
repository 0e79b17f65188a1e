// Every block of code, every table and every claim gets a button that copies it.

const main = document.getElementById("run");
const PARTS = ".reading pre, .reading table, .map .claim";

function offerCopy(part) {
  if (part.matches(".claim")) {
    // Where it has been opened: closed, a map of thirty claims is no row of buttons.
    const opened = part.querySelector(".claim-quotes") ?? part.querySelector(".stances")?.parentElement;
    const name = part.querySelector(".stances") ? "Copy contradiction" : "Copy claim";
    if (opened && !part.querySelector(".copy")) opened.append(pair(name));
    return;
  }
  const holder = part.matches("pre") ? "code" : "tabled";
  if (part.parentElement.matches(`.${holder}`)) return;
  const block = document.createElement("div");
  block.className = holder;
  part.replaceWith(block);
  if (holder === "code") block.append(button(), part);
  else block.append(part, button("Copy table"));
}

function button(name = "Copy") {
  const made = document.createElement("button");
  made.type = "button";
  made.className = "button-small button-quiet copy";
  made.textContent = name;
  made.setAttribute("aria-live", "polite");
  return made;
}

// As an answer's: with the menu of what else may be copied.
function pair(name) {
  const made = document.createElement("span");
  made.className = "copy-pair";
  const arrow = document.createElement("button");
  arrow.type = "button";
  arrow.className = "button-small button-quiet copy-as";
  arrow.dataset.copyAs = "";
  arrow.setAttribute("aria-haspopup", "dialog");
  arrow.setAttribute("aria-label", "Copy the claim otherwise, or a link to it");
  arrow.textContent = "▾";
  made.append(button(name), arrow);
  return made;
}

function offerIn(root) {
  if (root.matches(PARTS)) offerCopy(root);
  for (const part of root.querySelectorAll(PARTS)) offerCopy(part);
}

// What is nothing but words: most of what comes.
const WORDS = new Set(["P", "H1", "H2", "H3", "H4", "H5", "H6", "HR", "SPAN"]);

// Blocks come while a run goes on, and the open one is replaced with every step.
new MutationObserver((changes) => {
  for (const { addedNodes } of changes) {
    for (const node of addedNodes) {
      if (node.nodeType === Node.ELEMENT_NODE && !WORDS.has(node.tagName)) offerIn(node);
    }
  }
}).observe(main, { childList: true, subtree: true });

offerIn(main);
