import { start, tokenFor } from "./program.ts";
Deno.test("explore", async () => {
  await using program = await start();
  const T = await tokenFor(program.origin, "alice");
  const auth =
    `host: localhost\r\nauthorization: Bearer ${T}\r\ncontent-type: application/json\r\naccept: application/json, text/event-stream\r\n`;
  for (const size of [1e6, 10e6]) {
    const c = await Deno.connect({ hostname: "127.0.0.1", port: program.port });
    const e = new TextEncoder();
    const t0 = performance.now();
    const reading = (async () => {
      const b = new Uint8Array(65536);
      let o = "";
      try {
        for (;;) {
          const n = await c.read(b);
          if (n === null) return o + `<EOF ${performance.now() - t0}>`;
          o += new TextDecoder().decode(b.subarray(0, n));
          console.log("read", n, performance.now() - t0);
        }
      } catch (x) {
        return o + `<${(x as Error).name} ${performance.now() - t0}>`;
      }
    })();
    let sent = 0;
    const writing = (async () => {
      try {
        let b: Uint8Array = e.encode(
          `POST /mcp HTTP/1.1\r\n${auth}transfer-encoding: chunked\r\n\r\n`,
        );
        while (b.length) b = b.subarray(await c.write(b));
        for (;;) {
          b = e.encode("f4240\r\n" + "x".repeat(1e6) + "\r\n");
          while (b.length) {
            const n = await c.write(b);
            sent += n;
            b = b.subarray(n);
          }
          if (sent > size) return "sent all";
        }
      } catch (x) {
        return (x as Error).name;
      }
    })();
    const t = setTimeout(() => {
      console.log("sent", sent);
      c.close();
    }, 45000);
    console.log(
      (await reading).slice(-60),
      await Promise.race([writing, "still writing"]),
      sent,
      performance.now() - t0,
    );
    clearTimeout(t);
    try {
      c.close();
    } catch { /* */ }
    await writing;
  }
});
