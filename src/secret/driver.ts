/**
 * The contract of secret providers. This file is the manual.
 *
 * A secret provider has the **values** of a swarm's secrets, which the swarm itself keeps no value of:
 *
 *     docker secret create --driver NAME db-password
 *     docker service create --secret db-password …     getSecret("db-password", { service: { name: "…" } })
 *
 * A swarm's manager asks for a task that is to have the secret, before the task's host gets it. It keeps the value for
 * the secret's other tasks, unless `doNotReuse`: a value that differs by service or task has to say so. A failure
 * leaves the task without the secret, and so not started.
 *
 * Nothing here is to be kept or undone, so there is nothing that a restart could lose. Messages of errors name the
 * secret, and never its value.
 *
 * Source of the semantics: moby v20.10.24 `vendor/github.com/docker/swarmkit/manager/drivers/secrets.go`,
 * `manager/dispatcher/assignments.go`.
 */
import type { CallOptions } from "../protocol/index.ts";

export interface SecretProvider {
  /** The provider's name, as in `docker secret create --driver NAME`. */
  readonly name: string;

  /**
   * The value of a secret, for a service.
   * @throws NOT_FOUND when there is no such secret, PERMISSION_DENIED when it is not for this service.
   */
  getSecret(name: string, request: SecretRequest, call?: CallOptions): Promise<SecretValue>;

  /** This process ends. May be called twice. */
  close(): Promise<void>;
}

/** Who is to have it, as the swarm's manager tells. */
export interface SecretRequest {
  /** The secret's own, `docker secret create --label`. */
  readonly labels?: Readonly<Record<string, string>> | undefined;
  readonly service: {
    readonly id?: string | undefined;
    readonly name: string;
    /** What its containers call themselves, where it is set. */
    readonly hostname?: string | undefined;
    readonly labels?: Readonly<Record<string, string>> | undefined;
    readonly endpoint?: ServiceEndpoint | undefined;
  };
  readonly task?: { readonly id: string; readonly name: string; readonly image: string } | undefined;
  /** The host that the task runs on. */
  readonly nodeId?: string | undefined;
}

export interface ServiceEndpoint {
  /** How its name is resolved: to one address for all its tasks, or to theirs. */
  readonly mode: "vip" | "dnsrr";
  readonly ports: readonly ServicePort[];
}

export interface ServicePort {
  readonly name?: string | undefined;
  readonly protocol: "tcp" | "udp" | "sctp";
  readonly targetPort: number;
  /** 0 while none was chosen. */
  readonly publishedPort: number;
  readonly publishMode: "ingress" | "host";
}

export interface SecretValue {
  /** Less than 500 KiB, and not empty (moby v20.10.24 `swarmkit/api/validation/secrets.go`, `MaxSecretSize`). */
  readonly value: Uint8Array;
  /** The value is for this task alone. Default false. */
  readonly doNotReuse?: boolean | undefined;
}
