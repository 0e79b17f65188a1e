// Files that go with the prompt: chosen, dropped or pasted, they are sent at once, and their chips
// stand in the form. Without this they are sent with it.

const form = document.querySelector("form.compose");
const place = document.getElementById("attach");

function chip(text, kind) {
  const item = document.createElement("li");
  item.className = kind;
  item.dir = "auto";
  item.textContent = text;
  return item;
}

function wrong(sentence) {
  const item = chip("", "attached-wrong");
  const said = document.createElement("span");
  said.className = "error";
  said.setAttribute("role", "alert");
  said.textContent = sentence;
  item.append(said);
  return item;
}

function ready(list) {
  for (const away of list.querySelectorAll("[data-remove-file]")) away.hidden = false;
}

// What it costs, and who cannot take it, is asked anew.
const changed = () => form.dispatchEvent(new Event("change", { bubbles: true }));

async function bring(list, file) {
  const waits = chip(`${file.name} …`, "attached-file attached-waits");
  list.append(waits);
  const body = new FormData();
  body.append("csrfmiddlewaretoken", form.elements.csrfmiddlewaretoken.value);
  body.append("files", file, file.name || "picture.png");
  try {
    const headers = { "HX-Request": "true" };
    const response = await fetch(place.dataset.attach, { method: "POST", headers, body });
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
  changed();
}

// A text that is pasted or dropped goes where it always goes.
const holds = (data) => data && [...data.types].includes("Files") && !data.types.includes("text/plain");

if (place) {
  const list = document.getElementById("attached");
  const input = place.querySelector("input[type=file]");
  ready(list);

  const take = async (files) => {
    for (const old of list.querySelectorAll(".attached-wrong")) old.remove();
    form.toggleAttribute("data-attaching", true);
    await Promise.all(files.map((file) => bring(list, file)));
    form.toggleAttribute("data-attaching", false);
  };
  input.addEventListener("change", (event) => {
    event.stopPropagation();
    const files = [...input.files];
    input.value = "";
    take(files);
  });
  list.addEventListener("click", ({ target }) => {
    const away = target.closest("[data-remove-file]");
    if (!away) return;
    away.closest("li").remove();
    (list.querySelector("[data-remove-file]") ?? input).focus();
    changed();
  });
  form.addEventListener("paste", (event) => {
    if (!holds(event.clipboardData) || event.target.name === "answer-text") return;
    event.preventDefault();
    take([...event.clipboardData.files]);
  });
  const box = place.closest(".ask");
  box.addEventListener("dragover", (event) => {
    if (!holds(event.dataTransfer)) return;
    event.preventDefault();
    box.classList.add("is-dropped-on");
  });
  box.addEventListener("dragleave", () => box.classList.remove("is-dropped-on"));
  box.addEventListener("drop", (event) => {
    box.classList.remove("is-dropped-on");
    if (!holds(event.dataTransfer)) return;
    event.preventDefault();
    take([...event.dataTransfer.files]);
  });
  // Nothing is asked before what is on its way has come.
  form.addEventListener(
    "submit",
    (event) => {
      if (!form.hasAttribute("data-attaching")) return;
      event.preventDefault();
      event.stopImmediatePropagation();
    },
    true,
  );
}
