// Waiting: always for something, never without an end.

export const DEADLINE_MS = 60000;
export const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** What `look` gives, once it is true. */
export async function until(what, look, deadline = DEADLINE_MS) {
  const end = Date.now() + deadline;
  for (;;) {
    const value = await look();
    if (value) return value;
    if (Date.now() > end) {
      throw new Error(`not within ${deadline} ms: ${what}`);
    }
    await pause(30);
  }
}
