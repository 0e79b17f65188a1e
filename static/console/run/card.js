// A mark under pointer or focus lights its sentence and its claims, and its card stands in the margin,
// over the map where there is none, below its line where there is no map either: the quote, how it
// stands, and who says otherwise. Nothing moves for it.

import { claimsOf, lightClaims, lightSentences, sentenceOf, usesOf } from "console/run/sentences";

const main = document.getElementById("run");
const card = document.getElementById("quote-card");
const outcome = main.querySelector(".outcome");
const passage = document.getElementById("passage");
const HAS_CARD = matchMedia("(width > 43.75em)"); // a finger opens the passage
const BELOW = matchMedia("(width <= 62.5em)"); // neither margin nor map is beside the text
const MARK = ".fused [data-text] .source";
const AWAY = 180; // ms: long enough to come from the mark to its card

let leaving = 0;
let shown = null; // the mark whose card stands there
let isPressed = false; // it stays until something else is

const part = (name) => card.querySelector(`[data-card="${name}"]`);

function say(name, words) {
  part(name).textContent = words;
  part(name).hidden = !words;
}

// Of a claim: what its seat says there, the stance it takes, and the stances against that.
export function evidenceOf(claim, seat) {
  const quotes = [...claim.querySelectorAll(`.evidence li[data-seat="${seat}"]`)];
  const quote = quotes.find((one) => one.querySelector("a.quote")) ?? quotes[0] ?? null;
  const stances = [...claim.querySelectorAll(".stances > li")];
  const own = stances.find((stance) => stance.querySelector(`.stance-seats [data-seat="${seat}"]`));
  const against = stances
    .filter((stance) => own && stance !== own)
    .map((stance) => {
      const letters = [...stance.querySelectorAll(".stance-seats .chip")].map((chip) => chip.textContent).join(" ");
      return `${letters}: ${stance.querySelector(".stance-text").textContent.trim()}`;
    });
  return { quote, against, stance: own?.querySelector(".stance-text").textContent.trim() ?? "" };
}

// The claim of a sentence that has most to show for a seat.
export function claimFor(sentence, seat) {
  const claims = claimsOf(sentence);
  const rank = (claim) => {
    const { quote } = evidenceOf(claim, seat);
    return quote?.querySelector("a.quote") ? 2 : quote ? 1 : 0;
  };
  return claims.reduce((best, claim) => (best && rank(best) >= rank(claim) ? best : claim), null);
}

// Of a mark that names no answer.
export const inWords = (mark) =>
  mark.matches(".source-you") ? "You ruled or added this." : "No answer says this: the writer added it.";

function fill(mark) {
  const sentence = sentenceOf(mark);
  const { seat } = mark.dataset;
  if (seat === undefined) {
    delete card.dataset.seat;
    say("letter", "");
    say("name", mark.matches(".source-you") ? "You" : "The writer");
    say("quote", "");
    say("standing", inWords(mark));
    say("against", "");
    say("open", "");
    return;
  }
  const article = document.getElementById(`seat-${seat}`);
  card.dataset.seat = seat;
  say("letter", mark.textContent);
  say("name", article.querySelector("h2").textContent.replace(/^.+?: /, ""));
  const claim = claimFor(sentence, seat);
  if (!claim) {
    say("quote", "");
    say("standing", "Not linked to a claim of the analysis.");
    say("against", "");
    say("open", "↵ the paragraph nearest by words");
    return;
  }
  const { quote, against } = evidenceOf(claim, seat);
  say("quote", quote?.querySelector(".quote").textContent.trim() ?? "");
  say("standing", standing(claim, quote));
  say("against", against.length ? `Says otherwise: ${against.join(" · ")}` : "");
  say("open", "↵ its passage");
}

function standing(claim, quote) {
  const about = claim.querySelector(".claim-says th").textContent.trim();
  if (!quote) return `On “${about}”. The judge gave no quote of it.`;
  return quote.querySelector("a.quote") ? "✓ its words" : quote.querySelector(".quote-lost").textContent.trim();
}

function place(mark) {
  card.hidden = false;
  const [at, room] = [mark.getBoundingClientRect(), outcome.getBoundingClientRect()];
  const high = card.offsetHeight;
  let down = Math.max(8, Math.min(at.top - room.top - 12, room.height - high - 8));
  if (BELOW.matches) {
    // Below the line that it speaks of; above it where the window ends.
    const fits = at.bottom + 8 + high <= innerHeight;
    down = (fits ? at.bottom + 8 : at.top - 8 - high) - room.top;
  }
  card.style.setProperty("--down", `${down}px`);
}

function enter(mark) {
  clearTimeout(leaving);
  if (shown === mark && !(isPressed && card.hidden)) return;
  shown = mark;
  const sentence = sentenceOf(mark);
  lightSentences(sentence ? [sentence.number] : []);
  lightClaims(claimsOf(sentence));
  if (!(HAS_CARD.matches || isPressed) || !passage.hidden) return;
  fill(mark);
  place(mark);
  mark.setAttribute("aria-describedby", card.id);
}

export function leave() {
  clearTimeout(leaving);
  shown?.removeAttribute("aria-describedby");
  shown = null;
  isPressed = false;
  card.hidden = true;
  lightSentences([]);
  lightClaims([]);
}

export function closeCard() {
  if (card.hidden) return false;
  leave();
  return true;
}

const leaveSoon = () => {
  clearTimeout(leaving);
  leaving = setTimeout(leave, AWAY);
};

function point({ target, pointerType }) {
  if (pointerType === "touch") return; // a tap opens the passage
  const mark = target.closest(MARK);
  const claim = target.closest("#analysis .claim");
  if (mark) {
    isPressed &&= mark === shown;
    enter(mark);
  } else if (target.closest("#quote-card")) clearTimeout(leaving);
  else if (claim) lightSentences(usesOf(claim));
}

// What a jump or a scroll brings under a pointer that rests is not pointed at until that moves.
let rests = "";
let isBrought = false;
const placeOf = ({ screenX, screenY }) => `${screenX} ${screenY}`;
main.addEventListener("pointerover", (event) => {
  isBrought = placeOf(event) === rests;
  if (!isBrought) point(event);
});
addEventListener("pointermove", (event) => {
  rests = placeOf(event);
  if (isBrought && main.contains(event.target)) point(event);
  isBrought = false;
}, { passive: true });
main.addEventListener("pointerout", ({ target, relatedTarget, pointerType }) => {
  if (pointerType === "touch" || isPressed) return;
  if (target.closest(MARK) || target.closest("#quote-card")) leaveSoon();
  else if (target.closest("#analysis .claim") !== relatedTarget?.closest?.("#analysis .claim")) lightSentences([]);
});
// Who wrote a sentence that no answer says has no passage: pressed, the mark says it in words.
function press(mark) {
  if (shown && shown !== mark) leave();
  isPressed = true;
  enter(mark);
}
main.addEventListener("click", ({ target }) => {
  const mark = target.closest(`${MARK}:not([data-seat])`);
  if (mark) press(mark);
  else if (isPressed && !target.closest("#quote-card")) leave();
});
main.addEventListener("keydown", (event) => {
  const mark = ["Enter", " "].includes(event.key) && event.target.closest?.(`${MARK}:not([data-seat])`);
  if (!mark) return;
  event.preventDefault();
  press(mark);
});
main.addEventListener("focusin", ({ target }) => {
  const mark = target.closest(MARK);
  const claim = target.closest("#analysis .claim");
  if (mark && target.matches(":focus-visible")) enter(mark);
  else if (claim && target.matches(":focus-visible")) lightSentences(usesOf(claim));
});
main.addEventListener("focusout", ({ target, relatedTarget }) => {
  if (isPressed && !relatedTarget) return; // its card is being touched
  if (target.closest(MARK)) leave();
  else if (target.closest("#analysis .claim")) lightSentences([]);
});
// It goes along with its mark, and with it out of view.
const fused = main.querySelector(".fused");
fused.addEventListener("scroll", () => {
  if (card.hidden || !shown) return;
  const [at, room] = [shown.getBoundingClientRect(), fused.getBoundingClientRect()];
  if (at.bottom < room.top || at.top > room.bottom) leave();
  else place(shown);
}, { passive: true });
