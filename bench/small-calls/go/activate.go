package main

import (
	"path/filepath"
	"sort"
	"sync"
	"time"
)

type activationTimes struct {
	MedianMs float64 `json:"medianMs"`
}

// As a host does that has just started: the folder is listed, and nothing is connected yet.
func activate(folder string, rounds int) {
	times := make([]float64, rounds)
	for round := range times {
		start := time.Now()
		activateAll(folder)
		times[round] = float64(time.Since(start).Nanoseconds()) / 1e6
	}
	times = times[1:] // the first finds everything cold
	sort.Float64s(times)
	print(activationTimes{times[len(times)/2]})
}

func activateAll(folder string) {
	sockets, err := filepath.Glob(filepath.Join(folder, "*.sock"))
	must(err)
	var running sync.WaitGroup
	for _, socket := range sockets {
		running.Add(1)
		go func(socket string) {
			defer running.Done()
			client := newClient(socket, 1)
			var found manifest
			post(client, "Plugin.Activate", struct{}{}, &found)
			if len(found.Implements) != 1 || found.Implements[0] != "VolumeDriver" {
				panic("no volume plugin at " + socket)
			}
			client.CloseIdleConnections()
		}(socket)
	}
	running.Wait()
}
