// Drives moby's own host of plugins, pkg/plugins and the proxy of graph drivers.
//
//	host SOCKETS SPECS
//
// SOCKETS and SPECS stand for /run/docker/plugins and /etc/docker/plugins. A line
// of standard input is a request, a line of standard output its outcome; requests
// run side by side, as the callers of a daemon do.
package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"io"
	"os"
	"strings"
	"sync"
	"time"
	_ "unsafe" // for go:linkname

	"github.com/docker/docker/daemon/graphdriver"
	"github.com/docker/docker/pkg/plugingetter"
	"github.com/docker/docker/pkg/plugins"
)

// The folders that pkg/plugins looks into are variables of its own.

//go:linkname socketsPath github.com/docker/docker/pkg/plugins.socketsPath
var socketsPath string

//go:linkname specsPaths github.com/docker/docker/pkg/plugins.specsPaths
var specsPaths []string

type request struct {
	ID                      int
	Do                      string
	Name, Subsystem, Method string
	Args                    json.RawMessage
	Layer, Parent, Archive  string
}

type outcome struct {
	ID      int
	Error   string `json:",omitempty"`
	Seconds float64
	Value   interface{} `json:",omitempty"`
}

var requests = map[string]func(request) (interface{}, error){
	"get": func(r request) (interface{}, error) {
		_, err := plugins.Get(r.Name, r.Subsystem)
		return nil, err
	},
	"getAll": func(r request) (interface{}, error) {
		found, err := plugins.GetAll(r.Subsystem)
		names := []string{}
		for _, plugin := range found {
			names = append(names, plugin.Name())
		}
		return names, err
	},
	"scan": func(request) (interface{}, error) { return plugins.Scan() },
	"handle": func(r request) (interface{}, error) {
		plugins.Handle(r.Subsystem, func(string, *plugins.Client) {})
		return nil, nil
	},
	"call": func(r request) (interface{}, error) {
		plugin, err := plugins.Get(r.Name, r.Subsystem)
		if err != nil {
			return nil, err
		}
		var answer interface{}
		err = plugin.Client().Call(r.Method, r.Args, &answer)
		return answer, err
	},
	"applyDiff": func(r request) (interface{}, error) {
		driver, err := graphdriver.GetDriver(r.Name, v1Plugins{}, graphdriver.Options{ExperimentalEnabled: true})
		if err != nil {
			return nil, err
		}
		// Only a Reader, as the layers are that the daemon unpacks.
		return driver.ApplyDiff(r.Layer, r.Parent, io.MultiReader(strings.NewReader(r.Archive)))
	},
}

// As the daemon's plugin store does where no managed plugin has the name.
type v1Plugins struct{ plugingetter.PluginGetter }

func (v1Plugins) Get(name, subsystem string, _ int) (plugingetter.CompatPlugin, error) {
	return plugins.Get(name, subsystem)
}

func main() {
	socketsPath, specsPaths = os.Args[1], []string{os.Args[2]}
	var writing sync.Mutex
	output := json.NewEncoder(os.Stdout)
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		var r request
		if err := json.Unmarshal(lines.Bytes(), &r); err != nil {
			panic(err)
		}
		go func() {
			start := time.Now()
			value, err := run(r)
			result := outcome{ID: r.ID, Seconds: time.Since(start).Seconds(), Value: value}
			if err != nil {
				result.Error = err.Error()
			}
			writing.Lock()
			defer writing.Unlock()
			output.Encode(result)
		}()
	}
}

func run(r request) (interface{}, error) {
	do, known := requests[r.Do]
	if !known {
		return nil, errors.New("no such request: " + r.Do)
	}
	return do(r)
}
