/**
 * What the provider of the soak knows: in memory while it runs, in a file while it does not.
 *
 * @module
 */

/** What the provider keeps of anything; the rest is its own business. */
export interface Payload {
  readonly grantId?: string;
  readonly uid?: string;
  consumed?: number;
}

interface Entry {
  readonly payload: Payload;
  /** Unix milliseconds. */
  readonly until: number;
}

/** How often what has expired is thrown away, in additions. */
const SWEEP_EVERY = 1000;

/** All that is kept. */
export class Shelf {
  #additions = 0;

  private constructor(
    private readonly file: string,
    private readonly entries: Map<string, Entry>,
  ) {}

  /** Opens what was saved into `file`, if anything was. */
  static async open(file: string): Promise<Shelf> {
    const saved = await Deno.readTextFile(file).catch(() => "[]");
    return new Shelf(file, new Map(JSON.parse(saved)));
  }

  /** Writes all that has not expired into the file. */
  async save(): Promise<void> {
    this.#sweep();
    await Deno.writeTextFile(this.file, JSON.stringify([...this.entries]));
  }

  /** The part for one model, as the provider wants it. */
  part(model: string) {
    const key = (id: string) => `${model} ${id}`;
    const find = (id: string): Promise<Payload | undefined> => {
      const entry = this.entries.get(key(id));
      return Promise.resolve(entry && entry.until > Date.now() ? entry.payload : undefined);
    };
    return {
      find,
      // Copied, because the provider goes on with what it hands over.
      upsert: (id: string, payload: Payload, seconds: number) => {
        this.entries.set(key(id), {
          payload: structuredClone(payload),
          until: Date.now() + seconds * 1000,
        });
        if (++this.#additions % SWEEP_EVERY === 0) this.#sweep();
        return Promise.resolve();
      },
      consume: async (id: string) => {
        const payload = await find(id);
        if (payload) payload.consumed = Math.floor(Date.now() / 1000);
      },
      destroy: (id: string) => Promise.resolve(void this.entries.delete(key(id))),
      revokeByGrantId: (grantId: string) => {
        for (const [name, { payload }] of this.entries) {
          if (payload.grantId === grantId && name.startsWith(`${model} `)) {
            this.entries.delete(name);
          }
        }
        return Promise.resolve();
      },
      findByUid: (uid: string) => {
        for (const [name, { payload }] of this.entries) {
          if (payload.uid === uid && name.startsWith(`${model} `)) return Promise.resolve(payload);
        }
        return Promise.resolve(undefined);
      },
      findByUserCode: () => Promise.resolve(undefined),
    };
  }

  #sweep(): void {
    const now = Date.now();
    for (const [name, { until }] of this.entries) if (until <= now) this.entries.delete(name);
  }
}
