// The service counts code points; a JavaScript string counts UTF-16 units.

/** The index in `text` of its code point number `points`. */
export function unitsAt(text, points) {
  let at = 0;
  for (let left = points; left > 0 && at < text.length; left -= 1) {
    at += text.codePointAt(at) > 0xffff ? 2 : 1;
  }
  return at;
}

/** `text` before, within and after a span of code points. */
export function parted(text, start, end) {
  const first = unitsAt(text, start);
  const last = first + unitsAt(text.slice(first), end - start);
  return [text.slice(0, first), text.slice(first, last), text.slice(last)];
}
