import { CleatError } from "../errors/index.ts";
import { createDeadline, errorLogger, type Logger } from "../transport/index.ts";
import { type ApiRequest, readApiRequest } from "./api-request.ts";
import type { Authorizer, Decision, Policy, PolicyCall, RequestFacts, ResponseFacts } from "./authorizer.ts";

export interface PolicyOptions {
  /** What is decided about requests. */
  readonly policy: Policy;
  /** What is decided about answers; default: they go out. */
  readonly onResponse?: (
    request: ApiRequest,
    response: ResponseFacts,
    call: PolicyCall,
  ) => Decision | Promise<Decision>;
  /** How long a policy may take before its request is denied; default 5 s. Docker itself waits without end. */
  readonly timeoutMs?: number;
  /** Hears of each denial (info), and of policies that fail (error). Default `errorLogger`. */
  readonly logger?: Logger;
}

const defaultTimeoutMs = 5_000;

/** An authorizer that allows what the policy allows, and nothing else: whatever goes wrong denies. Never rejects. */
export function createAuthorizer(options: PolicyOptions): Authorizer {
  if (typeof (options as Partial<PolicyOptions> | undefined)?.policy !== "function") {
    throw new CleatError("INVALID_ARGUMENT", "createAuthorizer: policy is not a function");
  }
  const { policy, onResponse, timeoutMs = defaultTimeoutMs, logger = errorLogger } = options;

  const decide = async (
    facts: RequestFacts,
    caller: AbortSignal | undefined,
    ask: (request: ApiRequest, call: PolicyCall) => Decision | Promise<Decision>,
  ): Promise<Decision> => {
    const subject = { method: facts.method, uri: facts.uri, user: facts.user };
    const deadline = createDeadline(timeoutMs, `policy on ${facts.method} ${facts.uri}`, caller);
    const { signal } = deadline;
    try {
      signal.throwIfAborted();
      const asked = (async () => ask(readApiRequest(facts), { signal }))();
      const decision = checkDecision(await Promise.race([asked, rejectWhenAborted(signal)]));
      if (!decision.allow) logger.info({ ...subject, reason: decision.reason }, "denied");
      return decision;
    } catch (error) {
      const isForeseen = error instanceof CleatError && error.code !== "INTERNAL";
      if (isForeseen) logger.info({ ...subject, code: error.code, reason: error.message }, "denied");
      else logger.error({ ...subject, err: error }, "policy failed; denied");
      return { allow: false, reason: isForeseen ? error.message : "the policy failed" };
    } finally {
      deadline.release();
    }
  };

  return {
    authorizeRequest: (facts, call) => decide(facts, call?.signal, policy),
    async authorizeResponse(facts, response, call) {
      if (onResponse === undefined) return { allow: true };
      return decide(facts, call?.signal, (request, policyCall) => onResponse(request, response, policyCall));
    },
  };
}

/** Exactly `allow: true` allows; what an untyped policy answers besides is a failure of the policy. */
function checkDecision(decision: unknown): Decision {
  const { allow, reason } = (decision ?? {}) as { readonly allow?: unknown; readonly reason?: unknown };
  if (allow === true) return { allow };
  if (allow === false) return { allow, reason: typeof reason === "string" ? reason : "no reason given" };
  throw new TypeError("the policy answered no decision");
}

function rejectWhenAborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason as Error), { once: true });
  });
}
