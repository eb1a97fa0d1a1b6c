// An inbox as mail arrives. It listens while somebody looks: a browser has few connections to a server, for all its tabs.
import { renew } from "./fragment.js";
import { listenToRows } from "./rows.js";

const TOGETHER_MS = 150; // what arrives within shows up at once
const AGAIN_MS = 30000; // after a refusal; a connection that broke the browser makes again by itself

const live = document.getElementById("live");
let events = null;
let renewing = null;
let arrived = [];
let again = 0;

function announce() {
  const last = arrived.at(-1);
  if (arrived.length === 1) {
    live.textContent = `New message from ${last.from[0].name || last.from[0].address}: ${last.subject}`;
  } else if (last) {
    live.textContent = `${arrived.length} new messages`;
  }
  arrived = [];
}

async function show() {
  try {
    await renew(["mails"]);
    announce();
  } catch {
    // It stays as it is until the next message, or until somebody looks again
  }
  renewing = null;
}

function showSoon() {
  renewing ??= setTimeout(show, TOGETHER_MS);
}

function received(event) {
  arrived.push(JSON.parse(event.data));
  showSoon();
}

function listen() {
  clearTimeout(again);
  if (events || document.hidden) {
    return;
  }
  events = new EventSource(live.dataset.events);
  events.addEventListener("message", received);
  events.addEventListener("open", showSoon); // there may be mail that came before
  events.addEventListener("error", () => {
    if (events.readyState === EventSource.CLOSED) {
      events = null;
      again = setTimeout(listen, AGAIN_MS);
    }
  });
}

function stop() {
  clearTimeout(again);
  clearTimeout(renewing);
  renewing = null;
  events?.close();
  events = null;
}

document.addEventListener("visibilitychange", () => (document.hidden ? stop() : listen()));
window.addEventListener("pagehide", stop);
window.addEventListener("pageshow", listen);
listenToRows();
listen();
