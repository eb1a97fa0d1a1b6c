// All the mail of an account: keys in its list, and new mail while somebody looks.
import "./renewing.js";
import { listenToRows, selectAll } from "./rows.js";

document.addEventListener("change", (event) => {
  if (event.target.id === "all") {
    selectAll(event.target);
  }
});
listenToRows();
