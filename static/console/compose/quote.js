// The price, as one types. Only how long the prompt is goes to the server, and what is asked in vain
// says nothing: whoever presses Fuse is told. Where nobody has asked anything yet there is no place for it.

const WAIT = 500; // ms without a key

const form = document.querySelector("form.compose");
const place = document.getElementById("quote");
let timer = 0;
let asked = new AbortController();

function tokens(text) {
  const wide = text.replace(/\p{ASCII}/gu, "").length;
  return Math.ceil((text.length - wide) / 4) + wide;
}

async function ask() {
  asked.abort();
  asked = new AbortController();
  const fields = new FormData(form);
  const body = new URLSearchParams([...fields].filter(([name, value]) => name !== "prompt" && typeof value === "string"));
  body.set("asked", tokens(form.elements.prompt.value));
  try {
    const headers = { "HX-Request": "true" }; // a part of the page is wanted
    const response = await fetch(place.dataset.quote, { method: "POST", headers, body, signal: asked.signal });
    const html = await response.text();
    if (response.status === 200 && !response.redirected) place.innerHTML = html;
  } catch {
    // Away, or asked anew: what stands there stays.
  }
}

function soon() {
  clearTimeout(timer);
  timer = setTimeout(ask, WAIT);
}

if (place) {
  form.elements.prompt.addEventListener("input", soon);
  form.addEventListener("change", soon);
  form.addEventListener("submit", () => {
    clearTimeout(timer);
    asked.abort();
  });
  addEventListener("load", () => form.elements.prompt.value && soon()); // a draft
}
