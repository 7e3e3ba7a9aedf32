// Markdown from a model as HTML for the panel. Raw HTML in it is text, and nothing is loaded.

import hljs from "highlight.js/lib/common";
import MarkdownIt from "markdown-it";

const markdown = new MarkdownIt({ html: false, linkify: false, highlight: coloured });

markdown.disable("image");
markdown.renderer.rules.fence = (tokens, index, options) => {
  const { content = "", info = "" } = tokens[index] ?? {};
  const language = info.trim().split(/\s+/)[0] ?? "";
  const code = options.highlight?.(content, language, "") || markdown.utils.escapeHtml(content);
  const buttons =
    '<button data-do="copy" title="Copy">Copy</button><button data-do="insert" title="Insert at the caret">Insert</button>';
  return `<figure><menu>${buttons}</menu><pre><code>${code}</code></pre></figure>`;
};

/** HTML without scripts, styles, images or handlers; each code block has its buttons. */
export function render(text: string): string {
  return markdown.render(text);
}

/** Highlighted HTML, or "" for a language that is not known. */
function coloured(code: string, language: string): string {
  return hljs.getLanguage(language) ? hljs.highlight(code, { language }).value : "";
}
