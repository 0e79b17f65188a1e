// Files that go with a question: chosen, dropped or pasted, they are sent at once, and their chips
// stand in its form, wherever on a page that is. Without this they are sent with it.

const placeOf = (form) => form?.querySelector("[data-attach]");
const listOf = (form) => form.querySelector(".attached");
const onTheWay = new WeakMap(); // form -> how many are being sent
const waiting = new WeakMap(); // form -> the button that was pressed meanwhile

function chip(text, kind) {
  const item = document.createElement("li");
  item.className = kind;
  item.dir = "auto";
  item.textContent = text;
  return item;
}

function said(sentence, kind, role) {
  const item = chip("", kind);
  const words = document.createElement("span");
  if (role === "alert") words.className = "error";
  words.setAttribute("role", role);
  words.textContent = sentence;
  item.append(words);
  return item;
}
const wrong = (sentence) => said(sentence, "attached-wrong", "alert");

function ready(list) {
  for (const away of list.querySelectorAll("[data-remove-file]")) away.hidden = false;
}

// What it costs, and who cannot take it, is asked anew.
const changed = (form) => form.dispatchEvent(new Event("change", { bubbles: true }));

async function bring(form, list, file) {
  const waits = chip(`${file.name} …`, "attached-file attached-waits");
  list.append(waits);
  const body = new FormData();
  body.append("csrfmiddlewaretoken", form.elements.csrfmiddlewaretoken.value);
  body.append("files", file, file.name || "picture.png");
  try {
    const headers = { "HX-Request": "true" };
    const response = await fetch(placeOf(form).dataset.attach, { method: "POST", headers, body });
    if (response.redirected) throw new Error("signed out");
    if (response.status === 200) {
      waits.insertAdjacentHTML("afterend", await response.text());
      waits.remove();
    } else {
      waits.replaceWith(wrong(response.status === 413 ? `“${file.name}” is too large.` : `“${file.name}” could not be attached.`));
    }
  } catch {
    waits.replaceWith(wrong(`“${file.name}” could not be sent. Attach it again.`));
  }
  ready(list);
  changed(form);
}

async function take(form, files) {
  const list = listOf(form);
  for (const old of list.querySelectorAll(".attached-wrong")) old.remove();
  onTheWay.set(form, (onTheWay.get(form) ?? 0) + 1);
  await Promise.all(files.map((file) => bring(form, list, file)));
  onTheWay.set(form, onTheWay.get(form) - 1);
  if (!onTheWay.get(form)) goOn(form);
}

// It was sent while files were on their way: now it goes, unless one of them did not come.
function goOn(form) {
  if (!waiting.has(form)) return;
  const button = waiting.get(form);
  waiting.delete(form);
  listOf(form).querySelector(".attached-then")?.remove();
  if (!form.isConnected || listOf(form).querySelector(".attached-wrong")) return;
  form.requestSubmit(button?.isConnected ? button : null);
}

// Nothing is asked before what is on its way has come.
addEventListener(
  "submit",
  (event) => {
    const form = event.target;
    if (!onTheWay.get(form)) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    if (!waiting.has(form)) listOf(form).append(said("It is asked as soon as the files are there.", "attached-then muted", "status"));
    waiting.set(form, event.submitter);
  },
  true,
);

addEventListener(
  "change",
  (event) => {
    const input = event.target;
    if (input.type !== "file" || !input.closest("[data-attach]")) return;
    event.stopPropagation();
    const files = [...input.files];
    input.value = "";
    take(input.form, files);
  },
  true,
);

addEventListener("click", ({ target }) => {
  const away = target.closest?.("[data-remove-file]");
  if (!away) return;
  const form = away.closest("form");
  away.closest("li").remove();
  (listOf(form).querySelector("[data-remove-file]") ?? placeOf(form).querySelector("input[type=file]")).focus();
  changed(form);
});

// A text that is pasted or dropped goes where it always goes.
const holds = (data) => data && [...data.types].includes("Files") && !data.types.includes("text/plain");

addEventListener("paste", (event) => {
  const form = event.target.closest?.("form");
  if (!placeOf(form) || !holds(event.clipboardData) || event.target.name === "answer-text") return;
  event.preventDefault();
  take(form, [...event.clipboardData.files]);
});

const boxOf = ({ target, dataTransfer }) => {
  const box = holds(dataTransfer) && target.closest?.(".ask, .follow");
  return box && placeOf(box) ? box : null;
};
addEventListener("dragover", (event) => {
  const box = boxOf(event);
  if (!box) return;
  event.preventDefault();
  box.classList.add("is-dropped-on");
});
addEventListener("dragleave", ({ target }) => target.closest?.(".is-dropped-on")?.classList.remove("is-dropped-on"));
addEventListener("drop", (event) => {
  const box = boxOf(event);
  if (!box) return;
  box.classList.remove("is-dropped-on");
  event.preventDefault();
  take(box.closest("form"), [...event.dataTransfer.files]);
});

for (const list of document.querySelectorAll(".attached")) ready(list);
