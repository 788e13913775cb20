import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { goStruct } from "../protocol/index.ts";
import { matchRoute } from "./api-route.ts";
import { factsOf, withJson } from "./authz.test.support.ts";
import { readApiRequest } from "./index.ts";
import { timed } from "../../test/patience.ts";

const read = (method: string, uri: string, more: object = {}) => readApiRequest(factsOf(method, uri, more));
const refused = { code: "INVALID_ARGUMENT" };
const thrown = (act: () => unknown): unknown => {
  try {
    return act();
  } catch (error) {
    return error;
  }
};

describe("a route", () => {
  it.each([
    ["/containers/create", "/containers/create", undefined],
    ["/v1.41/containers/create?name=x", "/containers/create", "1.41"],
    ["/v1.41/containers/%63reate", "/containers/create", "1.41"],
    ["/%761.41/containers%2Fcreate", "/containers/create", "1.41"],
    ["http://docker/v1.41/containers/create", "/containers/create", "1.41"],
    ["unix://x:y@z/containers/create?a", "/containers/create", undefined],
    ["http://docker", "/", undefined],
    ["/v1.41/containers/create/", "/containers/create/", "1.41"],
    ["/v1.41/containers/create#x", "/containers/create#x", "1.41"],
    ["/v1.41/images/a+b%20c/json", "/images/a+b c/json", "1.41"],
    ["/v1.x/info", "/v1.x/info", undefined],
  ])("of %s is %s", (uri, path, version) => {
    expect(read("POST", uri).route).toMatchObject({ path, version });
  });

  it.each([
    "//containers/create",
    "/v1.41//containers/create",
    "/v1.41/../containers/create",
    "/v1.41/%2e%2e/containers/create",
    "/v1.41/./containers/create",
    "/containers/%2Fcreate",
    "/containers/%zz",
    "/containers/%ff",
    "/containers/\n",
    "containers/create",
    "",
    "*",
  ])("of %j is none that Docker asks about", (uri) => {
    expect(thrown(() => read("POST", uri))).toMatchObject(refused);
  });

  it("is matched by method and template; names take slashes, as Docker's do", () => {
    expect(read("POST", "/v1.41/containers/a/b/exec").match("POST", "/containers/{id}/exec")).toEqual({ id: "a/b" });
    expect(read("GET", "/v1.41/containers/a/exec").match("POST", "/containers/{id}/exec")).toBeUndefined();
    expect(read("POST", "/containers/axexec").is("POST", "/containers/{id}/exec")).toBe(false);
    expect(read("POST", "/containers/create").is("POST", "/containers/create")).toBe(true);
  });
});

describe("a template", () => {
  it("takes of a path what an expression would", () => {
    const piece = fc.constantFrom("/", "a", "b", "/a", "ab", "");
    const template = fc.array(fc.oneof(piece, fc.constantFrom("{x}", "{y}")), { maxLength: 6 });
    const given = fc.tuple(template, fc.array(piece, { maxLength: 9 }));
    fc.assert(
      fc.property(given, ([parts, path]) => {
        fc.pre(parts.filter((part) => part === "{x}").length < 2 && parts.filter((part) => part === "{y}").length < 2);
        const expression = new RegExp(`^${parts.map((part) => part.replace(/^\{(.)\}$/, "(?<$1>.*)")).join("")}$`, "s");
        const match = expression.exec(path.join(""));
        expect(matchRoute(parts.join(""), path.join(""))).toEqual(match === null ? undefined : { ...match.groups });
      }),
      { numRuns: 2_000 },
    );
  });

  it("of several names does not take minutes for the longest URI that a client can send", timed, () => {
    const startedMs = performance.now();
    const uri = `/a/${"b/".repeat(500_000)}d`;
    expect(read("GET", uri).match("GET", "/a/{x}/b/{y}/c")).toBeUndefined();
    expect(read("GET", uri).match("GET", "/a/{x}/b/{y}/b/{z}d")).toBeDefined();
    expect(performance.now() - startedMs).toBeLessThan(5_000);
  });
});

describe("a query", () => {
  const query = (text: string) => read("DELETE", `/x?${text}`).query;
  it("is read as Go reads it", () => {
    const { get, getAll, isTrue } = query("a=1&b=x+y%2Bz&c&%64=4&t=a&t=b&force=TRUE&v=False&n=none");
    expect([get("a"), get("b"), get("c"), get("d"), get("nobody")]).toEqual(["1", "x y+z", "", "4", undefined]);
    expect(getAll("t")).toEqual(["a", "b"]);
    expect(["force", "v", "n", "c", "nobody"].map(isTrue)).toEqual([true, false, false, false, false]);
  });

  it.each(["name=a&name=b", "name=a&n%61me=b"])("that says two things is refused: %s", (text) => {
    expect(thrown(() => query(text).get("name"))).toMatchObject(refused);
  });

  it.each(["a=1;b=2", "a=%zz", "%ff=1"])("that Go refuses is refused: %s", (text) => {
    expect(thrown(() => query(text))).toMatchObject(refused);
  });

  it.each([
    ["%20%09%0a%0b%0c%0d0", false],
    ["No%c2%85", false],
    ["%c2%a0%e1%9a%80%e2%80%80%e2%80%8a%e2%80%a8%e2%80%a9%e2%80%af%e2%81%9f%e3%80%80", false],
    ["%ef%bb%bf", true],
    ["%ef%bb%bf0", true],
    ["%e2%80%8bno", true],
    ["n o", true],
    ["0 0", true],
    ["FAL%c5%bfE", true],
    ["%e2%84%aa", true],
  ])("has a switch that is %j, which Go takes for %s", (value, isOn) => {
    expect(query(`force=${value}`).isTrue("force")).toBe(isOn);
  });

  const uri = "/images/create?fromImage=good";
  const form = { "Content-Type": "application/x-www-form-urlencoded" };
  const cases: [string, object][] = [
    ["a form", { headers: { ...form, "Content-Length": "13" } }],
    ["a form in chunks", { headers: form }],
    ["one of another type, by the last of two headers", { headers: { "Content-Type": "a/b", "Content-Length": "13" } }],
    ["one of a type that only Go reads so", { headers: { "Content-Type": `${form["Content-Type"]}\u0085` } }],
    ["nobody says what", {}],
    ["a form that was handed on", { headers: form, body: Buffer.from("fromImage=evil") }],
  ];
  it.each(cases)("is not believed beside a body that may be a form, whose fields come first: %s", (_, more) => {
    for (const method of ["POST", "PUT", "PATCH"]) {
      expect(thrown(() => read(method, uri, more).query)).toMatchObject(refused);
    }
    for (const method of ["GET", "HEAD", "DELETE"]) {
      expect(read(method, uri, more).query.get("fromImage")).toBe("good");
    }
  });

  it("is believed where there is no body, or one of JSON", () => {
    const empty = { headers: { ...form, "Content-Length": "0" } };
    const json = withJson("{}");
    const charset = { ...json, headers: { "Content-Type": "Application/JSON ; charset=utf-8" } };
    for (const more of [empty, json, charset]) expect(read("POST", uri, more).query.get("fromImage")).toBe("good");
  });
});

describe("a body", () => {
  const schema = goStruct({
    HostConfig: goStruct({ Privileged: z.boolean().default(false) }).default({ Privileged: false }),
  });
  const isPrivileged = (text: string) => read("POST", "/x", withJson(text)).json(schema).HostConfig.Privileged;

  it.each([
    '{"HostConfig":{"Privileged":true}}',
    '{"hostconfig":{"PRIVILEGED":true}}',
    '{"HoſtConfig":{"privileged":true}}',
    '{"Host\\u0043onfig":{"Privileged":true,"Binds":null},"HostConfigs":[{"a":1},{"a":2}]}',
  ])("is read as Go reads it: %s", (text) => {
    expect(isPrivileged(text)).toBe(true);
  });

  it.each([
    '{"HostConfig":{"Privileged":true},"HostConfig":{}}',
    '{"HostConfig":{"Privileged":true},"hostconfig":{}}',
    '{"HoſtConfig":{"Privileged":true},"hostconfig":{}}',
    '{"HostConfig":{"Privileged":true,"p\\u0072ivileged":false}}',
    '{"HostConfig":{"Privileged":1}}',
    '{"HostConfig":{}}{"HostConfig":{"Privileged":true}}',
    '{"HostConfig":',
    "[]",
    "7",
  ])("with two meanings, or none, is refused: %s", (text) => {
    expect(thrown(() => isPrivileged(text))).toMatchObject(refused);
  });

  it.each([
    ["that Docker did not hand on, for its length", { "Content-Length": "1048576" }, "withheld"],
    ["in chunks", {}, "unknown"],
    ["of no length", { "Content-Length": "0" }, "none"],
  ])("%s is none to decide by", (_, headers, state) => {
    const request = read("POST", "/containers/create", { headers: { "Content-Type": "application/json", ...headers } });
    expect(request.bodyState).toBe(state);
    expect(thrown(() => request.json(schema))).toMatchObject(refused);
    if (state === "none") expect(request.jsonIfAny(schema)).toBeUndefined();
    else expect(thrown(() => request.jsonIfAny(schema))).toMatchObject(refused);
  });

  it("of a GET is none, and one that was handed on is read all the same", () => {
    expect(read("GET", "/x").jsonIfAny(schema)).toBeUndefined();
    expect(read("POST", "/x", { ...withJson("{}"), headers: {} }).jsonIfAny(schema)).toBeDefined();
    expect(read("POST", "/x", { body: Buffer.alloc(0) }).bodyState).toBe("unknown");
  });
});

it("reads bodies with a string of some MiB", () => {
  const text = JSON.stringify({ Name: "c", Data: "a".repeat(10 * 1024 * 1024) });
  const request = readApiRequest(factsOf("POST", "/v1.41/configs/create", withJson(text)));
  expect(request.json(z.object({ Name: z.string() }))).toEqual({ Name: "c" });
});
