/**
 * What all public routes of proxy mode have in common: a limit per client address, and for those
 * that clients call, readability from any web page (SPEC B1.9).
 *
 * The pages have no CORS: nobody but the person may read them.
 *
 * @module
 */

import { type Handler, type Methods, plain } from "../http.ts";
import { limiter } from "../limit.ts";
import type { Ports } from "../ports.ts";
import type { Trace } from "../trace.ts";
import { NO_STORE, oauthError } from "./errors.ts";
import type { Pages } from "./pages.ts";

/** Over how many seconds requests are counted. */
const WINDOW_SECONDS = 60;

/** How many pages one address may ask for within the window. */
const PAGE_LIMIT = 60;

const CORS = {
  "access-control-allow-origin": "*",
  "access-control-expose-headers": "retry-after, www-authenticate, x-request-id",
};

/** Prepares the wrapping of pages. */
export function forBrowsers(
  pages: Pages,
  { now, meter }: Pick<Ports, "now" | "meter">,
): (methods: Methods) => Methods {
  return (methods) => {
    const wait = limiter({ limit: PAGE_LIMIT, windowSeconds: WINDOW_SECONDS }, now);
    return each(methods, (next, method) => (request, trace) => {
      // A look ahead, as of a mail scanner, must not consent, log in or use up anything.
      if (request.method !== method) {
        return plain(405, `This page answers ${method}`, { allow: method });
      }
      const seconds = wait(trace.address);
      if (seconds === 0) return next(request, trace);
      meter.limited("requests");
      return pages.failure({
        status: 429,
        title: "Too many requests",
        what: "This page was asked for too often from your network.",
        fix: `Wait ${seconds} seconds and try again.`,
        requestId: trace.id,
      }, { "retry-after": String(seconds) });
    });
  };
}

/** Prepares the wrapping of endpoints that clients call, with how many calls a window admits. */
export function forClients(
  { now, meter }: Pick<Ports, "now" | "meter">,
): (methods: Methods, limit: number) => Methods {
  return (methods, limit) => {
    const wait = limiter({ limit, windowSeconds: WINDOW_SECONDS }, now);
    const limited = each(methods, (next) => async (request, trace) => {
      const seconds = wait(trace.address);
      if (seconds > 0) meter.limited("requests");
      const response = seconds === 0 ? await attempt(next, request, trace) : tooMany(seconds);
      for (const [name, value] of Object.entries(CORS)) response.headers.set(name, value);
      return response;
    });
    return { ...limited, OPTIONS: preflight };
  };
}

function each(methods: Methods, wrap: (next: Handler, method: string) => Handler): Methods {
  return Object.fromEntries(
    Object.entries(methods).map(([method, handler]) => [method, wrap(handler, method)]),
  );
}

// Without the store nothing can be said, good or bad: the client keeps what it has and comes back.
async function attempt(next: Handler, request: Request, trace: Trace): Promise<Response> {
  try {
    return await next(request, trace);
  } catch (error) {
    trace.log("error", "request failed", { error: String(error) });
    return oauthError("temporarily_unavailable");
  }
}

// `slow_down` is the nearest code there is (RFC 8628 section 3.5).
function tooMany(seconds: number): Response {
  return Response.json(
    { error: "slow_down", error_description: `Try again in ${seconds} seconds` },
    { status: 429, headers: { ...NO_STORE, "retry-after": String(seconds) } },
  );
}

function preflight(): Response {
  return new Response(null, {
    status: 204,
    headers: {
      ...CORS,
      "access-control-allow-methods": "POST",
      "access-control-allow-headers": "authorization, content-type, mcp-protocol-version",
      "access-control-max-age": "86400",
    },
  });
}
