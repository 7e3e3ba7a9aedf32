// What the server says about its model, and how the status bar says it.

/** The parameters of `caret/status`. */
export interface Status {
  state: "loading" | "ready" | "busy" | "error" | "off";
  message: string;
  model: string;
}

/** What the last suggestion cost, from `caret.status`. */
export interface Cost {
  completion_tokens: number;
  decode_ms: number;
}

/** All that the status bar shows. */
export interface Facts {
  /** Undefined where no server runs. */
  status: Status | undefined;
  cost: Cost | undefined;
  /** From the editor's question to the answer, in milliseconds. */
  latency: number | undefined;
  paused: string | undefined;
}

export interface Shown {
  text: string;
  tooltip: string;
  kind: "plain" | "warning" | "error";
}

const ICONS = {
  loading: "$(sync~spin)",
  ready: "$(sparkle)",
  busy: "$(loading~spin)",
  error: "$(error)",
  off: "$(circle-slash)",
};

/** The status bar item for these facts. */
export function shown(facts: Facts): Shown {
  const { status, paused } = facts;
  if (!status) {
    return {
      text: "$(circle-slash) Caret",
      tooltip: "Caret's server does not run.",
      kind: "warning",
    };
  }
  const text = `${paused ? "$(debug-pause)" : ICONS[status.state]} Caret`;
  const lines = [title(status), paused && `Paused ${paused}.`, status.message, speed(facts)];
  const tooltip = lines.filter(Boolean).join("\n\n");
  return { text, tooltip, kind: status.state === "error" ? "error" : "plain" };
}

/** For example "42 tokens/s, last suggestion after 85 ms"; empty where nothing is known yet. */
export function speed({ cost, latency }: Facts): string {
  const parts: string[] = [];
  // One token comes from reading the prompt, so its decoding took no time.
  if (cost && cost.decode_ms > 0 && cost.completion_tokens > 1) {
    const perSecond = (1000 * cost.completion_tokens) / cost.decode_ms;
    parts.push(`${Math.round(perSecond)} tokens/s`);
  }
  if (latency !== undefined) {
    parts.push(`last suggestion after ${Math.round(latency)} ms`);
  }
  return parts.join(", ");
}

function title({ state, model }: Status): string {
  const words = {
    loading: "loading",
    ready: "ready",
    busy: "writing",
    error: "not working",
    off: "off",
  };
  return `**Caret**: ${words[state]}${model ? ` · ${model}` : ""}`;
}
