import type { VolumeDriver } from "../volume/index.ts";
import type { Received, Wrongs } from "./faulty-plugin.test.support.ts";

/** `found` are the checks that must fail, and no other; `leaves` is false of one after which little can be right. */
export interface Fault<Driver = VolumeDriver> {
  readonly title: string;
  readonly wrongs: Wrongs<Driver>;
  readonly found: readonly string[];
  readonly leaves?: false;
  readonly isForgetful?: boolean;
}

export type Answer = NonNullable<Wrongs<never>["answer"]>;

export const no = (status: number, text = '{"Err":"no"}'): readonly [number, string] => [status, text];

export const isOf = (received: Received, ...methods: string[]) =>
  methods.some((method) => received.path === `/VolumeDriver.${method}`);

/** A plugin that one caller ends. */
export const dying = (isFatal: (received: Received) => boolean): Answer => {
  let isDead = false;
  return (received) => {
    isDead ||= isFatal(received);
    return isDead ? "never" : undefined;
  };
};

/** Makes faults of a kind of plugin. */
export function faultsOf<Driver>() {
  type Made = Fault<Driver>;
  return {
    /** One that keeps to the wire and does the wrong thing. */
    planted: (
      title: string,
      driver: NonNullable<Wrongs<Driver>["driver"]>,
      found: readonly string[],
      more: Partial<Made> = {},
    ): Made => ({ title, wrongs: { driver }, found, ...more }),
    /** One whose answers are wrong. */
    answered: (title: string, answer: Answer, found: readonly string[], more: Partial<Made> = {}): Made => ({
      title,
      wrongs: { answer },
      found,
      ...more,
    }),
  };
}

/** Of a fault after which little can be right. */
export const cut = { leaves: false } as const;
