// Serves stargz's proxy snapshotter on the socket in the first argument, with its root in the second, as containerd-stargz-grpc does.
// Debian packages its sources, without those that it finds lazily pulled layers by: it takes every layer for an ordinary one.
package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"

	snapshotsapi "github.com/containerd/containerd/api/services/snapshots/v1"
	"github.com/containerd/containerd/contrib/snapshotservice"
	"github.com/containerd/stargz-snapshotter/snapshot"
	"google.golang.org/grpc"
)

// ordinaryLayers is a file system of stargz's that has no layer to mount.
type ordinaryLayers struct{}

var errOrdinary = errors.New("the layer is an ordinary one")

func (ordinaryLayers) Mount(context.Context, string, map[string]string) error { return errOrdinary }
func (ordinaryLayers) Check(context.Context, string, map[string]string) error { return nil }
func (ordinaryLayers) Unmount(context.Context, string) error                  { return nil }

func main() {
	if err := serve(os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func serve(socket, root string) error {
	snapshotter, err := snapshot.NewSnapshotter(context.Background(), root, ordinaryLayers{}, snapshot.AsynchronousRemove)
	if err != nil {
		return err
	}
	listener, err := net.Listen("unix", socket)
	if err != nil {
		return err
	}
	server := grpc.NewServer()
	snapshotsapi.RegisterSnapshotsServer(server, snapshotservice.FromSnapshotter(snapshotter))
	return server.Serve(listener)
}
