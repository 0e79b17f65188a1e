// Every block of code gets a button that copies it.

const main = document.getElementById("run");

function offerCopy(pre) {
  if (pre.parentElement.matches(".code")) return;
  const block = document.createElement("div");
  block.className = "code";
  const button = document.createElement("button");
  button.type = "button";
  button.className = "button-small button-quiet copy";
  button.textContent = "Copy";
  button.setAttribute("aria-live", "polite");
  pre.replaceWith(block);
  block.append(button, pre);
}

// Blocks come while a run goes on, and the open one is replaced with every step.
new MutationObserver((changes) => {
  if (changes.some(({ addedNodes }) => addedNodes.length)) offerAll();
}).observe(main, { childList: true, subtree: true });

function offerAll() {
  for (const pre of main.querySelectorAll(".reading :not(.code) > pre")) offerCopy(pre);
}

offerAll();
