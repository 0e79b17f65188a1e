// The price, as one types. Only how long the prompt is goes to the server, and what is asked in vain
// says nothing: whoever presses Fuse is told. Where nobody has asked anything yet there is no place for it.

import { markBlind } from "console/compose/blind";

const WAIT = 500; // ms without a key

const form = document.querySelector("form.compose");
const place = document.getElementById("quote");
let timer = 0;
let asked = new AbortController();

function tokens(text) {
  const wide = text.replace(/\p{ASCII}/gu, "").length;
  return Math.ceil((text.length - wide) / 4) + wide;
}

// The prompt, or the sentence of a template with what stands in its blanks.
function written() {
  const sentence = form.querySelector("[data-sentence]");
  if (!sentence) return form.elements.prompt.value;
  const blanks = [...sentence.querySelectorAll("input, select, textarea")].map(({ value }) => value);
  return sentence.textContent + blanks.join("");
}

const isText = (name) => name === "prompt" || name.startsWith("blank-");

async function ask() {
  asked.abort();
  asked = new AbortController();
  const fields = new FormData(form);
  const body = new URLSearchParams([...fields].filter(([name, value]) => !isText(name) && typeof value === "string"));
  body.set("asked", tokens(written()));
  try {
    const headers = { "HX-Request": "true" }; // a part of the page is wanted
    const response = await fetch(place.dataset.quote, { method: "POST", headers, body, signal: asked.signal });
    const html = await response.text();
    if (response.status === 200 && !response.redirected) {
      place.innerHTML = html;
      markBlind(place);
    }
  } catch {
    // Away, or asked anew: what stands there stays.
  }
}

function soon() {
  clearTimeout(timer);
  timer = setTimeout(ask, WAIT);
}

if (place) {
  form.querySelector(".ask").addEventListener("input", soon);
  form.addEventListener("change", soon);
  form.addEventListener("submit", () => {
    clearTimeout(timer);
    asked.abort();
  });
  addEventListener("load", () => written() && soon()); // a draft
}
