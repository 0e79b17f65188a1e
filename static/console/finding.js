// The key that searches, from every page: it leads to the field, which has the focus there.

import { act } from "console/keys";

const field = () => document.getElementById("search-box");
const list = document.querySelector("[data-key='/']");

function focus() {
  field().focus();
  field().select();
}

if (list) {
  act("/", () => {
    if (field()) focus();
    else location.assign(`${list.href}#search-box`);
  });
}
if (field() && location.hash === "#search-box") focus();
