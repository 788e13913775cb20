// Serves moby's own vfs or overlay2 driver over the GraphDriver plugin protocol:
// somebody else's driver for the conformance kit.
//
//	moby-plugin vfs|overlay2 SOCKET
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"

	"github.com/docker/docker/daemon/graphdriver"
	"github.com/docker/docker/daemon/graphdriver/overlay2"
	"github.com/docker/docker/daemon/graphdriver/vfs"
	"github.com/docker/docker/pkg/archive"
	"github.com/docker/docker/pkg/idtools"
	"github.com/docker/docker/pkg/reexec"
)

type request struct {
	ID, Parent, MountLabel, Home string
	StorageOpt                   map[string]string
	Opts                         []string
	UIDMaps, GIDMaps             []idtools.IDMap
}

type response struct {
	Err          string            `json:",omitempty"`
	Implements   []string          `json:",omitempty"`
	Dir          string            `json:",omitempty"`
	Exists       bool              `json:",omitempty"`
	Status       [][2]string       `json:",omitempty"`
	Metadata     map[string]string `json:",omitempty"`
	Changes      []archive.Change  `json:",omitempty"`
	Size         int64             `json:",omitempty"`
	Capabilities *capabilities     `json:",omitempty"`
}

// What Cleat asks beyond Docker's own field: true of the drivers, though Docker has no place to say it.
type capabilities struct {
	ReproducesExactDiffs bool
	Mounts               bool
	MaxDepth             int `json:",omitempty"`
}

type kind struct {
	open graphdriver.InitFunc
	can  capabilities
}

var kinds = map[string]kind{
	"vfs":      {vfs.Init, capabilities{MaxDepth: 1 << 30}},
	"overlay2": {overlay2.Init, capabilities{Mounts: true, MaxDepth: 128}},
}

type method func(graphdriver.Driver, request) (response, error)

var methods = map[string]method{
	"Create": func(d graphdriver.Driver, r request) (response, error) {
		return response{}, d.Create(r.ID, r.Parent, options(r))
	},
	"CreateReadWrite": func(d graphdriver.Driver, r request) (response, error) {
		return response{}, d.CreateReadWrite(r.ID, r.Parent, options(r))
	},
	"Remove": func(d graphdriver.Driver, r request) (response, error) { return response{}, d.Remove(r.ID) },
	"Get": func(d graphdriver.Driver, r request) (response, error) {
		dir, err := d.Get(r.ID, r.MountLabel)
		if err != nil {
			return response{}, err
		}
		return response{Dir: dir.Path()}, nil
	},
	"Put":    func(d graphdriver.Driver, r request) (response, error) { return response{}, d.Put(r.ID) },
	"Exists": func(d graphdriver.Driver, r request) (response, error) { return response{Exists: d.Exists(r.ID)}, nil },
	"Status": func(d graphdriver.Driver, _ request) (response, error) { return response{Status: d.Status()}, nil },
	"GetMetadata": func(d graphdriver.Driver, r request) (response, error) {
		metadata, err := d.GetMetadata(r.ID)
		return response{Metadata: metadata}, err
	},
	"Changes": func(d graphdriver.Driver, r request) (response, error) {
		changes, err := d.Changes(r.ID, r.Parent)
		return response{Changes: changes}, err
	},
	"DiffSize": func(d graphdriver.Driver, r request) (response, error) {
		size, err := d.DiffSize(r.ID, r.Parent)
		return response{Size: size}, err
	},
	"Cleanup": func(d graphdriver.Driver, _ request) (response, error) { return response{}, d.Cleanup() },
}

func options(r request) *graphdriver.CreateOpts {
	return &graphdriver.CreateOpts{MountLabel: r.MountLabel, StorageOpt: r.StorageOpt}
}

func main() {
	// The drivers run themselves anew, under other names, to mount and to unpack in a chroot.
	if reexec.Init() {
		return
	}
	kind, socket := kinds[os.Args[1]], os.Args[2]
	var driver graphdriver.Driver

	json500 := func(w http.ResponseWriter, err error) {
		w.WriteHeader(http.StatusInternalServerError)
		json.NewEncoder(w).Encode(response{Err: err.Error()})
	}
	answer := func(w http.ResponseWriter, r response, err error) {
		if err != nil {
			json500(w, err)
			return
		}
		json.NewEncoder(w).Encode(r)
	}
	handle := func(path string, serve func(http.ResponseWriter, request)) {
		http.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) {
			var decoded request
			if err := json.NewDecoder(r.Body).Decode(&decoded); err != nil && err != io.EOF {
				http.Error(w, err.Error(), http.StatusBadRequest)
				return
			}
			serve(w, decoded)
		})
	}

	handle("/Plugin.Activate", func(w http.ResponseWriter, _ request) {
		answer(w, response{Implements: []string{"GraphDriver"}}, nil)
	})
	handle("/GraphDriver.Init", func(w http.ResponseWriter, r request) {
		var err error
		driver, err = kind.open(r.Home, r.Opts, r.UIDMaps, r.GIDMaps)
		answer(w, response{}, err)
	})
	handle("/GraphDriver.Capabilities", func(w http.ResponseWriter, _ request) {
		answer(w, response{Capabilities: &kind.can}, nil)
	})
	for name := range methods {
		call := methods[name]
		handle("/GraphDriver."+name, func(w http.ResponseWriter, r request) {
			result, err := call(driver, r)
			answer(w, result, err)
		})
	}
	handle("/GraphDriver.Diff", func(w http.ResponseWriter, r request) {
		stream, err := driver.Diff(r.ID, r.Parent)
		if err != nil {
			json500(w, err)
			return
		}
		defer stream.Close()
		if _, err := io.Copy(w, stream); err != nil {
			panic(http.ErrAbortHandler)
		}
	})
	http.HandleFunc("/GraphDriver.ApplyDiff", func(w http.ResponseWriter, r *http.Request) {
		query := r.URL.Query()
		size, err := driver.ApplyDiff(query.Get("id"), query.Get("parent"), r.Body)
		answer(w, response{Size: size}, err)
	})

	listener, err := net.Listen("unix", socket)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println("ready")
	http.Serve(listener, nil)
}
