// Keys in a list of messages: the row that has the focus, or the one that had it last, is the current one.
import { onKey } from "./keyboard.js";

const ROWS = ".mails > .mail";
let current = ""; // the path of its message

function rows() {
  return [...document.querySelectorAll(ROWS)];
}

function linkOf(row) {
  return row.querySelector("a");
}

function currentRow() {
  const focused = document.activeElement?.closest(ROWS);
  return focused ?? rows().find((row) => linkOf(row).pathname === current) ?? null;
}

function move(by) {
  const all = rows();
  const at = all.indexOf(currentRow());
  const next = at === -1 ? all.at(by > 0 ? 0 : -1) : all[at + by];
  if (!next) {
    return false;
  }
  linkOf(next).focus();
  next.scrollIntoView({ block: "nearest" });
  return true;
}

function inRow(selector) {
  const found = currentRow()?.querySelector(selector);
  found?.click();
  return Boolean(found);
}

// The box that selects everything.
function selectAll(event) {
  if (event.target.id === "all") {
    for (const box of document.querySelectorAll(`${ROWS} input[name=id]`)) {
      box.checked = event.target.checked;
    }
  }
}

export function listenToRows() {
  document.addEventListener("change", selectAll);
  document.addEventListener("focusin", (event) => {
    const row = event.target.closest(ROWS);
    current = row ? linkOf(row).pathname : current;
  });
  for (const [keys, by] of [[["j", "ArrowDown"], 1], [["k", "ArrowUp"], -1]]) {
    keys.forEach((key) => onKey(key, () => move(by)));
  }
  onKey("o", () => inRow("a"));
  onKey("x", () => inRow("input[name=id]"));
  onKey("s", () => inRow(".star"));
  onKey("#", () => inRow(".delete"));
}
