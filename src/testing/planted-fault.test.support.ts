import type { Received, Wrongs } from "./faulty-plugin.test.support.ts";

/** `found` are the checks that must fail, and no other; `leaves` is false of one after which little can be right. */
export interface Fault {
  readonly title: string;
  readonly wrongs: Wrongs;
  readonly found: readonly string[];
  readonly leaves?: false;
  readonly isForgetful?: boolean;
}

export type Answer = NonNullable<Wrongs["answer"]>;

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
