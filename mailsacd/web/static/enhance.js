// Shows and hides what of a page depends on there being scripts: `root` is the page, or a new part of it.
export function enhance(root) {
  for (const each of root.querySelectorAll("[data-without-script]")) {
    each.hidden = true;
  }
  for (const each of root.querySelectorAll("[data-with-script], [data-copy][hidden], [data-open]")) {
    each.hidden = false;
  }
}
