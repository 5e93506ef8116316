/**
 * A web site on this machine whose pages are what a test says.
 *
 * @module
 */

/** A site that serves. */
export interface Site extends AsyncDisposable {
  readonly origin: string;
}

/**
 * Starts a site.
 *
 * @param host `localhost` or `127.0.0.1`, which are two sites; two ports of one are one site.
 * @param page Markup of the page at a URL.
 */
export function site(
  host: "localhost" | "127.0.0.1",
  page: (url: URL) => string | Promise<string>,
): Site {
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    async ({ url }) =>
      new Response(await page(new URL(url)), {
        headers: { "content-type": "text/html; charset=utf-8" },
      }),
  );
  return {
    origin: `http://${host}:${server.addr.port}`,
    // Browsers keep connections open that nobody needs any more.
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}

/** Text as the value of an attribute. */
export function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll('"', "&quot;");
}
