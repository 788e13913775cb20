/** Compiles `bench` and runs it on `dist`: `usage` is the manual. */
import { build, installPackages, main, packageCommand, run } from "./prepare.mjs";
import { answerHelp } from "./usage.mjs";

answerHelp(`usage: npm run bench -- [--only PART]… [--disk ext4|xfs] [--rounds N] [--json] [--save] [--compare]
                        [--layer-gib N] [--snapshots N] [--volumes N]

Times Cleat beside what it replaces, on this machine, and prints a table. Parts, of which all are run by default:
  layers, layer-counts              take root
  docker-commands, docker-exact,
  layer-memory, layer-stream        take root and dockerd
  layer-socket                      takes Docker's sources in Go, too
  small-calls                       takes Go
  snapshotter, with its parts       take all that npm run engines brings
  naive-changes, volumes

--disk makes a file system in memory what is written to, --save writes the committed table, its picture and its page,
--compare fails where a ratio is a tenth worse than there.
`);

/** What is named with `--disk`, and the arguments beside it, which are the benchmarks' own. */
function takeDisk(argv) {
  const at = argv.indexOf("--disk");
  return at < 0 ? { rest: argv } : { disk: argv[at + 1] ?? "", rest: argv.toSpliced(at, 2) };
}

/**
 * Makes a file system in memory what the benchmarks write to, for a command that follows: a disk that others use, too,
 * has more noise than there is between what is compared. A flush costs the file system's own work then, and no wait.
 * It goes with the command.
 */
function onDisk(fileSystem) {
  if (fileSystem === undefined) return [];
  const make = makeFileSystem[fileSystem];
  if (make === undefined) throw new Error(`--disk takes ${Object.keys(makeFileSystem).join(" or ")}`);
  return ["unshare", "--mount", "--propagation=private", "bash", "-ec", mountScript, "bench-disk", make];
}

/** Whole from the start: ext4 would go on to write its tables while something is measured. */
const makeFileSystem = {
  ext4: "mkfs.ext4 -q -E lazy_itable_init=0,lazy_journal_init=0",
  xfs: "mkfs.xfs -q",
};

/** Over the folder in which the harness makes its own; see `test/harness/namespaces/scratch.ts`. */
const mountScript = `
  image=$(mktemp /dev/shm/cleat-bench-XXXXXX)
  trap 'rm "$image"' EXIT
  truncate -s 8G "$image"
  $1 "$image"
  mount -o loop "$image" /var/tmp
  rm "$image"
  trap - EXIT
  shift
  exec "$@"
`;

await main(() => {
  installPackages();
  build();
  if (run(packageCommand("tsc"), ["-p", "bench/tsconfig.json"]) !== 0) throw new Error("the benchmarks do not compile");
  const { disk, rest } = takeDisk(process.argv.slice(2));
  const [command, ...args] = [...onDisk(disk), process.execPath, "bench/dist/bench/main.js", ...rest];
  process.exitCode = run(command, args);
});
