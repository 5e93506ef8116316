/**
 * A stand-in for Grafana that knows one data source, by several uids, and passes requests on to it
 * by the two ways that Grafana has.
 *
 * @module
 */

/** A data source, as the stand-in knows it. */
export interface StandSource {
  /** What the data source says of how it wants to be asked. */
  readonly httpMethod: "GET" | "POST";
  /** Whether its plugin passes requests on; otherwise only Grafana does. */
  readonly hasResources: boolean;
}

/**
 * Makes the stand-in.
 *
 * @param origin Where the Prometheus is that all of them are.
 * @param token Whom it lets in.
 */
export function sourceStand(
  origin: string,
  token: string,
  sources: Readonly<Record<string, StandSource>>,
): (request: Request) => Promise<Response> {
  return async (request) => {
    if (request.headers.get("authorization") !== `Bearer ${token}`) {
      return Response.json({ message: "Unauthorized", messageId: "auth.unauthorized" }, {
        status: 401,
      });
    }
    const { pathname, search } = new URL(request.url);
    const [, proxied, uid = "", below = ""] =
      /^\/api\/datasources\/(proxy\/)?uid\/([\w-]+)(?:\/(.*))?$/.exec(pathname) ?? [];
    const source = sources[uid];
    if (!source) return refusal(404, "data source not found");
    if (proxied) return await passOn(request, `${origin}/${below}${search}`);
    if (below === "") {
      const { httpMethod } = source;
      return Response.json({ uid, name: uid, type: "prometheus", jsonData: { httpMethod } });
    }
    if (!below.startsWith("resources/") || !source.hasResources) return refusal(404, "Not found");
    // A plugin gets the path decoded, so that an encoded slash is one like any other.
    const path = decodeURIComponent(below.slice("resources/".length));
    return await passOn(
      request,
      `${origin}/${path.split("/").map(encodeURIComponent).join("/")}${search}`,
    );
  };
}

/** Sends a request on without what let it in. */
async function passOn(request: Request, url: string): Promise<Response> {
  const { method } = request;
  const contentType = request.headers.get("content-type");
  const headers = new Headers(contentType ? { "content-type": contentType } : {});
  const body = method === "POST" ? await request.text() : null;
  try {
    const response = await fetch(url, { method, headers, body, redirect: "manual" });
    const { status } = response;
    const type = response.headers.get("content-type") ?? "";
    return new Response(await response.bytes(), { status, headers: { "content-type": type } });
  } catch {
    return refusal(502, "");
  }
}

const refusal = (status: number, message: string) => Response.json({ message }, { status });
