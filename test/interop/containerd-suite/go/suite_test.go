// containerd's own tests of snapshotters, each against a server of its own that is reached through containerd's client of proxy
// snapshotters; without a server against containerd's overlay snapshotter, in this process.
package suite

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	snapshotsapi "github.com/containerd/containerd/api/services/snapshots/v1"
	"google.golang.org/grpc"
)

const (
	readyDeadline = 30 * time.Second
	endDeadline   = 10 * time.Second
)

var (
	name   = flag.String("name", "overlayfs", "the snapshotter's name, by which the suite knows what a file system cannot do")
	server = flag.String("server", "", "JSON list of words that start a server; {root} and {socket} stand for a test's own")
)

func TestSnapshotter(t *testing.T) {
	if os.Getuid() != 0 {
		t.Fatal("the suite mounts: it takes root")
	}
	runSuite(t, *name, open)
}

func open(_ context.Context, root string) (snapshotter, func() error, error) {
	if *server == "" {
		s, err := newOverlay(root)
		if err != nil {
			return nil, nil, err
		}
		return s, func() error { return nothingMounted(root) }, nil
	}
	return openServed(root)
}

// openServed starts a server whose socket and log stand beside the root, and ends it with SIGTERM.
func openServed(root string) (snapshotter, func() error, error) {
	socket := filepath.Join(filepath.Dir(root), "s.sock")
	command, log, err := start(root, socket)
	if err != nil {
		return nil, nil, err
	}
	conn, err := grpc.Dial("unix://"+socket, plaintext)
	if err != nil {
		return nil, nil, err
	}
	cleanup := func() error {
		conn.Close()
		if err := end(command); err != nil {
			said, _ := os.ReadFile(log)
			return fmt.Errorf("%w; it said:\n%s", err, said)
		}
		if _, err := os.Lstat(socket); err == nil {
			return fmt.Errorf("the server left its socket %s", socket)
		}
		return nothingMounted(root)
	}
	return newProxy(snapshotsapi.NewSnapshotsClient(conn), *name), cleanup, nil
}

func start(root, socket string) (*exec.Cmd, string, error) {
	var words []string
	if err := json.Unmarshal([]byte(*server), &words); err != nil {
		return nil, "", err
	}
	replacer := strings.NewReplacer("{root}", root, "{socket}", socket)
	for i := range words {
		words[i] = replacer.Replace(words[i])
	}
	log := socket + ".log"
	output, err := os.Create(log)
	if err != nil {
		return nil, "", err
	}
	defer output.Close()
	command := exec.Command(words[0], words[1:]...)
	command.Stdout, command.Stderr = output, output
	if err := command.Start(); err != nil {
		return nil, "", err
	}
	for deadline := time.Now().Add(readyDeadline); ; time.Sleep(10 * time.Millisecond) {
		if conn, err := net.Dial("unix", socket); err == nil {
			conn.Close()
			return command, log, nil
		}
		if time.Now().After(deadline) || syscall.Kill(command.Process.Pid, 0) != nil || hasEnded(command) {
			command.Process.Kill()
			command.Wait()
			said, _ := os.ReadFile(log)
			return nil, "", fmt.Errorf("%v does not listen; it said:\n%s", words, said)
		}
	}
}

// hasEnded tells of a child that nobody has waited for yet.
func hasEnded(command *exec.Cmd) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", command.Process.Pid))
	return err != nil || strings.Contains(string(stat), ") Z ")
}

func end(command *exec.Cmd) error {
	if err := command.Process.Signal(syscall.SIGTERM); err != nil {
		return fmt.Errorf("the server ended before it was told to: %w", err)
	}
	ended := make(chan error, 1)
	go func() { ended <- command.Wait() }()
	select {
	case err := <-ended:
		return err
	case <-time.After(endDeadline):
		command.Process.Kill()
		<-ended
		return fmt.Errorf("the server did not end within %v of SIGTERM", endDeadline)
	}
}

func nothingMounted(root string) error {
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return err
	}
	for _, line := range strings.Split(string(mounts), "\n") {
		if fields := strings.Fields(line); len(fields) > 4 && strings.HasPrefix(fields[4], root+"/") {
			return fmt.Errorf("still mounted: %s", fields[4])
		}
	}
	return nil
}
