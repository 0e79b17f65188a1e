// The models that can be chosen, as `?models` has listed them, and the search in them: over name,
// author, maker and key, what they take, and what they cost.

const SIGNS = /[\s\-._/:]+/g;
const WAY = ["name", "whole", "key", "input", "output", "context"];
const AT_MOST = /^<\$?(\d+(?:\.\d+)?)$/;
let lines = [];
let at = new Map();

// What calls here have shown: tokens a second, of how many calls, how many of them failed.
const seenOf = (told) => (told ? { speed: told[0], calls: told[1], failed: told[2] } : null);

const wayOf = (told) => Object.fromEntries(WAY.map((name, n) => [name, told[n]]));

function lineOf({ title, maker = "", takes = [], tools, reasons, ends = "", new: isNew, ways: told }) {
  const ways = told.map(wayOf);
  const does = [...takes, ...(tools ? ["tools"] : []), ...(reasons ? ["reasoning"] : [])];
  const isFree = ways.some(({ input, output }) => input === 0 && output === 0);
  const words = [...ways.flatMap(({ whole, key }) => [whole, key]), maker, ...does];
  if (isNew) words.push("new");
  if (isFree) words.push("free");
  const text = words.join(" ").toLowerCase();
  return { title, low: title.toLowerCase(), maker, does, ends, isNew, starred: "", ways, text, bare: text.replace(SIGNS, "") };
}

const dataOf = (kind) => [...document.querySelectorAll(`#models .${kind}`)].map((data) => data.value);

// From the part of the page that lists them; false where there is none yet.
export function readModels() {
  const list = document.getElementById("model-list");
  if (!list) return false;
  const used = dataOf("used");
  const seen = JSON.parse(document.getElementById("model-seen")?.textContent || "{}");
  lines = JSON.parse(list.textContent).map(lineOf);
  at = new Map();
  for (const line of lines) for (const way of line.ways) {
    at.set(way.whole, { line, way });
    at.set(way.name, { line, way });
    way.seen = seenOf(seen[way.whole]);
  }
  // The key that was used last is the one that is meant.
  const lately = new Set();
  for (const { line, way } of used.map((name) => at.get(name))) {
    if (!lately.has(line)) line.ways = [way, ...line.ways.filter((other) => other !== way)];
    lately.add(line);
  }
  for (const line of lately) line.isUsed = true;
  const starred = new Set();
  for (const name of dataOf("starred")) {
    const found = at.get(name);
    if (!found) continue;
    found.line.starred = found.way.whole;
    starred.add(found.line);
  }
  lines = [...new Set([...lately, ...starred, ...lines])];
  return true;
}

export const howMany = () => lines.length;

// The line and the way that a field's text names, if it does.
export const named = (name) => at.get(name.trim());

// Of a name, what a card has room for.
export const short = (name) => named(name)?.line.title ?? name.slice(name.lastIndexOf("/") + 1);

function has(line, word) {
  const price = AT_MOST.exec(word);
  if (price) return line.ways.some(({ output }) => output !== null && output < Number(price[1]));
  if (word === "starred") return Boolean(line.starred);
  return line.text.includes(word) || line.bare.includes(word.replace(SIGNS, "") || word);
}

// The smaller, the more it is what somebody means who begins to type a name.
function place({ low }, word) {
  const found = low.indexOf(word);
  if (found <= 0) return found ? 3 : 0;
  return /[a-z0-9]/.test(low[found - 1]) ? 2 : 1;
}

export function search(text) {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  if (!words.length) return lines;
  const places = [[], [], [], []];
  for (const line of lines) if (words.every((word) => has(line, word))) places[place(line, words[0])].push(line);
  return places.flat();
}

// A name that was chosen takes its field, and what was said of the one before it goes.
export function putName(input, name) {
  input.value = name;
  input.removeAttribute("aria-invalid");
  const around = input.closest(".custom-seat, .field");
  const errors = ":scope > .error, :scope > .near, :scope > .seat-wrong > *";
  for (const element of around?.querySelectorAll(errors) ?? []) element.remove();
  input.dispatchEvent(new Event("change", { bubbles: true }));
}
