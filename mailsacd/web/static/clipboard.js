// Copies a text, and says so on the button that was pressed.
const SAID_MS = 1500;

export async function copyText(text, button) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    copyOfOld(text); // without TLS there is no clipboard
  }
  if (button.hasAttribute("data-goes") || button.dataset.label) {
    return;
  }
  const label = button.querySelector("span") ?? button; // beside a picture
  button.dataset.label = label.textContent;
  label.textContent = "Copied";
  setTimeout(() => {
    label.textContent = button.dataset.label;
    delete button.dataset.label;
  }, SAID_MS);
}

function copyOfOld(text) {
  const area = document.createElement("textarea");
  area.value = text;
  document.body.append(area);
  area.select();
  document.execCommand("copy");
  area.remove();
}
