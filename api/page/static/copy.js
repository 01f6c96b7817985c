// An answer as plain text that keeps its citations.

export function plainText(answer) {
  const quoted = answer.citations.map(({ n, doc, start, end, quote }) =>
    doc === null ? `[${n}] not found` : `[${n}] ${doc}:${start}-${end} “${quote}”`,
  );
  return [answer.answer, ...(quoted.length ? [quoted.join("\n")] : [])].join("\n\n");
}

/** Puts text on the clipboard; tells whether it got there. */
export async function copied(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copiedByHand(text); // there is no clipboard on plain http, or it is forbidden
  }
}

function copiedByHand(text) {
  const before = document.activeElement;
  const field = document.createElement("textarea");
  field.className = "hidden";
  field.value = text;
  document.body.append(field);
  field.select();
  const isDone = document.execCommand("copy");
  field.remove();
  before?.focus();
  return isDone;
}
