/** A snapshot: its JSON text, the object of it, or where its file or folder is. */
export type Snapshot = string | { readonly path: string } | URL | { readonly [name: string]: unknown };

/** What a tenant tuned of one check; ids are compared without regard to case. */
export interface CheckSettings {
  excluded_users?: readonly string[] | undefined;
  excluded_groups?: readonly string[] | undefined;
  excluded_applications?: readonly string[] | undefined;
  excluded_guest_types?: readonly string[] | undefined;
  excluded_principals?: readonly string[] | undefined;
  level?: string | number | undefined;
}

/** The profile and, per check, exclusions and levels. */
export interface EvaluateConfig {
  profile?: string | undefined;
  checks?: { readonly [check: string]: CheckSettings } | undefined;
}

/** How a snapshot is evaluated. */
export interface Evaluating<Profile extends string> {
  /** A baseline; else what `config` or the snapshot says, else the first. */
  profile?: Profile | undefined;
  /** Exclusions and levels per check, before those that the snapshot carries. */
  config?: EvaluateConfig | undefined;
}
