// Archives folders with moby's own archiver, for a comparison byte by byte.
//
//	layer-moby layer FOLDER [CONTAINER:HOST:SIZE]   the diff folder of an overlay layer
//	layer-moby changes NEWER OLDER                  what NEWER changes relative to OLDER
//	layer-moby list NEWER OLDER                     those changes, as JSON
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"

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
