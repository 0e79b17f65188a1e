// A row of the picker: what is known of a model, for the eye in columns and for the ear in a sentence.

const row = document.createElement("template");
row.innerHTML = `<div class="picker-row" role="option" aria-selected="false"><span class="picker-name"><span class="picker-star"></span><b></b> <i></i></span><span class="picker-key"></span><span></span><span></span><span></span><span class="picker-takes"></span></div>`;

function money(price) {
  if (price === null) return "unknown";
  if (price === 0) return "free";
  return price >= 0.1 ? price.toFixed(2) : String(Number(price.toPrecision(2)));
}

function tokens(context) {
  if (context === null) return "unknown";
  return context >= 999_500 ? `${(context / 1e6).toFixed(1)} M` : context >= 1000 ? `${Math.round(context / 1000)} k` : String(context);
}

// What was typed, where it stands in the name.
function putMarked(into, title, text) {
  const word = text.toLowerCase().split(/\s+/)[0];
  const at = word ? title.toLowerCase().indexOf(word) : -1;
  if (at < 0) return into.append(title);
  const mark = document.createElement("mark");
  mark.textContent = title.slice(at, at + word.length);
  into.append(title.slice(0, at), mark, title.slice(at + word.length));
}

function putNote(into, text, kind) {
  const note = document.createElement("span");
  note.className = kind;
  note.textContent = text;
  into.append(" ", note);
}

function sentence({ line, way, isWay }, isChosen, keys) {
  const price = way.input === 0 && way.output === 0 ? "free" : `$${money(way.input)} in, $${money(way.output)} out`;
  return [
    line.title,
    isWay ? "" : line.maker,
    `key ${way.key}`,
    keys,
    way.input === null ? "price unknown" : price,
    way.context === null ? "" : `context ${tokens(way.context)}`,
    line.does.length ? `takes ${line.does.join(", ")}` : "",
    line.ends && `ends ${line.ends}`,
    line.isNew && "new",
    line.isUsed && "used lately",
    ...inWords(way.seen),
    isChosen && "chosen",
  ].filter(Boolean).join(", ");
}

const OFTEN = 0.2; // of its calls; who fails more of them is not proposed either

function inWords(seen) {
  if (!seen) return [];
  const failed = seen.failed ? `${seen.failed} of ${seen.calls} calls failed here` : "";
  return [seen.speed ? `${seen.speed} tokens a second here` : "", failed];
}

function putSeen(into, seen) {
  if (!seen) return;
  if (seen.speed) putNote(into, `${seen.speed} tok/s`, "picker-seen");
  if (!seen.failed) return;
  const share = seen.failed / seen.calls;
  putNote(into, `${Math.round(100 * share)} % failed`, share > OFTEN ? "picker-ends" : "picker-seen");
}

// Filled or not, and said with the rest of the row.
export function putStar(option, of) {
  const mark = option.querySelector(".picker-star");
  mark.textContent = of.line.starred ? "★" : "☆";
  mark.classList.toggle("is-on", Boolean(of.line.starred));
  const words = option.getAttribute("aria-label").split(", ").filter((word) => word !== "starred");
  option.setAttribute("aria-label", [...words, ...(of.line.starred ? ["starred"] : [])].join(", "));
}

export function optionOf(of, { at, of: all, text, chosen }) {
  const { line, way, isWay } = of;
  const option = row.content.firstElementChild.cloneNode(true);
  const [name, key, input, output, context, takes] = option.children;
  const [, title, maker] = name.children;
  const isChosen = chosen ? (isWay || line.ways.length === 1 ? way === chosen : line.ways.includes(chosen)) : false;
  const isFolded = !isWay && line.ways.length > 1;
  option.id = `picker-${at}`;
  option.setAttribute("aria-posinset", at + 1);
  option.setAttribute("aria-setsize", all);
  option.setAttribute("aria-label", sentence(of, isChosen, isFolded ? `${line.ways.length} keys: right arrow chooses` : ""));
  option.classList.toggle("is-way", isWay);
  option.classList.toggle("is-chosen", isChosen);
  if (isWay) title.textContent = way.key;
  else {
    putMarked(title, line.title, text);
    maker.textContent = line.maker;
    if (line.ends) putNote(name, `ends ${line.ends}`, "picker-ends");
    if (line.isNew) putNote(name, "new", "picker-new");
    if (line.isUsed) putNote(name, "used lately", "picker-used");
    key.textContent = way.key;
    if (isFolded) putNote(key, `${line.ways.length} keys`, "picker-ways");
  }
  putSeen(name, way.seen);
  putStar(option, of);
  [input.textContent, output.textContent] = [money(way.input), money(way.output)];
  for (const [cell, value] of [[input, way.input], [output, way.output]]) cell.classList.toggle("is-unknown", value === null);
  context.textContent = tokens(way.context);
  takes.textContent = isWay ? "" : line.does.join(", ");
  return option;
}

// A star is given or taken back where the model stands in the list: kept for oneself.
// `tell` is called with what has become of it, at once, and again where it could not be kept.
export async function star(line, tell) {
  const had = line.starred;
  const name = had || line.ways[0].whole;
  line.starred = had ? "" : name;
  tell(`${line.title}: ${had ? "star taken back" : "starred"}`);
  const body = new FormData();
  body.append(had ? "take" : "give", name);
  body.append("csrfmiddlewaretoken", document.querySelector("[name=csrfmiddlewaretoken]").value);
  const { star: address } = document.getElementById("model-list").dataset;
  const answer = await fetch(address, { method: "POST", body, headers: { "HX-Request": "true" } }).catch(() => null);
  if (answer?.ok) return;
  line.starred = had;
  tell(answer?.status === 422 ? await answer.text() : "The star could not be kept.");
}
