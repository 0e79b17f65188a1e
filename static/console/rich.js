// What the page shows of a text, as other programs take it: HTML that has only what a word
// processor knows, and Markdown of a part that nobody has written as such. A formula is its LaTeX.

const TAGS = new Set([
  "A", "BLOCKQUOTE", "BR", "CODE", "EM", "H1", "H2", "H3", "H4", "H5", "H6", "HR", "LI", "OL", "P", "PRE",
  "S", "STRONG", "SUB", "SUP", "TABLE", "TBODY", "TD", "TH", "THEAD", "TR", "UL",
]);
const KEPT = { A: ["href"], OL: ["start"], TD: ["align"], TH: ["align"] };
// What belongs to the page and not to the text.
const OURS = "[hidden], .visually-hidden, .copy, .copy-pair, .uses, button, input, textarea, form, nav";

// ---- HTML ----

// `marks`: with the marks that say whose a sentence is; `formula` makes text of LaTeX.
export function cleaned(root, { marks = true, formula = (latex) => latex } = {}) {
  const bare = document.createElement("div");
  append(root, bare, { marks, formula });
  for (const ruled of bare.querySelectorAll("table")) ruled.border = "1";
  return bare;
}

function append(from, to, how) {
  for (const node of from.childNodes) {
    if (node.nodeType === Node.TEXT_NODE) appendText(node.data, to);
    else if (node.matches?.(".host")) trimEnd(to.lastChild);
    else if (node.nodeType === Node.ELEMENT_NODE && !node.matches(OURS)) appendElement(node, to, how);
  }
}

// The host that a link leads to stands in the page only, and so does the space before it.
function trimEnd(text) {
  if (text?.data) text.data = text.data.trimEnd();
}

function appendElement(node, to, how) {
  if (node.matches(".source")) {
    if (how.marks) to.append(`[${node.textContent.trim()}]`);
  } else if (node.matches("math")) {
    appendFormula(node, to, how);
  } else if (TAGS.has(node.tagName)) {
    const kept = document.createElement(node.tagName);
    for (const name of KEPT[node.tagName] ?? []) {
      if (node.hasAttribute(name)) kept.setAttribute(name, node.getAttribute(name));
    }
    if (node.dir === "rtl") kept.dir = "rtl";
    to.append(kept);
    append(node, kept, how);
  } else {
    append(node, to, how);
  }
}

function appendFormula(math, to, { formula }) {
  const latex = math.querySelector("annotation")?.textContent ?? math.textContent;
  const isBlock = math.getAttribute("display") === "block";
  const text = formula(latex, isBlock);
  // Within a paragraph there is no other.
  if (!isBlock || to.closest("p, td, th")) to.append(text);
  else to.appendChild(document.createElement("p")).append(text);
}

// A single end of line within a paragraph is one by the page's style only.
function appendText(raw, to) {
  const text = to.lastChild?.nodeName === "BR" ? raw.replace(/^\n/, "") : raw;
  if (!to.closest("p")) {
    to.append(text);
    return;
  }
  const lines = text.split("\n");
  lines.forEach((line, n) => {
    if (n) to.append(document.createElement("br"));
    to.append(line);
  });
}

// ---- a claim of the map: what it says, who says it, and their words ----

export function claimOf(row) {
  const claim = document.createElement("div");
  const said = claim.appendChild(document.createElement("p"));
  said.appendChild(document.createElement("strong")).append(row.querySelector(".claim-says th").textContent.trim());
  const who = [...row.querySelectorAll('.mark[data-mark="says so"]')];
  const lists = [...row.querySelectorAll(".stances, .claim-quotes > .evidence")];
  if (who.length && !row.querySelector(".stances")) {
    said.append(` (${who.map((mark) => mark.textContent.trim()[0]).join(", ")})`);
  }
  for (const list of lists) claim.append(list.cloneNode(true));
  for (const beside of claim.querySelectorAll(".standing, .figure, .ruling-choice, .visually-hidden, .copy-pair")) beside.remove();
  for (const chip of claim.querySelectorAll(".chip")) {
    chip.replaceWith(chip.textContent.trim(), chip.nextElementSibling?.matches(".chip") ? ", " : ": ");
  }
  for (const quote of claim.querySelectorAll(".quote")) quote.replaceWith(`“${quote.textContent.trim()}”`);
  for (const lost of claim.querySelectorAll(".quote-lost")) lost.replaceWith(`(${lost.textContent.trim()})`);
  return claim;
}

export const htmlOf = (bare) => `<meta charset="utf-8">${bare.innerHTML}`;

// ---- Markdown, of a table and of a claim ----

const AROUND = { STRONG: "**", EM: "*", S: "~~", CODE: "`" };

export function markdownOf(root, { marks }) {
  const bare = cleaned(root, { marks, formula: (latex, isBlock) => (isBlock ? `$$ ${latex} $$` : `\\( ${latex} \\)`) });
  return `${blocks(bare).trim()}\n`;
}

function blocks(node) {
  return [...node.childNodes].map(block).join("").replace(/\n{3,}/g, "\n\n");
}

function block(node) {
  switch (node.nodeName) {
    case "TABLE": return `${table(node)}\n\n`;
    case "P": return `${inline(node)}\n\n`;
    case "UL": case "OL": return `${[...node.children].map(item).join("\n")}\n\n`;
    default: return inlineNode(node);
  }
}

function item(li) {
  const lines = blocks(li).split("\n").map((line) => line.trimEnd().replace(/(\S) +/g, "$1 ")).filter(Boolean);
  return lines.map((line, n) => (n ? `  ${line}` : `- ${line.trimStart()}`)).join("\n");
}

const inline = (node) => [...node.childNodes].map(inlineNode).join("").trim();

function inlineNode(node) {
  if (node.nodeType === Node.TEXT_NODE) return node.data.replace(/\s+/g, " ");
  if (node.nodeName === "BR") return "\n";
  const text = [...node.childNodes].map(inlineNode).join("");
  if (node.nodeName === "A") return `[${text}](${node.getAttribute("href")})`;
  const sign = text.trim() ? (AROUND[node.nodeName] ?? "") : "";
  return sign + text + sign;
}

function table(node) {
  const rows = [...node.rows].map((row) => [...row.cells].map(cell));
  const aligned = [...(node.rows[0]?.cells ?? [])].map((head) => ({ right: "---:", center: ":---:" })[head.align] ?? "---");
  return [rows[0], aligned, ...rows.slice(1)].map((row) => `| ${row.join(" | ")} |`).join("\n");
}

const cell = (td) => inline(td).replace(/\|/g, "\\|").replace(/\s*\n\s*/g, "<br>");
