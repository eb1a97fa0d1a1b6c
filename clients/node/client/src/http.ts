/** One request to the API: its types are those of the specification, and its errors exceptions. */

import type { components, paths } from "./api";
import { errorOf } from "./errors";

type Method = "get" | "post" | "put" | "delete";

/** The paths of the specification that have this method. */
export type PathOf<M extends Method> = {
  [P in keyof paths]: paths[P][M] extends { responses: unknown } ? P : never;
}[keyof paths];

type Parameters<O> = O extends { parameters: infer P } ? P : never;
type PathValues<O> = Parameters<O> extends { path: infer V } ? V : undefined;
type Query<O> = Parameters<O> extends { query?: infer Q } ? Q : undefined;
type Body<O> = O extends { requestBody?: infer B }
  ? NonNullable<B> extends { content: { "application/json": infer J } }
    ? J
    : undefined
  : undefined;
type Content<R> = R extends { content: { "application/json": infer J } } ? J : undefined;
type Response<O, S extends number> = O extends { responses: Record<S, infer R> } ? Content<R> : never;

/** What a call is answered with when it has gone well; undefined where there is no JSON. */
export type Answer<P extends keyof paths, M extends Method> =
  | Response<paths[P][M], 200>
  | Response<paths[P][M], 201>
  | Response<paths[P][M], 202>
  | Response<paths[P][M], 204>;

/** What a call takes: the values in its path, its query, its JSON body, and a way to end it early. */
export interface Arguments<O> {
  path?: PathValues<O>;
  query?: Query<O>;
  body?: Body<O>;
  signal?: AbortSignal;
}

interface Untyped {
  path?: object;
  query?: object;
  body?: unknown;
  signal?: AbortSignal;
}

/** Where the server is, and as whom to ask it. */
export interface Options {
  /** Such as `http://127.0.0.1:8025`, which it is where nothing is said. */
  url?: string | undefined;
  /** An API key; without one the caller is anybody. */
  key?: string | undefined;
  /** Used instead of the global `fetch`. */
  fetch?: typeof fetch | undefined;
}

export type Schemas = components["schemas"];

export class Http {
  readonly #url: string;
  readonly #headers: Record<string, string>;
  readonly #fetch: typeof fetch;

  constructor(options: Options) {
    this.#url = (options.url ?? "http://127.0.0.1:8025").replace(/\/+$/, "");
    this.#headers = options.key ? { "Mailsac-Key": options.key } : {};
    this.#fetch = options.fetch ?? globalThis.fetch.bind(globalThis);
  }

  /** Any call of the specification. Rejects with MailsacdError where the answer is not 2xx. */
  async json<M extends Method, P extends PathOf<M>>(
    method: M,
    path: P,
    taken: Arguments<paths[P][M]> = {},
  ): Promise<Answer<P, M>> {
    const text = await (await this.#request(method, path, taken as Untyped)).text();
    return (text ? JSON.parse(text) : undefined) as Answer<P, M>;
  }

  /** A call whose answer is not JSON, as bytes. Rejects with MailsacdError. */
  async bytes<P extends PathOf<"get">>(
    path: P,
    taken: Arguments<paths[P]["get"]> = {},
  ): Promise<Uint8Array> {
    return new Uint8Array(await (await this.#request("get", path, taken as Untyped)).arrayBuffer());
  }

  async #request(method: string, path: string, taken: Untyped): Promise<globalThis.Response> {
    const { signal, body } = taken;
    const url = this.#url + filled(path, taken.path ?? {}) + queryString(taken.query ?? {});
    const response = await this.#fetch(url, {
      method: method.toUpperCase(),
      headers: body === undefined ? this.#headers : { ...this.#headers, "Content-Type": "application/json" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      ...(signal ? { signal } : {}),
    });
    if (!response.ok) {
      throw errorOf(response.status, await response.text(), response.headers.get("Retry-After"));
    }
    return response;
  }
}

function filled(path: string, values: object): string {
  const named = new Map(Object.entries(values));
  return path.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(String(named.get(name))));
}

function queryString(values: object): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(values)) {
    if (value !== undefined) query.append(name, String(value));
  }
  return query.size ? `?${query}` : "";
}
