// Drives a graph driver as Docker's daemon does: one of its own, or a plugin by
// way of its proxy.
//
//	go NAME ROOT
//
// NAME is what dockerd --storage-driver names. Each line of standard input is a
// part that is to be timed, {"Do", "Archive"}; each line of standard output how
// long its calls took, in milliseconds by their names.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sort"
	"time"

	"github.com/docker/docker/daemon/graphdriver"
	_ "github.com/docker/docker/daemon/graphdriver/overlay2"
	"github.com/docker/docker/pkg/plugingetter"
	"github.com/docker/docker/pkg/plugins"
	"github.com/docker/docker/pkg/reexec"
)

// As the daemon's plugin store does where no managed plugin has the name.
type v1Plugins struct{ plugingetter.PluginGetter }

func (v1Plugins) Get(name, subsystem string, _ int) (plugingetter.CompatPlugin, error) {
	return plugins.Get(name, subsystem)
}

type request struct{ Do, Archive string }

type times map[string]float64

var parts = map[string]func(graphdriver.Driver, string) times{
	"calls":   func(driver graphdriver.Driver, _ string) times { return calls(driver) },
	"small":   func(driver graphdriver.Driver, _ string) times { return small(driver) },
	"many":    func(driver graphdriver.Driver, _ string) times { return many(driver) },
	"archive": archive,
}

func main() {
	if reexec.Init() {
		return
	}
	options := graphdriver.Options{Root: os.Args[2], ExperimentalEnabled: true}
	driver, err := graphdriver.GetDriver(os.Args[1], v1Plugins{}, options)
	must(err)
	fmt.Println("ready")
	output := json.NewEncoder(os.Stdout)
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		var asked request
		must(json.Unmarshal(lines.Bytes(), &asked))
		must(output.Encode(parts[asked.Do](driver, asked.Archive)))
	}
	must(driver.Cleanup())
}

func calls(driver graphdriver.Driver) times {
	must(driver.CreateReadWrite("calls-base", "", nil))
	must(driver.CreateReadWrite("calls-layer", "calls-base", nil))
	result := times{
		"create, get, put and remove": median(200, func() {
			must(driver.CreateReadWrite("calls-one", "calls-base", nil))
			get(driver, "calls-one")
			must(driver.Put("calls-one"))
			must(driver.Remove("calls-one"))
		}),
		// A layer without a parent is not mounted.
		"get and put": median(400, func() {
			get(driver, "calls-base")
			must(driver.Put("calls-base"))
		}),
		"get and put, mounted": median(200, func() {
			get(driver, "calls-layer")
			must(driver.Put("calls-layer"))
		}),
		"exists": median(400, func() { driver.Exists("calls-layer") }),
	}
	remove(driver, "calls-layer", "calls-base")
	return result
}

func small(driver graphdriver.Driver) times {
	must(driver.Create("small-base", "", nil))
	for layer, files := range map[string]int{"small-empty": 0, "small-ten": 10, "small-hundred": 100} {
		must(driver.CreateReadWrite(layer, "small-base", nil))
		fill(driver, layer, files)
	}
	result := times{
		"diff of an empty layer": median(50, func() { diff(driver, "small-empty", "small-base") }),
		"diff of 10 files":       median(50, func() { diff(driver, "small-ten", "small-base") }),
		"diff and apply of 100 files": median(20, func() {
			must(driver.Create("small-copy", "small-base", nil))
			content, err := driver.Diff("small-hundred", "small-base")
			must(err)
			_, err = driver.ApplyDiff("small-copy", "small-base", struct{ io.Reader }{content})
			must(err)
			must(content.Close())
			must(driver.Remove("small-copy"))
		}),
	}
	remove(driver, "small-empty", "small-ten", "small-hundred", "small-base")
	return result
}

// As moby's graphbench asks, which names no parent: all that the layer shows.
func many(driver graphdriver.Driver) times {
	must(driver.Create("many-base", "", nil))
	must(driver.CreateReadWrite("many-lower", "many-base", nil))
	fill(driver, "many-lower", 10_000)
	must(driver.CreateReadWrite("many-upper", "many-lower", nil))
	fill(driver, "many-upper", 10)
	result := times{
		"diff of 10,000 new files":     median(3, func() { diff(driver, "many-lower", "many-base") }),
		"diff of 10 files over 10,000": median(3, func() { diff(driver, "many-upper", "") }),
	}
	remove(driver, "many-upper", "many-lower", "many-base")
	return result
}

func archive(driver graphdriver.Driver, path string) times {
	must(driver.Create("archive", "", nil))
	file, err := os.Open(path)
	must(err)
	defer file.Close()
	result := times{
		"apply of large files": timed(func() {
			_, err := driver.ApplyDiff("archive", "", struct{ io.Reader }{file})
			must(err)
		}),
		"diff of large files": timed(func() { diff(driver, "archive", "") }),
	}
	remove(driver, "archive")
	return result
}

func get(driver graphdriver.Driver, layer string) string {
	root, err := driver.Get(layer, "")
	must(err)
	return root.Path()
}

func diff(driver graphdriver.Driver, layer, parent string) {
	content, err := driver.Diff(layer, parent)
	must(err)
	_, err = io.Copy(io.Discard, content)
	must(err)
	must(content.Close())
}

func fill(driver graphdriver.Driver, layer string, files int) {
	root := get(driver, layer)
	for file := 0; file < files; file++ {
		folder := filepath.Join(root, layer, fmt.Sprint(file/100))
		must(os.MkdirAll(folder, 0o755))
		must(os.WriteFile(filepath.Join(folder, fmt.Sprint(file)), make([]byte, 64), 0o644))
	}
	must(driver.Put(layer))
}

func remove(driver graphdriver.Driver, layers ...string) {
	for _, layer := range layers {
		must(driver.Remove(layer))
	}
}

func median(rounds int, work func()) float64 {
	measured := make([]float64, rounds)
	for round := range measured {
		measured[round] = timed(work)
	}
	sort.Float64s(measured)
	return measured[rounds/2]
}

func timed(work func()) float64 {
	start := time.Now()
	work()
	return float64(time.Since(start).Microseconds()) / 1000
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}
