/**
 * What MCP asks of a server that is an OAuth resource, and of one that is an authorization server
 * too, item by item. Tests cite items by their id, as in "(SPEC C2.4)".
 *
 * `M` is a MUST, `S` a SHOULD, `Y` a MAY, `-` our own reading where the text is silent. Where
 * nothing else is said the revision is 2026-07-28; C4 is 2025-11-25.
 *
 * @module
 */

/** One item. */
export interface Requirement {
  readonly id: string;
  readonly what: string;
  /** Why no test needs to cite it: it does not apply to this server as it is today. */
  readonly exempt?: string;
}

const SITE = "https://modelcontextprotocol.io/specification";
const DOCS = "https://modelcontextprotocol.io/docs";

/** Where the items of a section come from. */
export const SECTIONS: Readonly<Record<string, string>> = {
  A1: `${SITE}/2026-07-28/basic/authorization`,
  A2: `${SITE}/2026-07-28/basic/authorization/authorization-server-discovery`,
  A3: `${SITE}/2026-07-28/basic/authorization`,
  A4: `${SITE}/2026-07-28/basic/authorization/security-considerations`,
  A5: `${SITE}/2026-07-28/basic/authorization/security-considerations`,
  A6: `${SITE}/2026-07-28/client/elicitation`,
  B1: `${SITE}/2026-07-28/basic/authorization/authorization-server-discovery`,
  B2: `${SITE}/2026-07-28/basic/authorization`,
  B3: `${SITE}/2026-07-28/basic/authorization/security-considerations`,
  B4: `${SITE}/2026-07-28/basic/authorization/client-registration`,
  B5: `${DOCS}/tutorials/security/security_best_practices#confused-deputy-problem`,
  C1: `${SITE}/2026-07-28/basic/transports/streamable-http`,
  C2: `${SITE}/2026-07-28/basic`,
  C3: `${SITE}/2026-07-28/basic/patterns/subscriptions`,
  C4: `${SITE}/2025-11-25/basic/transports`,
  C5: `${SITE}/2026-07-28/basic/versioning`,
  C6: `${SITE}/2026-07-28/basic/transports/streamable-http`,
  D: `${SITE}/2026-07-28/basic/transports/stdio`,
  E: `${DOCS}/tutorials/security/security_best_practices`,
};

const ITEMS = `
A1.1  Y  authorization is optional; over HTTP it follows this profile, over stdio it does not
A1.2  Y  client and server may agree on an authentication scheme of their own
A1.3  M  every HTTP request carries its token; none is remembered from an earlier one
A2.1  M  protected resource metadata is implemented (RFC 9728)
A2.2  M  the metadata names at least one authorization server
A2.3  M  the challenge or the well-known URI leads to the metadata; here both do
A2.4  M  the well-known URI has the endpoint's path as suffix, or stands at the root
A2.5  M  resource is the exact URL of the endpoint, without fragment
A2.6  S  the canonical URI is lower-case in scheme and host, without a trailing slash
A2.7  S  scopes_supported is the least a client needs, not a catalogue
A2.8  S  offline_access is in no scopes_supported and in no challenge
A2.9  Y  several authorization servers may be named, and only those whose tokens are accepted
A2.10 M  the metadata is public JSON without empty lists, from the configured URL only
A2.11 -  issuer strings stay the same, byte for byte
A3.1  M  401 for no token or a bad one, 403 for lacking scope, 400 for a malformed request
A3.2  M  a request without usable credentials gets WWW-Authenticate: Bearer with a parameter
A3.3  S  a 401 challenge names the scope that the request needs
A3.4  S  error stands in a challenge only when a bad token was sent
A3.5  S  lacking scope is 403 insufficient_scope with scope and resource_metadata
A3.6  S  one challenge names all scopes that the operation needs
A3.7  M  a broader scope satisfies a narrower need
A3.8  M  parameters of a challenge keep to their characters and appear once
A3.9  -  step-up is decided before a stream opens
A3.10 -  a 403 for an origin carries no Bearer challenge
A4.1  M  a token is validated before anything is processed, and nothing reaches others
A4.2  M  the token was issued for this server
A4.3  M  only tokens for this server are accepted, and none is passed on
A4.4  M  a token counts in the Authorization header only
A4.5  M  tokens cannot be had from caches or logs
A4.6  M  issuer, algorithm, type, lifetime and key of a JWT are checked; an ID token is none
A4.7  -  an expected audience can be configured
A4.8  -  a stream does not outlive the token it was opened with
A4.9  M  scopes of a token do not stand in for authorization by the server
A5.1  M  the client's token is not forwarded to an upstream API
A5.2  -  a shared issuer is no exemption
A5.3  -  ways to act as the user upstream
A5.4  -  a service account needs authorization of the user here
A5.5  -  upstream credentials in headers of the client are a mode of their own
A6.1  M  secrets are never asked for in form mode
A6.2  M  third-party credentials never pass through the client
A6.3  M  URL elicitation does not authorize the user to this server
A6.4  M  an elicitation is bound to client and user
A6.5  M  the user who opens the URL is the one who was asked
A6.6  M  the URL carries no personal data and no credentials
A6.7  M  only declared modes are used
A6.8  M  each era has its own way to elicit
B1.1  M  OAuth 2.1 for public and for confidential clients
B1.2  M  RFC 8414 metadata or OpenID Connect Discovery is published; here both are
B1.3  M  the documents stand at every location where clients look
B1.4  M  issuer is the same in all documents, answers and tokens, byte for byte
B1.5  M  S256 is advertised in both documents, plain is neither advertised nor accepted
B1.6  M  the required members are there, and those whose defaults bite
B1.7  M  what works is advertised and nothing else: iss, documents, registration
B1.8  Y  default endpoints for clients of 2025-03-26 without metadata
B1.9  M  https; CORS where clients call, none where people are
B2.1  M  PKCE is demanded and checked
B2.2  M  redirect URIs match exactly, but for the port on loopback; other schemes by opt-in
B2.3  M  no open redirector: a bad client or URI gets a page
B2.4  S  iss is in every authorization response
B2.5  -  state untouched, duplicates refused, empty is absent, unknown ignored, 303, no framing
B2.6  -  resource is honoured and bound to code, refresh token and audience
B2.7  M  what clients verify before they redeem is there on every path
B3.1  S  access tokens are short-lived
B3.2  M  refresh tokens rotate; reuse ends the grant; scope does not widen; idle grants expire
B3.3  -  codes are used once, expire, and are bound to client, URI, challenge and resource
B3.4  -  token responses are not stored; errors are JSON with the right status
B3.5  -  unknown scopes are ignored, and the granted ones reported
B3.6  -  own tokens for the resource; those of the provider stay here, sealed
B3.7  -  the provider's side is asked about and its end ends the grant
B3.8  -  signing keys are asymmetric, published and rotated; revocation works
B4.1  S  client-ID metadata documents, with all their guards
B4.2  S  pre-registered clients
B4.3  Y  dynamic registration, bounded and switchable
B4.4  -  unknown client ids are told so that clients register again
B5.1  M  consent per client before the person is sent on
B5.2  M  approvals are not taken for granted: every request asks
B5.3  M  the page says who asks for what and where it goes, cannot be forged or framed
B5.4  M  cookies are __Host-, Secure, HttpOnly, SameSite
B5.5  M  a changed redirect URI is refused until it is registered
B5.6  M  the upstream state is made after approval, bound to the browser, used once, short-lived
B5.7  -  PKCE, nonce, iss and audience are checked on the upstream leg
B5.8  -  no consent outlives its login
C1.1  M  Origin is validated on every connection: 403 when it is not allowed
C1.2  S  a local server listens on 127.0.0.1 and authenticates all connections
C1.3  M  one endpoint, UTF-8 JSON-RPC, one message per POST
C1.4  M  202 for a notification; JSON or an event stream for a request
C1.5  -  content type, body size, depth and time are bounded
C1.6  -  CORS allows and exposes what clients need, and never everything with credentials
C1.7  M  tools, resources and prompts validate inputs and sanitise outputs
C1.8  M  unknown tools are protocol errors, failing tools are results with isError
C1.9  M  schemas are JSON Schema 2020-12 and refer to nothing on the network
C2.1  M  no request relies on an earlier one
C2.2  M  _meta names revision and capabilities; who the client says it is decides nothing
C2.3  M  MCP-Protocol-Version, Mcp-Method and Mcp-Name stand on every POST that needs them
C2.4  M  headers are compared with the body, decoded from Base64: 400 HeaderMismatch
C2.5  M  Mcp-Param headers are compared with the arguments
C2.6  M  x-mcp-header annotations are well-formed; tool names are unique and plain
C2.7  M  no header is trusted for a security decision
C2.8  M  an unsupported revision is 400 with those supported
C2.9  M  an unknown or removed method is 404
C2.10 M  a capability that the client lacks is 400 with those required
C2.11 M  results carry resultType, and name the server
C2.12 M  errors echo the request's id, with codes of this revision only
C2.13 M  server/discover is implemented
C2.14 S  GET and DELETE are 405; session and event ids are ignored and never minted
C2.15 M  no requests from the server; its stream is about one request and ends with the result
C2.16 M  a client that leaves the stream cancels
C2.17 M  log messages go to clients that asked only, and hold no secrets
C2.18 M  lists are the same on every connection, in a stable order; a bad cursor is refused
C3.1  M  results that may be cached say how long and by whom
C3.2  M  what depends on the user is private
C3.3  M  a subscription is acknowledged first, tagged, and ended by a result
C3.4  M  input_required results keep to their methods and capabilities
C3.5  M  requestState is not trusted
C3.6  S  inputResponses are validated
C3.7  -  replicas share the keys of requestState
C4.1  M  POST and GET are supported; GET is an event stream or 405
C4.2  M  initialize negotiates the revision; only negotiated capabilities are used
C4.3  M  session ids are secure; missing is 400, unknown or ended is 404
C4.4  M  sessions do not authenticate: each request is verified and bound to the owner
C4.5  M  an unsupported MCP-Protocol-Version is 400; without one 2025-03-26 is assumed
C4.6  S  a disconnect is no cancellation
C4.7  M  resuming replays messages of the same stream only
C4.8  M  requests of the server belong to a request of the client
C4.9  M  error codes of 2025, and tasks bound to their owner
C4.10 S  the HTTP+SSE transport is not adopted
C5.1  Y  both eras share one endpoint
C5.2  -  each era gets its own statuses and results, and both the same authentication
C5.3  S  policy does not rest on mirrored headers of older revisions
C6.1  M  each upstream gets a token of its own
C6.2  M  the client side of OAuth towards upstreams
C6.3  M  an upstream's 401 or 403 is not this server's challenge
C6.4  M  Mcp headers are rewritten with the names
C6.5  S  tool names of upstreams are told apart
C6.6  M  cached upstream results respect their scope
C6.7  M  upstreams learn only the capabilities that the client declared
C6.8  -  upstream definitions and results are not trusted
C6.9  S  spawned servers are sandboxed
C6.10 -  calls to upstreams are audited
D1    S  OAuth for HTTP does not run on stdio
D2    M  stdout carries JSON-RPC lines only; logs go to stderr
D3    M  no requests from the server under 2026-07-28
D4    M  notifications/cancelled stops a call
D5    S  the end of stdin ends the process
D6    M  server/discover answers the probe; initialize selects 2025
D7    S  a local HTTP server asks for a token
D8    M  URL elicitation rules hold on stdio, too
E1    M  confused deputy
E2    M  no token passthrough
E3    S  SSRF as a client of other servers
E4    S  SSRF as an authorization server that fetches metadata
E5    M  state handles do not authenticate, and are bound to their owner
E6    M  session hijacking
E7    M  local server compromise
E8    S  only http(s) URLs are published, https in production; pages have a policy
E9    -  escalation over a stdio proxy
E10   -  mix-up: iss is emitted
E11   -  loopback redirects can be anybody's: the person is warned
E12   -  who vouches for a client is shown, and the operator chooses who may introduce themselves
E13   -  scopes are the least needed
E14   M  tasks are authorized
`;

/** Reasons by id, or by section for all its items. */
const EXEMPT: Readonly<Record<string, string>> = {
  "A1.2": "bearer tokens are the only scheme",
  "A5.2":
    "passing a token on is the operator's explicit choice, and the documents say what MCP says",
  "A5.4": "a service account serves where nobody logs in, or by explicit choice",
  "A6": "nothing is elicited by URL",
  "B1.8": "clients find the metadata; default endpoints would be a second way in",
  "C2.10": "no method or tool needs a capability of the client",
  "C3.4": "no tool returns input_required",
  "C3.5": "no tool returns input_required",
  "C3.6": "no tool returns input_required",
  "C3.7": "no tool returns input_required",
  "C4.9":
    "no URL elicitation or tasks are offered, and the SDK writes -32602 for an unknown resource",
  "C6": "no other MCP server stands behind this one yet",
  "D8": "nothing is elicited by URL",
  "E3": "no other MCP server stands behind this one yet",
  "E9": "no stdio server is proxied",
  "E14": "no tasks are offered",
};

/** Section of an item. */
export function sectionOf(id: string): string {
  return /^[DE]/.test(id) ? id[0]! : id.split(".")[0]!;
}

/**
 * Every item of the sections on resource servers (A), authorization servers (B), transport (C),
 * stdio (D) and security (E).
 */
export const REQUIREMENTS: readonly Requirement[] = ITEMS.trim().split("\n").map((line) => {
  const [, id, what] = /^(\S+)\s+[MSY-]\s+(.+)$/.exec(line) ?? [];
  if (!id || !what) throw new TypeError(`Cannot read the item "${line}"`);
  const exempt = EXEMPT[id] ?? EXEMPT[sectionOf(id)];
  return { id, what, ...(exempt !== undefined && { exempt }) };
});
