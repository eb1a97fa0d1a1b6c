// Keeps parts of the page that are marked with data-renew up to date while somebody looks.
import { renew } from "./fragment.js";

const EVERY_MS = 5000;
let renewing = false;

async function bringUpToDate() {
  if (document.hidden || renewing || document.querySelector("dialog[open]")) {
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
