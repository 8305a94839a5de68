/** Names and values of a call's headers: a plain object, Node's own, or a `Headers`. */
export type HeaderMap = Record<string, string | string[] | undefined> | Headers;

/** What Hookswitch sends. */
export interface Payload {
  event: {
    id: string;
    dt: string;
    events_id: string;
    object_id: number;
    clients_id: number;
    companies_id: number;
    stage: "before" | "after" | "outcome";
    mode: "live" | "dry_run" | "test";
    /** Counts the client's committed events from 1; absent before commit. */
    seq?: number;
    /** Higher after each restore of the database; absent before the first. Compare it before `seq`. */
    era?: number;
    actor: Record<string, unknown>;
    cause: string | null;
  };
  data: Record<string, unknown>;
  previous?: Record<string, unknown>;
  object: Record<string, unknown>;
}

export interface Reply {
  verdict?: "allow" | "forbid";
  message?: string;
  code?: string;
  field?: string;
  data?: Record<string, unknown>;
  warnings?: string[];
}

export const TOLERANCE_S: number;

/** The call was not signed with this secret, or not lately. Answer it with 401. */
export class Forged extends Error {}

/**
 * Checks the signature of a call and gives its payload; throws `Forged`. `secret` is the handler's `whsec_...`, or several while one
 * takes another's place. `body` is what came, byte for byte. `now` is in seconds since 1970.
 */
export function verify(
  secret: string | string[],
  headers: HeaderMap,
  body: Buffer | string,
  options?: { toleranceS?: number; now?: number },
): Payload;

/** The reply of a before handler that has nothing against it. The caller is told of the warnings. */
export function allow(options?: { warnings?: string[] }): Reply;
/** The reply of a before handler that says no: why, a code of your own, and the field that is at fault. */
export function forbid(message: string, options?: { code?: string; field?: string }): Reply;
/** The reply of a before handler that changes these keys of `data`; what is not named stays. */
export function modify(data: Record<string, unknown>, options?: { warnings?: string[] }): Reply;

/** What an after handler has heard, kept in a file: a repeat is done once, and a late one never overwrites newer state. */
export class Seen {
  constructor(path: string);
  /** Does the work unless this event, or a newer one of its object, was heard. Where the work throws, nothing is noted. */
  once(payload: Payload, work: () => void | Promise<void>): Promise<boolean>;
  close(): void;
}
