// The service, as the page calls it. What goes wrong is a `Trouble` with a sentence for people.

import { events } from "./sse.js";

const WORDS = {
  unauthorized: "This service needs a key. Reload the page and give the key as the password.",
};

export class Trouble extends Error {
  constructor(sentence, code = null) {
    super(sentence);
    this.code = code;
  }
}

/** Asks; calls `on[name](data)` for each event before the answer, and returns the answer. */
export async function ask(body, on, signal) {
  const response = await sent("v1/ask", { ...posted({ ...body, stream: true }), signal });
  let answer = null;
  try {
    for await (const [name, data] of events(response.body)) {
      if (name === "answer") answer = data;
      else if (name === "error") throw troubleOf(data);
      else on[name]?.(data);
    }
  } catch (error) {
    if (error instanceof Trouble || error.name === "AbortError") throw error;
  }
  if (answer) return answer;
  throw new Trouble("The connection broke off before the answer was complete. Ask again.");
}

/** A document's text, whole or around a span of code points. */
export async function read({ doc, start, end, collection }, isWhole = false) {
  const query = new URLSearchParams({ collection });
  if (start !== null && !isWhole) {
    query.set("start", start);
    query.set("end", end);
    query.set("context", 600);
  }
  const path = doc.split("/").map(encodeURIComponent).join("/");
  return (await sent(`v1/documents/${path}?${query}`)).json();
}

export async function documents(collection, limit, after = null) {
  const query = new URLSearchParams({ collection, limit });
  if (after !== null) query.set("after", after);
  return (await sent(`v1/documents?${query}`)).json();
}

export async function giveFeedback(said) {
  await sent("v1/feedback", posted(said));
}

function posted(body) {
  return {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
  };
}

async function sent(address, options = {}) {
  let response;
  try {
    response = await fetch(address, options);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Trouble("The service cannot be reached. See that it runs and that you are connected.");
  }
  if (response.ok) return response;
  const problem = await response.json().catch(() => ({}));
  throw troubleOf(problem, response);
}

function troubleOf(problem, response = null) {
  const told = problem.code
    ? WORDS[problem.code] || `${problem.title}. ${problem.detail}`
    : `The service answered with status ${response?.status}.`;
  const seconds = response?.headers.get("Retry-After");
  const later = seconds ? ` You can ask again in ${seconds} s.` : "";
  return new Trouble(told + later, problem.code);
}
