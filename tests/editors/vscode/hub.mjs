// A Hugging Face Hub with one file, of which it gives the first half until told to go on.

import { createReadStream, statSync } from "node:fs";
import { createServer } from "node:http";
import { pipeline } from "node:stream/promises";

export class Hub {
  constructor(path) {
    this.path = path;
    this.released = new Promise((resolve) => {
      this.release = resolve;
    });
  }

  /** Its address. */
  async start() {
    this.server = createServer((request, response) => this.answer(request, response));
    await new Promise((resolve) => this.server.listen(0, "127.0.0.1", resolve));
    return `http://127.0.0.1:${this.server.address().port}`;
  }

  async answer(request, response) {
    const { size } = statSync(this.path);
    response.writeHead(200, { "Content-Length": size });
    if (request.method === "HEAD") {
      response.end();
      return;
    }
    const half = Math.floor(size / 2);
    await pipeline(createReadStream(this.path, { end: half - 1 }), response, { end: false });
    await this.released;
    await pipeline(createReadStream(this.path, { start: half }), response);
  }

  stop() {
    this.server.closeAllConnections();
    this.server.close();
  }
}
