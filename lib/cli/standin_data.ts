/**
 * What the stand-in for Grafana has in memory, within bounds.
 *
 * @module
 */

/** Most dashboards, folders and annotations that are kept. */
const MOST = 200;

type Members = Readonly<Record<string, unknown>>;

interface Hit {
  readonly uid: string;
  readonly title: string;
  readonly type: string;
  readonly url: string;
  readonly tags?: unknown;
}

/** The data of one stand-in. */
export interface Database {
  /** @param type `dash-db`, `dash-folder`, or both when empty. */
  search(type: string, query: string): unknown[];
  dashboard(uid: string): unknown;
  /** @returns `undefined` when it has no title. */
  save(dashboard: unknown): unknown;
  /** @returns `undefined` when it has no title. */
  folder(title: unknown): unknown;
  /** @returns Its id. */
  annotate(annotation: Members | undefined): number;
  readonly datasources: readonly Members[];
  readonly annotations: readonly Members[];
}

/** Makes data to begin with. */
export function dashboards(): Database {
  const kept = new Map<string, Members>();
  const folders = new Map<string, string>([["standin", "Stand-in"]]);
  const annotations: Members[] = [];
  const save = (dashboard: Members) => {
    const uid = text(dashboard.uid) ?? `standin-${kept.size + 1}`;
    const version = Number(kept.get(uid)?.version ?? 0) + 1;
    if (kept.size >= MOST && !kept.has(uid)) return undefined;
    kept.set(uid, { ...dashboard, uid, version });
    return { uid, version, status: "success", url: `/d/${uid}`, slug: uid };
  };
  save({ uid: "welcome", title: "Welcome (stand-in)", tags: ["standin"], panels: [PANEL] });
  return {
    annotations,
    datasources: [{
      id: 1,
      uid: "standin-prom",
      name: "Prometheus (stand-in)",
      type: "prometheus",
    }],
    search: (type, query) => {
      const hits: Hit[] = [
        ...[...kept].map(([uid, { title, tags }]) => ({
          uid,
          title: String(title),
          type: "dash-db",
          url: `/d/${uid}`,
          ...(tags !== undefined && { tags }),
        })),
        ...[...folders].map(([uid, title]) => ({
          uid,
          title,
          type: "dash-folder",
          url: `/dashboards/f/${uid}`,
        })),
      ];
      return hits.filter((hit) =>
        (type === "" || hit.type === type) && hit.title.toLowerCase().includes(query.toLowerCase())
      );
    },
    dashboard: (uid) => {
      const dashboard = kept.get(uid);
      return dashboard && {
        dashboard,
        meta: {
          folderUid: "standin",
          folderTitle: "Stand-in",
          url: `/d/${uid}`,
          version: dashboard.version,
        },
      };
    },
    save: (dashboard) => {
      const members = Object(dashboard) as Members;
      return text(members.title) === undefined ? undefined : save(members);
    },
    folder: (given) => {
      const title = text(given);
      if (title === undefined || folders.size >= MOST) return undefined;
      const uid = `standin-folder-${folders.size}`;
      folders.set(uid, title);
      return { uid, title, url: `/dashboards/f/${uid}` };
    },
    annotate: (annotation = {}) => {
      if (annotations.length >= MOST) annotations.shift();
      const id = Number(annotations.at(-1)?.id ?? 0) + 1;
      annotations.push({ ...annotation, id });
      return id;
    },
  };
}

const PANEL: Members = {
  id: 1,
  type: "timeseries",
  title: "Requests",
  datasource: { type: "prometheus", uid: "standin-prom" },
  targets: [{ refId: "A", expr: "sum(rate(http_requests_total[5m]))" }],
};

function text(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}
