// What every page does where there are scripts. Without them all of it works by forms and links.
import { listenToKeys } from "./keyboard.js";
import { copyText } from "./clipboard.js";
import { enhance } from "./enhance.js";

enhance(document);

document.addEventListener("click", (event) => {
  const copied = event.target.closest("[data-copy]");
  if (copied) {
    const of = document.getElementById(copied.dataset.copyOf); // what it says now
    copyText(of ? of.textContent : copied.dataset.copy, copied);
  }
  const opens = event.target.closest("[data-open]");
  if (opens) {
    document.getElementById(opens.dataset.open).showModal();
  }
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    if (!menu.contains(event.target)) {
      menu.open = false;
    }
  }
});

// Browsers do so by themselves, but not where another script looks at the URL, as in the API reference
document.querySelector(".skip").addEventListener("click", () => document.getElementById("main").focus());

// The page stays: it may have what is shown only once
document.getElementById("theme").addEventListener("change", ({ target }) => {
  if (target.value) {
    document.documentElement.dataset.theme = target.value;
  } else {
    delete document.documentElement.dataset.theme;
  }
  const body = new URLSearchParams(new FormData(target.form));
  fetch(target.form.action, { method: "POST", body, redirect: "manual" }).catch(() => {}); // the next page has the old ones
});

// What cannot be taken back is asked about: by a form, or by one of its buttons
document.addEventListener("submit", (event) => {
  const question = event.submitter?.dataset.confirm ?? event.target.dataset.confirm;
  if (question && !window.confirm(question)) {
    event.preventDefault();
  }
});

listenToKeys();
