// Brings parts of the page up to date: fetches it once more, and puts its new parts in place of those that are there.
import { enhance } from "./enhance.js";

// The one way of HTML into our pages. What it is given is a page of ours, whole, which is parsed and never run.
const policy = globalThis.trustedTypes?.createPolicy("mailsacd", { createHTML: (html) => html });

async function fetchPage(url, signal) {
  const answer = await fetch(url, { headers: { Accept: "text/html" }, cache: "no-store", signal });
  const text = await answer.text();
  if (!answer.ok || answer.redirected) {
    throw new Error(`${answer.status} ${answer.url}`);
  }
  return new DOMParser().parseFromString(policy ? policy.createHTML(text) : text, "text/html");
}

// What finds the same element in the new part: its id, or the name and value of a field.
function selectorOf(element) {
  if (element.id) {
    return `#${CSS.escape(element.id)}`;
  }
  if (element.name && element.value) {
    return `[name="${CSS.escape(element.name)}"][value="${CSS.escape(element.value)}"]`;
  }
  return element.href && element.getAttribute("href")
    ? `a[href="${CSS.escape(element.getAttribute("href"))}"]` : "";
}

function all(root, selector) {
  return [...root.querySelectorAll(selector)].map(selectorOf).filter(Boolean);
}

function replacePart(old, fresh) {
  const focused = old.contains(document.activeElement) ? selectorOf(document.activeElement) : "";
  const checked = all(old, "input[type=checkbox]:checked");
  const open = all(old, "details[open]");
  const typed = [...old.querySelectorAll("input[type=text][id], select[id]")].map((each) => [each.id, each.value]);
  enhance(fresh);
  old.replaceWith(document.adoptNode(fresh));
  for (const each of checked) {
    const box = fresh.querySelector(each);
    if (box) {
      box.checked = true;
    }
  }
  for (const [id, value] of typed) {
    const field = document.getElementById(id);
    if (field) {
      field.value = value;
    }
  }
  for (const each of open) {
    fresh.querySelector(each)?.setAttribute("open", "");
  }
  if (focused) {
    fresh.querySelector(focused)?.focus({ preventScroll: true });
  }
}

// Replaces the elements with these ids, and resolves to the new page. What is checked, typed, open and focused stays so.
// Rejects where the page is not to be had: then everything stays as it is.
export async function renew(ids, { url = location.href, signal } = {}) {
  const page = await fetchPage(url, signal);
  const pairs = ids.map((id) => [document.getElementById(id), page.getElementById(id)]);
  for (const [old, fresh] of pairs) {
    if (old && fresh) {
      replacePart(old, fresh);
    }
  }
  return page;
}
