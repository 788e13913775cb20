// A volume plugin on Go's standard library, as the plugins of Docker's users are:
// its state is in memory, and it answers as docker/go-plugins-helpers does. A
// failure is 500 with Err; a success has an empty Err beside its answer; nil maps
// and slices are null; an unknown time is Go's zero time.
//
//	server SOCKET
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"sort"
	"sync"
	"time"
)

type request struct {
	Name string
	ID   string
	Opts map[string]string
}

type volume struct {
	options map[string]string
	holders map[string]bool
}

// What is answered about a volume, by Get.
type described struct {
	Name       string
	Mountpoint string
	CreatedAt  time.Time
	Status     map[string]interface{}
}

// The same by List. Go's decoder takes any case, so that of a plugin is an accident.
type listed struct {
	Name       string                 `json:"name"`
	Mountpoint string                 `json:"mountpoint"`
	CreatedAt  time.Time              `json:"createdAt"`
	Status     map[string]interface{} `json:"status"`
}

type response map[string]interface{}

var (
	state   sync.Mutex
	volumes = map[string]*volume{}
)

var methods = map[string]func(request) (response, error){
	"/Plugin.Activate": func(request) (response, error) {
		return response{"Implements": []string{"VolumeDriver"}}, nil
	},
	"/VolumeDriver.Capabilities": func(request) (response, error) {
		return response{"Capabilities": map[string]string{"Scope": "global"}}, nil
	},
	"/VolumeDriver.Create": func(r request) (response, error) {
		volumes[r.Name] = &volume{options: r.Opts, holders: map[string]bool{}}
		return response{}, nil
	},
	"/VolumeDriver.List": func(request) (response, error) {
		var all []listed
		for name := range volumes {
			all = append(all, listed{Name: name, Mountpoint: mountpoint(name)})
		}
		sort.Slice(all, func(a, b int) bool { return all[a].Name < all[b].Name })
		return response{"volumes": all}, nil
	},
	"/VolumeDriver.Get": ofVolume(func(v *volume, r request) (response, error) {
		status := map[string]interface{}{"options": v.options, "holders": len(v.holders)}
		return response{"Volume": described{Name: r.Name, Mountpoint: mountpoint(r.Name), Status: status}}, nil
	}),
	"/VolumeDriver.Path": ofVolume(func(v *volume, r request) (response, error) {
		if len(v.holders) == 0 {
			return response{"Mountpoint": ""}, nil
		}
		return response{"Mountpoint": mountpoint(r.Name)}, nil
	}),
	"/VolumeDriver.Mount": ofVolume(func(v *volume, r request) (response, error) {
		v.holders[r.ID] = true
		return response{"Mountpoint": mountpoint(r.Name)}, nil
	}),
	"/VolumeDriver.Unmount": ofVolume(func(v *volume, r request) (response, error) {
		if !v.holders[r.ID] {
			return nil, fmt.Errorf("volume %s is not held by %s", r.Name, r.ID)
		}
		delete(v.holders, r.ID)
		return response{}, nil
	}),
	"/VolumeDriver.Remove": ofVolume(func(v *volume, r request) (response, error) {
		if len(v.holders) > 0 {
			return nil, errors.New("volume in use")
		}
		delete(volumes, r.Name)
		return response{}, nil
	}),
}

func ofVolume(answer func(*volume, request) (response, error)) func(request) (response, error) {
	return func(r request) (response, error) {
		v, known := volumes[r.Name]
		if !known {
			return nil, fmt.Errorf("no such volume: %s", r.Name)
		}
		return answer(v, r)
	}
}

func mountpoint(name string) string { return "/mnt/" + name }

func main() {
	for path := range methods {
		method := methods[path]
		http.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) { answer(w, r, method) })
	}
	listener, err := net.Listen("unix", os.Args[1])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println("ready")
	http.Serve(listener, nil)
}

func answer(w http.ResponseWriter, r *http.Request, method func(request) (response, error)) {
	var decoded request
	decoder := json.NewDecoder(r.Body)
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&decoded); err != nil && err != io.EOF {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	state.Lock()
	result, err := method(decoded)
	state.Unlock()
	w.Header().Set("Content-Type", "application/vnd.docker.plugins.v1.1+json")
	if err != nil {
		w.WriteHeader(http.StatusInternalServerError)
		result = response{"Err": err.Error()}
	} else {
		result["Err"] = ""
	}
	json.NewEncoder(w).Encode(result)
}
