// Looks again and again: seldom where nothing happens or nobody answers, at once where somebody acted, and never where
// nobody looks.

const SOONEST = 3_000; // milliseconds
const LATEST = 30_000;
const SHARE = 5; // a look that takes long is not taken more often than its length times this

const AT_ONCE = ["online", "desk-signed-in"]; // events of the window

/** Calls `look`, which returns whether it saw anything new; `now()` looks at once, `stop()` ends it. */
export function live(look) {
  let wait = SOONEST;
  let timer = null;
  let running = false;
  let again = false;
  let ended = false;

  async function turn() {
    clearTimeout(timer);
    if (running) {
      again = true;
      return;
    }
    running = true;
    const began = performance.now();
    let news = false;
    try {
      news = await look();
    } catch (error) {
      if (!("status" in error)) throw error; // a fault of ours, which the console should show
    } finally {
      running = false;
    }
    if (ended) return;
    wait = news ? SOONEST : Math.min(wait * 1.5, LATEST);
    if (again) {
      again = false;
      wait = SOONEST;
      turn();
    } else if (!document.hidden) {
      timer = setTimeout(turn, Math.max(wait, (performance.now() - began) * SHARE));
    }
  }

  function now() {
    wait = SOONEST;
    if (!document.hidden && !ended) turn();
  }

  function seenOrNot() {
    if (document.hidden) clearTimeout(timer);
    else now();
  }

  document.addEventListener("visibilitychange", seenOrNot);
  for (const event of AT_ONCE) addEventListener(event, now);
  turn();
  return {
    now,
    stop() {
      ended = true;
      clearTimeout(timer);
      document.removeEventListener("visibilitychange", seenOrNot);
      for (const event of AT_ONCE) removeEventListener(event, now);
    },
  };
}
