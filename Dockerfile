# The bundle on a base without shell and package manager, as a user without rights. Works with a
# read-only root; only /data is written to, and only where SQLite or an audit log is kept there.
#
#   docker build --tag gatehouse .
#   docker run --read-only --publish 127.0.0.1:8080:8080 --env-file gatehouse.env gatehouse
#
# Every argument goes to Gatehouse: `docker run gatehouse version`, `docker run gatehouse check`.

ARG DENO_VERSION=2.9.6

FROM denoland/deno:bin-${DENO_VERSION} AS deno

# What is bundled is the same for every platform, so it is made on the builder's.
FROM --platform=$BUILDPLATFORM denoland/deno:${DENO_VERSION} AS build
WORKDIR /source
ENV DENO_TLS_CA_STORE=mozilla,system
COPY deno.json deno.lock main.ts ./
COPY lib lib
COPY dev/ship dev/ship
RUN deno task bundle && mkdir data

FROM gcr.io/distroless/cc-debian12:nonroot
COPY --from=deno /deno /usr/local/bin/deno
COPY --from=build /source/dist/gatehouse.js /usr/local/lib/gatehouse.js
COPY --from=build --chown=65532:65532 /source/data /data
WORKDIR /
USER 65532:65532
# Behind a proxy that inspects TLS, the system's certificates count too. Deno keeps no cache here.
ENV DENO_TLS_CA_STORE=mozilla,system \
    DENO_NO_UPDATE_CHECK=1 \
    MCP_TRANSPORT=http \
    MCP_HTTP_HOST=0.0.0.0
EXPOSE 8080
VOLUME /data
# Kubernetes asks /healthz and /readyz itself. Where the server has TLS of its own, turn this off.
HEALTHCHECK --start-period=10s CMD ["deno", "eval", "const port = Deno.env.get('MCP_HTTP_PORT') ?? 8080; Deno.exit((await fetch(`http://127.0.0.1:${port}/healthz`)).ok ? 0 : 1)"]
# The permissions of deno.json.
ENTRYPOINT [ \
  "deno", "run", "--no-prompt", "--unstable-no-legacy-abort", \
  "--allow-net", "--allow-read", "--allow-write=data", \
  "--allow-env=MCP_*,OAUTH_*,OIDC_*,JWT_*,LOG_*,STORE_*,GRAFANA_*,KAFKA_*", \
  "--ignore-env=DEBUG,NAPI_RS_*", "--deny-ffi", \
  "/usr/local/lib/gatehouse.js" \
]
