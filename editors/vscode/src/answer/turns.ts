// The questions of a conversation and what comes of them, as it comes.

import type { Location } from "vscode-languageclient/node";
import type { Turn } from "./protocol";
import type { Answer, Kind, Question } from "./question";
import { render } from "./render";

const DRAWN_EVERY_MS = 60;

/** What a conversation is shown with and asks. */
export interface Surface {
  show(index: number, turn: Turn): void;
  stream(
    kind: Kind,
    question: Question,
    onText: (delta: string) => void,
    stop: AbortSignal,
  ): Promise<Answer>;
  placeName(location: Location): string;
}

/** One question at a time; a newer one stops the one before, of which nothing is kept from then on. */
export class Turns {
  private references: Location[][] = [];
  private running = new AbortController();

  constructor(private readonly surface: Surface) {}

  /** Forget the conversation so far. */
  clear(): void {
    this.references = [];
  }

  stop(): void {
    this.running.abort();
  }

  /** A place in the code that the answer of a turn rests on. */
  reference(index: number, reference: number): Location | undefined {
    return this.references[index]?.[reference];
  }

  /** Ask, under a heading. Never rejects: what goes wrong is shown. */
  async ask(kind: Kind, question: Question, heading: string): Promise<void> {
    this.stop();
    const running = new AbortController();
    this.running = running;
    const index = this.references.push([]) - 1;
    const turn: Turn = {
      question: heading,
      html: "",
      state: "streaming",
      error: "",
      references: [],
    };
    const draw = (change: Partial<Turn>) => {
      // A newer question has taken the panel over.
      if (this.running === running) {
        this.surface.show(index, Object.assign(turn, change));
      }
    };
    draw({});
    const text = new Growing((html) => draw({ html }));
    const { signal } = running;
    try {
      const answer = await this.surface.stream(kind, question, (delta) => text.add(delta), signal);
      text.end();
      signal.throwIfAborted(); // the answer was on its way when it was stopped
      question.conversation = answer.conversation;
      this.references[index] = answer.references;
      const references = answer.references.map((place) => this.surface.placeName(place));
      draw({ html: render(answer.text), state: "done", references });
    } catch (error) {
      text.end();
      draw({ state: signal.aborted ? "stopped" : "failed", error: (error as Error).message });
    }
  }
}

/** Markdown that grows, drawn now and then rather than for every token. */
class Growing {
  private text = "";
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly draw: (html: string) => void) {}

  add(delta: string): void {
    this.text += delta;
    this.timer ??= setTimeout(() => this.end(), DRAWN_EVERY_MS);
  }

  /** Draw what has come. */
  end(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    this.draw(render(this.text));
  }
}
