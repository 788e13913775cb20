// Plugins of two other kinds on Go's standard library, as tutorials have them: state
// in memory, and requests read and answered as docker/go-plugins-helpers does
// (authorization/api.go, ipam/api.go, sdk/encoder.go). Where a request cannot be
// decoded that one goes on with what it has, and so does this.
//
//	others policy|ledger SOCKET
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
)

type request struct {
	RequestMethod string
	RequestURI    string `json:"RequestUri"`
	RequestBody   []byte
	AddressSpace  string
	Pool          string
	PoolID        string
	Address       string
}

type answer map[string]interface{}

type method func(request) (answer, error)

// Nobody gets a privileged container, who asks as the docker command does.
func decide(asked request) (answer, error) {
	var body struct{ HostConfig struct{ Privileged bool } }
	path := strings.Split(asked.RequestURI, "?")[0]
	if asked.RequestMethod == "POST" && strings.HasSuffix(path, "/containers/create") {
		json.Unmarshal(asked.RequestBody, &body)
	}
	if body.HostConfig.Privileged {
		return answer{"Allow": false, "Msg": "privileged containers are not allowed"}, nil
	}
	return answer{"Allow": true}, nil
}

func allow(request) (answer, error) { return answer{"Allow": true}, nil }

var (
	state sync.Mutex
	pools = map[string]map[string]bool{}
	next  int
)

func requestPool(asked request) (answer, error) {
	pool := asked.Pool
	if pool == "" {
		pool = fmt.Sprintf("10.201.%d.0/24", next)
		next++
	}
	if _, _, err := net.ParseCIDR(pool); err != nil {
		return nil, err
	}
	if pools[pool] == nil {
		pools[pool] = map[string]bool{}
	}
	return answer{"PoolID": pool, "Pool": pool, "Data": nil}, nil
}

func requestAddress(asked request) (answer, error) {
	given := pools[asked.PoolID]
	if given == nil {
		return nil, errors.New("no pool " + asked.PoolID)
	}
	first, subnet, _ := net.ParseCIDR(asked.PoolID)
	address := asked.Address
	for at := 1; address == "" && at < 255; at++ {
		ip := first.To4()
		candidate := net.IPv4(ip[0], ip[1], ip[2], ip[3]+byte(at)).String()
		if !given[candidate] {
			address = candidate
		}
	}
	if given[address] {
		return nil, errors.New(address + " is given")
	}
	given[address] = true
	length, _ := subnet.Mask.Size()
	return answer{"Address": fmt.Sprintf("%s/%d", address, length), "Data": nil}, nil
}

var kinds = map[string]map[string]method{
	"policy": {
		"/Plugin.Activate":      func(request) (answer, error) { return answer{"Implements": []string{"authz"}}, nil },
		"/AuthZPlugin.AuthZReq": decide,
		"/AuthZPlugin.AuthZRes": allow,
	},
	"ledger": {
		"/Plugin.Activate":            func(request) (answer, error) { return answer{"Implements": []string{"IpamDriver"}}, nil },
		"/IpamDriver.GetCapabilities": func(request) (answer, error) { return answer{"RequiresMACAddress": false}, nil },
		"/IpamDriver.GetDefaultAddressSpaces": func(request) (answer, error) {
			return answer{"LocalDefaultAddressSpace": "local", "GlobalDefaultAddressSpace": "global"}, nil
		},
		"/IpamDriver.RequestPool":    requestPool,
		"/IpamDriver.RequestAddress": requestAddress,
		"/IpamDriver.ReleasePool": func(asked request) (answer, error) {
			delete(pools, asked.PoolID)
			return answer{}, nil
		},
		"/IpamDriver.ReleaseAddress": func(asked request) (answer, error) {
			delete(pools[asked.PoolID], asked.Address)
			return answer{}, nil
		},
	},
}

func main() {
	mux := http.NewServeMux()
	for path, call := range kinds[os.Args[1]] {
		call := call
		mux.HandleFunc(path, func(out http.ResponseWriter, in *http.Request) {
			var asked request
			if err := json.NewDecoder(in.Body).Decode(&asked); err != nil && !strings.Contains(in.URL.Path, "Get") && in.URL.Path != "/Plugin.Activate" {
				http.Error(out, err.Error(), http.StatusBadRequest)
			}
			state.Lock()
			answered, err := call(asked)
			state.Unlock()
			out.Header().Set("Content-Type", "application/vnd.docker.plugins.v1.1+json")
			if err != nil {
				out.WriteHeader(http.StatusInternalServerError)
				answered = answer{"Err": err.Error()}
			}
			json.NewEncoder(out).Encode(answered)
		})
	}
	os.Remove(os.Args[2])
	listener, err := net.Listen("unix", os.Args[2])
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Println("ready")
	http.Serve(listener, mux)
}
