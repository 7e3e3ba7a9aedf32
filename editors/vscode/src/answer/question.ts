// What the instruct commands are asked, and what they answer.

import type { Location, Range, WorkspaceEdit } from "vscode-languageclient/node";

export const KINDS = [
  "explain",
  "debug",
  "fix",
  "test",
  "doc",
  "refactor",
  "generate",
  "todo",
  "review",
  "ask",
] as const;
export type Kind = (typeof KINDS)[number];

/** Those whose answer is a change of the code; the others answer with text. */
const CHANGING: readonly Kind[] = ["fix", "test", "doc", "refactor", "generate", "todo"];

/** The argument of `caret.explain` and the others. */
export interface Question {
  textDocument: { uri: string; version?: number };
  range?: Range;
  diagnostics?: unknown[];
  instruction?: string;
  /** debug: the output that was pasted. */
  text?: string;
  /** A follow-up to the answer that gave this id. */
  conversation?: string;
  apply?: boolean;
}

export interface Answer {
  /** Markdown. */
  text: string;
  conversation: string;
  edit: WorkspaceEdit | null;
  applied: boolean;
  references: Location[];
}

/** A further question: about the document as it is by then, and not about what was told first. */
export function further(question: Question, instruction: string): Question {
  const { diagnostics: _, text: __, textDocument, ...rest } = question;
  return { ...rest, textDocument: { uri: textDocument.uri }, instruction };
}

/** The version of the document that an edit is for; undefined where it is for a file on the disk. */
export function versionOf(edit: WorkspaceEdit): number | undefined {
  const [change] = edit.documentChanges?.filter((each) => "textDocument" in each) ?? [];
  return change?.textDocument.version ?? undefined;
}

export function changes(kind: Kind): boolean {
  return CHANGING.includes(kind);
}

/** What a person has to type first, as the prompt of a box; undefined where nothing is missing. */
export function prompt(kind: Kind, question: Question): string | undefined {
  if (question.instruction) {
    return undefined;
  }
  switch (kind) {
    case "fix":
      return question.diagnostics?.length ? undefined : "What is wrong with this code?";
    case "ask":
      return "What do you want to know about this code?";
    case "refactor":
      return "How should this code change?";
    case "generate":
      return "What should the code at the caret do?";
    default:
      return undefined;
  }
}

/** The panel's heading for a question, such as "Explain area.py, lines 1 to 3". */
export function heading(kind: Kind, name: string, question: Question): string {
  if (question.instruction) {
    return question.instruction;
  }
  const verb = kind[0]?.toUpperCase() + kind.slice(1);
  const { start, end } = question.range ?? {};
  if (!start || !end || (start.line === end.line && start.character === end.character)) {
    return `${verb} ${name}`;
  }
  // A selection of whole lines ends where the next one begins.
  const last = end.character === 0 && end.line > start.line ? end.line : end.line + 1;
  const first = start.line + 1;
  const lines = first === last ? `line ${first}` : `lines ${first} to ${last}`;
  return `${verb} ${name}, ${lines}`;
}
