// Shows what comes over `/incoming-messages`. Everything received is put in as text, never as HTML.
const MAX_SHOWN = 200; // frames; older ones go
const MAX_SHOWN_CHARACTERS = 100000; // of one frame
const RETRY_FIRST_MS = 1000;
const RETRY_LAST_MS = 30000;

const find = (id) => document.getElementById(id);
let socket = null;
let wanted = false; // whether the person wants to be connected
let retryMs = RETRY_FIRST_MS;
let retry = 0;
let count = 0;

function setStatus(text, state) {
  find("status").textContent = text;
  find("status").dataset.state = state;
  find("connect").disabled = wanted;
  find("disconnect").disabled = !wanted;
}

function show(title, text) {
  const item = document.createElement("li");
  const time = document.createElement("time");
  const now = new Date();
  time.dateTime = now.toISOString();
  time.textContent = now.toLocaleTimeString();
  const details = document.createElement("details");
  const summary = document.createElement("summary");
  summary.append(time, " ", title);
  const pre = document.createElement("pre");
  pre.textContent = text.length > MAX_SHOWN_CHARACTERS
    ? `${text.slice(0, MAX_SHOWN_CHARACTERS)}\n… ${text.length} characters in all` : text;
  details.append(summary, pre);
  item.append(details);
  find("frames").prepend(item);
  while (find("frames").childElementCount > MAX_SHOWN) {
    find("frames").lastElementChild.remove();
  }
}

function remember(sequence) {
  find("sequence").textContent = sequence;
  find("since").value = sequence;
}

function titleOf(message) {
  const from = (message.from || []).map((one) => one.address).join(", ");
  return `${message.inbox}: “${message.subject}” from ${from}`;
}

function received(event) {
  const frame = JSON.parse(event.data);
  if (frame.status !== 200) {
    wanted = frame.status === 429 || frame.status === 503;
    setStatus(`refused (${frame.status}): ${frame.msg}`, "refused");
    show(`refused: ${frame.msg}`, event.data);
  } else if (frame.email) {
    count += 1;
    find("count").textContent = String(count);
    remember(frame.sequence);
    show(titleOf(frame), JSON.stringify(frame.email, null, 2));
  } else if (frame.msg === "Listening") {
    retryMs = RETRY_FIRST_MS;
    const names = [...frame.addresses, ...frame.domains];
    setStatus(`listening to ${names.join(", ") || "everything you own"}`, "open");
    remember(frame.sequence);
    show("listening", event.data);
  } else {
    find("heartbeat").textContent = new Date().toLocaleTimeString();
  }
}

function closed(event) {
  socket = null;
  const why = `${event.code}${event.reason ? ` ${event.reason}` : ""}`;
  if (wanted && find("again").checked) {
    setStatus(`closed (${why}), trying again`, "waiting");
    retry = setTimeout(connect, retryMs);
    retryMs = Math.min(retryMs * 2, RETRY_LAST_MS);
    return;
  }
  wanted = false;
  if (find("status").dataset.state === "refused") {
    setStatus(find("status").textContent, "refused");
  } else {
    setStatus(`closed (${why})`, "closed");
  }
}

function connect() {
  const url = new URL(`${document.body.dataset.prefix}/incoming-messages`, location.href);
  url.protocol = location.protocol === "https:" ? "wss:" : "ws:";
  url.searchParams.set("key", find("key").value.trim());
  url.searchParams.set("addresses", find("addresses").value.trim());
  url.searchParams.set("since", find("since").value.trim()); // empty: tell us where we begin
  setStatus("connecting", "waiting");
  socket = new WebSocket(url);
  socket.addEventListener("message", received);
  socket.addEventListener("close", closed);
}

find("listen").addEventListener("submit", (event) => {
  event.preventDefault();
  wanted = true;
  retryMs = RETRY_FIRST_MS;
  connect();
});

find("disconnect").addEventListener("click", () => {
  wanted = false;
  clearTimeout(retry);
  setStatus("not connected", "closed");
  if (socket) {
    socket.close(1000);
  }
});

find("clear").addEventListener("click", () => find("frames").replaceChildren());
