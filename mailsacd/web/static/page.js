// What every page does where there are scripts. Without them all of it works by forms and links.
import { listenToKeys } from "./keyboard.js";
import { copyText } from "./clipboard.js";

for (const each of document.querySelectorAll("[data-without-script]")) {
  each.hidden = true;
}
for (const each of document.querySelectorAll("[data-with-script], [data-copy][hidden], [data-open]")) {
  each.hidden = false;
}

document.addEventListener("click", (event) => {
  const copied = event.target.closest("[data-copy]");
  if (copied) {
    copyText(copied.dataset.copy, copied);
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

document.getElementById("theme").addEventListener("change", (event) => event.target.form.submit());

for (const form of document.querySelectorAll("form[data-confirm]")) {
  form.addEventListener("submit", (event) => {
    if (!window.confirm(form.dataset.confirm)) {
      event.preventDefault();
    }
  });
}

listenToKeys();
