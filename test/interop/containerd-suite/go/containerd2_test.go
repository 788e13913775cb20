//go:build containerd2

package suite

import (
	"github.com/containerd/containerd/v2/core/snapshots"
	"github.com/containerd/containerd/v2/core/snapshots/proxy"
	"github.com/containerd/containerd/v2/core/snapshots/testsuite"
	"github.com/containerd/containerd/v2/plugins/snapshots/overlay"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
)

type snapshotter = snapshots.Snapshotter

var (
	runSuite  = testsuite.SnapshotterSuite
	newProxy  = proxy.NewSnapshotter
	plaintext = grpc.WithTransportCredentials(insecure.NewCredentials())
)

func newOverlay(root string) (snapshotter, error) { return overlay.NewSnapshotter(root) }
