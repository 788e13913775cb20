package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"sort"
	"sync"
	"time"
)

type callTimes struct {
	MedianUs       float64 `json:"medianUs"`
	P99Us          float64 `json:"p99Us"`
	CallsPerSecond float64 `json:"callsPerSecond"`
}

func call(socket string, warmUp, calls, callers, batch int) {
	client := newClient(socket, callers)
	for done := 0; done < warmUp; done++ {
		askPath(client)
	}
	times := make([]float64, calls)
	for done := range times {
		start := time.Now()
		askPath(client)
		times[done] = float64(time.Since(start).Nanoseconds()) / 1000
	}
	sort.Float64s(times)
	callAtOnce(client, callers, batch/4) // opens the connections
	start := time.Now()
	callAtOnce(client, callers, batch)
	print(callTimes{
		MedianUs:       times[calls/2],
		P99Us:          times[calls*99/100],
		CallsPerSecond: float64(batch) / time.Since(start).Seconds(),
	})
}

func callAtOnce(client *http.Client, callers, batch int) {
	var running sync.WaitGroup
	for caller := 0; caller < callers; caller++ {
		running.Add(1)
		go func() {
			defer running.Done()
			for done := 0; done < batch/callers; done++ {
				askPath(client)
			}
		}()
	}
	running.Wait()
}

func newClient(socket string, connections int) *http.Client {
	return &http.Client{Transport: &http.Transport{
		Dial:                func(_, _ string) (net.Conn, error) { return net.Dial("unix", socket) },
		MaxIdleConnsPerHost: connections,
	}}
}

func askPath(client *http.Client) {
	var response pathResponse
	post(client, "VolumeDriver.Path", pathRequest{"volume"}, &response)
	if response.Mountpoint != "/mnt/volume" {
		panic("answered " + response.Mountpoint)
	}
}

func post(client *http.Client, method string, body, answer interface{}) {
	text, err := json.Marshal(body)
	must(err)
	request, err := http.NewRequest("POST", "http://plugin.moby.localhost/"+method, bytes.NewReader(text))
	must(err)
	request.Header.Set("Accept", mediaType)
	request.Header.Set("Content-Type", mediaType)
	response, err := client.Do(request)
	must(err)
	defer response.Body.Close()
	text, err = io.ReadAll(response.Body)
	must(err)
	if response.StatusCode != http.StatusOK {
		panic(fmt.Sprintf("answered %d: %s", response.StatusCode, text))
	}
	must(json.Unmarshal(text, answer))
}
