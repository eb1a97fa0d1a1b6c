// Keys that do what a link or button does: an element names its key in data-key, such as "s" or "g h".
// They do nothing while one types, and none takes a modifier, so no key of the browser is taken away.
const SEQUENCE_MS = 1200;

const HERE = document.body.dataset.prefix;
const PLACES = new Map([["g h", "/"], ["g m", "/messages"], ["c", "/compose"]]);
const OWN = new Map();
let begun = "";
let begunAt = 0;

function isTyping(target) {
  return target.closest("input:not([type=checkbox]), textarea, select, [contenteditable]") !== null;
}

// Has a key do what a page needs of it: `act` tells whether there was anything to do.
export function onKey(key, act) {
  OWN.set(key, act);
}

function act(keys) {
  if (OWN.get(keys)?.()) {
    return true;
  }
  const found = [...document.querySelectorAll(`[data-key="${CSS.escape(keys)}"]`)]
    .find((each) => !each.hidden && !each.disabled);
  if (found) {
    if (found.matches("input:not([type=checkbox]), textarea")) {
      found.focus();
      found.select();
    } else {
      found.click();
    }
    return true;
  }
  if (keys === "?") {
    document.getElementById("keys").showModal();
    return true;
  }
  const place = PLACES.get(keys);
  if (place && (place === "/" || document.querySelector(`.bar a[href="${HERE}${place}"]`))) {
    location.assign(HERE + place);
    return true;
  }
  return false;
}

export function listenToKeys() {
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey || isTyping(event.target)
      || document.querySelector("dialog[open]")) {
      return;
    }
    const both = `${begun} ${event.key}`;
    const follows = begun !== "" && event.timeStamp - begunAt < SEQUENCE_MS;
    if (follows && act(both)) {
      begun = "";
      event.preventDefault();
      return;
    }
    begun = event.key === "g" ? "g" : "";
    begunAt = event.timeStamp;
    if (begun === "" && act(event.key)) {
      event.preventDefault();
    }
  });
}
