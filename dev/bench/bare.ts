/**
 * What every figure is measured against: a server that only parses JSON and answers JSON.
 *
 * @module
 */

Deno.serve(
  { hostname: "127.0.0.1", port: Number(Deno.args[0]), onListen: () => {} },
  async (request) => {
    if (request.method === "GET") return new Response("ok\n");
    const { id } = await request.json();
    return Response.json({ jsonrpc: "2.0", id, result: {} });
  },
);
