// Calls VolumeDriver.Path of a plugin from several goroutines, over connections
// that are kept, as an engine does; each call names a volume of its own. Ends
// after all calls, or when nobody listens any more, and prints what became of
// them as JSON.
//
//	client SOCKET CALLS CALLERS
package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
)

type outcome struct {
	// Names of the volumes whose path was answered, and rightly.
	Answered []string
	// Calls that found nobody to connect to: they never began.
	Refused int
	// Any other failure.
	Broken []failure
	// How many connections were made.
	Connections int
}

type failure struct{ Name, Error string }

var (
	result  = outcome{Answered: []string{}, Broken: []failure{}}
	writing sync.Mutex
)

func main() {
	socket, calls, callers := os.Args[1], number(os.Args[2]), number(os.Args[3])
	client := &http.Client{Transport: &http.Transport{
		Dial:                func(_, _ string) (net.Conn, error) { return net.Dial("unix", socket) },
		MaxIdleConnsPerHost: callers,
	}}
	var begun int64
	var running sync.WaitGroup
	for caller := 0; caller < callers; caller++ {
		running.Add(1)
		go func() {
			defer running.Done()
			for {
				call := atomic.AddInt64(&begun, 1)
				if call > int64(calls) || !callPath(client, fmt.Sprintf("volume-%d", call)) {
					return
				}
			}
		}()
	}
	running.Wait()
	json.NewEncoder(os.Stdout).Encode(result)
}

// callPath says whether to go on.
func callPath(client *http.Client, name string) bool {
	connections := 0
	err := ask(client, name, &connections)
	writing.Lock()
	defer writing.Unlock()
	result.Connections += connections
	var network *net.OpError
	switch {
	case err == nil:
		result.Answered = append(result.Answered, name)
	case errors.As(err, &network) && network.Op == "dial":
		result.Refused++
		return false
	default:
		result.Broken = append(result.Broken, failure{name, err.Error()})
	}
	return true
}

func ask(client *http.Client, name string, connections *int) error {
	body, _ := json.Marshal(map[string]string{"Name": name})
	request, err := http.NewRequest("POST", "http://plugin.moby.localhost/VolumeDriver.Path", bytes.NewReader(body))
	if err != nil {
		return err
	}
	trace := &httptrace.ClientTrace{GotConn: func(got httptrace.GotConnInfo) {
		if !got.Reused {
			*connections++
		}
	}}
	response, err := client.Do(request.WithContext(httptrace.WithClientTrace(request.Context(), trace)))
	if err != nil {
		return err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return err
	}
	var answer struct{ Mountpoint string }
	if err := json.Unmarshal(text, &answer); err != nil {
		return err
	}
	if response.StatusCode != http.StatusOK || answer.Mountpoint != "/mnt/"+name {
		return fmt.Errorf("answered %d: %s", response.StatusCode, text)
	}
	return nil
}

func number(text string) int {
	value, err := strconv.Atoi(text)
	if err != nil {
		panic(err)
	}
	return value
}
