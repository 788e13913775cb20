// containerd's own client of proxy snapshotters, for the socket in the first argument: reads one JSON call a line, answers
// one JSON outcome a line.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"time"

	snapshotsapi "github.com/containerd/containerd/api/services/snapshots/v1"
	"github.com/containerd/containerd/errdefs"
	"github.com/containerd/containerd/pkg/dialer"
	"github.com/containerd/containerd/snapshots"
	"github.com/containerd/containerd/snapshots/proxy"
	"google.golang.org/grpc"
)

type call struct {
	Method  string            `json:"method"`
	Key     string            `json:"key"`
	Name    string            `json:"name"`
	Parent  string            `json:"parent"`
	Labels  map[string]string `json:"labels"`
	Paths   []string          `json:"paths"`
	Filters []string          `json:"filters"`
}

type info struct {
	Name, Kind, Parent string
	Labels             map[string]string
	Created, Updated   string
}

type outcome struct {
	Error string      `json:"error,omitempty"`
	Code  string      `json:"code,omitempty"`
	Value interface{} `json:"value,omitempty"`
	// Go's clock around the call, in nanoseconds.
	Before string `json:"before"`
	After  string `json:"after"`
}

func toInfo(i snapshots.Info) info {
	nanoseconds := func(t time.Time) string { return fmt.Sprint(t.UnixNano()) }
	return info{i.Name, i.Kind.String(), i.Parent, i.Labels, nanoseconds(i.Created), nanoseconds(i.Updated)}
}

func codeOf(err error) string {
	switch {
	case errdefs.IsNotFound(err):
		return "NOT_FOUND"
	case errdefs.IsAlreadyExists(err):
		return "ALREADY_EXISTS"
	case errdefs.IsFailedPrecondition(err):
		return "FAILED_PRECONDITION"
	case errdefs.IsInvalidArgument(err):
		return "INVALID_ARGUMENT"
	case errdefs.IsNotImplemented(err):
		return "UNIMPLEMENTED"
	case errdefs.IsUnavailable(err):
		return "UNAVAILABLE"
	}
	return "UNKNOWN"
}

func run(sn snapshots.Snapshotter, c call) (interface{}, error) {
	ctx := context.Background()
	labels := snapshots.WithLabels(c.Labels)
	switch c.Method {
	case "prepare":
		return sn.Prepare(ctx, c.Key, c.Parent, labels)
	case "view":
		return sn.View(ctx, c.Key, c.Parent, labels)
	case "mounts":
		return sn.Mounts(ctx, c.Key)
	case "commit":
		return nil, sn.Commit(ctx, c.Name, c.Key, labels)
	case "remove":
		return nil, sn.Remove(ctx, c.Key)
	case "stat":
		i, err := sn.Stat(ctx, c.Key)
		return toInfo(i), err
	case "update":
		i, err := sn.Update(ctx, snapshots.Info{Name: c.Key, Labels: c.Labels}, c.Paths...)
		return toInfo(i), err
	case "usage":
		return sn.Usage(ctx, c.Key)
	case "cleanup":
		return nil, sn.(snapshots.Cleaner).Cleanup(ctx)
	case "list":
		infos := []info{}
		err := sn.Walk(ctx, func(ctx context.Context, i snapshots.Info) error {
			// While the list is open.
			if _, err := sn.Stat(ctx, i.Name); err != nil {
				return err
			}
			infos = append(infos, toInfo(i))
			return nil
		}, c.Filters...)
		return infos, err
	}
	return nil, fmt.Errorf("no method %q", c.Method)
}

func main() {
	backoff := grpc.WithContextDialer(dialer.ContextDialer)
	conn, err := grpc.Dial(dialer.DialAddress(os.Args[1]), backoff, grpc.WithInsecure())
	if err != nil {
		panic(err)
	}
	sn := proxy.NewSnapshotter(snapshotsapi.NewSnapshotsClient(conn), "cleat")
	scanner := bufio.NewScanner(os.Stdin)
	scanner.Buffer(nil, 32<<20)
	for scanner.Scan() {
		var c call
		if err := json.Unmarshal(scanner.Bytes(), &c); err != nil {
			panic(err)
		}
		o := outcome{Before: fmt.Sprint(time.Now().UnixNano())}
		value, err := run(sn, c)
		o.After = fmt.Sprint(time.Now().UnixNano())
		if err != nil {
			o.Error, o.Code = err.Error(), codeOf(err)
		} else {
			o.Value = value
		}
		line, _ := json.Marshal(o)
		fmt.Println(string(line))
	}
}
