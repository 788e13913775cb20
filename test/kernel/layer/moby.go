// Archives folders with moby's own archiver, for a comparison byte by byte, and unpacks layers with it.
//
//	layer-moby layer FOLDER [CONTAINER:HOST:SIZE]   the diff folder of an overlay layer
//	layer-moby changes NEWER OLDER                  what NEWER changes relative to OLDER
//	layer-moby list NEWER OLDER                     those changes, as JSON
//	layer-moby apply FOLDER                         unpacks the layer on standard input, in FOLDER as root as dockerd does
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"syscall"

	"github.com/docker/docker/pkg/archive"
	"github.com/docker/docker/pkg/idtools"
)

func main() {
	switch os.Args[1] {
	case "layer":
		options := &archive.TarOptions{Compression: archive.Uncompressed, WhiteoutFormat: archive.OverlayWhiteoutFormat}
		if len(os.Args) > 3 {
			var ids idtools.IDMap
			if _, err := fmt.Sscanf(os.Args[3], "%d:%d:%d", &ids.ContainerID, &ids.HostID, &ids.Size); err != nil {
				panic(err)
			}
			options.UIDMaps = []idtools.IDMap{ids}
			options.GIDMaps = []idtools.IDMap{ids}
		}
		stream, err := archive.TarWithOptions(os.Args[2], options)
		copyOut(stream, err)
	case "changes":
		stream, err := archive.ExportChanges(os.Args[2], changes(), nil, nil)
		copyOut(stream, err)
	case "list":
		if err := json.NewEncoder(os.Stdout).Encode(changes()); err != nil {
			panic(err)
		}
	case "apply":
		if err := syscall.Chroot(os.Args[2]); err != nil {
			panic(err)
		}
		if err := os.Chdir("/"); err != nil {
			panic(err)
		}
		if _, err := archive.UnpackLayer("/", os.Stdin, nil); err != nil {
			panic(err)
		}
	}
}

func changes() []archive.Change {
	found, err := archive.ChangesDirs(os.Args[2], os.Args[3])
	if err != nil {
		panic(err)
	}
	return found
}

func copyOut(stream io.ReadCloser, err error) {
	if err == nil {
		_, err = io.Copy(os.Stdout, stream)
	}
	if err != nil {
		panic(err)
	}
}
