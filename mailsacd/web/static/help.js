// Puts the reader's API key into the samples, on this page alone: it is sent nowhere.
const KEY = /^[\w-]*$/; // what cannot end a quoted text in any of the languages

const field = document.getElementById("sample-key");
const slots = [...document.querySelectorAll("[data-fill=key]")].map((each) => [each, each.textContent]);

field.addEventListener("input", () => {
  const key = field.value.trim();
  const fits = KEY.test(key);
  field.setCustomValidity(fits ? "" : "An API key has letters, digits, - and _ alone");
  for (const [slot, before] of slots) {
    slot.textContent = fits && key ? key : before;
  }
  field.reportValidity();
});
