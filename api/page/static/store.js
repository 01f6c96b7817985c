// What this visit asked: in memory, and in the session's storage where there is one.

const KEY = "seedrag-visit";
const KEPT = 50;

let turns = loaded();

function loaded() {
  try {
    const found = JSON.parse(sessionStorage.getItem(KEY));
    return Array.isArray(found) ? found : [];
  } catch {
    return [];
  }
}

function keep() {
  try {
    sessionStorage.setItem(KEY, JSON.stringify(turns));
  } catch {
    // storage may be forbidden or full; memory has it
  }
}

/** Turns in the order they were asked: `{conversation, collection, question, answer}`. */
export function asked() {
  return turns;
}

export function remember(turn) {
  turns = [...turns, turn].slice(-KEPT);
  keep();
}

export function forget() {
  turns = [];
  keep();
}
