// A text as it is read, folded to what two ways of writing it have in common, and the way back: what
// stands where on the page.

// Only letters and digits are compared: marks of Markdown and white space are
// not what the page shows. What a link leads to is not part of the text either.
const folded = (text) => text.normalize("NFKD").replace(/[^\p{L}\p{N}\p{So}]/gu, "");

export function words(raw) {
  return folded(raw.replace(/\[([^\]]*)\]\([^)]*\)/g, "$1").replace(/^[ \t]*\d{1,9}[.)][ \t]/gm, ""));
}

export class FoldedText {
  #places = [];

  // `marks`: elements in it that are none of its words; where they stand is known.
  constructor(root, marks = null) {
    this.text = "";
    this.marks = new Map();
    const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
    for (let node = walker.nextNode(); node; node = walker.nextNode()) this.#add(node, marks);
  }

  #add(node, marks) {
    const parent = node.parentElement;
    if (parent.closest(".host, .copy")) return;
    const mark = marks && parent.closest(marks);
    if (mark) {
      this.marks.set(mark, this.text.length);
      return;
    }
    const formula = parent.closest("math");
    if (formula) {
      // Quoted is its source, which goes along with it; what is shown is all of it or nothing.
      if (parent.matches("annotation")) this.#put(folded(node.data), [formula]);
      return;
    }
    let at = 0;
    for (const character of node.data) {
      this.#put(folded(character), [node, at, at + character.length]);
      at += character.length;
    }
  }

  #put(letters, place) {
    for (let n = 0; n < letters.length; n += 1) this.#places.push(place);
    this.text += letters;
  }

  // [where it begins, where it ends] in the folded text, from a place on; null where it is not.
  find(raw, from = 0) {
    const needle = words(raw);
    const start = needle ? this.text.indexOf(needle, from) : -1;
    return start < 0 ? null : [start, start + needle.length];
  }

  range([start, end]) {
    const [first, last] = [this.#places[start], this.#places[end - 1]];
    const range = new Range();
    if (first.length > 1) range.setStart(first[0], first[1]);
    else range.setStartBefore(first[0]);
    if (last.length > 1) range.setEnd(last[0], last[2]);
    else range.setEndAfter(last[0]);
    return range;
  }
}
