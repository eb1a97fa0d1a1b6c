// A message that is on the screen has been read. Who only fetches its page, as programs and browsers do beforehand,
// changes nothing.
import { onKey } from "./keyboard.js";

const form = document.getElementById("act");
const button = document.getElementById("read");

async function markRead() {
  const fields = new URLSearchParams(new FormData(form));
  fields.set("action", "read");
  // its buttons are called action, so form.action is not its URL
  const answer = await fetch(form.getAttribute("action"), { method: "POST", body: fields, redirect: "manual" });
  if (answer.type === "opaqueredirect") {
    button.value = "unread";
    button.querySelector("span").textContent = "Mark as unread";
  }
}

function seen() {
  if (document.visibilityState === "visible" && !document.prerendering && "unread" in form.dataset) {
    delete form.dataset.unread;
    markRead().catch(() => {}); // it stays unread
  }
}

for (const [key, rel] of [["ArrowRight", "next"], ["ArrowLeft", "prev"]]) {
  onKey(key, () => {
    const link = document.activeElement.matches("pre, .table") ? null
      : document.querySelector(`.neighbours [rel=${rel}]`);
    link?.click();
    return Boolean(link);
  });
}

document.addEventListener("visibilitychange", seen);
document.addEventListener("prerenderingchange", seen);
seen();
