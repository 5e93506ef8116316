/**
 * What every request has, whatever answers it: a log of its own, common headers on the answer, and
 * a plain 500 where the program crashed.
 *
 * @module
 */

import type { HttpConfig } from "./config.ts";
import { type Handler, pathOf, plain } from "./http.ts";
import { clientAddress } from "./limit.ts";
import type { Ports } from "./ports.ts";
import { tracer } from "./trace.ts";

// Pages bring their own policies, which are as strict as a page can be.
const DEFAULT_HEADERS: readonly (readonly [string, string])[] = [
  ["x-content-type-options", "nosniff"],
  ["content-security-policy", "default-src 'none'; frame-ancestors 'none'"],
  ["referrer-policy", "no-referrer"],
  ["cache-control", "no-store"],
];

/** Gives each request its trace and each response its common headers; turns a crash into a 500. */
export function observe(
  next: Handler,
  ports: Ports,
  { publicUrl, trustedProxies }: HttpConfig,
): (request: Request, remote?: string) => Promise<Response> {
  const open = tracer(ports);
  const secure = publicUrl.protocol === "https:";
  return async (request, remote = "") => {
    const forwarded = request.headers.get("x-forwarded-for");
    const trace = open(clientAddress(remote, forwarded, trustedProxies));
    let response: Response;
    try {
      response = await next(request, trace);
    } catch (error) {
      trace.log("error", "request failed", { error: String(error) });
      response = plain(500, `Something went wrong; the log tells what under request ${trace.id}`);
    }
    const { headers, status } = response;
    headers.set("x-request-id", trace.id);
    for (const [name, value] of DEFAULT_HEADERS) if (!headers.has(name)) headers.set(name, value);
    if (secure) headers.set("strict-transport-security", "max-age=31536000");
    const path = pathOf(request.url);
    trace.close("info", "request", { method: request.method, path, status });
    return response;
  };
}
