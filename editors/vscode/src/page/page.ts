// Runs in the panel: draws turns and passes on what a person clicks.

import type { Show, Turn, Wish } from "../answer/protocol";

declare function acquireVsCodeApi(): { postMessage(message: Wish): void };

const vscode = acquireVsCodeApi();
const turns = element("turns");
const form = element("form") as HTMLFormElement;
const question = element("question") as HTMLTextAreaElement;
const send = element("send") as HTMLButtonElement;
let streaming = false;

window.addEventListener("message", ({ data }: MessageEvent<Show>) => {
  const atEnd = window.innerHeight + window.scrollY >= document.body.scrollHeight - 40;
  while (turns.children.length > data.index + 1) {
    turns.lastElementChild?.remove();
  }
  draw(data);
  streaming = data.turn.state === "streaming";
  send.textContent = streaming ? "Stop" : "Ask";
  if (atEnd) {
    window.scrollTo(0, document.body.scrollHeight);
  }
});

form.addEventListener("submit", (event) => {
  event.preventDefault();
  if (streaming) {
    vscode.postMessage({ do: "stop" });
  } else if (question.value.trim()) {
    vscode.postMessage({ do: "ask", text: question.value.trim() });
    question.value = "";
  }
});

question.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && !event.shiftKey) {
    event.preventDefault();
    form.requestSubmit();
  }
});

turns.addEventListener("click", (event) => {
  const button = (event.target as HTMLElement).closest<HTMLElement>("[data-do]");
  const wish = button?.dataset.do;
  if (wish === "copy" || wish === "insert") {
    const text = button?.closest("figure")?.querySelector("code")?.textContent ?? "";
    vscode.postMessage({ do: wish, text });
  } else if (wish === "open") {
    const { index, reference } = button?.dataset ?? {};
    vscode.postMessage({ do: wish, index: Number(index), reference: Number(reference) });
  }
});

vscode.postMessage({ do: "ready" });

function draw({ index, turn }: Show): void {
  const section = turns.children[index] ?? turns.appendChild(document.createElement("section"));
  section.className = turn.state;
  const heading = document.createElement("h2");
  heading.textContent = turn.question;
  const answer = document.createElement("article");
  answer.innerHTML = turn.html;
  const links = turn.references.map((name, reference) => link(name, index, reference));
  section.replaceChildren(heading, answer, ...note(turn), ...links);
}

function note({ state, error }: Turn): HTMLElement[] {
  if (state === "done" || state === "streaming") {
    return [];
  }
  const paragraph = document.createElement("p");
  paragraph.className = "note";
  paragraph.textContent = state === "stopped" ? "Stopped." : error;
  return [paragraph];
}

function link(name: string, index: number, reference: number): HTMLElement {
  const button = document.createElement("button");
  button.className = "reference";
  button.textContent = name;
  Object.assign(button.dataset, { do: "open", index, reference });
  return button;
}

function element(id: string): HTMLElement {
  const found = document.getElementById(id);
  if (!found) {
    throw new Error(`The page has no ${id}.`);
  }
  return found;
}
