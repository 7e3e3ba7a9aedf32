// What the panel's page and the extension say to each other.

/** A question with its answer, as far as it is there. */
export interface Turn {
  question: string;
  html: string;
  state: "streaming" | "done" | "stopped" | "failed";
  /** Where failed: what went wrong, and what to do. */
  error: string;
  /** Names of places in the code that the answer rests on. */
  references: string[];
}

/** To the page: the turn at `index` is now this; turns behind it are gone. */
export interface Show {
  index: number;
  turn: Turn;
}

/** From the page. */
export type Wish =
  | { do: "ready" | "stop" }
  | { do: "ask" | "copy" | "insert"; text: string }
  | { do: "open"; index: number; reference: number };

/** A message of the page, if it is one. */
export function isWish(message: unknown): message is Wish {
  const { do: what, text, index, reference } = (message ?? {}) as Record<string, unknown>;
  switch (what) {
    case "ready":
    case "stop":
      return true;
    case "ask":
    case "copy":
    case "insert":
      return typeof text === "string";
    case "open":
      return Number.isInteger(index) && Number.isInteger(reference);
    default:
      return false;
  }
}
