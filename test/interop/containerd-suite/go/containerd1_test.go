//go:build containerd1

package suite

import (
	"github.com/containerd/containerd/snapshots"
	"github.com/containerd/containerd/snapshots/overlay"
	"github.com/containerd/containerd/snapshots/proxy"
	"github.com/containerd/containerd/snapshots/testsuite"
	"google.golang.org/grpc"
)

type snapshotter = snapshots.Snapshotter

var (
	runSuite = testsuite.SnapshotterSuite
	newProxy = proxy.NewSnapshotter
	// grpc 1.33 has no other.
	plaintext = grpc.WithInsecure()
)

func newOverlay(root string) (snapshotter, error) { return overlay.NewSnapshotter(root) }
