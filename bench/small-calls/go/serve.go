package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
)

const mediaType = "application/vnd.docker.plugins.v1.1+json"

type pathRequest struct{ Name string }
type pathResponse struct{ Mountpoint string }
type manifest struct{ Implements []string }

func serve(sockets []string) {
	http.HandleFunc("/Plugin.Activate", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, manifest{[]string{"VolumeDriver"}})
	})
	http.HandleFunc("/VolumeDriver.Path", func(w http.ResponseWriter, r *http.Request) {
		var request pathRequest
		if err := json.NewDecoder(r.Body).Decode(&request); err != nil && err != io.EOF {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		answer(w, pathResponse{"/mnt/" + request.Name})
	})
	for _, socket := range sockets {
		listener, err := net.Listen("unix", socket)
		must(err)
		go http.Serve(listener, nil)
	}
	fmt.Println("ready")
	select {}
}

func answer(w http.ResponseWriter, body interface{}) {
	w.Header().Set("Content-Type", mediaType)
	must(json.NewEncoder(w).Encode(body))
}
