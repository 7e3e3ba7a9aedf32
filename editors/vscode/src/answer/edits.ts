// Edits of a text, applied to it: what the preview of a change shows.

/** Replaces the text from `start` to `end`, which count UTF-16 units. */
export interface Edit {
  start: number;
  end: number;
  text: string;
}

/** The text with all edits made; they do not overlap and refer to the text as it is. */
export function applied(text: string, edits: readonly Edit[]): string {
  const ordered = [...edits].sort((a, b) => a.start - b.start || a.end - b.end);
  let result = "";
  let at = 0;
  for (const edit of ordered) {
    result += text.slice(at, edit.start) + edit.text;
    at = edit.end;
  }
  return result + text.slice(at);
}
