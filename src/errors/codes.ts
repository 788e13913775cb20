/**
 * The closed table of error codes: the sixteen of gRPC, with what a caller may do about each and how it is spelled on
 * the two wires Cleat speaks. Callers match codes, never texts.
 *
 * `retryable` means that the same call may succeed later without anybody changing anything.
 *
 * Source: gRPC `doc/statuscodes.md`; `google/rpc/code.proto` for the HTTP statuses.
 */
export const errorCodes = {
  CANCELLED: { grpcStatus: 1, httpStatus: 499, retryable: false, meaning: "the caller gave up" },
  UNKNOWN: { grpcStatus: 2, httpStatus: 500, retryable: false, meaning: "a failure nobody has classified" },
  INVALID_ARGUMENT: {
    grpcStatus: 3,
    httpStatus: 400,
    retryable: false,
    meaning: "the request is wrong, whatever the state",
  },
  DEADLINE_EXCEEDED: { grpcStatus: 4, httpStatus: 504, retryable: true, meaning: "no answer within the deadline" },
  NOT_FOUND: { grpcStatus: 5, httpStatus: 404, retryable: false, meaning: "what was named does not exist" },
  ALREADY_EXISTS: { grpcStatus: 6, httpStatus: 409, retryable: false, meaning: "what was to be made is there already" },
  PERMISSION_DENIED: { grpcStatus: 7, httpStatus: 403, retryable: false, meaning: "the process may not do this" },
  RESOURCE_EXHAUSTED: {
    grpcStatus: 8,
    httpStatus: 429,
    retryable: true,
    meaning: "a disk, a quota or a documented cap is full",
  },
  FAILED_PRECONDITION: {
    grpcStatus: 9,
    httpStatus: 400,
    retryable: false,
    meaning: "the state does not allow it; change the state first",
  },
  ABORTED: { grpcStatus: 10, httpStatus: 409, retryable: true, meaning: "a concurrent change got in the way" },
  OUT_OF_RANGE: {
    grpcStatus: 11,
    httpStatus: 400,
    retryable: false,
    meaning: "a number lies outside what can be represented",
  },
  UNIMPLEMENTED: { grpcStatus: 12, httpStatus: 501, retryable: false, meaning: "the method or ability is not there" },
  INTERNAL: { grpcStatus: 13, httpStatus: 500, retryable: false, meaning: "an invariant of Cleat itself broke" },
  UNAVAILABLE: { grpcStatus: 14, httpStatus: 503, retryable: true, meaning: "the peer cannot be reached now" },
  DATA_LOSS: { grpcStatus: 15, httpStatus: 500, retryable: false, meaning: "stored or received data is damaged" },
  UNAUTHENTICATED: { grpcStatus: 16, httpStatus: 401, retryable: false, meaning: "the peer did not prove who it is" },
} as const satisfies Record<string, ErrorCodeFacts>;

interface ErrorCodeFacts {
  readonly grpcStatus: number;
  readonly httpStatus: number;
  readonly retryable: boolean;
  readonly meaning: string;
}

export type ErrorCode = keyof typeof errorCodes;
