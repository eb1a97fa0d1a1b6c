// Keeps parts of the page that are marked with data-renew up to date while somebody looks, and types nothing there.
import { renew } from "./fragment.js";

const EVERY_MS = 5000;
const IN_USE = "dialog[open], [data-renew] details.menu[open], [data-renew] :is(input[type=text], select, textarea):focus";
let renewing = false;

async function bringUpToDate() {
  if (document.hidden || renewing || document.querySelector(IN_USE)) {
    return;
  }
  renewing = true;
  try {
    await renew([...document.querySelectorAll("[data-renew]")].map((each) => each.id));
  } catch {
    // the server is away: what is shown stays
  }
  renewing = false;
}

setInterval(bringUpToDate, EVERY_MS);
document.addEventListener("visibilitychange", bringUpToDate);
