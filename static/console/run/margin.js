// Marks stand in the margin, at the line on which their sentence ends: nothing interrupts reading.
// Their line is theirs by the style sheet; only where several stand on one line is told here. On a
// phone there is no margin: they stand in rows under their paragraph.

const text = document.querySelector("#run .fused [data-text]");
const marks = text.getElementsByClassName("source");
const PHONE = matchMedia("(width <= 43.75em)");
const APART = 2; // px, from one mark to the next
const ROOM = 102;
const TIGHT_ROOM = 118; // px, with the edge of the pane beside it
const TIGHT = { letter: 14, less: 7 }; // px, as .is-tight of passage.css
const ABOVE = "0 -0.48rem";
const BELOW = "0 0.5rem";
const HIGH = 2.5; // rem, a row on a phone
const BETWEEN = 8; // px, between the marks of two sentences

const rem = (px) => `${(px / 16).toFixed(2)}rem`;

function grouped(some, by) {
  const groups = new Map();
  for (const mark of some) groups.set(by(mark), [...(groups.get(by(mark)) ?? []), mark]);
  return groups;
}

const sum = (widths) => widths.reduce((all, width) => all + width + APART, -APART);
const widthOf = (row) => sum(row.map(({ width }) => width));
const beginsSentence = ({ mark }) => !mark.previousSibling?.matches?.(".source");

// What has no room on one line stands on two, between two sentences if it can: each letter is read.
function rowsOf(line, room) {
  if (widthOf(line) <= room) return [line];
  const places = line.map((_, n) => n).slice(1);
  const between = places.filter((n) => beginsSentence(line[n]));
  const longest = (n) => Math.max(widthOf(line.slice(0, n)), widthOf(line.slice(n)));
  const at = (between.some((n) => longest(n) <= room) ? between : places).reduce((best, n) => (longest(n) < longest(best) ? n : best));
  return [line.slice(0, at), line.slice(at)];
}

const tight = ({ mark, width }) => ({
  mark,
  width: mark.textContent.length === 1 ? TIGHT.letter : width - TIGHT.less,
});

// A row that is still too long is pushed together.
function put(row, down, room) {
  const last = row.at(-1).width;
  const before = widthOf(row) - last;
  const part = Math.min(1, (room - last) / (before || 1));
  let at = 0;
  for (const { mark, width } of row) {
    mark.style.setProperty("--at", rem(at));
    mark.style.setProperty("--down", down);
    at += (width + APART) * part;
  }
}

const naturals = new WeakMap(); // mark -> its width where it is not tight

function natural(mark) {
  if (!mark.matches(".is-tight")) naturals.set(mark, mark.offsetWidth);
  return naturals.get(mark);
}

function placeInMargin() {
  // All is read before anything is written, so that the page is laid out once.
  const lines = grouped(
    Array.from(marks, (mark) => ({ mark, width: natural(mark), top: Math.round(mark.offsetTop / 4) })),
    ({ top }) => top,
  );
  for (const line of lines.values()) {
    const rows = rowsOf(line, ROOM);
    const isTight = rows.some((row) => widthOf(row) > ROOM);
    const [room, [first, second]] = isTight ? [TIGHT_ROOM, rowsOf(line.map(tight), TIGHT_ROOM)] : [ROOM, rows];
    for (const { mark } of line) mark.classList.toggle("is-tight", isTight);
    put(first, second ? ABOVE : "none", room);
    if (second) put(second, BELOW, room);
  }
}

function placeUnder() {
  // One in an item with items of its own stays in its line, and where another part is shown none lies anywhere.
  const own = [...marks].filter((mark) => mark.offsetParent && getComputedStyle(mark).position === "absolute");
  const blocks = grouped(own, (mark) => mark.offsetParent);
  // First all is read, then all is written.
  const read = Array.from(blocks, ([block, line]) => [
    block,
    block.clientWidth,
    line.map((mark) => [mark, mark.offsetWidth]),
  ]);
  for (const [block, width, line] of read) {
    let [at, row, before] = [0, 0, null];
    const rows = line.map(([mark, wide]) => {
      if (before && mark.previousSibling !== before) at += BETWEEN;
      if (at && at + wide > width) [at, row] = [0, row + 1];
      mark.style.setProperty("--at", rem(at));
      at += wide;
      before = mark;
      return [mark, row];
    });
    for (const [mark, mine] of rows) mark.style.setProperty("--up", `${(row - mine) * HIGH}rem`);
    block.style.setProperty("--rows", row + 1);
  }
}

let placed = 0;

function place() {
  placed = marks.length;
  if (PHONE.matches) placeUnder();
  else placeInMargin();
}

// Told when the page has been laid out, so that asking how it lies costs nothing; one more mark
// need not make the text higher.
new ResizeObserver(place).observe(text);
new MutationObserver(() => {
  if (marks.length !== placed) requestAnimationFrame(place);
}).observe(text, { childList: true, subtree: true });
