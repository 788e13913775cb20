// Package v2 is what moby's graphdriver package needs of its managed plugins to
// compile. Debian leaves the package out; nothing here is ever called.
package v2

import (
	"net"

	"github.com/docker/docker/pkg/plugins"
)

type Plugin struct {
	PluginObj struct {
		Config struct{ PropagatedMount string }
	}
}

func (*Plugin) Name() string                  { return "" }
func (*Plugin) IsV1() bool                    { return false }
func (*Plugin) ScopedPath(path string) string { return path }
func (*Plugin) Client() *plugins.Client       { return nil }
func (*Plugin) Addr() net.Addr                { return nil }
