// The panel's document: one script and one style sheet of our own, by nonce, and nothing else.

/** HTML with the page's code in it. */
export function page(script: string, style: string, nonce: string): string {
  const policy = `default-src 'none'; script-src 'nonce-${nonce}'; style-src 'nonce-${nonce}'`;
  return `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<title>Caret</title>
<style nonce="${nonce}">${style}</style>
</head>
<body>
<main id="turns" aria-live="polite"></main>
<form id="form">
<textarea id="question" rows="2" placeholder="Ask about this code" aria-label="Question"></textarea>
<button id="send" type="submit">Ask</button>
</form>
<script nonce="${nonce}">${script}</script>
</body>
</html>`;
}
