// Typing what is suggested: in every frame that is drawn, the line reads the same.

import assert from "node:assert/strict";

export default async function (editor) {
  await editor.open("square.py", "def square(number):\n");
  await editor.statusSoon(/ready/);
  await editor.type("    return ");
  const ghost = (await editor.ghostSoon()).split("\n")[0];
  const whole = `    return ${ghost}`;
  assert.ok(ghost.length > 3, ghost);
  await editor.page.evaluate(() => {
    window.frames_seen = new Set();
    const look = () => {
      const lines = [...document.querySelectorAll(".editor-instance .view-lines > .view-line")];
      lines.sort((a, b) => Number.parseInt(a.style.top) - Number.parseInt(b.style.top));
      window.frames_seen.add((lines[1]?.textContent ?? "").replaceAll("\u00a0", " "));
      window.looking = requestAnimationFrame(look);
    };
    look();
  });
  await editor.type(ghost.slice(0, -1), 60);
  const frames = await editor.page.evaluate(() => {
    cancelAnimationFrame(window.looking);
    return [...window.frames_seen];
  });
  assert.deepEqual(frames, [whole]);
}
